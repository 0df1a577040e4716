"""The gain of leveller and limiter, computed on hops of 8 frames (0.2 ms) or a few of them.

All arrays are reductions in nepers (natural logarithm of a gain, as a positive number), one value per hop:

1. The true peak of each hop above the ceiling is the reduction that it needs.
2. The leveller, before saturation, takes what dense passages need for as long as they last: needs held over
   the longest pitch period and averaged over 0.15 s, so that single peaks hardly count, released over 0.4 s.
   What it takes is neither distorted by saturation nor pumped by the limiter.
3. The limiter takes the rest. A sliding maximum spreads each need over the look-ahead on both sides of it, so
   that the smoothing that follows still meets it (Hämäläinen, "Smoothing of the control signal without
   clipped output in digital peak limiters", DAFx 2002); release is exponential, 60 ms, which lets go of
   single peaks before the ear notices; two moving averages make the gain a smooth curve with weak sidebands.

A decaying maximum, max over k of x[n - k] exp(-k / tau), is a running maximum of x[n] exp(n / tau): no loop.
Gains are interpolated linearly from one hop's start to the next.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.loudness.truepeak import HOP_FRAMES
from engine.mastering.sliding import sliding_maximum, sliding_mean

LOOKAHEAD_S = 0.006
"""From where the gain begins to fall until the peak that it falls for."""
RELEASE_S = 0.06
LEVELLER_HOLD_S, LEVELLER_WINDOW_S, LEVELLER_RELEASE_S, LEVELLER_SMOOTHING_S = 0.012, 0.15, 0.4, 0.1
HOPS_AT_ONCE, MOST_DECAYS = 8192, 40.0
"""A running maximum is so long, in hops and in decays, that exp(n / tau) stays far within float32's range."""

DUST = 1e-4
"""Below a thousandth of a decibel, what running averages leave is rounding."""

Nepers = NDArray[np.float32]


def needed_reduction(hop_peaks: NDArray[np.float32], ceiling: float) -> Nepers:
    """Return the reduction that brings each hop's peak to `ceiling` (linear)."""
    needed: Nepers = np.log(np.maximum(hop_peaks * np.float32(1.0 / ceiling), np.float32(1.0)))
    return needed


def decaying_maximum(values: Nepers, decay_hops: float) -> Nepers:
    """Return max over k >= 0 of values[n - k] * exp(-k / decay_hops)."""
    out = np.empty_like(values)
    carry = np.float32(0.0)
    length = max(1, min(HOPS_AT_ONCE, int(MOST_DECAYS * decay_hops)))
    grown = np.exp(np.arange(length) / decay_hops).astype(np.float32)
    shrunk = np.exp(np.arange(length) / -decay_hops).astype(np.float32)
    for start in range(0, len(values), length):
        level = out[start : start + length]
        level[:] = values[start : start + length]
        level[0] = max(level[0], carry)
        level *= grown[: len(level)]
        np.maximum.accumulate(level, out=level)
        level *= shrunk[: len(level)]
        carry = level[-1] * np.float32(np.exp(-1.0 / decay_hops))
    return out


def _odd(length_s: float, per_s: float) -> int:
    """Return a window's length in hops, odd so that it has a middle."""
    return 2 * round(length_s * per_s / 2.0) + 1


def leveller_curve(needed: Nepers, sample_rate: int, *, hop_frames: int) -> Nepers:
    """Return the leveller's reduction at every edge of hops, shape (hops + 1,)."""
    edges = np.concatenate((needed, needed[-1:]))
    if not needed.any():
        return np.zeros_like(edges)
    per_s = sample_rate / hop_frames
    held = sliding_maximum(edges, _odd(LEVELLER_HOLD_S, per_s))
    average = sliding_mean(held, _odd(LEVELLER_WINDOW_S, per_s))
    average[average < DUST] = 0.0
    released = decaying_maximum(average, LEVELLER_RELEASE_S * per_s)
    curve: Nepers = sliding_mean(released, _odd(LEVELLER_SMOOTHING_S, per_s))
    curve[curve < DUST] = 0.0
    return curve


def reduction_curve(needed: Nepers, sample_rate: int, *, hop_frames: int = HOP_FRAMES) -> Nepers:
    """Return the limiter's reduction at the start of every hop and at the end of the last: shape (hops + 1,).

    Everywhere inside a hop the line between its two values is at or above what the hop needs.
    """
    if not needed.any():
        return np.zeros(len(needed) + 1, dtype=np.float32)
    per_s = sample_rate / hop_frames
    half = max(1, round(LOOKAHEAD_S * per_s / 4.0))
    # One value per hop edge: an edge needs what the hop on either side of it needs.
    edges = np.concatenate((needed, needed[-1:]))
    np.maximum(edges[1:], needed, out=edges[1:])
    held = sliding_maximum(edges, 4 * half + 1)
    curve = decaying_maximum(held, RELEASE_S * per_s)
    for _ in range(2):
        curve = sliding_mean(curve, 2 * half + 1)
    curve[curve < DUST] = 0.0
    return np.maximum(curve, edges)


def gains_between(curve: Nepers, first_hop: int, last_hop: int) -> NDArray[np.float32]:
    """Return the linear gain of every frame of the hops from `first_hop` up to `last_hop`."""
    return ramped(np.exp(-curve[first_hop : last_hop + 1]))


def ramped(at_edges: NDArray[np.float32], steps: int = HOP_FRAMES) -> NDArray[np.float32]:
    """Return `steps` values (those of a hop's frames) from each edge to the next, linear in between."""
    ends = np.stack((at_edges[:-1], at_edges[1:]), axis=1)
    values: NDArray[np.float32] = ends @ _shares(steps)  # three times as fast as to add ramps of eight frames
    return values.reshape(-1)


@lru_cache(maxsize=4)
def _shares(steps: int) -> NDArray[np.float32]:
    """Return what each step has of the values at its two edges."""
    later = np.arange(steps) / steps
    return np.stack((1.0 - later, later)).astype(np.float32)
