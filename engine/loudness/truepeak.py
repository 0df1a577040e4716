"""True peak: the highest value of the signal between its samples (BS.1770-4, annex 2).

The signal is interpolated 4 times up to 96 kHz, twice up to 192 kHz, and not above. The interpolator is a
sinc under a Hann window of 49 taps at the higher rate, the one that libebur128 uses, so that a ceiling that
holds here holds there.

Interpolation is done as one matrix product for many short rows of samples: `hop_true_peaks` gives the peak of
every 8 frames, which is also what the limiter works from. `true_peak_dbtp` skips what cannot beat the peak
found so far: no interpolated value exceeds the largest sample around it times the sum of the filter's
absolute taps.
"""

from __future__ import annotations

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
HOPS_PER_REDUCTION = 8192
GATE_HOPS = 64
"""Hops in a block that is skipped or interpolated as a whole."""
SMALL_GAP_BLOCKS = 4
PROMISING_BLOCKS = 64


def oversampling(sample_rate: int) -> int:
    """Return the factor that BS.1770-4 asks for at `sample_rate` Hz."""
    return 4 if sample_rate < 96_000 else 2 if sample_rate < 192_000 else 1


@lru_cache(maxsize=8)
def _kernel(factor: int) -> tuple[NDArray[np.float32], int, float]:
    """Return the interpolation matrix, the frames of context on each side, and the largest gain of a phase.

    The matrix has shape ((factor - 1) * HOP_FRAMES, HOP_FRAMES + 2 * context): its product with a column of a
    hop's frames and their context is the interpolated values between the hop's frames, and up to the first
    frame after it.
    """
    centre = (TAPS - 1) // 2
    position = (np.arange(TAPS) - centre) / factor
    taps = np.sinc(position) * np.hanning(TAPS)
    context = (centre + factor - 1) // factor
    width = HOP_FRAMES + 2 * context
    rows = np.zeros(((factor - 1) * HOP_FRAMES, width))
    gain = 1.0
    for phase in range(1, factor):
        for frame in range(HOP_FRAMES):
            for column in range(width):
                # Distance, in oversampled frames, from this input frame to the point `frame + phase /
                # factor`.
                tap = (frame + context - column) * factor + phase + centre
                if 0 <= tap < TAPS:
                    rows[(phase - 1) * HOP_FRAMES + frame, column] = taps[tap]
        gain = max(gain, float(np.abs(rows[(phase - 1) * HOP_FRAMES]).sum()))
    return rows.astype(np.float32), context, gain


def interpolation_matrix(sample_rate: int) -> tuple[NDArray[np.float32], int]:
    """Return the matrix that interpolates one hop, and the frames of context it needs on each side.

    Its product with a hop's frames and their context, shape (HOP_FRAMES + 2 * context,), is the hop at the
    higher
    rate: first the frames themselves, then those a quarter of a frame later, and so on.
    """
    factor = oversampling(sample_rate)
    if factor == 1:
        return np.eye(HOP_FRAMES, dtype=np.float32), 0
    between, context, _ = _kernel(factor)
    return np.concatenate((np.eye(HOP_FRAMES, between.shape[1], context, dtype=np.float32), between)), context


