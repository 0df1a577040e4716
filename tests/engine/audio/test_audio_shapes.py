"""Resampling, channel layouts, envelopes, and the checks that there is anything to work on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.audio import (
    MIN_DURATION_S,
    Audio,
    check_musical,
    downmix_coefficients,
    envelope,
    resample,
    to_stereo,
)
from engine.errors import Cancelled, NrxError
from engine.progress import Monitor


def sine(sample_rate: int, frames: int, hz: float, level: float = 0.5, channels: int = 1) -> Audio:
    wave = level * np.sin(2 * np.pi * hz * np.arange(frames) / sample_rate)
    return Audio(np.tile(wave, (channels, 1)).astype(np.float32), sample_rate)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 20_000),
    st.sampled_from([8_000, 22_050, 44_100, 48_000, 96_000]),
    st.sampled_from([8_000, 22_050, 44_100, 48_000, 96_000]),
    st.integers(1, 3),
)
def test_resampled_length_is_exact(frames: int, rate: int, new_rate: int, channels: int) -> None:
    out = resample(Audio(np.zeros((channels, frames), np.float32), rate), new_rate)
    assert (out.sample_rate, out.channels) == (new_rate, channels)
    assert abs(out.frames - frames * new_rate / rate) <= 0.5


@pytest.mark.parametrize(
    ("rate", "new_rate"), [(44_100, 48_000), (48_000, 44_100), (192_000, 44_100), (8_000, 44_100)]
)
def test_resampling_keeps_pitch_level_and_place(rate: int, new_rate: int) -> None:
    out = resample(sine(rate, 20 * rate, 440.0), new_rate)  # several blocks
    expected = sine(new_rate, 20 * new_rate, 440.0)
    middle = slice(new_rate, 19 * new_rate)
    error = out.samples[0, middle] - expected.samples[0, middle]
    assert 20 * np.log10(np.abs(error).max()) < -100


def test_resampling_removes_what_the_new_rate_cannot_hold() -> None:
    out = resample(sine(48_000, 96_000, 15_000.0), 22_050)
    assert np.abs(out.samples[0, 2_000:-2_000]).max() < 1e-5


def test_resampling_can_be_cancelled_and_refuses_no_rate() -> None:
    audio = sine(44_100, 1_000_000, 440.0)
    calls = iter(range(100))
    with pytest.raises(Cancelled):
        resample(audio, 48_000, monitor=Monitor(is_cancelled=lambda: next(calls) >= 1))
    with pytest.raises(ValueError, match="positive"):
        resample(audio, 0)
    assert resample(audio, 44_100) is audio


@pytest.mark.parametrize("channels", range(1, 9))
def test_downmix_is_a_mirror_image_and_keeps_the_front(channels: int) -> None:
    left, right = downmix_coefficients(channels)
    assert len(left) == len(right) == channels
    assert sorted(left) == sorted(right)
    assert left[0] == 1.0
    if channels > 1:
        assert (right[1], left[1], right[0]) == (1.0, 0.0, 0.0)


def test_six_channels_fold_as_bs775_says() -> None:
    samples = np.eye(6, dtype=np.float32)
    out = to_stereo(Audio(samples, 48_000)).samples
    assert out[0] == pytest.approx([1, 0, 0.7071, 0, 0.7071, 0])
    assert out[1] == pytest.approx([0, 1, 0.7071, 0, 0, 0.7071])


def test_mono_goes_to_both_sides_and_stereo_stays() -> None:
    mono = sine(44_100, 100, 440.0)
    assert np.array_equal(to_stereo(mono).samples, np.repeat(mono.samples, 2, axis=0))
    stereo = sine(44_100, 100, 440.0, channels=2)
    assert to_stereo(stereo) is stereo


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5_000), st.integers(1, 700), st.integers(1, 3), st.integers(0, 9))
def test_envelope_has_exact_peaks_and_power(frames: int, columns: int, channels: int, seed: int) -> None:
    samples = np.random.default_rng(seed).uniform(-1, 1, (channels, frames)).astype(np.float32)
    shape = envelope(Audio(samples, 44_100), columns)
    assert shape.columns == columns
    assert (shape.lowest <= 0).all()
    assert (shape.highest >= 0).all()
    if frames:
        assert shape.lowest.min() == min(0, samples.min())
        assert shape.highest.max() == max(0, samples.max())
        assert shape.rms.max() <= np.abs(samples).max() + 1e-6
    if frames and frames % columns == 0:
        assert np.mean(shape.rms**2) == pytest.approx(float(np.mean(samples**2)), rel=1e-4)


def test_envelope_of_ten_minutes_is_exact() -> None:
    audio = Audio(np.full((2, 600 * 44_100), 0.25, np.float32), 44_100)
    shape = envelope(audio, 2_000)
    assert shape.rms == pytest.approx(0.25, rel=1e-5)


def refusal(audio: Audio, **options: float) -> NrxError:
    with pytest.raises(NrxError) as caught:
        check_musical(audio, name='"song.wav"', **options)
    assert caught.value.sentence.startswith('"song.wav"')
    return caught.value


def test_music_passes_however_quiet_it_is_recorded() -> None:
    check_musical(sine(44_100, 60_000, 440.0, level=0.001))
    check_musical(Audio(sine(44_100, 60_000, 440.0, level=0.01).samples + np.float32(0.5), 44_100))
    check_musical(
        Audio(np.vstack([np.zeros((1, 60_000), np.float32), sine(44_100, 60_000, 440.0).samples]), 44_100)
    )


def test_50_ms_are_too_short_and_the_sentence_says_what_is_needed() -> None:
    error = refusal(sine(44_100, 2_205, 440.0))
    assert error.code == "input.too_short"
    assert "0.05 s" in error.sentence
    assert f"{MIN_DURATION_S:g} s" in error.sentence
    check_musical(sine(44_100, 2_205, 440.0), min_duration_s=0.05)


def test_silence_and_a_constant_offset_are_silent() -> None:
    silence = np.zeros((2, 60_000), np.float32)
    assert refusal(Audio(silence, 44_100)).code == "input.silent"
    offset = refusal(Audio(silence + np.float32([[0.3], [-0.2]]), 44_100))
    assert offset.code == "input.silent"
    assert "constant offset" in offset.sentence
    dither = np.random.default_rng(0).integers(-1, 2, (2, 60_000)) / 32_768
    assert refusal(Audio(dither.astype(np.float32), 44_100)).code == "input.silent"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(value: float) -> None:
    audio = sine(44_100, 3_000_000, 440.0)
    audio.samples[0, 2_500_000] = value
    assert refusal(audio).code == "input.not_finite"
