"""How hard to drive: find the gain whose master has the loudness asked for, without rendering anything.

The limiter's gain moves slowly against the signal, so the energy of the limited song in every 10 ms is that
of the driven song times the gain squared; with the hops' peaks that is all it takes to know the loudness of a
master at any gain, to some hundredths of an LU. The search runs on hops of 32 frames and costs milliseconds.

The target is lowered, before anything is rendered, to what two budgets allow: the limiter's average reduction
over loud passages, and the ratio of peak to loudness that a master of that loudness keeps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.loudness.meter import (
    GATING_STEP_HOPS,
    HOPS_PER_S,
    MOMENTARY_HOPS,
    RELATIVE_GATE_LU,
    gated_loudness,
    sliding_means,
)
from engine.loudness.truepeak import HOP_FRAMES
from engine.mastering.drive import MERGED_HOPS, Drive
from engine.mastering.limiter import Nepers, needed_reduction, reduction_curve
from engine.mastering.model import MasterSettings
from engine.mastering.sliding import sliding_mean
from engine.progress import SILENT, Monitor

DB_PER_NEPER = 8.685889638065035
MAX_GAIN_DB = 40.0
SEARCH_STEPS = 12
CLOSE_ENOUGH_LU = 0.02


def lowest_plr(lufs: float) -> float:
    """Return the peak-to-loudness ratio that a master at `lufs` must keep: 6.5 LU at -8, 8 from -10 down."""
    return min(8.0, 6.5 + 0.75 * (-8.0 - lufs))


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a master would be at some gain."""

    gain_db: float
    lufs: float
    average_reduction_db: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The gain to drive with, the loudness to expect, and why that is lower than asked for, if it is."""

    gain_db: float
    aimed_lufs: float
    reason: str = ""


def hop_mean_squares(curve: Nepers, hops_10ms: int, hops_per_10ms: float) -> NDArray[np.float64]:
    """Return the mean squared gain of a reduction curve in each of the first `hops_10ms` 10 ms hops."""
    return _hop_means(np.exp(np.float32(-2.0) * curve), hops_10ms, hops_per_10ms)


def average_reduction_db(curve: Nepers, energies: NDArray[np.float64], hops_per_10ms: float) -> float:
    """Return a curve's mean reduction in dB where the 400 ms around are above the relative gate."""
    if not len(energies) or not energies.any():
        return 0.0
    by_hop = _hop_means(curve, len(energies), hops_per_10ms)
    momentary = sliding_mean(energies, MOMENTARY_HOPS)
    loud = momentary >= energies.mean() * 10.0 ** (RELATIVE_GATE_LU / 10.0)
    return float(by_hop[loud].mean()) * DB_PER_NEPER


def _hop_means(values: Nepers, hops_10ms: int, hops_per_10ms: float) -> NDArray[np.float64]:
    """Return the means of values per hop over stretches of `hops_per_10ms` (a fraction; at least one) of them."""
    edges = np.minimum(np.arange(hops_10ms + 1) * hops_per_10ms, len(values) - 1)
    whole = edges.astype(np.intp)
    begun = (edges - whole) * values[whole]
    sums: NDArray[np.float64] = np.add.reduceat(values, whole)[:-1].astype(np.float64)
    sums += np.diff(begun)
    sums /= np.maximum(np.diff(edges), 1e-9)
    return sums


def integrated(energies: NDArray[np.float64], sample_rate: int) -> float:
    """Return the integrated loudness in LUFS of sums of squares per 10 ms hop."""
    if len(energies) < MOMENTARY_HOPS:
        frames = len(energies) * sample_rate / HOPS_PER_S
        return gated_loudness(np.array([energies.sum() / frames])) if len(energies) else float("-inf")
    return gated_loudness(sliding_means(energies, MOMENTARY_HOPS, sample_rate)[::GATING_STEP_HOPS])


