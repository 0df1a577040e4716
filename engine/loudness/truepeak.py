"""True peak: the highest value of the signal between its samples (BS.1770-4, annex 2).

The signal is interpolated 4 times up to 96 kHz, twice up to 192 kHz, and not above. The interpolator is a
sinc under a Hann window of 49 taps at the higher rate, the one that libebur128 uses, so that a ceiling that
holds here holds there.

`hop_true_peaks` gives the peak of every 8 frames, which is also what the limiter works from. Few hops need to be
interpolated: between two samples the signal stays within the line from one to the other, give or take a share of the
second differences around (the interpolator's taps, less those of the line, summed up twice: Abel's summation). Where
that bound is below what is looked for, the samples' own peak is as good. So the result is exact where it counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import inf, log10

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio

TAPS = 49
HOP_FRAMES = 8
"""Length of the rows that are interpolated together, and of the hops whose peaks are reported."""
HOPS_AT_ONCE = 400
"""Small enough that a matrix product stays on one thread, which is several times faster on a busy machine."""
PRODUCT_VALUES = 262_144
"""Multiplications in one product: as many as stay on one thread."""
PRODUCTS_AT_ONCE = 8
"""Products that numpy makes in one call."""
ROUNDING = 1e-5
HOPS_PER_REDUCTION = 4096
MARGIN_HOPS = 64
"""Looked at on either side of a stretch: further than any interpolator reaches."""
BLOCK_HOPS = 22_050
"""Hops that are looked through at once where only the highest peak counts."""


def oversampling(sample_rate: int) -> int:
    """Return the factor that BS.1770-4 asks for at `sample_rate` Hz."""
    return 4 if sample_rate < 96_000 else 2 if sample_rate < 192_000 else 1


@dataclass(frozen=True, slots=True, eq=False)
class Interpolator:
    """Interpolates the points between a hop's frames, and up to the first frame after it.

    Attributes:
        matrix: shape (points, HOP_FRAMES + 2 * context); its product with a hop's frames and their context.
        context: frames that it needs on either side of a hop.
        by_peak: no point exceeds the largest sample at its sides times this, plus
        by_bend: this times the largest second difference within the context.
    """

    matrix: NDArray[np.float32]
    context: int
    by_peak: float
    by_bend: float

    def bounds(self, extremes: Extremes) -> NDArray[np.float32]:
        """Return what no point of each hop exceeds."""
        bends = _around(extremes.bends, -(-self.context // HOP_FRAMES))
        limits: NDArray[np.float32] = extremes.peaks.copy()
        np.maximum(limits[:-1], extremes.peaks[1:], out=limits[:-1])
        limits *= np.float32(self.by_peak)
        limits += np.float32(self.by_bend) * bends
        return limits

    def peaks(self, samples: NDArray[np.float32], hops: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the largest magnitude over all channels and points of some hops."""
        found = np.zeros(len(hops), np.float32)
        width = self.matrix.shape[1]
        length = -(-samples.shape[1] // HOP_FRAMES) * HOP_FRAMES + 2 * self.context
        together = max(1, PRODUCT_VALUES // self.matrix.size)
        padded = np.zeros(length, np.float32)
        for channel in samples if len(hops) else ():
            padded[self.context : self.context + len(channel)] = channel
            rows = np.lib.stride_tricks.sliding_window_view(padded, width)[::HOP_FRAMES]
            for start in range(0, len(hops), together * PRODUCTS_AT_ONCE):
                chosen = rows[hops[start : start + together * PRODUCTS_AT_ONCE]]
                whole = len(chosen) - len(chosen) % together
                many = chosen[:whole].reshape(-1, together, width).swapaxes(1, 2)
                for frames, first in ((many, start), (chosen[whole:].T[None], start + whole)):
                    values = self.matrix @ frames
                    np.abs(values, out=values)
                    highest = values.max(axis=1).reshape(-1)
                    piece = found[first : first + len(highest)]
                    np.maximum(piece, highest, out=piece)
        return found


def interpolator_of(matrix: NDArray[np.float64], context: int) -> Interpolator:
    """Return an interpolator with what bounds its points: rows are (factor - 1) phases of HOP_FRAMES frames each."""
    factor = len(matrix) // HOP_FRAMES + 1
    by_peak = by_bend = 0.0
    for row, taps in enumerate(matrix):
        frame, phase = context + row % HOP_FRAMES, (row // HOP_FRAMES + 1) / factor
        rest = taps.copy()
        rest[frame : frame + 2] -= (1.0 - phase, phase)
        level, slope = float(rest.sum()), float((rest * (np.arange(len(rest)) - frame)).sum())
        rest[frame : frame + 2] -= (level - slope, slope)
        by_peak = max(by_peak, 1.0 + abs(level) + 2.0 * abs(slope))
        by_bend = max(by_bend, float(np.abs(np.cumsum(np.cumsum(rest))).sum()))
    return Interpolator(matrix.astype(np.float32), context, by_peak + ROUNDING, by_bend)


@lru_cache(maxsize=8)
def standard_interpolator(factor: int) -> Interpolator:
    """Return the standard's interpolator for a factor of 2 or 4."""
    centre = (TAPS - 1) // 2
    position = (np.arange(TAPS) - centre) / factor
    taps = np.sinc(position) * np.hanning(TAPS)
    context = (centre + factor - 1) // factor
    width = HOP_FRAMES + 2 * context
    rows = np.zeros(((factor - 1) * HOP_FRAMES, width))
    for phase in range(1, factor):
        for frame in range(HOP_FRAMES):
            for column in range(width):
                # Distance, in oversampled frames, from this input frame to the point `frame + phase / factor`.
                tap = (frame + context - column) * factor + phase + centre
                if 0 <= tap < TAPS:
                    rows[(phase - 1) * HOP_FRAMES + frame, column] = taps[tap]
    return interpolator_of(rows, context)


def interpolation_matrix(sample_rate: int) -> tuple[NDArray[np.float32], int]:
    """Return the matrix that interpolates one hop, and the frames of context it needs on each side.

    Its product with a hop's frames and their context, shape (HOP_FRAMES + 2 * context,), is the hop at the
    higher rate: first the frames themselves, then those a quarter of a frame later, and so on.
    """
    factor = oversampling(sample_rate)
    if factor == 1:
        return np.eye(HOP_FRAMES, dtype=np.float32), 0
    between = standard_interpolator(factor)
    width, context = between.matrix.shape[1], between.context
    return np.concatenate((np.eye(HOP_FRAMES, width, context, dtype=np.float32), between.matrix)), context


@dataclass(frozen=True, slots=True, eq=False)
class Extremes:
    """The largest absolute sample and second difference over all channels in every hop, float32 of (hops,) each."""

    peaks: NDArray[np.float32]
    bends: NDArray[np.float32]


def hop_extremes(samples: NDArray[np.float32]) -> Extremes:
    """Return the extremes of every hop of samples (channels, frames), the last hop included; silence lies around."""
    frames = samples.shape[1]
    hops = -(-frames // HOP_FRAMES)
    peaks, bends = np.zeros(hops, np.float32), np.zeros(hops, np.float32)
    step = HOPS_PER_REDUCTION * HOP_FRAMES
    for start in range(0, frames, step):
        size = min(step, hops * HOP_FRAMES - start)
        low, high = max(0, start - 1), min(frames, start + size + 1)
        block = samples[:, low:high]
        if high - low < size + 2:  # at the ends
            heard, block = block, np.zeros((len(samples), size + 2), np.float32)
            block[:, low - start + 1 : high - start + 1] = heard
        middle = block[:, 1:-1]
        bent = block[:, 2:] + block[:, :-2]
        bent -= middle
        bent -= middle
        first = start // HOP_FRAMES
        last = first + size // HOP_FRAMES
        bends[first:last] = _maxima(np.abs(bent, out=bent))
        peaks[first:last] = _maxima(np.abs(middle, out=bent))
    if frames:  # the corners from silence and back to it
        bends[0] = max(float(bends[0]), float(np.abs(samples[:, 0]).max()))
        bends[-1] = max(float(bends[-1]), float(np.abs(samples[:, -1]).max()))
    return Extremes(peaks, bends)


def _maxima(magnitudes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the largest of (channels, hops * HOP_FRAMES) values in every hop; the values are lost."""
    most = magnitudes[0]
    for channel in magnitudes[1:]:
        np.maximum(most, channel, out=most)
    # To turn the rows over first is four times as fast as a reduction along so short an axis.
    highest: NDArray[np.float32] = np.ascontiguousarray(most.reshape(-1, HOP_FRAMES).T).max(axis=0)
    return highest


def _around(values: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    """Return the largest value of every hop and its `reach` neighbours on either side."""
    around = values.copy()
    for away in range(1, reach + 1):
        np.maximum(around[away:], values[:-away], out=around[away:])
        np.maximum(around[:-away], values[away:], out=around[:-away])
    return around


def hop_true_peaks(
    samples: NDArray[np.float32],
    sample_rate: int,
    *,
    above: float = 0.0,
    hops: tuple[int, int] | None = None,
) -> NDArray[np.float32]:
    """Return the true peak (linear, over all channels) of every `HOP_FRAMES` frames, the last hop included.

    A hop's peak covers the time from its first frame up to the first frame of the next hop. Where the true
    peak surely does not exceed `above`, the sample peak is given instead, which is faster. `hops` (first,
    end) limits the work to a stretch.
    """
    if hops is not None:
        start = max(0, hops[0] - MARGIN_HOPS)
        piece = samples[:, start * HOP_FRAMES : (hops[1] + MARGIN_HOPS) * HOP_FRAMES]
        return hop_true_peaks(piece, sample_rate, above=above)[hops[0] - start : hops[1] - start]
    extremes, factor = hop_extremes(samples), oversampling(sample_rate)
    if factor > 1:
        raise_peaks(extremes.peaks, extremes, samples, standard_interpolator(factor), above)
    return extremes.peaks


def raise_peaks(
    peaks: NDArray[np.float32],
    extremes: Extremes,
    samples: NDArray[np.float32],
    interpolator: Interpolator,
    above: float,
) -> None:
    """Raise `peaks` to those between samples, in place, wherever they may exceed `above`."""
    where = np.flatnonzero(interpolator.bounds(extremes) > above)
    peaks[where] = np.maximum(peaks[where], interpolator.peaks(samples, where))


def true_peak(samples: NDArray[np.float32], sample_rate: int) -> float:
    """Return the true peak (linear) of float32 samples of shape (channels, frames)."""
    if not samples.size:
        return 0.0
    highest = max(float(samples.max()), -float(samples.min()))
    factor, hops = oversampling(sample_rate), -(-samples.shape[1] // HOP_FRAMES)
    for first in range(0, hops if factor > 1 else 0, BLOCK_HOPS):
        start, end = max(0, first - MARGIN_HOPS), first + BLOCK_HOPS + MARGIN_HOPS
        piece = samples[:, start * HOP_FRAMES : end * HOP_FRAMES]
        extremes = hop_extremes(piece)
        raise_peaks(extremes.peaks, extremes, piece, standard_interpolator(factor), highest)
        highest = max(highest, float(extremes.peaks[first - start : first - start + BLOCK_HOPS].max()))
    return highest


def true_peak_dbtp(audio: Audio) -> float:
    """Return the true peak of `audio` in dBTP; -inf for silence. Never below the sample peak."""
    peak = true_peak(audio.samples, audio.sample_rate)
    return 20.0 * log10(peak) if peak > 0.0 else -inf
