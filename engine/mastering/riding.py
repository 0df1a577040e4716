"""Riding the level: a slow gain that brings a song's loudness range down to what is asked for.

The gain follows the loudness of the 3 s around every moment: what is above the song's own loudness is turned down, what
is below it is turned up, by the same share of the distance. The share is the smallest that brings the range (Tech
3342, predicted from the energies per 10 ms) to the target. Turning up is limited to 6 dB, and lets go of what is 20 to
40 LU below the song, so that silence and fades stay what they are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.loudness.meter import GATING_STEP_HOPS, SHORT_TERM_HOPS, loudness_range, lufs, sliding_means
from engine.mastering.sliding import sliding_mean

MAX_UP_DB, MAX_DOWN_DB = 6.0, 3.0
HOLD_BELOW_LU, LET_GO_BELOW_LU = 20.0, 40.0
SMOOTHING_HOPS = 150
MAX_SHARE = 0.8
SEARCH_STEPS = 12
MARGIN_LU = 0.15


def ride_curve(
    hop_energies: NDArray[np.float64], integrated_lufs: float, lra_max: float | None, sample_rate: int
) -> NDArray[np.float64]:
    """Return the gain in dB in every 10 ms hop that brings the range to `lra_max`, or as near as may be."""
    still = np.zeros(len(hop_energies))
    if lra_max is None or len(hop_energies) < 2 * SHORT_TERM_HOPS or not np.isfinite(integrated_lufs):
        return still
    if range_after(hop_energies, still, sample_rate) <= lra_max:
        return still
    low, high = 0.0, MAX_SHARE
    best = _ridden(hop_energies, integrated_lufs, high, sample_rate)
    if range_after(hop_energies, best, sample_rate) > lra_max:
        return best
    for _ in range(SEARCH_STEPS):
        middle = (low + high) / 2.0
        curve = _ridden(hop_energies, integrated_lufs, middle, sample_rate)
        if range_after(hop_energies, curve, sample_rate) <= lra_max - MARGIN_LU:
            best, high = curve, middle
        else:
            low = middle
    return best


def range_after(hop_energies: NDArray[np.float64], gain_db: NDArray[np.float64], sample_rate: int) -> float:
    """Return the loudness range in LU of energies per 10 ms after a gain."""
    ridden = hop_energies * 10.0 ** (gain_db / 10.0)
    return loudness_range(sliding_means(ridden, SHORT_TERM_HOPS, sample_rate)[::GATING_STEP_HOPS])


def _ridden(
    hop_energies: NDArray[np.float64], integrated_lufs: float, share: float, sample_rate: int
) -> NDArray[np.float64]:
    energies = sliding_mean(hop_energies, SHORT_TERM_HOPS)
    away = np.maximum(lufs(np.maximum(energies, 0.0) * 100.0 / sample_rate), -120.0) - integrated_lufs
    gain = np.clip(-share * np.maximum(away, -HOLD_BELOW_LU), -MAX_DOWN_DB, MAX_UP_DB)
    kept = np.clip((away + LET_GO_BELOW_LU) / (LET_GO_BELOW_LU - HOLD_BELOW_LU), 0.0, 1.0)
    smooth: NDArray[np.float64] = sliding_mean(gain * kept, SMOOTHING_HOPS)
    return smooth
