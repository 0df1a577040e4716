"""Melody chroma is what the released models were trained on, wherever it is read."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.audio import Audio
from engine.generation.melody import Melody
from engine.generation.musicgen.chroma import (
    HOP_S,
    RATE,
    chroma,
    chroma_at,
    frames_for,
    pitch_class_weights,
)

Floats = NDArray[np.float32]


def reference(mono: Floats) -> Floats:
    """Return the normalised pitch-class weights by the published definition, with torch and transformers' filters."""
    torch = pytest.importorskip("torch", reason="the reference of the melody chroma is computed with torch")
    audio_utils = pytest.importorskip(
        "transformers.audio_utils", reason="the chroma filters are transformers'"
    )
    bank = audio_utils.chroma_filter_bank(
        num_frequency_bins=16384, num_chroma=12, sampling_rate=32000, tuning=0.0
    )
    wave = torch.from_numpy(mono)[None]
    if wave.shape[-1] < 16384:
        missing = 16384 - wave.shape[-1]
        wave = torch.nn.functional.pad(wave, (missing // 2, missing - missing // 2))
    window = torch.hann_window(16384)
    spectrum = torch.stft(
        wave, 16384, 4096, 16384, window, center=True, pad_mode="reflect", return_complex=True
    )
    power = (spectrum / window.pow(2).sum().sqrt()).abs().pow(2)
    raw = torch.einsum("cf,bft->bct", torch.from_numpy(bank).float(), power)
    normalised = torch.nn.functional.normalize(raw, p=float("inf"), dim=-2, eps=1e-6)
    return np.asarray(normalised[0].T.numpy())


def extractor() -> Any:
    """Return transformers' own feature extractor where torchaudio imports, else its definition written out above."""
    try:
        from transformers import MusicgenMelodyFeatureExtractor

        made = MusicgenMelodyFeatureExtractor(sampling_rate=RATE, feature_size=12, num_chroma=12)
    except (ImportError, OSError, RuntimeError):
        return lambda mono: np.eye(12, dtype=np.float32)[reference(mono).argmax(axis=1)]
    return lambda mono: np.asarray(made([mono], sampling_rate=RATE, return_tensors="np")["input_features"][0])


def chords(seconds: float, seed: int = 0) -> Floats:
    """Return a different chord each half second, with a little noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    sound = 0.003 * rng.standard_normal(t.size)
    for start in np.arange(0.0, seconds, 0.5):
        here = (t >= start) & (t < start + 0.5)
        for pitch in rng.integers(45, 84, 3):
            sound[here] += 0.2 * np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * t[here])
    return sound.astype(np.float32)


@pytest.mark.parametrize("frames", [1, 8000, 16383, 16384, 16385, 100_001, 960_000])
def test_weights_equal_the_published_definition(frames: int) -> None:
    mono = chords(30.0)[:frames]
    expected = reference(mono)
    got = pitch_class_weights(mono, np.arange(len(expected)) * HOP_S)
    assert np.abs(got - expected).max() < 1e-5
    assert chroma(mono).shape == expected.shape


def test_chroma_equals_the_reference_extractor() -> None:
    mono = chords(20.0, seed=3)
    expected = extractor()(mono)
    ranked = np.sort(reference(mono), axis=1)
    clear = ranked[:, -1] - ranked[:, -2] > 1e-4  # nearly equal pitch classes may fall either way
    assert clear.mean() > 0.95
    assert np.array_equal(chroma(mono)[clear], expected[clear])


def test_silence_and_near_silence_are_as_in_the_reference() -> None:
    silent = np.zeros(50_000, np.float32)
    assert np.array_equal(pitch_class_weights(silent, np.arange(13) * HOP_S), reference(silent))
    assert chroma(silent)[:, 0].all()
    quiet = (chords(1.6) * 1e-6).astype(np.float32)
    expected = reference(quiet)
    assert np.abs(pitch_class_weights(quiet, np.arange(len(expected)) * HOP_S) - expected).max() < 1e-4


def test_each_frame_names_one_pitch_class_and_c_comes_first() -> None:
    t = np.arange(3 * RATE) / RATE
    for number, pitch in enumerate(range(60, 72)):  # C4 upwards
        heard = chroma(np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * t).astype(np.float32))
        assert (heard.sum(axis=1) == 1).all()
        assert (heard[2:-2].argmax(axis=1) == number).all()


def test_frames_of_a_window_are_those_of_the_whole() -> None:
    mono = chords(12.0)
    whole = chroma(mono)
    inside = chroma_at(mono, (10 + np.arange(20)) * HOP_S)
    assert np.array_equal(inside, whole[10:30])
    assert frames_for(30.0) == 235


def test_a_melody_is_read_where_the_timeline_says() -> None:
    mono = chords(16.0)
    half_speed = Melody(mono, lambda wanted_s: wanted_s / 2)
    as_it_is = Melody(mono)
    slow, fast = half_speed.chroma(0.0, 80), as_it_is.chroma(0.0, 80)
    assert np.array_equal(slow[::2], fast[:40])
    assert half_speed.sha256(8.0) != as_it_is.sha256(8.0)


def test_a_melody_that_is_too_short_starts_again() -> None:
    mono = chords(8.192)  # 64 hops
    melody = Melody(mono)
    again = melody.chroma(melody.duration_s + 2.0, 10)
    assert np.array_equal(again, chroma_at(mono, 2.0 + np.arange(10) * HOP_S))


def test_any_rate_and_channels_are_heard_alike() -> None:
    import soxr

    mono = chords(6.0)
    other = soxr.resample(mono, RATE, 44100, quality="VHQ")
    stereo = Audio(np.stack([other * 1.4, other * 0.6]).astype(np.float32), 44100)
    same = (Melody.of(stereo).chroma(0.0, 40) == Melody(mono).chroma(0.0, 40)).all(axis=1)
    assert same.mean() > 0.9


def test_the_hash_hears_the_recording() -> None:
    a, b = chords(2.0), chords(2.0, seed=1)
    assert Melody(a).sha256(2.0) == Melody(a.copy()).sha256(2.0) != Melody(b).sha256(2.0)
