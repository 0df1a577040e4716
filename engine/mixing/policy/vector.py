"""What the policy sees of a stem among its fellows: one row of numbers, none of which depends on its level.

Levels of the stems as they came carry no meaning (they may have been changed by any amount), so masking is computed at
the rules' balance. The policy answers with one number a stem: how much louder than the rules have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10

import numpy as np
from numpy.typing import NDArray

from engine.mixing.deciding.tables import TILT_DB_PER_OCTAVE
from engine.mixing.deciding.tone import tilt_db_per_octave
from engine.mixing.listening.features import StemFeatures
from engine.mixing.listening.masking import aligned_bands, masking_of
from engine.mixing.roles import ROLES

FAMILIES = ("vocals", "drums", "bass", "chords", "pad", "lead", "strings", "fx")
REGIONS: tuple[tuple[str, slice], ...] = (
    ("sub", slice(0, 7)),
    ("low", slice(7, 11)),
    ("low mid", slice(11, 16)),
    ("mid", slice(16, 21)),
    ("high mid", slice(21, 26)),
    ("treble", slice(26, 31)),
)
QUIETEST_DB = -40.0
FEATURES: tuple[str, ...] = (
    *FAMILIES,
    *(f"{name} share" for name, _ in REGIONS),
    "brightness",
    "crest",
    "range",
    "activity",
    "flatness",
    "width",
    "tilt off its role",
    "covered",
    "covers",
    "audible",
    "stems",
    "of its role",
    "rule",
    "covered x drums",
    "brightness x drums",
    "covered x music",
)
HEADS = ("gain_db",)


def vectors(stems: Sequence[StemFeatures], rule_lu: Mapping[str, float]) -> NDArray[np.float64]:
    """Return one row of `FEATURES` for each stem; none of them may be silent."""
    bands = aligned_bands(stems)
    masking = masking_of(bands, [rule_lu[stem.name] - stem.loudness_lufs for stem in stems])
    covers = masking.by.sum(axis=0)
    rows = []
    for index, stem in enumerate(stems):
        family = ROLES[stem.role].family
        is_drum, is_music = float(family == "drums"), float(family not in ("drums", "bass", "vocals"))
        covered = float(masking.covered[index])
        dull, bright = TILT_DB_PER_OCTAVE.get(stem.role, (-9.0, -1.0))
        rows.append(
            (
                *(float(family == name) for name in FAMILIES),
                *(_share(stem, where) for _, where in REGIONS),
                stem.brightness_db,
                min(30.0, stem.crest_db),
                stem.range_lu,
                stem.activity,
                stem.flatness,
                min(2.0, stem.width),
                tilt_db_per_octave(stem) - (dull + bright) / 2.0,
                covered,
                min(3.0, float(covers[index])),
                float(masking.audible_db[index]),
                float(len(stems)),
                float(sum(other.role == stem.role for other in stems)),
                rule_lu[stem.name],
                covered * is_drum,
                stem.brightness_db * is_drum,
                covered * is_music,
            )
        )
    return np.array(rows, dtype=np.float64).reshape(len(stems), len(FEATURES))


def _share(stem: StemFeatures, where: slice) -> float:
    """Return the power of a region relative to the whole, in dB."""
    power = float(np.sum(10.0 ** (stem.bands_db[where] / 10.0)))
    return max(QUIETEST_DB, 10.0 * log10(max(power, 1e-12)))