def make_plan(
    drive: Drive,
    energies: NDArray[np.float64],
    settings: MasterSettings,
    correction_lu: float = 0.0,
    monitor: Monitor = SILENT,
    *,
    spent_db: float = 0.0,
) -> Plan:
    """Find the gain for `settings.lufs`, or for the highest loudness within the budgets.

    `energies` are the undriven song's sums of weighted squares per 10 ms hop; `correction_lu` is how much
    louder the last render was than its outlook said, `spent_db` what glue takes of the reduction budget.
    """
    sample_rate = drive.audio.sample_rate
    glued = energies * 10.0 ** (drive.glue_db[: len(energies)] / 10.0)
    start_lufs = integrated(glued, sample_rate)
    ceiling_lufs = _loudest_by_plr(settings.ceiling_dbtp, settings.plr_min)
    aimed = min(settings.lufs, ceiling_lufs)
    reason = ""
    if aimed < settings.lufs:
        reason = (
            f"a ceiling of {settings.ceiling_dbtp:g} dBTP leaves less than "
            f"{max(lowest_plr(settings.lufs), settings.plr_min or 0.0):.1f} LU between peaks and loudness, "
            f"the least that a master at {settings.lufs:g} LUFS keeps"
        )
    merged = drive.glued_peaks()
    per_10ms = sample_rate / HOPS_PER_S / (HOP_FRAMES * MERGED_HOPS)

    def outlook(gain_db: float) -> Outlook:
        monitor.check()
        driven = merged * np.float32(10.0 ** (gain_db / 20.0))
        level = drive.level_at(driven)
        bent = drive.expected_peaks(driven * np.exp(-level[:-1]))
        needed = needed_reduction(bent, drive.ceiling)
        curve = level + reduction_curve(needed, sample_rate, hop_frames=HOP_FRAMES * MERGED_HOPS)
        limited = glued * hop_mean_squares(curve, len(glued), per_10ms)
        return Outlook(
            gain_db,
            integrated(limited, sample_rate) + gain_db + correction_lu,
            average_reduction_db(curve, glued, per_10ms),
        )

    budget = max(0.0, settings.max_average_reduction_db - spent_db)

    def spare(look: Outlook) -> float:
        """Return what is left of the target or of the budget, whichever is less; it falls with the gain."""
        return min(aimed - look.lufs, budget - look.average_reduction_db)

    low = high = outlook(min(MAX_GAIN_DB, aimed - start_lufs))
    while spare(high) > CLOSE_ENOUGH_LU and high.gain_db < MAX_GAIN_DB:
        # A limited song gains less than a decibel per decibel.
        low, high = high, outlook(min(MAX_GAIN_DB, high.gain_db + max(0.5, 1.5 * (aimed - high.lufs))))
    while spare(low) < -CLOSE_ENOUGH_LU:
        low, high = outlook(low.gain_db + min(-0.5, 1.5 * spare(low))), low
    if abs(spare(high)) <= CLOSE_ENOUGH_LU:
        low = high
    low = _between(low, high, outlook, spare)
    if low.lufs < aimed - 4.0 * CLOSE_ENOUGH_LU:
        if low.gain_db >= MAX_GAIN_DB - 1e-9:
            reason = f"the input is too quiet: it would take more than {MAX_GAIN_DB:g} dB of gain"
        else:
            reason = (
                f"more would have the limiter take over {budget:.1f} dB off loud passages on average; "
                "a denser mix can be made louder"
            )
        aimed = low.lufs
    return Plan(low.gain_db, aimed, reason)


def _between(
    low: Outlook, high: Outlook, outlook: Callable[[float], Outlook], spare: Callable[[Outlook], float]
) -> Outlook:
    """Return the outlook between `low` and `high` where nothing is left to spare (Illinois method)."""
    left, right = spare(low), spare(high)
    side = 0
    for _ in range(SEARCH_STEPS):
        if abs(spare(low)) <= CLOSE_ENOUGH_LU or high.gain_db - low.gain_db <= CLOSE_ENOUGH_LU:
            break
        middle = outlook(low.gain_db + (high.gain_db - low.gain_db) * left / (left - right))
        rest = spare(middle)
        if abs(rest) <= CLOSE_ENOUGH_LU:
            return middle
        if rest > 0.0:
            low, left = middle, rest
            right = right / 2.0 if side > 0 else right
            side = 1
        else:
            high, right = middle, rest
            left = left / 2.0 if side < 0 else left
            side = -1
    return low


def _loudest_by_plr(ceiling_dbtp: float, plr_min: float | None) -> float:
    """Return the loudness at which peaks at the ceiling leave exactly the least ratio allowed."""
    if plr_min is not None:
        return min(_loudest_by_plr(ceiling_dbtp, None), ceiling_dbtp - plr_min)
    loudest, louder = -60.0, 0.0
    while louder - loudest > 0.001:
        middle = (loudest + louder) / 2.0
        if ceiling_dbtp - middle >= lowest_plr(middle):
            loudest = middle
        else:
            louder = middle
    return loudest
