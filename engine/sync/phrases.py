"""Which pieces of a recording to stretch one by one: phrases between silences, cut where they are long.

Silence needs no stretching. Long phrases are cut at their quietest moments, so that no piece keeps the
processor busy for long (a cancel must be heard) and pieces can be stretched side by side.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOP_S = 0.01
SILENCE_BELOW_PEAK_DB = 75.0
SILENCE_DBFS = -100.0
GUARD_S = 0.08
SHORTEST_GAP_S = 0.4
LONGEST_S = 10.0
EARLIEST_CUT = 0.5


@dataclass(frozen=True, slots=True)
class Phrase:
    """Frames `start` to `end` of the input; `joins_before` says that the piece before ends where this one starts."""

    start: int
    end: int
    joins_before: bool


def phrases(samples: NDArray[np.float32], sample_rate: int, longest_s: float = LONGEST_S) -> list[Phrase]:
    """Return the pieces of `samples` (channels, frames) that hold sound, in order, none longer than `longest_s`."""
    hop = max(1, round(HOP_S * sample_rate))
    power = hop_power(samples, hop)
    found: list[Phrase] = []
    for first, last in _sounding(power):
        start = first
        while True:
            limit = start + max(2, round(longest_s / HOP_S))
            end = last if last <= limit else _quietest(power, start, limit)
            found.append(Phrase(start * hop, min(end * hop, samples.shape[1]), start != first))
            if end == last:
                break
            start = end
    return found


def hop_power(samples: NDArray[np.float32], hop: int) -> NDArray[np.float64]:
    """Mean power of each `hop` frames over all channels, shape (ceil(frames / hop),); worked in blocks."""
    frames = samples.shape[1]
    count = -(-frames // hop)
    power = np.zeros(count)
    block = 4096
    for first in range(0, count, block):
        piece = samples[:, first * hop : (first + block) * hop].astype(np.float64)
        squares = np.mean(piece * piece, axis=0)
        padded = np.pad(squares, (0, -squares.size % hop))
        power[first : first + padded.size // hop] = padded.reshape(-1, hop).mean(axis=1)
    return power


def _sounding(power: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Runs of hops (first, behind the last) with sound in them, a guard before and after, and no short gap between."""
    peak = float(power.max(initial=0.0))
    threshold = max(peak * 10.0 ** (-SILENCE_BELOW_PEAK_DB / 10.0), 10.0 ** (SILENCE_DBFS / 10.0))
    loud = np.flatnonzero(power > threshold)
    if loud.size == 0:
        return []
    breaks = np.flatnonzero(np.diff(loud) * HOP_S > SHORTEST_GAP_S + 2.0 * GUARD_S)
    guard = round(GUARD_S / HOP_S)
    firsts = np.maximum(loud[np.concatenate(([0], breaks + 1))] - guard, 0)
    lasts = np.minimum(loud[np.concatenate((breaks, [loud.size - 1]))] + 1 + guard, power.size)
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def _quietest(power: NDArray[np.float64], start: int, limit: int) -> int:
    """The quietest hop in the later part of start..limit, by the power of 50 ms around it."""
    first = start + round(EARLIEST_CUT * (limit - start))
    around = np.convolve(power[first - 2 : limit + 3], np.ones(5), mode="valid")
    return first + int(np.argmin(around[: limit - first]))
