"""A limiter for audio that comes in blocks: it looks ahead, keeps its state, and leaves no mark at block borders.

The gain that a frame needs is ceiling / peak, at most 1. Over the look-ahead the least of them is held (sliding
minimum), let go at a steady rate in decibels, and smoothed by a moving average as long as the look-ahead, which still
meets every peak (M. Hämäläinen, "Smoothing of the control signal without clipped output in digital peak limiters",
DAFx 2002). A steady release makes the recursion closed: min over k of need[n - k] + k * rise is a running minimum of
need[n] - n * rise, so nothing is looped. Sample peaks are what is limited; the ceiling leaves room for what lies
between samples.
"""

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Samples

CEILING_DB = -1.5
LOOKAHEAD_S = 0.005
RELEASE_DB_PER_S = 60.0
_DB = 20.0 / np.log(10.0)


class StreamLimiter:
    """Limits a stream to `CEILING_DB`; output comes `delay_frames` later than input, and `flush` gives the rest."""

    def __init__(self, sample_rate: int, channels: int = 2) -> None:
        self._window = max(2, round(LOOKAHEAD_S * sample_rate))
        self._ceiling = 10.0 ** (CEILING_DB / 20.0)
        self._rise = RELEASE_DB_PER_S / sample_rate / _DB
        self._waiting: Samples = np.zeros((channels, self.delay_frames), dtype=np.float32)
        self._needs: NDArray[np.float64] = np.zeros(self._window - 1)
        self._held: NDArray[np.float64] = np.zeros(self._window - 1)
        self._last = 0.0

    @property
    def delay_frames(self) -> int:
        """By how many frames output comes later than input."""
        return self._window - 1

    def __call__(self, block: Samples) -> Samples:
        """Return as many frames as `block` has, shape (channels, frames): what went in `delay_frames` before it."""
        frames = block.shape[1]
        heard = np.concatenate([self._waiting, block], axis=1)
        self._waiting = heard[:, frames:]
        peaks = np.max(np.abs(block), axis=0).astype(np.float64)
        needs = np.concatenate([self._needs, np.log(self._ceiling / np.maximum(peaks, self._ceiling))])
        self._needs = needs[frames:]
        if not needs.any() and self._last == 0.0 and not self._held.any():
            return heard[:, :frames].copy()
        held = np.concatenate([self._held, self._released(_sliding_minimum(needs, self._window))])
        self._held = held[frames:]
        gain = np.exp(_moving_average(held, self._window))
        return np.asarray(heard[:, :frames] * gain, dtype=np.float32)

    def flush(self) -> Samples:
        """Return the frames that are still inside; call it once, at the end."""
        return self(np.zeros((self._waiting.shape[0], self.delay_frames), dtype=np.float32))

    def _released(self, needed: NDArray[np.float64]) -> NDArray[np.float64]:
        ramp = self._rise * np.arange(1, len(needed) + 1)
        fallen = np.minimum.accumulate(np.minimum(needed - ramp, self._last))
        out: NDArray[np.float64] = np.minimum(fallen + ramp, 0.0)
        self._last = float(out[-1])
        return out


def _sliding_minimum(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return the least of each `window` neighbours, shape (len - window + 1,), by doubling."""
    reach, least = 1, values
    while 2 * reach <= window:
        least = np.minimum(least[:-reach], least[reach:])
        reach *= 2
    rest = window - reach
    return least if rest == 0 else np.minimum(least[:-rest], least[rest:])


def _moving_average(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return the mean of each `window` neighbours, shape (len - window + 1,)."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray((sums[window:] - sums[:-window]) / window)
