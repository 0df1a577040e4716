"""The grid of beat intervals that harmony is read on: the whole recording, with its metrical positions.

The beats that were found rarely reach from the first sample to the last. `BeatGrid.over` extends them at
their own pace to both ends, so that every moment of the recording lies in exactly one interval, and counts
each interval's place in its bar. Times are seconds from the first sample.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_FALLBACK_PERIOD_S = 0.5
_DOWNBEAT_TOLERANCE = 0.25  # of a beat: a downbeat farther than this from every beat is ignored


@dataclass(frozen=True, slots=True, eq=False)
class BeatGrid:
    """Intervals between beats.

    `edges_s` (n + 1,) are the interval borders; `bar_position` (n,) counts beats from the downbeat, 0-based,
    and is -1 everywhere where no downbeats are known; `beats_per_bar` is the usual length of a bar (0 if
    unknown); the intervals `first_beat` to `first_beat + beat_count` belong to the beats that were given.
    """

    edges_s: Floats
    bar_position: Ints
    beats_per_bar: int
    first_beat: int
    beat_count: int

    @property
    def count(self) -> int:
        """Number of intervals."""
        return len(self.bar_position)

    @classmethod
    def over(cls, beats_s: Floats, downbeats_s: Floats, duration_s: float) -> "BeatGrid":
        """Lay a grid over `duration_s` seconds from sorted beats and the downbeats among them."""
        beats = np.unique(np.asarray(beats_s, dtype=np.float64))
        beats = beats[(beats >= 0) & (beats < max(duration_s, 1e-3))]
        if len(beats) < 2:
            beats = np.arange(0.0, max(duration_s, _FALLBACK_PERIOD_S), _FALLBACK_PERIOD_S)
            count = 0
        else:
            count = len(beats)
        before, after = _period(beats[:9]), _period(beats[-9:])
        lead_in = beats[0] - before * np.arange(np.ceil(beats[0] / before - 1e-6), 0, -1)
        left = (duration_s - beats[-1]) / after
        tail = beats[-1] + after * np.arange(1, max(2, np.ceil(left - 1e-6) + 1))
        edges = np.concatenate([lead_in, beats, tail])
        if edges[0] < 0:
            edges[0] = 0.0
        edges[-1] = max(duration_s, float(edges[-2]) + 1e-3)
        first = len(lead_in)
        position, per_bar = _bar_positions(edges, np.asarray(downbeats_s, dtype=np.float64))
        return cls(edges, position, per_bar, first, count)


def _period(beats: Floats) -> float:
    return max(float(np.median(np.diff(beats))), 0.05) if len(beats) > 1 else _FALLBACK_PERIOD_S


def _bar_positions(edges: Floats, downbeats: Floats) -> tuple[Ints, int]:
    starts = edges[:-1]
    unknown = np.full(len(starts), -1, dtype=np.intp)
    if len(downbeats) == 0 or len(starts) == 0:
        return unknown, 0
    nearest = np.clip(np.searchsorted(starts, downbeats), 0, len(starts) - 1)
    left = np.clip(nearest - 1, 0, None)
    nearest = np.where(np.abs(starts[left] - downbeats) < np.abs(starts[nearest] - downbeats), left, nearest)
    period = np.diff(edges)[nearest]
    bars = np.unique(nearest[np.abs(starts[nearest] - downbeats) <= _DOWNBEAT_TOLERANCE * period])
    if len(bars) == 0:
        return unknown, 0
    per_bar = round(float(np.median(np.diff(bars)))) if len(bars) > 1 else 4
    per_bar = max(1, per_bar)
    index = np.arange(len(starts))
    bar = np.searchsorted(bars, index, side="right") - 1
    position = np.where(bar < 0, (index - bars[0]) % per_bar, index - bars[np.clip(bar, 0, None)])
    return np.asarray(np.where(position >= per_bar, position % per_bar, position), dtype=np.intp), per_bar
