"""The guardrails of a master: a table of checks, each on what was measured of the written file.

A check has a limit, the value found, and what to change when it fails: `Remedy` is applied to the next attempt. The
loudness target goes down before any guardrail is broken. What is not a property of the file (the equaliser's gains,
the reductions) is taken from the settings and curves that made it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np

from engine.loudness.figures import Figures
from engine.mastering.chain import eq_response
from engine.mastering.decisions import Corrections, Decisions
from engine.mastering.model import MasterReport
from engine.mastering.plan import lowest_plr
from engine.mastering.wishes import (
    MAX_AVERAGE_REDUCTION_DB,
    MAX_EQ_DB,
    MAX_WIDTH_PCT,
    MIN_CORRELATION,
)

PEAK_TOLERANCE_DB = 0.0
LRA_TOLERANCE_LU = 0.2
PLR_TOLERANCE_LU = 0.1
REDUCTION_STEP_LU = 0.3


@dataclass(frozen=True, slots=True)
class Remedy:
    """What attempts change against the first one: added to the loudness and to the ceiling, and corrections."""

    lufs: float = 0.0
    ceiling_db: float = 0.0
    lra: float = 0.0
    corrections: Corrections = Corrections()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """One attempt at a master, as it was written."""

    before: Figures
    after: Figures
    decisions: Decisions
    report: MasterReport
    ceiling_dbtp: float
    lra_max: float | None
    plr_min: float | None
    bus_average_db: float


@dataclass(frozen=True, slots=True)
class Check:
    """One guardrail: its id, what it is in words, the value found, the limit, and why it fails where it does."""

    id: str
    what: str
    value: float
    limit: float
    unit: str
    passed: bool
    why: str = ""


Found = tuple[float, float, bool, str]
"""Value, limit, whether it holds, and why it may not."""


def _equaliser(attempt: Attempt) -> Found:
    frequencies = np.geomspace(20.0, 20_000.0, 600)
    gains_db = 20.0 * np.log10(eq_response(attempt.decisions.chain.eq_db, frequencies))
    most = float(np.abs(gains_db).max())
    return most, MAX_EQ_DB, most <= MAX_EQ_DB + 1e-6, ""


def _reduction(attempt: Attempt) -> Found:
    value = attempt.bus_average_db
    return value, MAX_AVERAGE_REDUCTION_DB, value < MAX_AVERAGE_REDUCTION_DB, "the song is too dynamic for it"


def _true_peak_4x(attempt: Attempt) -> Found:
    value = attempt.after.true_peak_dbtp
    return value, attempt.ceiling_dbtp, value <= attempt.ceiling_dbtp + PEAK_TOLERANCE_DB, ""


def _true_peak_8x(attempt: Attempt) -> Found:
    value = attempt.after.true_peak_8x_dbtp
    return value, attempt.ceiling_dbtp, value <= attempt.ceiling_dbtp + PEAK_TOLERANCE_DB, ""


def _width(attempt: Attempt) -> Found:
    value = attempt.after.stereo.width_pct
    return value, MAX_WIDTH_PCT, value <= MAX_WIDTH_PCT, "hardly anything of the song is in the middle"


def _side_gain(attempt: Attempt) -> Found:
    value = 100.0 * float(attempt.decisions.image.side_gain.max())
    return value, MAX_WIDTH_PCT, value <= MAX_WIDTH_PCT + 1e-6, ""


def _correlation(attempt: Attempt) -> Found:
    value = attempt.after.stereo.correlation
    return value, MIN_CORRELATION, value >= MIN_CORRELATION, "the channels have nothing in common"


def _plr(attempt: Attempt) -> Found:
    after = attempt.after
    if not isfinite(after.integrated_lufs):
        return 0.0, 0.0, True, ""
    limit = max(lowest_plr(after.integrated_lufs), attempt.plr_min or 0.0)
    why = ""
    if attempt.before.plr_lu < limit + 0.5:
        why = (
            f"the input has {attempt.before.plr_lu:.1f} LU itself, and mastering can't give back what is gone"
        )
    return after.plr_lu, limit, after.plr_lu >= limit - PLR_TOLERANCE_LU, why


def _range(attempt: Attempt) -> Found:
    value, limit = attempt.after.lra_lu, attempt.lra_max
    if limit is None:
        return value, value, True, ""
    why = "riding the level by more than 6 dB up or 3 dB down would be heard"
    return value, limit, value <= limit + LRA_TOLERANCE_LU, why


def _less_equaliser(remedy: Remedy, found: Found) -> Remedy:
    scale = remedy.corrections.eq_scale * found[1] / found[0] * 0.999
    return replace(remedy, corrections=replace(remedy.corrections, eq_scale=scale))


def _quieter(remedy: Remedy, found: Found) -> Remedy:
    return replace(remedy, lufs=remedy.lufs - max(REDUCTION_STEP_LU, 1.2 * abs(found[0] - found[1])))


def _lower_ceiling(remedy: Remedy, found: Found) -> Remedy:
    return replace(remedy, ceiling_db=remedy.ceiling_db - (found[0] - found[1]) - 0.03)


def _narrower(remedy: Remedy, found: Found) -> Remedy:
    scale = remedy.corrections.side_scale * 0.8
    return replace(remedy, corrections=replace(remedy.corrections, side_scale=scale))


def _tighter(remedy: Remedy, found: Found) -> Remedy:
    return replace(remedy, lra=remedy.lra - 1.2 * (found[0] - found[1]) - 0.1)


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A guardrail: how it is found, and what an attempt changes after it failed."""

    id: str
    what: str
    unit: str
    find: Callable[[Attempt], Found]
    mend: Callable[[Remedy, Found], Remedy]


GUARDRAILS: tuple[Guardrail, ...] = (
    Guardrail("eq", "largest gain of the equaliser in any band", "dB", _equaliser, _less_equaliser),
    Guardrail("reduction", "average gain reduction of the master bus", "dB", _reduction, _quieter),
    Guardrail("true_peak_4x", "true peak at 4x (BS.1770-4)", "dBTP", _true_peak_4x, _lower_ceiling),
    Guardrail("true_peak_8x", "true peak at 8x", "dBTP", _true_peak_8x, _lower_ceiling),
    Guardrail("side_gain", "largest level of the side against the mix", "%", _side_gain, _narrower),
    Guardrail("width", "side against mid", "%", _width, _narrower),
    Guardrail("correlation", "correlation of the channels", "", _correlation, _narrower),
    Guardrail("plr", "peak to loudness ratio", "LU", _plr, _quieter),
    Guardrail("lra", "loudness range", "LU", _range, _tighter),
)


def check(attempt: Attempt, remedy: Remedy) -> tuple[tuple[Check, ...], Remedy]:
    """Return every guardrail as it was found, and what the next attempt has to change (the same if all hold)."""
    checks = []
    for rail in GUARDRAILS:
        found = rail.find(attempt)
        value, limit, passed, why = found
        checks.append(Check(rail.id, rail.what, value, limit, rail.unit, passed, "" if passed else why))
        if not passed:
            remedy = rail.mend(remedy, found)
    return tuple(checks), remedy


def warning(failed: Check, retries: int) -> str:
    """Return the sentence for a guardrail that still fails."""
    why = f": {failed.why}" if failed.why else ""
    unit = f" {failed.unit}" if failed.unit else ""
    return (
        f"The {failed.what} is {failed.value:.2f}{unit}, beyond the limit of {failed.limit:.2f}{unit}, after "
        f"{retries} {'retry' if retries == 1 else 'retries'}{why}."
    )
