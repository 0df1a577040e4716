"""What chords look like in chroma, and how they follow each other: the tables behind `chords`.

States are no-chord (0), then the twelve major (1 to 12) and the twelve minor triads (13 to 24), root 0 = C.
Larger chords are told apart afterwards, within the spans of one triad, because a seventh heard in one beat is
most often a passing note of the melody.

Sources: triad templates as in Fujishima, ICMC 1999; a separate bass that most often plays the root as in
Mauch and Dixon, "Simultaneous estimation of chords and musical context from audio", IEEE TASLP 18(6), 2010,
whose model also ties chord changes to metrical position.
"""

import numpy as np
from numpy.typing import NDArray

from engine.analysis.beat_grid import BeatGrid
from engine.analysis.harte import NO_CHORD, QUALITIES, chord_label

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

STATES = 25
TRIADS = ("maj", "min")

# Log-odds per unit of cosine: a clear triad beats its relative (0.2 apart) by 2.4 in one beat.
_TREBLE_SHARPNESS = 12.0
_BASS_SHARPNESS = 3.0  # log-odds between all of the bass on the root and none of it on a chord tone
_BASS_WEIGHTS = {
    "root": 1.0,
    "third": 0.45,
    "fifth": 0.55,
}  # root position is the rule, inversions are not rare
_SILENCE_DB = -38.0  # relative to the song's loud parts: nothing is played
_SILENCE_LOG_ODDS = 8.0
_FLAT_HANDICAP = 0.08  # cosine: real chords come with many other notes, and still mean the chord
_TONAL_SHARE_OF_NOISE = 0.22  # drums and noise lie below, voices and instruments above
_TONAL_SHARE_SHARPNESS, _TONAL_SHARE_LIMIT = 10.0, 1.5  # log-odds a unit, and at most

# How probable a chord change is on each beat: harmonic rhythm of one chord a bar is the rule in popular
# music, two a bar common, others rare.
_CHANGE_ON_DOWNBEAT, _CHANGE_IN_MID_BAR, _CHANGE_ELSEWHERE, _CHANGE_UNKNOWN_METRE = 0.5, 0.15, 0.04, 0.2
_NO_CHORD_SHARE = 0.02  # of all changes, those to no-chord
_FOREIGN_WEIGHT = 0.35  # prior weight of a chord outside the key against one inside


def state_label(state: int, key: tuple[str, str] | None = None) -> str:
    """Return the Harte label of a state."""
    if state == 0:
        return NO_CHORD
    return chord_label((state - 1) % 12, TRIADS[(state - 1) // 12], key)


def state_of(root: int, triad: str) -> int:
    """Return the state of a triad ("maj" or "min") on a root pitch class."""
    return 1 + 12 * TRIADS.index(triad) + root % 12


def state_labels() -> tuple[str, ...]:
    """Return the labels of all states, commonly spelled."""
    return tuple(state_label(s) for s in range(STATES))


def _templates() -> tuple[Floats, Floats]:
    """Return (treble templates of unit norm, bass weights), each (STATES, 12)."""
    treble = np.zeros((STATES, 12))
    bass = np.zeros((STATES, 12))
    treble[0] = 1.0
    bass[0] = np.mean(list(_BASS_WEIGHTS.values())) / 4
    for triad in TRIADS:
        _, third, fifth = QUALITIES[triad].intervals
        for root in range(12):
            s = state_of(root, triad)
            treble[s, [root, (root + third) % 12, (root + fifth) % 12]] = 1.0
            bass[s, root] = _BASS_WEIGHTS["root"]
            bass[s, (root + third) % 12] = _BASS_WEIGHTS["third"]
            bass[s, (root + fifth) % 12] = _BASS_WEIGHTS["fifth"]
    return treble / np.linalg.norm(treble, axis=1, keepdims=True), bass


_TREBLE_TEMPLATES, _BASS_TABLE = _templates()


def log_emissions(treble: Floats, bass: Floats, level_db: Floats, tonal_share: Floats) -> Floats:
    """Return the log-likelihood (up to a constant per beat) of each state, shape (n, STATES).

    Args:
        treble: chroma of the chord instruments, shape (12, n).
        bass: chroma of the bass, shape (12, n).
        level_db: loudness of the tones in each interval against the song's loud parts.
        tonal_share: part of the sound that is tones, 0 to 1.
    """
    norm = np.maximum(np.linalg.norm(treble, axis=0), 1e-9)
    cosine = (_TREBLE_TEMPLATES @ treble / norm).T
    cosine[:, 0] -= _FLAT_HANDICAP
    low = bass / np.maximum(bass.sum(axis=0), 1e-9)
    scores = _TREBLE_SHARPNESS * cosine + _BASS_SHARPNESS * (_BASS_TABLE @ low).T
    noise = _TONAL_SHARE_SHARPNESS * (_TONAL_SHARE_OF_NOISE - tonal_share)
    scores[:, 0] += np.clip(noise, -_TONAL_SHARE_LIMIT, _TONAL_SHARE_LIMIT)
    scores[:, 0] += _SILENCE_LOG_ODDS * np.clip((_SILENCE_DB - level_db) / 6.0 + 0.5, 0.0, 1.0)
    return np.asarray(scores - scores.max(axis=1, keepdims=True))


def change_prior(scale: frozenset[int] | None = None) -> Floats:
    """Return the probability of each state as the target of a change, shape (STATES,), `scale` preferred."""
    weights = np.ones(STATES)
    if scale is not None:
        for triad in TRIADS:
            for root in range(12):
                notes = {(root + i) % 12 for i in QUALITIES[triad].intervals}
                weights[state_of(root, triad)] = 1.0 if notes <= scale else _FOREIGN_WEIGHT
    weights[0] = 0.0
    weights *= (1 - _NO_CHORD_SHARE) / weights.sum()
    weights[0] = _NO_CHORD_SHARE
    return weights


def log_transitions(prior: Floats) -> Floats:
    """Return log transitions (4, STATES, STATES): into a downbeat, mid-bar, elsewhere, metre unknown."""
    out = np.zeros((4, STATES, STATES))
    changes = (_CHANGE_ON_DOWNBEAT, _CHANGE_IN_MID_BAR, _CHANGE_ELSEWHERE, _CHANGE_UNKNOWN_METRE)
    for kind, change in enumerate(changes):
        others = np.tile(prior, (STATES, 1))
        np.fill_diagonal(others, 0.0)
        others *= change / others.sum(axis=1, keepdims=True)
        out[kind] = np.log(others + np.eye(STATES) * (1 - change))
    return out


def transition_kinds(grid: BeatGrid) -> Ints:
    """Return which transition matrix leads into each interval of `grid`, shape (n,)."""
    if grid.beats_per_bar == 0:
        return np.full(grid.count, 3, dtype=np.intp)
    kinds = np.full(grid.count, 2, dtype=np.intp)
    if grid.beats_per_bar % 2 == 0:
        kinds[grid.bar_position == grid.beats_per_bar // 2] = 1
    kinds[grid.bar_position == 0] = 0
    return kinds
