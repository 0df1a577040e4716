"""Which metrical level is the beat: the pulse tracked, half or double of it, two thirds or one and a half.

The pulse that was tracked is a clock; every level is read off it at its own rate, from every phase, and
judged by what a listener goes by: the tempo people like to tap, how strong the accents on the beats are
against those that the level leaves out (a backbeat between the beats asks for the double), and how well bars
of three or four beats explain chord changes, kick and snare.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.downbeats import at_times, beat_cues, chords_on_downbeats, find_metre
from engine.analysis.features import HOP_S, Features, Floats
from engine.analysis.loops import loop_grids
from engine.analysis.tempo import Tempogram, global_strength, log_prior
from engine.progress import SILENT, Monitor

Array = NDArray[np.float64]

PHASES = {
    1.0: (0.0, 0.5),
    2.0: (0.0,),
    0.5: (0.0, 0.5, 1.0, 1.5),
    1.5: (0.0, 1 / 3),
    2 / 3: (0.0, 0.5, 1.0),
    3.0: (0.0,),
    1 / 3: (0.0, 0.5, 1.0, 1.5, 2.0, 2.5),
    4.0: (0.0,),
    0.25: (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5),
}
"""Levels as beats for each tick of the clock, and where their first beat may lie, in ticks."""
SLOWEST_BPM, FASTEST_BPM = 50.0, 216.0
PRIOR_WEIGHT, SALIENCE_WEIGHT, FASTER_WEIGHT, METRE_WEIGHT = 1.0, 2.0, 0.44, 0.3
PRESENCE_WEIGHT, CHORD_WEIGHT = 0.5, 0.8
LOOP_BONUS = 0.35
LEAST_BEATS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One way to tap the song: `beats_s` at `bpm`, and `score`, the log of how convincing it is.

    `is_loop` says that the beats divide the whole file evenly from 0 to its end, and are exact as they are.
    """

    bpm: float
    beats_s: Array
    score: float
    is_loop: bool = False


def rank_levels(
    features: Features,
    onsets: Floats,
    clock_s: Array,
    gram: Tempogram,
    tempo_range_bpm: tuple[float, float] | None = None,
    monitor: Monitor = SILENT,
) -> list[Level]:
    """Return the levels of a song whose pulse ticks at `clock_s`, the most convincing first.

    Only levels within the range count (2 % to spare), by default from 50 to 216 BPM; there may be none. A
    short file that may be a loop is also read at the tempi that a loop of its length would have.
    """
    low, high = tempo_range_bpm or (SLOWEST_BPM, FASTEST_BPM)
    slowest, fastest = 0.98 * low, 1.02 * high
    clock_bpm = 60.0 / float(np.median(np.diff(clock_s)))
    strength = global_strength(gram)
    levels: list[Level] = []

    def add(beats_s: Array, bpm: float, bonus: float, is_loop: bool) -> None:
        features.heartbeat.check()
        if slowest <= bpm <= fastest and len(beats_s) >= LEAST_BEATS:
            presence = float(np.interp(bpm, gram.bpm, strength)) / max(float(strength.max()), 1e-9)
            evidence = judge(features, onsets, beats_s, bpm) + PRESENCE_WEIGHT * float(
                np.log(max(presence, 0.05))
            )
            levels.append(Level(bpm, beats_s, evidence + bonus, is_loop))

    for n, (factor, phases) in enumerate(PHASES.items()):
        monitor.report(n / len(PHASES))
        for phase in phases:
            add(read_clock(clock_s, factor, phase), clock_bpm * factor, 0.0, False)
    for beats_s in loop_grids(features):
        add(beats_s[:-1], 60.0 / float(beats_s[1] - beats_s[0]), LOOP_BONUS, True)
    return sorted(levels, key=lambda level: -level.score)


def read_clock(clock_s: Array, factor: float, phase: float) -> Array:
    """Return the times of `factor` beats for each tick of the clock, the first `phase` ticks after its start."""
    ticks = np.arange(phase, len(clock_s) - 1 + 1e-9, 1.0 / factor)
    return np.asarray(np.interp(ticks, np.arange(len(clock_s)), clock_s))


def judge(features: Features, onsets: Floats, beats_s: Array, bpm: float) -> float:
    """Return how convincing beats are as the beat of the song (natural log, up to a constant)."""
    salience = float(at_times(onsets, HOP_S, beats_s, 3).mean()) / max(float(onsets.std()), 1e-9)
    metre = find_metre(beat_cues(features, beats_s))
    chords = chords_on_downbeats(features.harmonic_change, beats_s[metre.downbeat_index])
    return (
        PRIOR_WEIGHT * float(log_prior(bpm))
        + SALIENCE_WEIGHT * float(np.log(max(salience, 0.05)))
        + FASTER_WEIGHT * float(np.log2(bpm))
        + METRE_WEIGHT * metre.fit
        + CHORD_WEIGHT * chords
    )
