"""Tone: low cut, what is too much in a stem, the style's colour, and room for each other at the bottom.

No band goes beyond 4 dB. Three kinds of bands are set, in this order, at most six:
1. corrective: a third octave that rings over its surroundings through most of the stem; the 200 to 450 Hz region
   where it stands over both its neighbours;
2. tonal: a slope outside the range in which the role sounds like itself is brought half-way back, and the preset's
   colour is added;
3. masking: the bass makes way where the kick's fundamental is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10

import numpy as np
from numpy.typing import NDArray

from engine.mixing.deciding.reasons import Reasons
from engine.mixing.deciding.tables import LOW_CUTS_HZ, MUDDY, TILT_DB_PER_OCTAVE
from engine.mixing.desk.kernel import sections_of
from engine.mixing.filters import response_db
from engine.mixing.listening.features import StemFeatures
from engine.mixing.listening.thirds import CENTRES_HZ, in_db, loudness_weights_db
from engine.mixing.presets import Tone
from engine.mixing.roles import ROLES
from engine.mixing.session.strips import MAX_EQ_DB, EqBand

RINGS_OVER_DB, TONE_OVER_DB, RINGS_SHARE = 6.0, 13.0, 0.7
"""A third octave rings from the first; from the second it is a note, which is left alone."""
RING_BANDS = slice(14, 26)
"""500 Hz to 6.3 kHz."""
MUD_FROM_DB, MUD_TO_DB = 5.0, 13.0
LEAST_DB = 0.4
MOST_BANDS = 6
TILT_BANDS = slice(11, 27)
"""250 Hz to 8 kHz."""
SLOPE_HZ = 4000.0
NOTES_OF_ROLES = ("bass", "kick")
LOW_CUT_UNDER, WEIGHT_WITHIN_DB = 0.7, 12.0
"""A low cut goes at most to this share of the lowest third octave that is within so many dB of the strongest."""
RUMBLE_ONLY = ("vocals", "backing_vocals")
"""Roles whose voice does not reach below their usual low cut: what is there is rumble, however strong."""

TONE_BANDS: tuple[tuple[str, str, float, float], ...] = (
    ("low", "low_shelf", 110.0, 0.7),
    ("mud", "bell", 350.0, 1.0),
    ("presence", "bell", 3000.0, 0.8),
    ("air", "high_shelf", 9000.0, 0.7),
)


def low_cut_hz(stem: StemFeatures) -> float:
    """Return the low cut: the role's, and lower only where the stem has its own weight below that."""
    usual = ROLES[stem.role].low_cut_hz or LOW_CUTS_HZ.get(stem.role, 25.0)
    if stem.role in RUMBLE_ONLY:
        return usual
    has = np.flatnonzero(stem.bands_db > float(stem.bands_db.max()) - WEIGHT_WITHIN_DB)
    lowest = CENTRES_HZ[has[0]] if len(has) else 20.0
    return float(round(max(20.0, min(usual, LOW_CUT_UNDER * lowest))))


def tone_bands(stem: StemFeatures, tone: Tone, amount: float, reasons: Reasons) -> list[EqBand]:
    """Return the corrective and tonal bands of a stem; `amount` 1 applies the preset's colour in full."""
    bands = [*_ringing(stem, reasons), *_mud(stem, reasons), *_slope(stem, reasons)]
    for name, kind, hz, q in TONE_BANDS:
        db = getattr(tone, name) * amount
        if abs(db) >= LEAST_DB:
            bands.append(EqBand.model_validate({"kind": kind, "hz": hz, "db": _bounded(db), "q": q}))
            reasons.add(
                "eq",
                stem.name,
                f"{db:+.1f} dB {'over' if kind == 'high_shelf' else 'at'} {_hz(hz)}: the preset's colour.",
            )
    return bands[:MOST_BANDS]


def make_way(stems: Sequence[StemFeatures], bands: Mapping[str, list[EqBand]], reasons: Reasons) -> None:
    """Add a dip to each bass where the loudest kick has its fundamental, if the two sit on each other."""
    kicks = [stem for stem in stems if stem.role == "kick" and not stem.silent]
    if not kicks:
        return
    kick = max(kicks, key=lambda stem: stem.loudness_lufs)
    low = slice(3, 9)
    centre = int(np.argmax(kick.bands_db[low])) + low.start
    hz = float(CENTRES_HZ[centre])
    for stem in stems:
        if stem.role != "bass" or stem.silent or len(bands[stem.name]) >= MOST_BANDS:
            continue
        clash = float(stem.bands_db[centre] - stem.bands_db[low].max())
        if clash > -9.0:
            db = _bounded(-2.5 * (1.0 + clash / 9.0) - 0.5)
            bands[stem.name].append(EqBand(hz=round(hz), db=db, q=1.4))
            reasons.add(
                "eq", stem.name, f"{db:+.1f} dB at {_hz(hz)}: room for {kick.name}, whose weight is there."
            )


