"""A separation into more than four stems is listened to as four, and sums to the same."""

from pathlib import Path

import numpy as np

from engine.actions.analyze import four_stems
from engine.audio import Audio, read_audio, write_wav


def test_guitar_and_piano_join_the_others_and_the_rest_stay_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    roles = ("vocals", "drums", "bass", "other", "guitar", "piano")
    sounds = {role: (0.1 * rng.standard_normal((2, 4410))).astype(np.float32) for role in roles}
    files = {role: tmp_path / f"{role}.wav" for role in roles}
    for role, samples in sounds.items():
        write_wav(files[role], Audio(samples, 44100), "FLOAT")
    stems = four_stems(files)
    assert list(stems) == ["vocals", "drums", "bass", "other"]
    assert [stems[role] for role in ("vocals", "drums", "bass")] == [
        files[role] for role in ("vocals", "drums", "bass")
    ]
    other = stems["other"]
    assert isinstance(other, Audio)
    assert np.allclose(other.samples, sounds["other"] + sounds["guitar"] + sounds["piano"], atol=1e-6)


def test_four_stems_stay_the_files_that_they_are(tmp_path: Path) -> None:
    file = tmp_path / "x.wav"
    write_wav(file, Audio(np.zeros((1, 100), np.float32), 44100), "PCM_24")
    files = dict.fromkeys(("vocals", "drums", "bass", "other"), file)
    assert four_stems(files) == files
    assert read_audio(file).frames == 100
