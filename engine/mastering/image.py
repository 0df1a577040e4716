"""Stereo: what the side is multiplied with in each band, so that the image is as wide as asked and holds in mono.

The guardrails: no band's side grows beyond 140 %, the whole has at most 140 % of the mid's level in its side, and the
channels correlate by at least 0.1. Bass is never widened. A right channel that is the left one's inverse is turned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.loudness.stereo import StereoEnergy
from engine.mastering.bands import BandLevels
from engine.mastering.profile import NO_SIDE_DB
from engine.mastering.wishes import BANDS, MAX_WIDTH_PCT, MIN_CORRELATION

MIN_SIDE_GAIN = 0.3
"""Matching never narrows a band further than this."""
INVERTED_BELOW = -0.3
"""Below this correlation a mix whose channel, turned over, correlates is taken for wrongly wired."""
CORRELATION_MARGIN, WIDTH_MARGIN_PCT = 0.03, 2.0
WIDENED_BAND = 1
"""The first band that may be widened."""


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Side gains per band (linear), whether the right channel is turned over, and what is to be said of it."""

    side_gain: NDArray[np.float64]
    flip_right: bool
    reasons: tuple[str, ...]


def image_for(
    energy: StereoEnergy,
    levels: BandLevels,
    width_pct: float,
    own_side_db: NDArray[np.float64],
    wanted_side_db: NDArray[np.float64] | None,
    amount: float,
    side_scale: float = 1.0,
) -> Image:
    """Decide the image. `wanted_side_db` is the references' side against mid per band; `side_scale` narrows all."""
    reasons: list[str] = []
    if energy.side <= 0.0:
        if width_pct > 100.0 or wanted_side_db is not None:
            reasons.append("The song is mono: there is no side to widen.")
        return Image(np.ones(len(BANDS)), False, tuple(reasons))
    flip = energy.correlation < INVERTED_BELOW and energy.mid < energy.side
    side = levels.side
    if flip:
        side = levels.mid
        own_side_db = -own_side_db
        energy = StereoEnergy(energy.side, energy.mid, energy.cross)
        reasons.append(
            "The right channel was the left one's inverse, which cancels in mono: it was turned over."
        )
    gain = np.full(len(BANDS), width_pct / 100.0)
    if wanted_side_db is not None and amount > 0.0:
        there = own_side_db > NO_SIDE_DB
        gain *= np.where(there, 10.0 ** (amount * (wanted_side_db - own_side_db) / 20.0), 1.0)
        gain = np.maximum(gain, MIN_SIDE_GAIN)
    gain = np.minimum(gain, MAX_WIDTH_PCT / 100.0)
    gain[:WIDENED_BAND] = np.minimum(gain[:WIDENED_BAND], 1.0)
    gain *= side_scale
    scale = _largest_scale(energy, side, gain)
    if scale < 1.0:
        reasons.append(
            f"The side was held at {100.0 * scale:.0f} % of what it would be, so that the channels correlate by at "
            f"least {MIN_CORRELATION:g} and the width stays within {MAX_WIDTH_PCT:.0f} %."
        )
    return Image(gain * scale, flip, tuple(reasons))


def _largest_scale(energy: StereoEnergy, side: NDArray[np.float32], gain: NDArray[np.float64]) -> float:
    """Return the largest factor of all side gains, at most 1, under which correlation and width hold."""
    per_band = side.sum(axis=1, dtype=np.float64)
    grown = float((per_band * np.square(gain)).sum() / max(float(per_band.sum()), 1e-30)) * energy.side
    made = StereoEnergy(energy.mid, grown, energy.cross * float(np.sqrt(grown / energy.side)))

    def holds(scale: float) -> bool:
        width = scale * made.width_pct
        steady = made.correlation_with_side(scale) >= MIN_CORRELATION + CORRELATION_MARGIN
        return width <= MAX_WIDTH_PCT - WIDTH_MARGIN_PCT and steady

    if holds(1.0):
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2.0
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
