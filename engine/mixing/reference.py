"""Steering by a reference mix: the balance between drums, bass, music and voices, and the width, that it seems to have.

What a mix holds of each family is not separated, but fitted: the families' own spectra, as the balance has them, are
scaled (non-negative least squares, every third octave weighing the same) until their sum is like the reference's
spectrum. Half of what that asks for is done, at most `MOST_LU` from the preset's balance: two songs are never made of
the same sounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10

import numpy as np
from numpy.typing import NDArray

from engine.mixing.deciding.reasons import Reasons
from engine.mixing.listening.features import StemFeatures
from engine.mixing.listening.thirds import loudness_weights_db
from engine.mixing.roles import ROLES

MOST_LU = 3.0
STRENGTH = 0.5
WORTH_SAYING_LU = 0.3
USED = slice(2, 29)
"""30 Hz to 12 kHz."""
FAINT_DB = -45.0
SPREADS = (0.6, 1.4)


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What is taken of a reference: power in third octaves relative to the whole, and side over mid."""

    bands_db: NDArray[np.float64]
    width: float


def reference_of(heard: Sequence[StemFeatures]) -> Reference:
    """Return the mean of references that have been listened to."""
    power = np.mean([10.0 ** (features.bands_db / 10.0) for features in heard], axis=0)
    return Reference(10.0 * np.log10(power), float(np.mean([features.width for features in heard])))


def steered(
    stems: Sequence[StemFeatures], targets_lu: Mapping[str, float], reference: Reference, reasons: Reasons
) -> dict[str, float]:
    """Return targets in LU whose families are moved towards the reference's balance."""
    from scipy.optimize import nnls

    sounding = [stem for stem in stems if not stem.silent and stem.role != "noise"]
    families = sorted({_group(stem) for stem in sounding})
    if len(families) < 2:
        return dict(targets_lu)
    weight = 10.0 ** (loudness_weights_db(sounding[0].sample_rate) / 10.0)
    wanted = 10.0 ** (np.maximum(reference.bands_db, reference.bands_db.max() + FAINT_DB) / 10.0) * weight
    spectra = np.zeros((len(weight), len(families)))
    for stem in sounding:
        own = 10.0 ** (stem.bands_db / 10.0) * weight
        spectra[:, families.index(_group(stem))] += (
            own / own.sum() * stem.activity * 10.0 ** (targets_lu[stem.name] / 10.0)
        )
    wanted *= spectra.sum() / wanted.sum()
    relative = spectra[USED] / wanted[USED, None]
    # A tenth of the weight holds the families where they are.
    hold = 0.1 * len(relative) ** 0.5 * np.eye(len(families))
    scale, _ = nnls(np.concatenate((relative, hold)), np.concatenate((np.ones(len(relative)), np.diag(hold))))
    moved = np.array([STRENGTH * 10.0 * log10(max(value, 1e-2)) for value in scale])
    moved = np.clip(moved - np.median(moved), -MOST_LU, MOST_LU)
    for family, by in zip(families, moved, strict=True):
        if abs(by) >= WORTH_SAYING_LU:
            reasons.add("balance", "", f"{family} {by:+.1f} LU, towards the reference's balance.")
    by_family = dict(zip(families, moved, strict=True))
    names = {stem.name: float(by_family[_group(stem)]) for stem in sounding}
    return {name: target + names.get(name, 0.0) for name, target in targets_lu.items()}


def spread_towards(
    stems: Sequence[StemFeatures], targets_lu: Mapping[str, float], reference: Reference
) -> float:
    """Return the factor on the preset's spread that brings the stems' own width towards the reference's."""
    sounding = [stem for stem in stems if not stem.silent]
    middle = sum(
        10.0 ** (targets_lu[stem.name] / 10.0) * stem.activity / (1.0 + stem.width**2) for stem in sounding
    )
    whole = sum(10.0 ** (targets_lu[stem.name] / 10.0) * stem.activity for stem in sounding)
    if middle <= 0.0 or whole <= middle * 1.0001:
        return 1.0
    width = (whole / middle - 1.0) ** 0.5
    return float(np.clip((reference.width / width) ** STRENGTH, *SPREADS))


def _group(stem: StemFeatures) -> str:
    family = ROLES[stem.role].family
    return family if family in ("drums", "bass", "vocals") else "music"