def hop_sample_peaks(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the largest absolute sample over all channels in every `HOP_FRAMES` frames."""
    frames = samples.shape[1]
    peaks = np.zeros(-(-frames // HOP_FRAMES), dtype=np.float32)
    step = HOPS_PER_REDUCTION
    for start in range(0, frames // HOP_FRAMES, step):
        piece = samples[:, start * HOP_FRAMES : min(start + step, frames // HOP_FRAMES) * HOP_FRAMES]
        block = np.abs(piece[0])
        for channel in piece[1:]:
            np.maximum(block, np.abs(channel), out=block)
        # Halving the columns three times is far faster than a reduction along so short an axis.
        rows = block.reshape(-1, HOP_FRAMES)
        rows = np.maximum(rows[:, :4], rows[:, 4:])
        rows = np.maximum(rows[:, :2], rows[:, 2:])
        np.maximum(rows[:, 0], rows[:, 1], out=peaks[start : start + len(rows)])
    if frames % HOP_FRAMES:
        peaks[-1] = np.abs(samples[:, frames - frames % HOP_FRAMES :]).max()
    return peaks


def _interpolated_peaks(
    samples: NDArray[np.float32], first_hop: int, last_hop: int, factor: int
) -> NDArray[np.float32]:
    """Return the peak between frames, over all channels, of the hops from `first_hop` up to `last_hop`."""
    matrix, context, _ = _kernel(factor)
    hops = last_hop - first_hop
    start, end = first_hop * HOP_FRAMES - context, last_hop * HOP_FRAMES + context
    peaks = np.zeros(hops, dtype=np.float32)
    for channel in samples:
        piece = channel[max(0, start) : end]
        if start < 0 or len(piece) < end - start:
            piece = np.pad(piece, (max(0, -start), end - max(0, start) - len(piece)))
        # Column h holds hop h and its context: hops overlap in memory until the copy.
        row = np.ascontiguousarray(piece)
        strides = (row.itemsize, HOP_FRAMES * row.itemsize)
        overlapping: NDArray[np.float32] = np.ndarray((matrix.shape[1], hops), row.dtype, row, 0, strides)
        values = matrix @ overlapping.copy()
        np.abs(values, out=values)
        np.maximum(peaks, values.max(axis=0), out=peaks)
    return peaks


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
        start = max(0, hops[0] - GATE_HOPS)
        piece = samples[:, start * HOP_FRAMES : (hops[1] + GATE_HOPS) * HOP_FRAMES]
        return hop_true_peaks(piece, sample_rate, above=above)[hops[0] - start : hops[1] - start]
    peaks = hop_sample_peaks(samples)
    factor = oversampling(sample_rate)
    if factor == 1 or not len(peaks):
        return peaks
    around = _block_bounds(peaks, factor)
    for first, last in _runs(around > above):
        for start in range(first * GATE_HOPS, min(len(peaks), last * GATE_HOPS), HOPS_AT_ONCE):
            end = min(len(peaks), last * GATE_HOPS, start + HOPS_AT_ONCE)
            between = _interpolated_peaks(samples, start, end, factor)
            np.maximum(peaks[start:end], between, out=peaks[start:end])
    return peaks


def _block_bounds(hop_peaks: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Return what no true peak in each block of `GATE_HOPS` hops exceeds, from the hops' sample peaks."""
    blocks = np.maximum.reduceat(hop_peaks, np.arange(0, len(hop_peaks), GATE_HOPS))
    around = blocks.copy()  # the interpolator reaches into the neighbouring blocks
    np.maximum(around[1:], blocks[:-1], out=around[1:])
    np.maximum(around[:-1], blocks[1:], out=around[:-1])
    return around * np.float32(_kernel(factor)[2])


def _runs(chosen: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the (first, end) of every run of True; runs with small gaps between them count as one."""
    where = np.flatnonzero(chosen)
    if not len(where):
        return []
    breaks = np.flatnonzero(np.diff(where) > SMALL_GAP_BLOCKS)
    firsts = np.concatenate((where[:1], where[breaks + 1]))
    ends = np.concatenate((where[breaks], where[-1:])) + 1
    return list(zip(firsts.tolist(), ends.tolist(), strict=True))


def true_peak(samples: NDArray[np.float32], sample_rate: int) -> float:
    """Return the true peak (linear) of float32 samples of shape (channels, frames)."""
    factor = oversampling(sample_rate)
    peaks = hop_sample_peaks(samples)
    if not len(peaks):
        return 0.0
    highest = float(peaks.max())
    if factor == 1 or highest == 0.0:
        return highest
    bounds = _block_bounds(peaks, factor)
    # The most promising blocks first: they raise the bar that lets most others be skipped.
    promising = np.zeros(len(bounds), dtype=np.bool_)
    promising[np.argsort(-bounds, kind="stable")[:PROMISING_BLOCKS]] = True
    for chosen in (promising, ~promising):
        for first, last in _runs(chosen & (bounds > highest)):
            for start in range(first * GATE_HOPS, min(len(peaks), last * GATE_HOPS), HOPS_AT_ONCE):
                end = min(len(peaks), last * GATE_HOPS, start + HOPS_AT_ONCE)
                highest = max(highest, float(_interpolated_peaks(samples, start, end, factor).max()))
    return highest


def true_peak_dbtp(audio: Audio) -> float:
    """Return the true peak of `audio` in dBTP; -inf for silence. Never below the sample peak."""
    peak = true_peak(audio.samples, audio.sample_rate)
    return 20.0 * log10(peak) if peak > 0.0 else -inf