def eq_loudness_lu(
    stem: StemFeatures, low_cut: float, bands: Sequence[EqBand], *, weighted: bool = True
) -> float:
    """Return what low cut and bands do to a stem's loudness (or, unweighted, to its power), in dB."""
    sections = sections_of(low_cut, bands, stem.sample_rate)
    change = response_db(sections, CENTRES_HZ, stem.sample_rate)
    level = stem.bands_db + (loudness_weights_db(stem.sample_rate) if weighted else 0.0)
    before = float(np.sum(10.0 ** (level / 10.0)))
    after = float(np.sum(10.0 ** ((level + change) / 10.0)))
    return 10.0 * log10(max(after, 1e-12) / max(before, 1e-12))


def tilt_db_per_octave(stem: StemFeatures) -> float:
    """Return the slope of the stem's third octaves from 250 Hz to 8 kHz; bands far below the strongest do not count."""
    level = stem.bands_db[TILT_BANDS]
    level = np.maximum(level, stem.bands_db.max() - 50.0)
    octaves = np.arange(len(level)) / 3.0
    return float(np.polyfit(octaves, level, 1)[0])


def _ringing(stem: StemFeatures, reasons: Reasons) -> list[EqBand]:
    """Return cuts for up to two third octaves that stand out in most frames: hum, room modes, whistles."""
    if stem.role in NOTES_OF_ROLES or not len(stem.frame_bands):
        return []
    level = in_db(stem.frame_bands)
    total = level.max(axis=1)
    level = level[total > total.max() - 30.0]
    over = level - _surroundings(level)
    share = (over > RINGS_OVER_DB).mean(axis=0)
    strength = np.where(share > RINGS_SHARE, np.median(over, axis=0), 0.0)
    loud = stem.bands_db > stem.bands_db.max() - 20.0
    made = []
    for band in np.argsort(strength)[::-1][:2]:
        if RING_BANDS.start <= band < RING_BANDS.stop and RINGS_OVER_DB < strength[band] < TONE_OVER_DB:
            if not loud[band]:
                continue
            db = _bounded(-0.3 * (float(strength[band]) - RINGS_OVER_DB) - 1.0, 3.0)
            hz = float(CENTRES_HZ[band])
            made.append(EqBand(hz=round(hz), db=db, q=4.0))
            reasons.add(
                "eq",
                stem.name,
                f"{db:+.1f} dB at {_hz(hz)}: this third octave stands {strength[band]:.0f} dB over its surroundings in "
                f"{100 * share[band]:.0f} % of the stem.",
            )
    return made


def _surroundings(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the bands two and three away on both sides."""
    padded = np.pad(level, ((0, 0), (3, 3)), mode="edge")
    size = level.shape[1]
    return np.asarray(sum(padded[:, 3 + shift : 3 + shift + size] for shift in (-3, -2, 2, 3)) / 4.0)


def _mud(stem: StemFeatures, reasons: Reasons) -> list[EqBand]:
    if stem.role not in MUDDY:
        return []
    level = stem.bands_db
    excess = float(level[10:14].mean() - (level[6:9].mean() + level[15:19].mean()) / 2.0)
    if not MUD_FROM_DB < excess < MUD_TO_DB:
        return []
    db = _bounded(-0.25 * (excess - MUD_FROM_DB) - 0.8, 3.0)
    reasons.add(
        "eq", stem.name, f"{db:+.1f} dB at 300 Hz: {excess:.0f} dB more there than around it sounds boxed in."
    )
    return [EqBand(hz=300.0, db=db, q=1.0)]


def _slope(stem: StemFeatures, reasons: Reasons) -> list[EqBand]:
    """Return a shelf that brings a dull or glaring stem half-way back to its role's range."""
    if stem.role not in TILT_DB_PER_OCTAVE:
        return []
    dullest, brightest = TILT_DB_PER_OCTAVE[stem.role]
    tilt = tilt_db_per_octave(stem)
    away = min(0.0, tilt - dullest) + max(0.0, tilt - brightest)
    db = _bounded(-1.0 * away, 3.0)
    if abs(db) < LEAST_DB:
        return []
    kind = "duller" if away < 0.0 else "brighter"
    reasons.add(
        "eq",
        stem.name,
        f"{db:+.1f} dB over 4 kHz: {kind} than {stem.role.replace('_', ' ')} usually are ({tilt:+.1f} dB an octave).",
    )
    return [EqBand(kind="high_shelf", hz=SLOPE_HZ, db=db, q=0.7)]


def _bounded(db: float, most: float = MAX_EQ_DB) -> float:
    return round(max(-most, min(most, db)), 1)


def _hz(hz: float) -> str:
    return f"{hz / 1000:.3g} kHz" if hz >= 1000 else f"{hz:.0f} Hz"
