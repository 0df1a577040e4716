"""The look-ahead limiter's gain, computed on hops of 8 frames (0.2 ms).

All arrays are reductions in nepers (natural logarithm of a gain, as a positive number), one value per hop:

1. The true peak of each hop above the ceiling is the reduction that it needs.
2. A sliding maximum spreads each need over the look-ahead on both sides of it, so that the smoothing in step
   4 still meets it (Hämäläinen, "Smoothing of the control signal without clipped output in digital peak
   limiters", DAFx 2002).
3. Release is the larger of two: an exponential of 60 ms, which lets go of single peaks before the ear
   notices, and one of 0.8 s that follows the average reduction over 0.15 s, which holds through dense
   passages instead of pumping. A decaying maximum, max over k of x[n - k] exp(-k / tau), is a running maximum
   of log x[n] + n / tau: no loop.
4. Two moving averages make the gain a smooth curve, which keeps its own sidebands low.

Gains are interpolated linearly from one hop's start to the next.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.loudness.truepeak import HOP_FRAMES

LOOKAHEAD_S = 0.004
FAST_RELEASE_S, SLOW_RELEASE_S, SLOW_WINDOW_S = 0.06, 0.8, 0.15
HOPS_AT_ONCE = 8192
"""Short enough that n / tau stays small and exact in float32."""

Nepers = NDArray[np.float32]


def needed_reduction(hop_peaks: NDArray[np.float32], ceiling: float) -> Nepers:
    """Return the reduction that brings each hop's peak to `ceiling` (linear)."""
    needed: Nepers = np.log(np.maximum(hop_peaks * np.float32(1.0 / ceiling), np.float32(1.0)))
    return needed


def decaying_maximum(values: Nepers, decay_hops: float) -> Nepers:
    """Return max over k >= 0 of values[n - k] * exp(-k / decay_hops)."""
    out = np.zeros_like(values)
    carry = np.float32(0.0)
    rise = np.arange(HOPS_AT_ONCE, dtype=np.float32) / np.float32(decay_hops)
    for start in range(0, len(values), HOPS_AT_ONCE):
        level = values[start : start + HOPS_AT_ONCE].copy()
        level[0] = max(level[0], carry)
        with np.errstate(divide="ignore"):
            np.log(level, out=level)
        level += rise[: len(level)]
        np.maximum.accumulate(level, out=level)
        level -= rise[: len(level)]
        np.exp(level, out=out[start : start + HOPS_AT_ONCE])
        carry = out[start + len(level) - 1] * np.float32(np.exp(-1.0 / decay_hops))
    return out


def reduction_curve(needed: Nepers, sample_rate: int, *, hop_frames: int = HOP_FRAMES) -> Nepers:
    """Return the limiter's reduction at the start of every hop and at the end of the last: shape (hops + 1,).

    Everywhere inside a hop the line between its two values is at or above what the hop needs.
    """
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    if not needed.any():
        return np.zeros(len(needed) + 1, dtype=np.float32)
    per_s = sample_rate / hop_frames
    half = max(1, round(LOOKAHEAD_S * per_s / 2.0))
    # One value per hop edge: an edge needs what the hop on either side of it needs.
    edges = np.concatenate((needed, needed[-1:]))
    np.maximum(edges[1:], needed, out=edges[1:])
    held = maximum_filter1d(edges, 4 * half + 1, mode="nearest")
    fast = decaying_maximum(held, FAST_RELEASE_S * per_s)
    average = uniform_filter1d(held, 2 * round(SLOW_WINDOW_S * per_s / 2.0) + 1, mode="constant")
    np.clip(average, 0.0, None, out=average)
    # Averages of float32 sums leave dust where there is none; below a thousandth of a decibel nothing is
    # heard.
    average[average < 1e-4] = 0.0
    curve = np.maximum(fast, decaying_maximum(average, SLOW_RELEASE_S * per_s))
    for _ in range(2):
        curve = uniform_filter1d(curve, 2 * half + 1, mode="nearest")
    curve = np.maximum(curve, edges)
    curve[curve < 1e-6] = 0.0
    return curve


def gains_between(curve: Nepers, first_hop: int, last_hop: int) -> NDArray[np.float32]:
    """Return the linear gain of every frame of the hops from `first_hop` up to `last_hop`."""
    at_edges = np.exp(-curve[first_hop : last_hop + 1])
    ramp = np.arange(HOP_FRAMES, dtype=np.float32) / np.float32(HOP_FRAMES)
    gains: NDArray[np.float32] = at_edges[:-1, None] + np.diff(at_edges)[:, None] * ramp
    return gains.reshape(-1)
