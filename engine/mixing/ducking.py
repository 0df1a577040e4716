"""Making room for the voice: a dynamic dip of the music between 300 Hz and 4 kHz, where the words are.

The dip is a parametric bell whose depth moves: y = x + (g - 1) B x with B a second-order band-pass of unity
gain at its centre (Regalia and Mitra 1987), so that at g = 1 nothing changes and at any g magnitude and phase
stay smooth. Its depth follows the voice's short-term loudness with look-ahead: it is there when a phrase
begins, holds through gaps between words, and moves over a third of a second both ways, so that no pumping is
heard.
"""

from __future__ import annotations

from math import pi, sin, sqrt

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engine.loudness.meter import HOPS_PER_S, LoudnessMeter, lufs

BAND_HZ = (300.0, 4000.0)
FULL_AT_LU, NONE_AT_LU = -8.0, -20.0
"""Loudness of the voice over 100 ms, relative to its integrated loudness, at which the dip is full and
absent.
"""
SMOOTHING_HOPS = 10
STEP_FRAMES = 32
HOLD_HOPS, FADE_HOPS = 45, 35


def band_sos(sample_rate: int) -> NDArray[np.float64]:
    """Return the band-pass (0 dB at its centre) as one second-order section, shape (1, 6)."""
    low, high = BAND_HZ[0], min(BAND_HZ[1], 0.4 * sample_rate)
    centre = sqrt(low * high)
    angle = 2.0 * pi * centre / sample_rate
    alpha = sin(angle) * (high - low) / centre / 2.0
    a0 = 1.0 + alpha
    return np.array([[alpha / a0, 0.0, -alpha / a0, 1.0, -2.0 * np.cos(angle) / a0, (1.0 - alpha) / a0]])


def presence(voice: LoudnessMeter) -> NDArray[np.float64]:
    """Return how much the voice is there, 0 to 1, in every 10 ms hop."""
    return presence_of(voice.hop_energies(), voice.integrated_lufs, voice.sample_rate)


def presence_of(energies: NDArray[np.float64], reference: float, sample_rate: int) -> NDArray[np.float64]:
    """Return the same from the K-weighted energy of each 10 ms hop and the loudness of the whole in LUFS."""
    if not len(energies) or not np.isfinite(reference):
        return np.zeros(len(energies))
    around = np.pad(energies, (SMOOTHING_HOPS // 2, SMOOTHING_HOPS - SMOOTHING_HOPS // 2 - 1))
    energies = np.convolve(around, np.full(SMOOTHING_HOPS, 1.0 / SMOOTHING_HOPS), mode="valid")
    level = lufs(energies * HOPS_PER_S / sample_rate) - reference
    amount = np.clip((level - NONE_AT_LU) / (FULL_AT_LU - NONE_AT_LU), 0.0, 1.0)
    held = sliding_window_view(np.pad(amount, HOLD_HOPS // 2), HOLD_HOPS).max(axis=1)
    window = np.hanning(FADE_HOPS + 2)[1:-1]
    return np.clip(np.convolve(held, window / window.sum(), mode="same")[: len(held)], 0.0, 1.0)


def dip_at(
    presence_by_hop: NDArray[np.float64], depth_db: float, start_frame: int, frames: int, sample_rate: int
) -> NDArray[np.float32]:
    """Return the dip's linear gain for `frames` frames from `start_frame`; straight lines over 32 frames each."""
    first = start_frame * HOPS_PER_S // sample_rate
    last = (start_frame + frames + STEP_FRAMES) * HOPS_PER_S // sample_rate + 2
    hops = np.arange(first, last + 1)
    amount = np.interp(hops, np.arange(len(presence_by_hop)) + 0.5, presence_by_hop, right=0.0)
    gains = 10.0 ** (-depth_db * amount / 20.0)
    frame = start_frame + STEP_FRAMES * np.arange(-(-frames // STEP_FRAMES) + 1)
    points = np.interp(frame * (HOPS_PER_S / sample_rate), hops, gains).astype(np.float32)
    along = np.arange(STEP_FRAMES, dtype=np.float32) / np.float32(STEP_FRAMES)
    gain: NDArray[np.float32] = points[:-1, None] + np.diff(points)[:, None] * along
    return gain.reshape(-1)[:frames]
