"""Tempo maps from measured beats: the beat list of an analysis becomes the song's own timeline.

The map passes exactly through every beat, constant between two beats. Beat 0 is the first downbeat. Before
the first and after the last beat the mean tempo of the nearest four beats goes on: one beat alone is too
noisy to extend.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import NrxError
from engine.tempo.segments import Floats
from engine.tempo.signatures import TimeSignature
from engine.tempo.tempo_map import TempoMap

EDGE_BEATS = 4


def map_of_beats(
    beats_s: Sequence[float] | NDArray[Any],
    *,
    downbeats_s: Sequence[float] | NDArray[Any] = (),
    beats_per_bar: int = 4,
) -> TempoMap:
    """Return the map through `beats_s` (seconds, rising, at least two), a quarter note apart each.

    Each of `downbeats_s` counts as the beat nearest to it; bars of other than `beats_per_bar` beats between
    downbeats become time signatures of their own, and a gap of several whole bars is taken as such.

    Raises:
        NrxError: `input.tempo_map` if there are fewer than two beats, or they do not rise.
    """
    beats = np.asarray(beats_s, dtype=np.float64)
    if beats.ndim != 1 or beats.size < 2:
        raise NrxError(
            "input.tempo_map", f"A tempo map from beats needs at least two of them, not {beats.size}."
        )
    down = _indices(beats, np.asarray(downbeats_s, dtype=np.float64))
    first = int(down[0]) if down.size else 0
    numbers = np.arange(beats.size, dtype=np.float64) - first
    edge = min(EDGE_BEATS, beats.size - 1)
    before = (beats[edge] - beats[0]) / edge
    after = (beats[-1] - beats[-1 - edge]) / edge
    anchors_beat = np.concatenate(([numbers[0] - 1.0], numbers, [numbers[-1] + 1.0]))
    anchors_s = np.concatenate(([beats[0] - before], beats, [beats[-1] + after]))
    base = TempoMap.from_points(
        [
            (numbers[0] - 1.0, 60.0 / before if before > 0 else 0.0, "constant"),
            (numbers[-1], _bpm(after), "constant"),
        ],
        signatures=_signatures(down - first, beats_per_bar),
    )
    return base.through(anchors_beat, anchors_s)


def _bpm(seconds_per_beat: float) -> float:
    return 60.0 / seconds_per_beat if seconds_per_beat > 0 else 0.0


def _indices(beats: Floats, downbeats: Floats) -> NDArray[np.int64]:
    """Index of the beat nearest to each downbeat, rising; those over half a beat from any are left out."""
    if downbeats.size == 0:
        return np.empty(0, dtype=np.int64)
    right = np.clip(np.searchsorted(beats, downbeats), 1, beats.size - 1)
    nearest = np.where(downbeats - beats[right - 1] <= beats[right] - downbeats, right - 1, right)
    inside = np.abs(beats[nearest] - downbeats) <= 0.5 * np.diff(beats)[right - 1] + 1e-9
    found: NDArray[np.int64] = np.unique(nearest[inside]).astype(np.int64)
    return found


def _signatures(downbeats: NDArray[np.int64], beats_per_bar: int) -> list[TimeSignature]:
    """Time signatures of bars that start at the whole beats `downbeats` (rising, the first of them 0)."""
    lengths: list[int] = []
    for start, end in pairwise(downbeats.tolist()):
        bars, rest = divmod(end - start, beats_per_bar)
        lengths += [beats_per_bar] * bars if rest == 0 else [end - start]
    lengths.append(beats_per_bar)
    return [
        TimeSignature(bar, length, 4)
        for bar, length in enumerate(lengths)
        if bar == 0 or length != lengths[bar - 1]
    ]
