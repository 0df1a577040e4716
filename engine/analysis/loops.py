"""Loops: a short file that is cut to whole bars says its own tempo, more exactly than its few onsets can.

A loop of n beats has the tempo 60 n / length. Such a grid is offered to the judge of levels beside what was
tracked; it wins if it explains the onsets nearly as well.
"""

import numpy as np
from numpy.typing import NDArray

from engine.analysis.features import Features

Array = NDArray[np.float64]

LONGEST_S = 24.0
BEATS = (4, 8, 12, 16, 24, 32)
SLOWEST_BPM, FASTEST_BPM = 70.0, 180.0


def loop_grids(features: Features) -> list[Array]:
    """Return the grids of beats, from 0 to the end, that the file would have as a loop; none for a longer recording."""
    duration_s = features.duration_s
    if not 1.0 < duration_s <= LONGEST_S:
        return []
    return [
        np.linspace(0.0, duration_s, beats + 1)
        for beats in BEATS
        if SLOWEST_BPM <= 60.0 * beats / duration_s <= FASTEST_BPM
    ]
