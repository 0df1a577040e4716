"""Chords: which harmony sounds in each beat, in Harte's syntax, and how sure that is.

Chroma of the harmonic instruments and of the bass are compared with triads beat by beat; a hidden Markov
chain whose readiness to change depends on the place in the bar makes one sequence of them; a second pass
knows the key of the first and prefers its chords slightly. Sevenths and suspensions are told within the spans
found (`chord_quality`). The tables and their sources are in `chord_model`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis import chord_model
from engine.analysis.beat_grid import BeatGrid
from engine.analysis.chord_quality import refine_quality
from engine.analysis.chroma import HarmonyFeatures, harmony_features
from engine.analysis.harte import NO_CHORD, chord_label
from engine.analysis.key_model import SCALES, rank_keys
from engine.analysis.model import Chord
from engine.analysis.tuning import Tuning
from engine.analysis.viterbi import best_path, state_probabilities
from engine.audio import Audio
from engine.progress import SILENT, Monitor

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class ChordResult:
    """The harmony of a song.

    `chords` cover 0 to the end without gaps. `beat_labels` has one label for each beat that was given, and
    `beat_probabilities` (beats, 25) the probability of each triad there, in the order of `vocabulary`. The
    rest is for the key: the whole `grid` (which reaches to both ends of the recording), the triad `states`
    and their `state_probabilities` on it, and the features heard.
    """

    chords: tuple[Chord, ...]
    beat_labels: tuple[str, ...]
    beat_probabilities: Floats
    vocabulary: tuple[str, ...]
    tuning: Tuning
    grid: BeatGrid
    states: Ints
    state_probabilities: Floats
    features: HarmonyFeatures

    @property
    def confidence(self) -> float:
        """How sure the chords are over the whole song, 0 to 1; a song without harmony has 0."""
        if not self.chords:
            return 0.0
        spans = [(c.end_s - c.start_s, c.confidence if c.label != NO_CHORD else 0.0) for c in self.chords]
        return sum(d * c for d, c in spans) / max(sum(d for d, _ in spans), 1e-9)


def estimate_chords(
    stems: Mapping[str, Audio] | None,
    mix: Audio,
    beats_s: NDArray[np.floating],
    downbeats_s: NDArray[np.floating],
    *,
    monitor: Monitor = SILENT,
) -> ChordResult:
    """Estimate the chords of a song on its beats.

    Args:
        stems: stems by role (any subset of vocals, drums, bass, other, or instruments by name), or None.
        mix: the whole song; used where there are no stems with harmony, and for its length.
        beats_s: beat times in seconds.
        downbeats_s: times of the beats that start a bar; may be empty.
        monitor: progress.

    Returns:
        the chords with all that the key estimate wants to know.
    """
    grid = BeatGrid.over(np.asarray(beats_s), np.asarray(downbeats_s), mix.duration_s)
    features = harmony_features(stems, mix, grid, monitor=monitor.part(0.0, 0.9))
    return decode_chords(features, grid, monitor=monitor.part(0.9, 1.0))


def decode_chords(features: HarmonyFeatures, grid: BeatGrid, *, monitor: Monitor = SILENT) -> ChordResult:
    """Find the most probable chords behind features on a grid."""
    emission = chord_model.log_emissions(
        features.treble, features.bass, features.level_db, features.tonal_share
    )
    kinds = chord_model.transition_kinds(grid)
    scale = None
    for _ in range(2):
        prior = chord_model.change_prior(scale)
        transitions = chord_model.log_transitions(prior)
        states = best_path(emission, transitions, kinds, np.log(prior), monitor=monitor)
        probabilities = state_probabilities(emission, transitions, kinds, np.log(prior))
        tonic, mode = rank_keys(states, probabilities, grid, features)[0].pitch_and_mode
        scale = frozenset((tonic + step) % 12 for step in SCALES[mode])
    monitor.report(0.9)
    key = rank_keys(states, probabilities, grid, features)[0].spelling
    chords, labels = _spans(states, probabilities, grid, features, key)
    beats = slice(grid.first_beat, grid.first_beat + grid.beat_count)
    return ChordResult(
        chords,
        labels[beats],
        probabilities[beats],
        tuple(chord_model.state_label(s, key) for s in range(chord_model.STATES)),
        features.tuning,
        grid,
        states,
        probabilities,
        features,
    )


def _spans(
    states: Ints, probabilities: Floats, grid: BeatGrid, features: HarmonyFeatures, key: tuple[str, str]
) -> tuple[tuple[Chord, ...], tuple[str, ...]]:
    """Return the chords as spans of equal state, and the label of each interval."""
    starts = np.flatnonzero(np.r_[True, np.diff(states) != 0]) if len(states) else np.zeros(0, dtype=np.intp)
    ends = np.r_[starts[1:], len(states)]
    chords: list[Chord] = []
    labels: list[str] = []
    for first, last in zip(starts, ends, strict=True):
        state = int(states[first])
        label = NO_CHORD
        if state:
            root, triad = (state - 1) % 12, chord_model.TRIADS[(state - 1) // 12]
            label = chord_label(root, refine_quality(features.treble[:, first:last], root, triad), key)
        confidence = float(probabilities[first:last, state].mean())
        chords.append(
            Chord(float(grid.edges_s[first]), float(grid.edges_s[last]), label, round(confidence, 4))
        )
        labels.extend([label] * int(last - first))
    return tuple(chords), tuple(labels)
