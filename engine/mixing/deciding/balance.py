"""The balance: how loud each stem is to be, against the lead vocal, by its role, its fellows and what it is like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10

from engine.mixing.deciding.reasons import Reasons
from engine.mixing.listening.features import StemFeatures
from engine.mixing.roles import ROLES, balance_of

WORKING_LUFS = -20.0
"""Loudness to which a strip's gain brings its stem: what compressors and plug-ins see."""
NOMINAL_LUFS = -23.0
"""Loudness of a lead vocal in the mix before the mix is brought to its level."""
MAX_GAIN_DB = 36.0
SHARING = 7.0
"""dB by which ten stems of one role are each turned down: less than power would have it, as they seldom coincide."""
ORNAMENT_ACTIVITY, ORNAMENT_LU = 0.2, -3.0
"""A stem that sounds this little of the time, and carries nothing, is an ornament, and sits lower by so much."""
ORNAMENT_ROLES = ("keys", "synth", "chords", "arp", "guitar", "percussion", "other")
BED_FLATNESS, BED_RANGE_LU, BED_ACTIVITY = 0.08, 5.0, 0.6
BED_QUIETEST_LU = -40.0
BED_ROLES = ("pad", "fx", "other", "synth")


def heard_role(features: StemFeatures) -> str:
    """Return the role that a stem's sound speaks for, where its name's guess leaves it open.

    A steady, noise-like stem that its name calls a pad, an effect or nothing is a bed of noise.
    """
    bed = (
        features.flatness > BED_FLATNESS
        and features.range_lu < BED_RANGE_LU
        and features.activity > BED_ACTIVITY
    )
    return "noise" if bed and features.role in BED_ROLES else features.role


def rule_targets(
    stems: Sequence[StemFeatures], balance_db: Mapping[str, float], reasons: Reasons | None = None
) -> dict[str, float]:
    """Return each stem's loudness in LU against the lead vocal, by the table of roles."""
    count: dict[str, int] = {}
    for stem in stems:
        if not stem.silent:
            count[stem.role] = count.get(stem.role, 0) + 1
    loudest = max((stem.loudness_lufs for stem in stems), default=0.0)
    targets = {}
    for stem in stems:
        shared_db = SHARING * log10(count.get(stem.role, 1))
        targets[stem.name] = balance_of(stem.role, balance_db) - shared_db
        carried = any(
            other.activity > 2.0 * ORNAMENT_ACTIVITY and ROLES[other.role].family == ROLES[stem.role].family
            for other in stems
            if other is not stem
        )
        ornament = stem.role in ORNAMENT_ROLES and stem.activity < ORNAMENT_ACTIVITY and carried
        if ornament and not stem.silent:
            targets[stem.name] += ORNAMENT_LU
        if stem.role == "noise" and not stem.silent:
            # A bed that came quiet was meant to be.
            came = stem.loudness_lufs - loudest
            targets[stem.name] = max(BED_QUIETEST_LU, min(targets[stem.name], came))
        if reasons is not None and not stem.silent:
            among = f", one of {count[stem.role]}" if count[stem.role] > 1 else ""
            among += ", an ornament" if ornament else ""
            family = ROLES[stem.role].family
            against = (
                "the measure of the mix"
                if stem.role == "vocals"
                else f"{targets[stem.name]:+.1f} LU to the voice"
            )
            reasons.add("balance", stem.name, f"{stem.role.replace('_', ' ')}{among} ({family}): {against}.")
    return targets


def equal_targets(stems: Sequence[StemFeatures]) -> dict[str, float]:
    """Return the same loudness for all: the yardstick that a balance must beat."""
    return {stem.name: 0.0 for stem in stems}
