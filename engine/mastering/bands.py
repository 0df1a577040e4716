"""Four bands that sum to what they were split from, and how loud each band is over time.

The split is of linear phase: the low-pass at each crossover is 1 / (1 + (f / fc) ** 8) (48 dB an octave, real), bands
are differences of low-passes, so that their sum is exactly one whatever is done to all of them together. Detection is
on Hann-windowed frames of 23 ms, one every 512 frames at 44.1 and 48 kHz, centred on multiples of the hop.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.audio.fourier import rfft
from engine.loudness.spectrum import mid_side
from engine.mastering.wishes import BANDS, CROSSOVERS_HZ

ORDER = 8
HOPS_AT_ONCE = 120
"""So few that the product with the weights stays on one thread (see `engine.loudness.truepeak`)."""


def rate_scale(sample_rate: int) -> int:
    """Return by which power of two lengths in frames grow at high rates: 1 up to 64 kHz, 2 at 96, 4 at 192."""
    return int(2 ** max(0, round(np.log2(sample_rate / 44100.0))))


def hop_frames(sample_rate: int) -> int:
    """Return the frames between two values of a band's level and gain."""
    return 512 * rate_scale(sample_rate)


def band_responses(frequencies_hz: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the four bands' (real) responses at these frequencies, shape (4, len); they sum to one."""
    edges = np.array(CROSSOVERS_HZ)[:, None]
    low_passes = 1.0 / (1.0 + (np.asarray(frequencies_hz)[None, :] / edges) ** ORDER)
    steps = np.concatenate((np.zeros_like(low_passes[:1]), low_passes, np.ones_like(low_passes[:1])))
    responses: NDArray[np.float64] = np.diff(steps, axis=0)
    return responses


@dataclass(frozen=True, slots=True, eq=False)
class BandLevels:
    """Mean power of mid and side in each band, at every hop: float32 of shape (4, hops) each."""

    mid: NDArray[np.float32]
    side: NDArray[np.float32]

    @property
    def total(self) -> NDArray[np.float32]:
        """Power of both, per channel."""
        return self.mid + self.side


@lru_cache(maxsize=4)
def _power_responses(length: int, sample_rate: int) -> NDArray[np.float32]:
    responses = np.square(band_responses(np.arange(length // 2 + 1) * (sample_rate / length)))
    return responses.T.astype(np.float32)


def band_levels(audio: Audio, *, sparse: bool = False) -> BandLevels:
    """Return the level of the four bands over time; hop k is centred on frame k * `hop_frames`.

    If `sparse`, only every other hop is there: enough for means and percentiles.
    """
    hop = hop_frames(audio.sample_rate)
    length = 2 * hop
    window = np.hanning(length + 1)[:-1].astype(np.float32)
    weights = _power_responses(length, audio.sample_rate)
    scale = np.float32(2.0 / length / float(np.square(window).sum()))
    step = 2 if sparse else 1
    hops = audio.frames // (step * hop) + 1
    out = np.zeros((2, len(BANDS), hops), np.float32)
    for first in range(0, hops, HOPS_AT_ONCE):
        last = min(hops, first + HOPS_AT_ONCE)
        start, end = (first * step - 1) * hop, ((last - 1) * step + 1) * hop
        piece = mid_side(audio.samples[:, max(0, start) : min(end, audio.frames)])
        piece = np.pad(piece, ((0, 0), (max(0, -start), max(0, end - max(audio.frames, start)))))
        frames = np.lib.stride_tricks.sliding_window_view(piece, length, axis=1)[:, :: step * hop]
        bins = rfft(frames * window)
        power = (np.square(bins.real) + np.square(bins.imag)) @ weights
        out[:, :, first:last] = np.swapaxes(power, 1, 2) * scale
    return BandLevels(out[0], out[1])
