"""Which metrical level is the beat: the tempo found, half or double of it, two thirds or one and a half.

Every level in range is tracked, also half a beat later, and judged by what a listener goes by: the tempo people like to tap,
how strong the accents on the beats are against those that the level leaves out (a backbeat between the beats asks for
the double), and how well bars of three or four beats explain chord changes, kick and snare.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.beats import track
from engine.analysis.downbeats import at_times, beat_cues, find_metre
from engine.analysis.features import HOP_S, Features, Floats
from engine.analysis.tempo import Tempogram, global_strength, log_prior
from engine.progress import SILENT, Monitor

Array = NDArray[np.float64]

FACTORS = (1.0, 2.0, 0.5, 1.5, 2.0 / 3.0, 3.0, 1.0 / 3.0)
SLOWEST_BPM, FASTEST_BPM = 50.0, 216.0
PRIOR_WEIGHT, SALIENCE_WEIGHT, FASTER_WEIGHT, METRE_WEIGHT = 1.0, 2.0, 0.44, 0.3
PRESENCE_WEIGHT = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One way to tap the song: `beats_s`, `bpm_ratio` to the tempo tracked, and `score`, the log of how convincing it is."""

    bpm_ratio: float
    beats_s: Array
    score: float


def rank_levels(
    features: Features,
    onsets: Floats,
    period_s: Array,
    gram: Tempogram,
    tempo_range_bpm: tuple[float, float] | None = None,
    monitor: Monitor = SILENT,
) -> list[Level]:
    """Return the levels of a song whose tracked period is `period_s` (one a frame), the most convincing first.

    With a range only levels inside it count (with 2 % to spare); if there are none, the range is ignored.
    """
    slowest, fastest = tempo_range_bpm or (SLOWEST_BPM, FASTEST_BPM)
    middle = 60.0 / float(np.median(period_s))
    factors = [f for f in FACTORS if slowest * 0.98 <= middle * f <= fastest * 1.02] or [1.0]
    levels: list[Level] = []
    strength = global_strength(gram)
    strongest = float(strength.max())
    for n, factor in enumerate(factors):
        monitor.report(n / len(factors))
        bpm = middle * factor
        presence = float(np.log(max(float(np.interp(bpm, gram.bpm, strength)), 0.02) / max(strongest, 0.02)))
        beats_s = track(onsets, period_s / factor)
        if len(beats_s) < 4:
            continue
        later = np.append((beats_s[1:] + beats_s[:-1]) / 2, 1.5 * beats_s[-1] - 0.5 * beats_s[-2])
        for times in (beats_s, later):
            score = _judge(features, onsets, times, bpm) + PRESENCE_WEIGHT * presence
            levels.append(Level(factor, times, score))
    return sorted(levels, key=lambda level: -level.score)


def _judge(features: Features, onsets: Floats, beats_s: Array, bpm: float) -> float:
    salience = float(at_times(onsets, HOP_S, beats_s, 3).mean()) / max(float(onsets.std()), 1e-9)
    metre = find_metre(beat_cues(features, beats_s))
    return (
        PRIOR_WEIGHT * float(log_prior(bpm))
        + SALIENCE_WEIGHT * float(np.log(max(salience, 0.05)))
        + FASTER_WEIGHT * float(np.log2(bpm))
        + METRE_WEIGHT * metre.fit
    )
