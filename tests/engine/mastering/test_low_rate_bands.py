"""Bands that are made at a quarter of the rate are those made at the full rate."""

import numpy as np
import pytest

from engine.audio import Audio
from engine.mastering import chain
from engine.mastering.chain import ChainSettings, run_chain
from engine.mastering.lowrate import FACTOR, raised


def test_a_slow_wave_is_raised_as_it_was() -> None:
    def wave(at: np.ndarray) -> np.ndarray:
        return np.stack([np.sin(2.0 * np.pi * 0.05 * at), np.cos(2.0 * np.pi * 0.13 * at + 0.3)])

    low = wave(np.arange(2_000.0)).astype(np.float32)
    for first, frames in ((100, 1), (64, 500), (50, 7_600)):
        made = raised(low, first, frames)
        np.testing.assert_allclose(made, wave(first + np.arange(frames) / FACTOR), atol=1e-4)


@pytest.mark.parametrize("rate", [44_100, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_moving_low_bands_are_as_at_the_full_rate(
    rate: int, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(rate)
    noise = random.standard_normal((channels, 3 * rate + 77)).astype(np.float32)
    hops = noise.shape[1] // 512 + 2
    gains = np.clip(np.cumsum(0.05 * random.standard_normal((4, hops)), axis=1), -3.0, 3.0)
    settings = ChainSettings(
        random.uniform(-3.0, 3.0, 30), np.array([1.0, 1.1, 1.2, 0.8]), gains.astype(np.float32)
    )
    made = run_chain(Audio(noise, rate), settings).samples
    monkeypatch.setattr(chain, "LOWEST_RATE", 1_000_000)
    expected = run_chain(Audio(noise, rate), settings).samples
    assert not np.array_equal(made, expected)
    np.testing.assert_allclose(made, expected, atol=1e-4)
    off = np.square(made - expected, dtype=np.float64).mean() / np.square(expected, dtype=np.float64).mean()
    assert off < 1e-9
