"""What `separate` promises of any backend's stems, whatever the file."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from separation_songs import benchmark, mix_of, song

from engine.audio.buffer import Audio
from engine.errors import Cancelled, NrxError
from engine.progress import Monitor
from engine.separation import BACKENDS, STEMS, load_backend, separate, stem_names, stream

SHAPES = [(8000, 1, 5.0), (22050, 2, 3.0), (44100, 2, 3.0), (48000, 6, 1.0), (192000, 2, 0.7)]


def audio_of(rate, channels, seconds):
    """Return sound with something of everything; what it is at a rate that is not its own does not matter here."""
    stereo = mix_of(song(6.0)).samples[:, : int(seconds * rate)]
    gains = np.linspace(1.0, 0.3, -(-channels // 2))
    stacked = np.concatenate([gain * stereo for gain in gains])[:channels]
    return Audio(np.ascontiguousarray(stacked, dtype=np.float32), rate)


def as_24_bit(samples):
    return np.rint(samples.astype(np.float64) * 2**23) / 2**23


@pytest.mark.parametrize(("rate", "channels", "seconds"), SHAPES)
def test_stems_sum_to_the_mix_even_when_written_as_24_bit(rate, channels, seconds):
    mix = audio_of(rate, channels, seconds)
    stems = separate(mix)
    in_memory = sum(stem.samples.astype(np.float64) for stem in stems.values()) - mix.samples
    written = sum(as_24_bit(stem.samples) for stem in stems.values()) - as_24_bit(mix.samples)
    assert np.abs(in_memory).max() < 10 ** (-120 / 20)
    assert np.abs(written).max() < 10 ** (-100 / 20)


@pytest.mark.parametrize(("rate", "channels", "seconds"), SHAPES)
def test_stems_keep_rate_frames_and_channels(rate, channels, seconds):
    mix = audio_of(rate, channels, seconds)
    stems = separate(mix)
    assert tuple(stems) == STEMS
    for stem in stems.values():
        assert (stem.sample_rate, stem.samples.shape) == (rate, mix.samples.shape)
        assert np.isfinite(stem.samples).all()


@pytest.mark.parametrize("frames", [1, 2, 100, 2205, 8191, 8192, 8193])
@pytest.mark.parametrize("channels", [1, 2])
def test_very_short_audio_is_separated_too(frames, channels):
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, (channels, frames)).astype(np.float32)
    stems = separate(Audio(samples, 44100))
    assert np.abs(sum(stem.samples for stem in stems.values()) - samples).max() < 1e-6


def test_silence_gives_silence():
    stems = separate(Audio(np.zeros((2, 44100), dtype=np.float32), 44100))
    assert all(not stem.samples.any() for stem in stems.values())


def test_loud_float_audio_is_not_clipped():
    mix = mix_of(song(3.0))
    loud = Audio(mix.samples * np.float32(8 / np.abs(mix.samples).max()), 44100)
    total = sum(stem.samples for stem in separate(loud).values())
    assert np.abs(total).max() == pytest.approx(8.0, rel=1e-5)


def test_separation_does_not_depend_on_level():
    mix = mix_of(song(3.0))
    quiet = separate(Audio(mix.samples * np.float32(2**-8), 44100))
    for role, stem in separate(mix).items():
        assert np.abs(quiet[role].samples * 2**8 - stem.samples).max() < 1e-4


@pytest.mark.parametrize("role", STEMS)
def test_two_stems_are_the_role_and_the_rest(role):
    mix = mix_of(song(3.0))
    two = separate(mix, two_stems=role)
    wanted, rest = stem_names(role)
    assert tuple(two) == (wanted, rest) == (role, "instrumental" if role == "vocals" else f"no_{role}")
    assert np.array_equal(two[role].samples, separate(mix)[role].samples)
    assert np.abs(two[role].samples + two[rest].samples - mix.samples).max() < 1e-6


def test_blocks_of_a_stream_are_the_stems():
    mix = mix_of(song(8.0))
    blocks = list(stream(mix))
    assert len(blocks) > 1
    for role, stem in separate(mix).items():
        assert np.array_equal(np.concatenate([block[role] for block in blocks], axis=1), stem.samples)


def test_same_input_gives_the_same_bytes():
    mix = mix_of(song(3.0))
    first, second = separate(mix), separate(mix)
    assert all(first[role].samples.tobytes() == second[role].samples.tobytes() for role in STEMS)


def test_the_mix_is_left_as_it_was():
    mix = mix_of(song(3.0))
    before = mix.samples.copy()
    separate(mix)
    assert np.array_equal(mix.samples, before)


def test_backends_say_what_they_are():
    for name in BACKENDS:
        info = load_backend(name).info
        assert info.name == name
        assert info.version
        assert info.licence
        assert info.stems == STEMS
    assert load_backend("spectral").info.grade == "karaoke-grade"


@pytest.mark.parametrize(
    ("code", "arguments"),
    [("backend.missing", {"backend": "magic"}), ("request.invalid", {"two_stems": "kazoo"})],
)
def test_unknown_names_are_refused_with_what_is_allowed(code, arguments):
    with pytest.raises(NrxError) as refused:
        separate(mix_of(song(3.0)), **arguments)
    assert refused.value.code == code
    assert next(iter(arguments.values())) in refused.value.sentence
    assert ("spectral" if "backend" in arguments else "vocals") in refused.value.sentence


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_numbers_are_refused(bad):
    samples = mix_of(song(3.0)).samples.copy()
    samples[0, 1000] = bad
    with pytest.raises(NrxError) as refused:
        separate(Audio(samples, 44100))
    assert refused.value.code == "input.not_finite"


def test_no_frames_are_refused():
    with pytest.raises(NrxError) as refused:
        separate(Audio(np.zeros((2, 0), dtype=np.float32), 44100))
    assert refused.value.code == "input.empty"


def test_progress_only_grows_and_ends_at_one():
    seen = []
    separate(mix_of(song(8.0)), monitor=Monitor(on_progress=seen.append))
    assert seen == sorted(seen)
    assert seen[0] < 0.2
    assert seen[-1] == pytest.approx(1.0)


@pytest.mark.parametrize(("rate", "channels", "seconds"), [(44100, 2, 6.0), (192000, 6, 1.5)])
def test_cancelling_is_asked_about_often(rate, channels, seconds):
    mix = audio_of(rate, channels, seconds)
    separate(mix_of(song(3.0)))  # imports
    looks = [time.process_time()]

    def look():
        looks.append(time.process_time())
        return False

    separate(mix, monitor=Monitor(is_cancelled=look))
    assert (
        np.diff(looks).max() < 2.0
    )  # processor seconds between two looks; a cancel must be heard within two


@pytest.mark.parametrize("after", [0, 3, 9])
def test_cancelling_stops_the_work(after):
    looks = []

    def is_cancelled():
        looks.append(None)
        return len(looks) > after

    with pytest.raises(Cancelled):
        separate(mix_of(song(8.0)), monitor=Monitor(is_cancelled=is_cancelled))
    assert len(looks) == after + 1


def test_importing_the_package_imports_nothing_heavy():
    heavy = ("scipy", "librosa", "numba", "soundfile")
    code = f"import sys, engine.separation; print([m for m in {heavy!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_benchmark_measures_a_folder(tmp_path, capsys, monkeypatch):
    import soundfile

    (tmp_path / "groups").mkdir()
    for role, stem in song(6.0, 22050).items():
        soundfile.write(tmp_path / "groups" / f"{role}.wav", stem.T, 22050, "FLOAT")
    quick = {name: c for name, c in benchmark.contenders("spectral").items() if name in ("spectral", "mix")}
    monkeypatch.setattr(benchmark, "contenders", lambda _backend: quick)
    assert benchmark.main([str(tmp_path), "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert set(results) == {tmp_path.name, "all"}
    assert results["all"]["spectral"]["mean"] > results["all"]["mix"]["mean"]
