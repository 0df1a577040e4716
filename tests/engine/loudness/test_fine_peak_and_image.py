"""The 8x meter agrees with a long resampler and is never below the 4x one; width and correlation mean what they say."""

import numpy as np
import pytest

from engine.audio import Audio
from engine.loudness import true_peak_dbtp
from engine.loudness.figures import figures
from engine.loudness.finepeak import both_true_peaks, fine_true_peak_dbtp
from engine.loudness.stereo import stereo_energy, stereo_scatter

RATE = 44_100
RANDOM = np.random.default_rng(2)
SIGNALS = {
    "white": RANDOM.standard_normal(RATE),
    "signs": np.sign(RANDOM.standard_normal(RATE)),
    "quarter rate": np.sin(np.pi / 2 * np.arange(RATE) + np.pi / 4),
    "square": np.sign(np.sin(2 * np.pi * 1000.0 * np.arange(RATE) / RATE + 0.1)),
}


@pytest.mark.parametrize("name", SIGNALS)
def test_fine_peak_is_that_of_a_long_resampler(name: str) -> None:
    import soxr

    audio = Audio((0.3 * SIGNALS[name])[None].astype(np.float32), RATE)
    fine = soxr.resample(audio.samples.T.astype(np.float64), RATE, 8 * RATE, quality="VHQ")
    wanted = 20.0 * np.log10(np.abs(fine).max())
    assert fine_true_peak_dbtp(audio) == pytest.approx(wanted, abs=0.25)
    assert fine_true_peak_dbtp(audio) >= true_peak_dbtp(audio) - 1e-6
    coarse, again = both_true_peaks(audio.samples, RATE)
    assert 20.0 * np.log10(coarse) == pytest.approx(true_peak_dbtp(audio), abs=1e-4)
    assert 20.0 * np.log10(again) == pytest.approx(fine_true_peak_dbtp(audio), abs=1e-4)


@pytest.mark.parametrize(("rate", "frames"), [(44_100, 1), (96_000, 9), (192_000, 4000), (48_000, 0)])
def test_short_sounds_at_any_rate_have_a_fine_peak(rate: int, frames: int) -> None:
    audio = Audio(np.full((2, frames), 0.5, np.float32), rate)
    assert fine_true_peak_dbtp(audio) >= -6.1 if frames else fine_true_peak_dbtp(audio) == -np.inf


def test_width_and_correlation_of_known_pairs() -> None:
    one, two = RANDOM.standard_normal((2, 4 * RATE)).astype(np.float32)
    unrelated = stereo_energy(Audio(np.stack([one, two]), RATE))
    assert unrelated.width_pct == pytest.approx(100.0, abs=1.0)
    assert unrelated.correlation == pytest.approx(0.0, abs=0.01)
    mono = stereo_energy(Audio(np.stack([one, one]), RATE))
    assert (mono.width_pct, mono.correlation) == (0.0, pytest.approx(1.0))
    against = stereo_energy(Audio(np.stack([one, -one]), RATE))
    assert against.correlation == pytest.approx(-1.0)
    assert against.width_pct == 1000.0
    half = stereo_energy(Audio(np.stack([one + 0.5 * two, one - 0.5 * two]), RATE))
    assert half.width_pct == pytest.approx(50.0, abs=0.5)
    assert half.correlation_with_side(0.0) == pytest.approx(1.0)
    quieter = stereo_energy(Audio(np.stack([one, 0.5 * two]), RATE))
    assert quieter.balance_db == pytest.approx(-6.02, abs=0.1)


def test_scatter_shows_mono_as_a_line_and_silence_as_nothing() -> None:
    one = RANDOM.standard_normal(RATE).astype(np.float32)
    shares = stereo_scatter(Audio(np.stack([one, one]), RATE))
    assert shares.sum() == pytest.approx(1.0)
    assert shares[:, 20].sum() == pytest.approx(1.0)
    assert not stereo_scatter(Audio(np.zeros((2, 100), np.float32), RATE)).any()


@pytest.mark.parametrize("channels", [1, 2])
def test_figures_of_silence_are_minus_infinity_and_never_nan(channels: int) -> None:
    heard = figures(Audio(np.zeros((channels, RATE), np.float32), RATE))
    assert heard.integrated_lufs == heard.true_peak_dbtp == heard.true_peak_8x_dbtp == -np.inf
    assert heard.plr_lu == 0.0
    assert heard.stereo.correlation == 1.0
    assert np.isfinite(heard.spectrum.level_db()).all()
