"""The meter on programme-like material, against libebur128 and against itself."""

from math import inf

import numpy as np
import pytest

from engine.audio import Audio
from engine.loudness import (
    LoudnessMeter,
    integrated_lufs,
    measure,
    sample_peak_dbfs,
    short_term_curve,
    true_peak_dbtp,
)
from engine.loudness.truepeak import HOP_FRAMES, hop_true_peaks, true_peak


def programme(rate: int, channels: int = 2, seconds: float = 12.0, seed: int = 1) -> Audio:
    """Return something like music: noise of a falling spectrum with beats, quiet passages and a tone."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    noise = np.cumsum(random.standard_normal((channels, len(time))), axis=1)
    noise -= np.apply_along_axis(lambda row: np.convolve(row, np.ones(64) / 64.0, "same"), 1, noise)
    beats = np.exp(-6.0 * (time % 0.5))
    level = np.where((time % 6.0) < 4.0, 1.0, 0.05)
    tone = 0.2 * np.sin(2.0 * np.pi * 1500.0 * time)
    ends = np.minimum(1.0, np.minimum(time, time[-1] - time) / 0.05)
    wave = ends * level * (0.1 * noise * beats + tone)
    return Audio((0.9 * wave / np.abs(wave).max()).astype(np.float32), rate)


def by_libebur128(audio: Audio) -> tuple[float, float]:
    """Return integrated loudness in LUFS and true peak in dBTP as libebur128 measures them."""
    import pyebur128

    mode = pyebur128.MeasurementMode
    state = pyebur128.R128State(audio.channels, audio.sample_rate, mode.MODE_I | mode.MODE_TRUE_PEAK)
    state.add_frames(np.ascontiguousarray(audio.samples.T).reshape(-1), audio.frames)
    peak = max(pyebur128.get_true_peak(state, channel) for channel in range(audio.channels))
    return pyebur128.get_loudness_global(state), 20.0 * np.log10(peak)


@pytest.mark.parametrize(
    ("rate", "channels"),
    [
        *((rate, 2) for rate in (8_000, 22_050, 44_100, 48_000, 96_000, 192_000)),
        *((48_000, channels) for channels in (1, 4, 5, 6)),
    ],
)
def test_agrees_with_libebur128(rate: int, channels: int) -> None:
    audio = programme(rate, channels, seconds=8.0)
    loudness, peak = by_libebur128(audio)
    assert integrated_lufs(audio) == pytest.approx(loudness, abs=0.02)
    assert peak - 0.3 <= true_peak_dbtp(audio) <= peak + 0.2


@pytest.mark.parametrize("rate", [11_025, 48_000])
@pytest.mark.parametrize("size", [61, 4_801, 50_000])
def test_block_size_changes_nothing(rate: int, size: int) -> None:
    audio = programme(rate, seconds=1.5 if size < 100 else 6.0)
    meter = LoudnessMeter(2, rate)
    for start in range(0, audio.frames, size):
        meter.add(audio.samples[:, start : start + size])
    assert meter.integrated_lufs == pytest.approx(integrated_lufs(audio), abs=1e-6)
    assert meter.range_lu == pytest.approx(measure(audio).lra, abs=1e-6)


def test_silence_is_minus_infinity_everywhere() -> None:
    heard = measure(Audio(np.zeros((2, 48_000), dtype=np.float32), 48_000))
    assert heard.integrated_lufs == heard.momentary_max == heard.short_term_max == -inf
    assert heard.true_peak_dbtp == heard.sample_peak_dbfs == -inf
    assert heard.lra == 0.0
    assert heard.plr == 0.0


def test_no_frames_at_all_is_silence() -> None:
    heard = measure(Audio(np.zeros((1, 0), dtype=np.float32), 48_000))
    assert heard.integrated_lufs == heard.true_peak_dbtp == -inf
    assert len(short_term_curve(Audio(np.zeros((1, 0), dtype=np.float32), 48_000))) == 0


def test_silence_after_sound_is_minus_infinity_in_the_curve() -> None:
    rate = 48_000
    sound = programme(rate, seconds=4.0).samples
    audio = Audio(np.concatenate((sound, np.zeros((2, 8 * rate), dtype=np.float32)), axis=1), rate)
    curve = short_term_curve(audio)
    assert not np.isnan(curve).any()
    assert np.isneginf(curve[-20:]).all()
    assert len(curve) == 121


@pytest.mark.parametrize("milliseconds", [5, 50, 399])
def test_shorter_than_a_gating_block_is_measured_over_its_own_length(milliseconds: int) -> None:
    rate = 48_000
    wave = 0.5 * np.sin(2.0 * np.pi * 1000.0 * np.arange(rate * milliseconds // 1000) / rate)
    reading = integrated_lufs(Audio(wave.astype(np.float32)[None], rate))
    assert reading == pytest.approx(-9.0, abs=0.8)


def test_mono_counts_once() -> None:
    mono = programme(48_000, 1)
    stereo = Audio(np.repeat(mono.samples, 2, axis=0), 48_000)
    assert integrated_lufs(stereo) - integrated_lufs(mono) == pytest.approx(3.01, abs=0.005)


def test_gain_moves_loudness_by_as_much() -> None:
    audio = programme(44_100)
    louder = audio.with_samples(audio.samples * np.float32(10.0 ** (-7.0 / 20.0)))
    before, after = measure(audio), measure(louder)
    assert after.integrated_lufs - before.integrated_lufs == pytest.approx(-7.0, abs=0.001)
    assert after.lra == pytest.approx(before.lra, abs=0.001)
    assert after.plr == pytest.approx(before.plr, abs=0.001)


def test_true_peak_is_never_below_the_sample_peak() -> None:
    for seed in range(5):
        audio = programme(44_100, seconds=2.0, seed=seed)
        assert true_peak_dbtp(audio) >= sample_peak_dbfs(audio)


def test_skipping_blocks_finds_the_same_true_peak() -> None:
    audio = programme(44_100, seconds=5.0)
    every_hop = hop_true_peaks(audio.samples, 44_100)
    assert true_peak(audio.samples, 44_100) == float(every_hop.max())
    assert len(every_hop) == -(-audio.frames // HOP_FRAMES)


def test_hops_of_a_stretch_are_those_of_the_whole() -> None:
    audio = programme(44_100, seconds=3.0)
    every_hop = hop_true_peaks(audio.samples, 44_100)
    for first, last in ((0, 10), (1_000, 1_003), (5_000, len(every_hop))):
        part = hop_true_peaks(audio.samples, 44_100, hops=(first, last))
        np.testing.assert_allclose(part, every_hop[first:last], rtol=1e-6)


def test_peaks_under_the_threshold_may_be_sample_peaks_but_none_above_is_missed() -> None:
    audio = programme(44_100, seconds=3.0)
    every_hop = hop_true_peaks(audio.samples, 44_100)
    threshold = float(np.quantile(every_hop, 0.9))
    quick = hop_true_peaks(audio.samples, 44_100, above=threshold)
    over = every_hop > threshold
    np.testing.assert_allclose(quick[over], every_hop[over], rtol=1e-6)
    assert (quick <= every_hop * 1.000001).all()


def test_short_term_curve_is_centred_on_its_times() -> None:
    rate = 48_000
    wave = np.zeros((1, 20 * rate), dtype=np.float32)
    wave[:, 10 * rate : 11 * rate] = np.sin(2.0 * np.pi * 1000.0 * np.arange(rate) / rate)
    curve = short_term_curve(Audio(wave, rate), hop_s=0.1, window_s=1.0)
    assert np.argmax(curve) == pytest.approx(105, abs=1)
