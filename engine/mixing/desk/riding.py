"""Riding: the fader follows the stem's own loudness, slowly, so that quiet phrases stay above the band.

Loudness is taken over 0.8 s where the stem sounds; the fader moves by `STRENGTH` of the distance to the stem's
gated loudness, at most `range_db` either way, smoothed over a second. Between phrases it goes home rather than
raise breath and spill.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.loudness.meter import HOPS_PER_S, lufs

WINDOW_HOPS, SMOOTHING_HOPS = 80, 100
STRENGTH = 0.6
SOUNDS_WITHIN_LU = 14.0


def ride_curve(
    hop_energies: NDArray[np.float64], loudness_lufs: float, range_db: float, sample_rate: int
) -> NDArray[np.float64]:
    """Return the fader's move in dB in every 10 ms hop, from K-weighted hop energies."""
    if range_db <= 0.0 or not len(hop_energies) or not np.isfinite(loudness_lufs):
        return np.zeros(len(hop_energies))
    around = np.pad(hop_energies, (WINDOW_HOPS // 2, WINDOW_HOPS - WINDOW_HOPS // 2 - 1), mode="edge")
    mean = np.convolve(around, np.full(WINDOW_HOPS, 1.0 / WINDOW_HOPS), mode="valid")
    level = lufs(mean * HOPS_PER_S / sample_rate)
    away = np.where(level > loudness_lufs - SOUNDS_WITHIN_LU, loudness_lufs - level, 0.0)
    move = np.clip(STRENGTH * away, -range_db, range_db)
    window = np.hanning(SMOOTHING_HOPS + 2)[1:-1]
    padded = np.pad(move, (SMOOTHING_HOPS // 2, SMOOTHING_HOPS - SMOOTHING_HOPS // 2 - 1), mode="edge")
    return np.convolve(padded, window / window.sum(), mode="valid")
