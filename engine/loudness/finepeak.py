"""True peak at eight times the rate: a second, stricter meter than the standard's four times.

The standard's interpolator (49 taps at 4x) reads up to 0.7 dB low between its points, and more near half the sampling
rate, where its short filter droops. This one is a sinc under a Kaiser window, 48 frames long at 8x: flat to 0.46 of
the rate. It is computed only where its bound (see `engine.loudness.truepeak`) is above what is looked for.

At 96 kHz and above the factor is 4 and 2, so that the same fineness in time is kept.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf, log10

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.loudness.truepeak import (
    BLOCK_HOPS,
    HOP_FRAMES,
    MARGIN_HOPS,
    Interpolator,
    hop_extremes,
    interpolator_of,
    oversampling,
    raise_peaks,
    standard_interpolator,
)

CONTEXT = 24
KAISER_BETA = 8.0


def fine_oversampling(sample_rate: int) -> int:
    """Return the factor at `sample_rate` Hz."""
    return 8 if sample_rate < 96_000 else 4 if sample_rate < 192_000 else 2


@lru_cache(maxsize=4)
def fine_interpolator(factor: int) -> Interpolator:
    """Return the interpolator for a factor."""
    frame = np.arange(HOP_FRAMES)[None, :, None] + np.arange(1, factor)[:, None, None] / factor
    distance = frame - (np.arange(HOP_FRAMES + 2 * CONTEXT) - CONTEXT)[None, None, :]
    inside = np.abs(distance) < CONTEXT
    window = np.i0(KAISER_BETA * np.sqrt(np.where(inside, 1.0 - np.square(distance / CONTEXT), 0.0)))
    taps = np.where(inside, np.sinc(distance) * window / np.i0(KAISER_BETA), 0.0)
    return interpolator_of(taps.reshape(-1, HOP_FRAMES + 2 * CONTEXT), CONTEXT)


def hop_fine_peaks(
    samples: NDArray[np.float32],
    sample_rate: int,
    *,
    above: float = 0.0,
    hops: tuple[int, int] | None = None,
) -> NDArray[np.float32]:
    """Return the true peak (linear) of every 8 frames as the higher of both meters, 4x and 8x.

    As `hop_true_peaks`: exact where it may exceed `above`; `hops` limits the work to a stretch.
    """
    if hops is not None:
        start = max(0, hops[0] - MARGIN_HOPS)
        piece = samples[:, start * HOP_FRAMES : (hops[1] + MARGIN_HOPS) * HOP_FRAMES]
        return hop_fine_peaks(piece, sample_rate, above=above)[hops[0] - start : hops[1] - start]
    extremes, factor = hop_extremes(samples), oversampling(sample_rate)
    peaks = extremes.peaks.copy()
    if factor > 1:
        raise_peaks(peaks, extremes, samples, standard_interpolator(factor), above)
    raise_peaks(peaks, extremes, samples, fine_interpolator(fine_oversampling(sample_rate)), above)
    return peaks


def fine_true_peak(samples: NDArray[np.float32], sample_rate: int, floor: float = 0.0) -> float:
    """Return the true peak (linear) of float32 samples (channels, frames) by the finer meter.

    `floor` is a peak that is known already, as that of the coarser meter: it saves work.
    """
    if not samples.size:
        return 0.0
    highest = max(floor, float(samples.max()), -float(samples.min()))
    hops = -(-samples.shape[1] // HOP_FRAMES)
    for first in range(0, hops, BLOCK_HOPS):
        stretch = (first, min(hops, first + BLOCK_HOPS))
        block = hop_fine_peaks(samples, sample_rate, above=highest, hops=stretch)
        highest = max(highest, float(block.max()))
    return highest


def both_true_peaks(
    samples: NDArray[np.float32], sample_rate: int, hops: tuple[int, int] | None = None
) -> tuple[float, float]:
    """Return the true peak (linear) by the standard's 4x and by the finer meter, from one pass over the samples.

    `hops` (first, end) limits the work to a stretch.
    """
    start_hop, end_hop = hops or (0, -(-samples.shape[1] // HOP_FRAMES))
    looked_at = samples[:, start_hop * HOP_FRAMES : end_hop * HOP_FRAMES]
    if not looked_at.size:
        return 0.0, 0.0
    coarse = fine = max(float(looked_at.max()), -float(looked_at.min()))
    factor, finer = oversampling(sample_rate), fine_interpolator(fine_oversampling(sample_rate))
    for first in range(start_hop, end_hop, BLOCK_HOPS):
        last = min(end_hop, first + BLOCK_HOPS)
        start = max(0, first - MARGIN_HOPS)
        piece = samples[:, start * HOP_FRAMES : (last + MARGIN_HOPS) * HOP_FRAMES]
        extremes = hop_extremes(piece)
        own = slice(first - start, last - start)
        peaks = extremes.peaks.copy()
        if factor > 1:
            raise_peaks(peaks, extremes, piece, standard_interpolator(factor), coarse)
            coarse = max(coarse, float(peaks[own].max()))
        fine = max(fine, coarse)
        raise_peaks(peaks, extremes, piece, finer, fine)
        fine = max(fine, float(peaks[own].max()))
    return coarse, fine


def fine_true_peak_dbtp(audio: Audio) -> float:
    """Return the true peak of `audio` in dBTP by the finer meter; -inf for silence."""
    peak = fine_true_peak(audio.samples, audio.sample_rate)
    return 20.0 * log10(peak) if peak > 0.0 else -inf
