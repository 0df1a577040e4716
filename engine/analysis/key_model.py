"""How likely each of the 24 keys is, given the chords of a song: the tables and evidence behind `key`.

Four kinds of evidence are added as log-odds, because none decides alone: a loop like Em C G D uses exactly
the notes and chords of both E minor and G major.

* notes: correlation of the song's mean chroma with a key profile (`PROFILES`);
* chords: how common each chord is in the key (`CHORD_SHARES`), by its share of time;
* cadences: how often, and from where, the harmony moves to the tonic chord (`CADENCES`);
* form: the tonic chord at the start of the piece and of phrases, and at their ends. This is what tells a
  minor key from its relative major in loops. It is weighed so that it outvotes a small difference in notes
  and chords, and not a large one.

Some loops are the same sound in two keys: i VI III VII of E minor from its third chord on is I V vi IV of G major.
Nothing can tell them apart, so the key whose tonic opens or closes the phrases is taken, and the other follows
with a confidence that shows the doubt. Both modes are taken to be equally likely beforehand.

Repetition is not new evidence: each kind is an average over the song with a fixed weight, however long the
song is.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from engine.analysis.beat_grid import BeatGrid
from engine.analysis.chord_model import STATES, TRIADS, state_of
from engine.analysis.chroma import HarmonyFeatures
from engine.analysis.harte import tonic_name

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

MODES = ("major", "minor")
KEYS: tuple[tuple[int, str], ...] = tuple((tonic, mode) for mode, tonic in product(MODES, range(12)))

SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10, 11),  # natural, with the leading note of the dominant
}

# Weight of each pitch class from the tonic upwards; the mean of two profiles that were found on different
# music. "edma": Faraldo et al., "Key estimation in electronic dance music", ECIR 2016 (corpus of dance
# music). "temperley": Temperley, "What's key for key?", Music Perception 17(1), 1999 (corrected by hand after
# Krumhansl).
PROFILES: dict[str, dict[str, tuple[float, ...]]] = {
    "edma": {
        "major": (
            1.0,
            0.2875,
            0.5020,
            0.4048,
            0.6050,
            0.5614,
            0.3205,
            0.7966,
            0.3159,
            0.4506,
            0.4202,
            0.3889,
        ),
        "minor": (
            1.0,
            0.3096,
            0.4415,
            0.5827,
            0.3262,
            0.4948,
            0.2889,
            0.7804,
            0.4328,
            0.2903,
            0.5331,
            0.3217,
        ),
    },
    "temperley": {
        "major": (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0),
        "minor": (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0),
    },
}

# Share of time of each chord, (semitones above the tonic, triad). The roots follow the statistics of de
# Clercq and Temperley, "A corpus analysis of rock harmony", Popular Music 30(1), 2011 (I a third of all, then
# IV, V, bVII, vi), divided between the modes by textbook function; rounded, since no table is exact for all
# music.
CHORD_SHARES: dict[str, dict[tuple[int, str], float]] = {
    "major": {
        (0, "maj"): 0.34, (5, "maj"): 0.21, (7, "maj"): 0.18, (9, "min"): 0.09, (2, "min"): 0.06, (10, "maj"):
        0.04, (4, "min"): 0.03, (2, "maj"): 0.012, (8, "maj"): 0.012, (3, "maj"): 0.008, (5, "min"): 0.008,
        (9, "maj"): 0.006, (4, "maj"): 0.006, (7, "min"): 0.006, (0, "min"): 0.004,
    },
    "minor": {
        (0, "min"): 0.34, (10, "maj"): 0.14, (8, "maj"): 0.13, (5, "min"): 0.11, (3, "maj"): 0.10, (7, "maj"):
        0.07, (7, "min"): 0.05, (5, "maj"): 0.04, (2, "min"): 0.012, (1, "maj"): 0.006, (0, "maj"): 0.006,
        (2, "maj"): 0.004,
    },
}  # fmt: skip
_UNLISTED_SHARE = 0.002

# How much a move to the tonic chord sounds like an arrival, by the chord before it (semitones above the
# tonic, triad): the authentic cadence most, then plagal and modal ones.
CADENCES: dict[str, dict[tuple[int, str], float]] = {
    "major": {(7, "maj"): 1.0, (5, "maj"): 0.6, (10, "maj"): 0.4, (5, "min"): 0.5, (2, "min"): 0.2},
    "minor": {
        (7, "maj"): 1.0,
        (10, "maj"): 0.6,
        (5, "min"): 0.5,
        (7, "min"): 0.5,
        (8, "maj"): 0.3,
        (1, "maj"): 0.4,
    },
}

_NOTES_WEIGHT = 5.0  # log-odds for a correlation of one: fifth-related and relative keys differ by about 0.25
_CHORDS_WEIGHT = 6.0  # as if six independent chords had been heard
_CADENCES_WEIGHT = 6.0  # if every change were an authentic cadence
# About six in ten songs begin on the tonic against one in fifteen on each other chord of the key: log(9).
# They end on it as often, but recordings fade and loops stay open, so an end says less.
_FIRST_CHORD_WEIGHT, _LAST_CHORD_WEIGHT = 2.2, 1.8
_PHRASE_START_WEIGHT, _PHRASE_END_WEIGHT = 2.5, 1.0
_PHRASE_BARS = 4
_OVERLAP = 0.5  # the kinds of evidence partly say the same: probabilities are taken from half their sum
_BEATS_PER_BAR_UNKNOWN = 4


@dataclass(frozen=True, slots=True)
class KeyScore:
    """One of the 24 keys and its probability."""

    tonic: int
    mode: str
    probability: float

    @property
    def pitch_and_mode(self) -> tuple[int, str]:
        """Tonic as pitch class, and mode."""
        return self.tonic, self.mode

    @property
    def spelling(self) -> tuple[str, str]:
        """Tonic as it is written, and mode."""
        return tonic_name(self.tonic, self.mode), self.mode


def rank_keys(
    states: Ints, state_probabilities: Floats, grid: BeatGrid, features: HarmonyFeatures
) -> tuple[KeyScore, ...]:
    """Return all 24 keys, most probable first.

    Where little harmony is heard the evidence shrinks with it, and the probabilities approach 1/24.
    """
    heard = 1.0 - state_probabilities[:, 0]
    presence = float(heard.mean()) if len(heard) else 0.0
    log_odds = presence * (
        _NOTES_WEIGHT * note_evidence(features.treble, features.bass, heard)
        + _CHORDS_WEIGHT * chord_evidence(state_probabilities)
        + _CADENCES_WEIGHT * cadence_evidence(states)
        + form_evidence(states, grid)
    )
    probability = np.exp(_OVERLAP * (log_odds - log_odds.max()))
    probability /= probability.sum()
    order = np.argsort(-probability, kind="stable")
    return tuple(KeyScore(KEYS[k][0], KEYS[k][1], float(probability[k])) for k in order)


def note_evidence(treble: Floats, bass: Floats, heard: Floats) -> Floats:
    """Return the correlation of mean chroma with each key's profile, shape (24,); zeros for no sound."""
    mean = (0.75 * treble + 0.25 * bass) @ heard
    if mean.std() < 1e-9:
        return np.zeros(len(KEYS))
    return np.array(
        [
            np.mean([np.corrcoef(np.roll(profile[mode], tonic), mean)[0, 1] for profile in PROFILES.values()])
            for tonic, mode in KEYS
        ]
    )


