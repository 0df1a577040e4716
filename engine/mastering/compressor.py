"""The four-band compressor's gains, from the bands' levels.

Each band is compressed against itself: the threshold is its own usual level (the median of where it sounds), with a
soft knee, so that the setting needs no absolute level. Detection is on the power of both channels; the reduction is
held at its highest while it decays, and averaged over three hops, which looks 17 ms ahead. Make-up gain gives each
band the energy that it had, so that compression changes dynamics and not the balance of the spectrum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.loudness.spectrum import decibels
from engine.mastering.bands import BandLevels, hop_frames
from engine.mastering.limiter import decaying_maximum
from engine.mastering.profile import ACTIVE_BELOW_DB, active_levels_db
from engine.mastering.sliding import sliding_mean
from engine.mastering.wishes import BANDS

KNEE_DB = 8.0
RELEASE_S = (0.25, 0.18, 0.12, 0.09)
SMOOTHING_HOPS = 3
MAX_BAND_AVERAGE_DB = 2.0
"""A band's average reduction is scaled down to this; the guardrail for the whole of the master is 3 dB."""
MAX_SLOPE = 0.6
DUST_DB = 0.005


@dataclass(frozen=True, slots=True, eq=False)
class Compression:
    """Gains in dB (make-up included) per band and hop, and each band's average reduction in dB."""

    gain_db: NDArray[np.float32]
    average_db: NDArray[np.float64]
    weighted_average_db: float


def kneed(over_db: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far a level counts as over the threshold, with a soft knee."""
    half = KNEE_DB / 2.0
    bent: NDArray[np.float64] = np.where(
        over_db > half, over_db, np.square(np.maximum(over_db + half, 0.0)) / (2.0 * KNEE_DB)
    )
    return bent


def slope_for(spread_db: float, wanted_db: float) -> float:
    """Return the slope (1 - 1 / ratio) that takes `wanted_db` off moments `spread_db` above the usual level."""
    over = float(kneed(np.array([spread_db]))[0])
    return 0.0 if over <= 0.1 else min(MAX_SLOPE, max(0.0, wanted_db / over))


def compress(levels: BandLevels, slopes: tuple[float, ...], sample_rate: int) -> Compression | None:
    """Return the gains for slopes of 0 (off) to `MAX_SLOPE` per band; None where no band is compressed."""
    total = levels.total
    gains = np.zeros_like(total)
    averages = np.zeros(len(BANDS))
    per_s = sample_rate / hop_frames(sample_rate)
    for band, slope in enumerate(slopes):
        active = active_levels_db(total[band])
        if slope <= 0.0 or len(active) < 2:
            continue
        level = decibels(total[band].astype(np.float64))
        reduction = (kneed(level - float(np.median(active))) * slope).astype(np.float32)
        held = decaying_maximum(reduction, RELEASE_S[band] * per_s)
        reduction = sliding_mean(held, SMOOTHING_HOPS)
        sounding = level > level.max() - ACTIVE_BELOW_DB
        average = float(reduction[sounding].mean())
        if average > MAX_BAND_AVERAGE_DB:
            reduction *= np.float32(MAX_BAND_AVERAGE_DB / average)
            average = MAX_BAND_AVERAGE_DB
        if reduction.max() < DUST_DB:
            continue
        energy = total[band].astype(np.float64)
        kept = float((energy * 10.0 ** (-reduction.astype(np.float64) / 10.0)).sum() / energy.sum())
        gains[band] = -reduction - np.float32(10.0 * np.log10(kept))
        averages[band] = average
    if not averages.any():
        return None
    energies = total.sum(axis=1, dtype=np.float64)
    return Compression(gains, averages, float((averages * energies).sum() / energies.sum()))
