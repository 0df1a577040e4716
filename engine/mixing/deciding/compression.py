"""Compression: thresholds from the mean reduction to aim at, found on the stem's levels before anything is rendered.

A stem whose loudness is even gets half of its role's reduction; one that is uneven gets all of it. The mean is taken
where the stem sounds, and no plan aims above `MOST_DB`, well under the 3 dB of the guardrail.
"""

from __future__ import annotations

from math import log10

import numpy as np
from numpy.typing import NDArray

from engine.mixing.desk.dynamics import GainComputer, in_decibels, where_it_sounds
from engine.mixing.session.strips import Compressor

MOST_DB = 2.4
STEPS = 11


def planned(power: NDArray[np.float64], like: Compressor, aim_db: float, hop_s: float) -> Compressor | None:
    """Return `like` with the threshold that takes off `aim_db` on average, and the make-up that gives it back.

    `power` is the mean power of both sides every `hop_s` seconds at the compressor's input. None if nothing is to be
    done.
    """
    aim_db = min(aim_db, MOST_DB)
    if aim_db < 0.2 or not power.any():
        return None
    loudest_db = float(in_decibels(power.max()))
    high, low = loudest_db + 6.0, loudest_db - 60.0
    levels_db, sounds = GainComputer(like, hop_s).levels_db(power), where_it_sounds(power)

    def reduction(threshold_db: float) -> NDArray[np.float64]:
        settings = like.model_copy(update={"threshold_db": threshold_db})
        return GainComputer(settings, hop_s).reduction_at(levels_db)

    for _ in range(STEPS):
        middle = (low + high) / 2.0
        if float(reduction(middle)[sounds].mean()) > aim_db:
            low = middle
        else:
            high = middle
    threshold_db = round(max(-60.0, min(36.0, high)), 1)
    lost_db = makeup(power, reduction(threshold_db))
    return like.model_copy(update={"threshold_db": threshold_db, "makeup_db": round(lost_db, 1)})


def makeup(power: NDArray[np.float64], reduction: NDArray[np.float64]) -> float:
    """Return how much quieter the reduction makes the loud part of a sound, in dB."""
    loud = power > power.max() * 1e-3
    before, after = float(power[loud].sum()), float((power * 10.0 ** (-reduction / 10.0))[loud].sum())
    return 10.0 * log10(before / after) if after > 0.0 else 0.0