def chord_evidence(state_probabilities: Floats) -> Floats:
    """Return the mean log share of the song's chords in each key, shape (24,), 0 for the likeliest key."""
    share = state_probabilities[:, 1:].sum(axis=0)
    share = share / max(share.sum(), 1e-9)
    score = np.array([share @ np.log(_shares_by_state(tonic, mode)) for tonic, mode in KEYS])
    return np.asarray(score - score.max())


def cadence_evidence(states: Ints) -> Floats:
    """Return the mean strength of arrival on each key's tonic chord over all chord changes, shape (24,)."""
    sounding = states[states > 0]
    if len(sounding) < 2:
        return np.zeros(len(KEYS))
    changes = np.flatnonzero(np.diff(sounding))
    moves = np.zeros((STATES, STATES))
    np.add.at(moves, (sounding[changes], sounding[changes + 1]), 1.0)
    moves /= max(1.0, moves.sum())
    return np.array(
        [
            sum(
                moves[state_of(tonic + up, triad), tonic_state(tonic, mode)] * w
                for (up, triad), w in CADENCES[mode].items()
            )
            for tonic, mode in KEYS
        ]
    )


def form_evidence(states: Ints, grid: BeatGrid) -> Floats:
    """Return what the places of the tonic chord in the form say for each key, as log-odds of shape (24,)."""
    sounding = np.flatnonzero(states > 0)
    if len(sounding) == 0:
        return np.zeros(len(KEYS))
    starts, ends = _phrase_edges(states, grid)
    score = np.zeros(len(KEYS))
    for k, (tonic, mode) in enumerate(KEYS):
        state = tonic_state(tonic, mode)
        score[k] = (
            _FIRST_CHORD_WEIGHT * float(states[sounding[0]] == state)
            + _LAST_CHORD_WEIGHT * float(states[sounding[-1]] == state)
            + _PHRASE_START_WEIGHT * float((states[starts] == state).mean())
            + _PHRASE_END_WEIGHT * float((states[ends] == state).mean())
        )
    return score


def tonic_state(tonic: int, mode: str) -> int:
    """Return the chord state of a key's tonic triad."""
    return state_of(tonic, TRIADS[MODES.index(mode)])


def _phrase_edges(states: Ints, grid: BeatGrid) -> tuple[Ints, Ints]:
    """Return the intervals that start and end phrases of four bars, counted from the first with harmony."""
    first = int(np.flatnonzero(states > 0)[0])
    if grid.beats_per_bar:
        bars = np.flatnonzero(grid.bar_position == 0)
        bars = bars[bars >= first - grid.beats_per_bar // 2]
    else:
        bars = np.arange(first, len(states), _BEATS_PER_BAR_UNKNOWN)
    if len(bars) == 0:
        bars = np.array([first])
    starts = bars[::_PHRASE_BARS]
    ends = np.r_[starts[1:] - 1, len(states) - 1]
    return starts, ends


def _shares_by_state(tonic: int, mode: str) -> Floats:
    shares = np.full(STATES, _UNLISTED_SHARE)
    for (up, triad), share in CHORD_SHARES[mode].items():
        shares[state_of(tonic + up, triad)] = share
    return shares[1:]
