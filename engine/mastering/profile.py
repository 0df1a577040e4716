"""`Profile`: what the chain needs to know of a song, and of the references that it is matched to.

Several references are averaged: spectra and widths in dB after each has been brought to the same loudness, dynamics
and loudness as plain means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.loudness.figures import Figures, PeakMeter, coarse_peak, figures, no_peak
from engine.loudness.spectrum import decibels
from engine.mastering.bands import BandLevels, band_levels
from engine.mastering.hearing import hear
from engine.mastering.parallel import both
from engine.progress import SILENT, Monitor

ACTIVE_BELOW_DB = 30.0
"""A band counts where it is within this of its own loudest moments."""
NO_SIDE_DB = -60.0


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A song's spectrum (third octaves, dB at 0 LUFS), side against mid per band, dynamics and loudness.

    `spread_db` is, per band, how far its loud moments (95th percentile) are above its usual level (the median).
    """

    spectrum_db: NDArray[np.float64]
    side_db: NDArray[np.float64]
    spread_db: NDArray[np.float64]
    integrated_lufs: float
    lra_lu: float


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """A song as it was listened to: figures, levels of the four bands over time, and the profile of both."""

    figures: Figures
    levels: BandLevels
    profile: Profile


def profile_reference(audio: Audio) -> Profile:
    """Return the profile of a reference; it needs no peaks, and every other value of the bands' levels will do."""
    meter = hear(audio.samples, audio.sample_rate)
    levels, measured = both(
        lambda: band_levels(audio, sparse=True), lambda: figures(audio, peaks=no_peak, meter=meter)
    )
    return profile_of(measured, levels)


def listen(audio: Audio, monitor: Monitor = SILENT, *, peaks: PeakMeter = coarse_peak) -> Heard:
    """Measure `audio` for the chain; of true peaks only the 4x one."""
    meter = hear(audio.samples, audio.sample_rate, monitor.part(0.0, 0.2))
    levels, measured = both(
        lambda: band_levels(audio),
        lambda: figures(audio, monitor.part(0.2, 0.9), peaks=peaks, meter=meter),
    )
    monitor.report(1.0)
    return Heard(measured, levels, profile_of(measured, levels))


def profile_of(measured: Figures, levels: BandLevels) -> Profile:
    """Return the profile of a song from its figures and its bands' levels."""
    loudness = measured.integrated_lufs if np.isfinite(measured.integrated_lufs) else 0.0
    mid, side = levels.mid.sum(axis=1, dtype=np.float64), levels.side.sum(axis=1, dtype=np.float64)
    against = np.maximum(decibels(side) - decibels(mid), NO_SIDE_DB)
    return Profile(
        spectrum_db=decibels(measured.spectrum.total) - loudness,
        side_db=np.where(side > 0.0, against, NO_SIDE_DB),
        spread_db=np.array([spread_db(row) for row in levels.total]),
        integrated_lufs=measured.integrated_lufs,
        lra_lu=measured.lra_lu,
    )


def active_levels_db(power: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the levels in dB of the hops in which a band sounds; empty for silence."""
    level = decibels(power.astype(np.float64))
    if not len(level) or power.max() <= 1e-12:
        return np.zeros(0)
    active: NDArray[np.float64] = level[level > level.max() - ACTIVE_BELOW_DB]
    return active


def spread_db(power: NDArray[np.float32]) -> float:
    """Return how far a band's loud moments are above its usual level, in dB."""
    level = active_levels_db(power)
    if not len(level):
        return 0.0
    usual, loud = np.percentile(level, (50.0, 95.0))
    return float(loud - usual)


def average(profiles: Sequence[Profile]) -> Profile:
    """Return the mean of references' profiles (at least one)."""

    def mean(name: str) -> NDArray[np.float64]:
        averaged: NDArray[np.float64] = np.mean([getattr(profile, name) for profile in profiles], axis=0)
        return averaged

    return Profile(
        spectrum_db=mean("spectrum_db"),
        side_db=mean("side_db"),
        spread_db=mean("spread_db"),
        integrated_lufs=float(mean("integrated_lufs")),
        lra_lu=float(mean("lra_lu")),
    )
