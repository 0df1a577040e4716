"""Bending a tempo map through anchors.

Between two neighbouring anchors the map's own time is stretched evenly by k = wanted seconds / own seconds.
Each law of tempo is closed under that: a segment of tempo T(b), or T(t), becomes one of tempo T / k by the
same law. So the shape of a ramp survives, and the anchors are met exactly.
"""

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import NrxError
from engine.tempo.segments import LAWS, Floats, TempoSegment

if TYPE_CHECKING:
    from engine.tempo.tempo_map import TempoMap


def bent_through(base: "TempoMap", beats: Floats, seconds: Floats) -> "TempoMap":
    """Return `base` bent through `beats` at `seconds` (both of shape (anchors,), finite and strictly rising).

    Raises:
        NrxError: `input.tempo_map` if the anchors are empty, of two lengths, or do not rise.
    """
    from engine.tempo.tempo_map import TempoMap

    _check_anchors(beats, seconds)
    inner = [s.start_beat for s in base.segments]
    stretch = np.concatenate(([1.0], np.diff(seconds) / np.diff(base.seconds(beats)), [1.0]))
    # All places where something changes: the segments' starts and the anchors.
    edges = np.unique(np.concatenate((inner, beats)))
    segment_of = np.maximum(np.searchsorted(inner, edges, side="right") - 1, 0)
    span_of = np.searchsorted(beats, edges, side="right")
    offset = float(seconds[0] - base.seconds(float(beats[0])))
    law_index = [
        LAWS.index(base.segments[i].law) if edges[n] >= inner[i] else 0 for n, i in enumerate(segment_of)
    ]
    start_bpm = base.bpm_at(edges)
    end_bpm = np.append(_bpm_before(base, edges[1:]), start_bpm[-1])
    pieces = [
        TempoSegment(
            start_beat=float(edge),
            start_s=base.seconds(float(edge)) + offset if n == 0 else math.nan,
            bpm=float(start_bpm[n] / stretch[span_of[n]]),
            end_bpm=float((end_bpm[n] if law_index[n] else start_bpm[n]) / stretch[span_of[n]]),
            law=LAWS[law_index[n]],
        )
        for n, edge in enumerate(edges)
    ]
    return TempoMap(tuple(_merged(pieces)), base.signatures)


def _bpm_before(base: "TempoMap", edges: Floats) -> Floats:
    """Tempo just before each of `edges`: at the start of a segment, what the segment before it ended on."""
    tempo = base.bpm_at(edges)
    for before, after in pairwise(base.segments):
        tempo[edges == after.start_beat] = before.end_bpm
    return tempo


def _merged(pieces: list[TempoSegment]) -> list[TempoSegment]:
    """Leave out constant segments that go on exactly at the tempo of the one before."""
    kept = pieces[:1]
    for piece in pieces[1:]:
        before = kept[-1]
        if not (piece.law == before.law == "constant" and abs(piece.bpm / before.bpm - 1.0) < 1e-13):
            kept.append(piece)
    return kept


def _check_anchors(beats: Floats, seconds: Floats) -> None:
    if beats.ndim != 1 or beats.shape != seconds.shape or beats.size == 0:
        raise NrxError(
            "input.tempo_map",
            "A tempo map needs as many anchor seconds as anchor beats, and at least one; got "
            f"{beats.size} beats and "
            f"{seconds.size} seconds.",
        )
    if not (np.isfinite(beats).all() and np.isfinite(seconds).all()):
        raise NrxError("input.tempo_map", "An anchor of the tempo map is not a finite number.")
    for name, values in (("beats", beats), ("seconds", seconds)):
        falls = np.flatnonzero(np.diff(values) <= 0)
        if falls.size:
            n = int(falls[0]) + 1
            raise NrxError(
                "input.tempo_map",
                f"The anchors' {name} must rise, but number {n} is {values[n]:g} after {values[n - 1]:g}.",
            )
