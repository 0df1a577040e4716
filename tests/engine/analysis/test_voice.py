"""A singer is told from an instrument by a pitch that wanders and by consonants."""

import numpy as np
import pytest

from engine.analysis.features import RATE, Features
from engine.analysis.model import VocalEvidence
from engine.analysis.voice import hear_voice, yin
from engine.audio import Audio

SECONDS = 12


def tone(pitch_hz: np.ndarray) -> np.ndarray:
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE
    return np.asarray(sum(np.sin(k * phase) / k**1.3 for k in range(1, 12)))


def melody(glide_s: float, vibrato_cents: float) -> np.ndarray:
    """Notes of half a second; a singer glides into each and lets it vibrate."""
    t = np.arange(SECONDS * RATE) / RATE
    steps = np.repeat([0, 4, 7, 5, 2, 7] * 4, RATE // 2)
    width = max(1, int(glide_s * RATE))
    bent = np.convolve(np.pad(steps, width, mode="edge"), np.ones(width) / width, mode="same")[width:-width]
    return 220.0 * 2.0 ** (bent / 12 + vibrato_cents / 1200 * np.sin(2 * np.pi * 5.5 * t))


def consonants(sound: np.ndarray) -> np.ndarray:
    """Put 80 ms of high noise in place of the vowel, two to three times in a second."""
    from scipy.signal import butter, sosfilt

    rng = np.random.default_rng(1)
    noise = sosfilt(butter(4, 5000, "high", fs=RATE, output="sos"), rng.normal(size=len(sound)))
    spoken = sound.copy()
    for start in range(0, len(sound) - RATE // 4, 2 * RATE // 5):
        spoken[start : start + int(0.08 * RATE)] = 0.4 * noise[start : start + int(0.08 * RATE)]
    return spoken


def heard(sound: np.ndarray) -> VocalEvidence | None:
    audio = Audio(np.stack([sound, sound]).astype(np.float32) * 0.1, RATE)
    return hear_voice(Features({"vocals": audio}, audio))


def test_who_glides_and_speaks_is_a_voice() -> None:
    found = heard(consonants(tone(melody(0.12, 40.0))))
    assert found is not None
    assert (found.pitch_moves, found.has_consonants, found.singer) == (True, True, "voice")


def test_still_notes_without_consonants_are_an_instrument() -> None:
    found = heard(tone(melody(0.0, 0.0)))
    assert found is not None
    assert (found.pitch_moves, found.has_consonants, found.singer) == (False, False, "instrument")


@pytest.mark.parametrize(
    "sound",
    [tone(melody(0.12, 40.0)), consonants(tone(melody(0.0, 0.0)))],
    ids=["a humming singer", "a singer with corrected pitch"],
)
def test_whoever_has_one_sign_of_a_voice_is_never_called_an_instrument(sound: np.ndarray) -> None:
    found = heard(sound)
    assert found is not None
    assert found.singer != "instrument"


def test_a_choir_whose_pitch_cannot_be_followed_is_never_called_an_instrument() -> None:
    rng = np.random.default_rng(2)
    t = np.arange(SECONDS * RATE) / RATE
    many = sum(
        tone(f * 2 ** (rng.normal(0, 15) / 1200 + 20 / 1200 * np.sin(2 * np.pi * rng.uniform(4, 7) * t)))
        for f in (220.0, 261.6, 329.6, 392.0)
        for _ in range(3)
    )
    found = heard(np.asarray(many))
    assert found is not None
    assert found.singer != "instrument"


def test_without_a_stem_of_vocals_nothing_is_said() -> None:
    audio = Audio(np.zeros((2, RATE), np.float32) + 0.01, RATE)
    assert hear_voice(Features(None, audio)) is None


def test_pitch_is_read_to_a_cent() -> None:
    pitch, aperiodicity, _ = yin(tone(np.full(RATE, 196.3)).astype(np.float32))
    assert 1200 * abs(np.log2(np.median(pitch) / 196.3)) < 1.0
    assert np.median(aperiodicity) < 0.05
