"""The equaliser's gains: what is wrong with a spectrum, what a preset wants of it, and what a reference has.

All curves are gains in dB for the third octaves of `THIRD_OCTAVES_HZ`. `RECORDS_DB` is about where commercial records
lie (third-octave levels; the fall of about 5 dB an octave in spectral density above 100 Hz is that of Pestana et al.,
"Spectral characteristics of popular commercial recordings 1950-2010", AES 135, 2013). It is a corridor and no target:
only what is further than `CORRIDOR_DB` from it is moved, and by half.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.loudness.spectrum import CENTRES_HZ
from engine.loudness.weighting import k_weighting_sos
from engine.mastering.sliding import sliding_mean
from engine.mastering.wishes import MAX_EQ_DB

Curve = NDArray[np.float64]

RECORDS_DB: tuple[tuple[float, float], ...] = (
    (25.0, -14.0), (40.0, -4.0), (63.0, 0.0), (100.0, 0.0), (200.0, -3.0), (400.0, -5.0), (1000.0, -8.5),
    (2000.0, -11.0), (4000.0, -14.0), (8000.0, -18.0), (12500.0, -23.0), (16000.0, -29.0), (20000.0, -42.0),
)  # fmt: skip
TONE_HZ = (50.0, 200.0, 1000.0, 4000.0, 12000.0)
CORRIDOR_DB, CORRIDOR_SHARE, MAX_BALANCE_DB = 5.0, 0.5, 3.0
RAISED_HZ = (55.0, 13_000.0)
"""What lies outside is never raised without a reference: a song without deep bass has only noise there."""
RESONANCE_DB, RESONANCE_SHARE, MAX_RESONANCE_DB = 5.0, 0.5, 3.0
RESONANCE_RANGE_HZ = (180.0, 9000.0)
RUMBLE_BELOW_HZ, RUMBLE_UNDER_DB = 36.0, 8.0
AUDIBLE_DB = 60.0
"""A band this far below the loudest one is noise or nothing: it is cut where need be, and never raised."""
STEP_DB = 0.25


def _at_bands(points: tuple[tuple[float, float], ...]) -> Curve:
    at, levels = np.log2([point[0] for point in points]), [point[1] for point in points]
    curve: Curve = np.interp(np.log2(CENTRES_HZ), at, levels)
    return curve


def tone_curve(tone_db: tuple[float, ...]) -> Curve:
    """Return a preset's tone, given at `TONE_HZ`; it fades out towards 25 Hz, where there is only rumble."""
    return _at_bands(((25.0, 0.0), *zip(TONE_HZ, tone_db, strict=True)))


def audible(spectrum_db: Curve) -> NDArray[np.bool_]:
    """Return which bands hold something."""
    found: NDArray[np.bool_] = spectrum_db > spectrum_db.max() - AUDIBLE_DB
    return found


def rumble_cut(spectrum_db: Curve) -> Curve:
    """Return the cut below the lowest notes, where there is more than there should be."""
    low = CENTRES_HZ < RUMBLE_BELOW_HZ
    body = float(spectrum_db[(CENTRES_HZ > 45.0) & (CENTRES_HZ < 110.0)].mean())
    excess = np.where(low & audible(spectrum_db), spectrum_db - body + RUMBLE_UNDER_DB, 0.0)
    cut: Curve = -np.clip(excess, 0.0, MAX_EQ_DB)
    return cut


def resonance_cut(spectrum_db: Curve) -> Curve:
    """Return the cuts of single bands that stand out from the octave on either side."""
    cut = np.zeros_like(spectrum_db)
    for band in range(3, len(spectrum_db) - 3):
        if RESONANCE_RANGE_HZ[0] < CENTRES_HZ[band] < RESONANCE_RANGE_HZ[1]:
            around = np.concatenate((spectrum_db[band - 3 : band], spectrum_db[band + 1 : band + 4]))
            excess = float(spectrum_db[band] - np.median(around)) - RESONANCE_DB
            cut[band] = -min(MAX_RESONANCE_DB, RESONANCE_SHARE * max(0.0, excess))
    return cut


def balance_move(spectrum_db: Curve) -> Curve:
    """Return half of how far the spectrum's broad shape is outside the corridor that records lie in."""
    heard = audible(spectrum_db)
    away = spectrum_db - _at_bands(RECORDS_DB)
    middle = heard & (CENTRES_HZ > 80.0) & (CENTRES_HZ < 8000.0)
    if not middle.any():
        return np.zeros_like(spectrum_db)
    away = np.where(heard, away - float(np.median(away[middle])), 0.0)
    broad = sliding_mean(away, 5)
    outside = np.sign(broad) * np.maximum(np.abs(broad) - CORRIDOR_DB, 0.0)
    move: Curve = np.clip(-CORRIDOR_SHARE * outside, -MAX_BALANCE_DB, MAX_BALANCE_DB)
    present = heard & (RAISED_HZ[0] < CENTRES_HZ) & (RAISED_HZ[1] > CENTRES_HZ)
    return np.where(present, move, np.minimum(move, 0.0))


def _loudness(spectrum_db: Curve) -> float:
    """Return the loudness in dB (to a constant) of a spectrum, by K-weighting."""
    return float(10.0 * np.log10((10.0 ** ((spectrum_db + _k_weights_db()) / 10.0)).sum()))


@lru_cache(maxsize=1)
def _k_weights_db() -> Curve:
    later = np.exp(-2j * np.pi * CENTRES_HZ / 96_000)  # a delay of one frame
    sections = k_weighting_sos(96_000)
    powers = later ** np.arange(3)[:, None]
    response = np.prod((sections[:, :3] @ powers) / (sections[:, 3:] @ powers), axis=0)
    weights: Curve = 20.0 * np.log10(np.abs(response))
    return weights


def match_curve(own_db: Curve, wanted_db: Curve, amount: float, limit_db: float = MAX_EQ_DB) -> Curve:
    """Return the gains, within +-`limit_db`, after which `own_db` has the shape of `wanted_db` as nearly as can be.

    An equaliser that is limited can meet a shape at several levels; the one is taken at which the bands are nearest
    once both are equally loud.
    """
    usable = audible(own_db) & audible(wanted_db)
    if not usable.any() or amount <= 0.0:
        return np.zeros_like(own_db)
    own_db, wanted_db = own_db - _loudness(own_db), wanted_db - _loudness(wanted_db)
    away = (wanted_db - own_db) * amount
    best, least = np.zeros_like(away), np.inf
    middle = float(np.median(away[usable]))
    for shift in np.arange(middle - 2.0 * limit_db, middle + 2.0 * limit_db + STEP_DB, STEP_DB):
        gains = np.clip(away - shift, -limit_db, limit_db)
        rest = (away - gains + _loudness(own_db + gains))[usable]
        missed = float(np.abs(rest).mean()) + 0.002 * float(np.abs(gains[usable]).mean())
        if missed < least:
            best, least = gains, missed
    return np.where(usable, best, np.where(audible(own_db), np.minimum(best, 0.0), 0.0))
