"""`TempoMap`: seconds, beats, bars and ticks of a piece, each from each.

Conventions: beats are quarter notes, whatever the time signature; bars and beats are numbered from 0; bar 0
starts at beat 0, which may lie anywhere in time (before it, bars and beats are negative). The laws of tempo
are in `engine.tempo.segments`. A map has no end: the tempo at its first segment holds before it, and the
last segment, which is always constant, holds for ever. All conversions take a number or an array of any
shape, work in float64, rise strictly, and are each other's inverses within 1 microsecond, also hours in.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from engine.errors import NrxError
from engine.tempo.segments import LAWS, Floats, Pieces, TempoSegment, length_s
from engine.tempo.signatures import Bars, TimeSignature, checked

PPQ = 960
MIN_BPM, MAX_BPM = 1.0, 100_000.0
"""Beyond any music: a lead-in bar or a long pause, measured as one beat, may need it."""
AGREEMENT_S = 1e-3
"""How far a segment's given start may lie from what the laws say (files round), before the map is refused."""

ArrayOrSequence = Sequence[float] | NDArray[Any]


@dataclass(frozen=True)
class TempoMap:
    """An immutable tempo map; see the module for its conventions.

    `start_s` of all segments but the first follows from the segments before; what is given is checked
    against that and replaced by the exact value.

    Raises:
        NrxError: `input.tempo_map`, naming the field, if a value is impossible.
    """

    segments: tuple[TempoSegment, ...]
    signatures: tuple[TimeSignature, ...] = (TimeSignature(0, 4, 4),)

    def __post_init__(self) -> None:
        object.__setattr__(self, "segments", _checked_segments(self.segments))
        object.__setattr__(self, "signatures", checked(self.signatures))

    @classmethod
    def constant(
        cls, bpm: float, *, numerator: int = 4, denominator: int = 4, start_s: float = 0.0
    ) -> "TempoMap":
        """Return the map of one tempo whose beat 0 (a downbeat) lies at `start_s`."""
        segment = TempoSegment(0.0, float(start_s), float(bpm), float(bpm), "constant")
        return cls((segment,), (TimeSignature(0, numerator, denominator),))

    @classmethod
    def from_points(
        cls,
        points: Sequence[tuple[float, float, str]],
        *,
        start_s: float = 0.0,
        signatures: Sequence[TimeSignature] = (),
    ) -> "TempoMap":
        """Return a map from tempo points (beat, bpm, law), the first of them at `start_s` seconds.

        A point's law says how tempo moves from it to the next point; the last point's tempo holds.
        """
        segments: list[TempoSegment] = []
        for i, (beat, bpm, law) in enumerate(points):
            is_last = i == len(points) - 1
            moves = law != "constant" and not is_last
            if law not in LAWS:
                raise NrxError(
                    "input.tempo_map", f"points[{i}] has the law {law!r}; use one of {', '.join(LAWS)}."
                )
            at_s = float(start_s) if i == 0 else math.nan
            end_bpm = float(points[i + 1][1] if moves else bpm)
            segments.append(
                TempoSegment(float(beat), at_s, float(bpm), end_bpm, law if moves else "constant")
            )
        return cls(tuple(segments), tuple(signatures))

    @classmethod
    def from_beats(
        cls, beats_s: ArrayOrSequence, *, downbeats_s: ArrayOrSequence = (), beats_per_bar: int = 4
    ) -> "TempoMap":
        """Return the map exactly through each measured beat; see `engine.tempo.measured.map_of_beats`."""
        from engine.tempo.measured import map_of_beats

        return map_of_beats(beats_s, downbeats_s=downbeats_s, beats_per_bar=beats_per_bar)

    @classmethod
    def from_json(cls, data: Any) -> "TempoMap":
        """Return the map in `data` (a mapping, or JSON text); see `engine.tempo.document` for the format."""
        from engine.tempo.document import map_from_document

        return map_from_document(data)

    def to_json(self) -> dict[str, Any]:
        """Return the map as plain values that `json` can write and `from_json` reads back exactly."""
        from engine.tempo.document import document_of_map

        return document_of_map(self)

    @classmethod
    def from_bar_table(cls, rows: Sequence[Any]) -> "TempoMap":
        """Return the map through a table of bars; see `engine.tempo.bar_table.map_of_bar_table`."""
        from engine.tempo.bar_table import map_of_bar_table

        return map_of_bar_table(rows)

    # -- seconds, beats, bars, ticks -------------------------------------------------------------------------

    @overload
    def seconds(self, beats: float) -> float: ...
    @overload
    def seconds(self, beats: ArrayOrSequence) -> Floats: ...
    def seconds(self, beats: float | ArrayOrSequence) -> float | Floats:
        """Seconds at `beats` (quarter notes)."""
        return _like(beats, self._pieces.seconds(_floats(beats)))

    @overload
    def beats(self, seconds: float) -> float: ...
    @overload
    def beats(self, seconds: ArrayOrSequence) -> Floats: ...
    def beats(self, seconds: float | ArrayOrSequence) -> float | Floats:
        """Beats (quarter notes) at `seconds`."""
        return _like(seconds, self._pieces.beats(_floats(seconds)))

    @overload
    def bpm_at(self, beats: float) -> float: ...
    @overload
    def bpm_at(self, beats: ArrayOrSequence) -> Floats: ...
    def bpm_at(self, beats: float | ArrayOrSequence) -> float | Floats:
        """Tempo in BPM at `beats`; at a step, the tempo after it."""
        return _like(beats, self._pieces.bpm_at(_floats(beats)))

    @overload
    def beat_of_bar(self, bars: float) -> float: ...
    @overload
    def beat_of_bar(self, bars: ArrayOrSequence) -> Floats: ...
    def beat_of_bar(self, bars: float | ArrayOrSequence) -> float | Floats:
        """Beat at which each of `bars` starts (a fraction is a fraction of the bar)."""
        return _like(bars, self._bars.beat_of_bar(_floats(bars)))

    @overload
    def bar_of_beat(self, beats: float) -> float: ...
    @overload
    def bar_of_beat(self, beats: ArrayOrSequence) -> Floats: ...
    def bar_of_beat(self, beats: float | ArrayOrSequence) -> float | Floats:
        """Bar at each of `beats`, with the fraction of the bar that has passed: bar 3 half over is 3.5."""
        return _like(beats, self._bars.bar_of_beat(_floats(beats)))

    def ticks(self, beats: float | ArrayOrSequence, ppq: int = PPQ) -> NDArray[np.int64]:
        """Nearest MIDI tick to each of `beats`, at `ppq` ticks per quarter note; same shape as `beats`."""
        ticks: NDArray[np.int64] = np.rint(_floats(beats) * ppq).astype(np.int64)
        return ticks

    def beats_of_ticks(self, ticks: float | ArrayOrSequence, ppq: int = PPQ) -> Floats:
        """Beats at MIDI `ticks`, at `ppq` ticks per quarter note."""
        return _floats(ticks) / ppq

    def signature_at(self, bar: float) -> TimeSignature:
        """Return the time signature of `bar`."""
        i = int(np.searchsorted(self._bars.start_bar, bar, side="right")) - 1
        return self.signatures[max(i, 0)]

    # -- grids -----------------------------------------------------------------------------------------------

    def bar_starts_s(self, first_s: float, last_s: float) -> Floats:
        """Seconds of all bar lines with `first_s` <= time <= `last_s` (within a microsecond), in order."""
        beats = self.beat_of_bar(
            self._whole(self.bar_of_beat(self.beats(np.array([first_s - 1e-6, last_s + 1e-6]))))
        )
        return self.seconds(beats)

    def beat_times_s(self, first_s: float, last_s: float) -> Floats:
        """Seconds of all whole beats (quarter notes) with `first_s` <= time <= `last_s`, in order."""
        return self.seconds(self._whole(self.beats(np.array([first_s - 1e-6, last_s + 1e-6]))))

    # -- tempo as a whole ------------------------------------------------------------------------------------

    def average_bpm(self, first_s: float | None = None, last_s: float | None = None) -> float:
        """Beats per minute over a span of time; by default from the first segment's start to the last's."""
        start_s = self.segments[0].start_s if first_s is None else first_s
        end_s = self.segments[-1].start_s if last_s is None else last_s
        if end_s - start_s <= 1e-9:
            return float(self.bpm_at(self.beats(start_s)))
        first, last = self.beats(np.array([start_s, end_s]))
        return float(60.0 * (last - first) / (end_s - start_s))

    def is_constant(self, tolerance: float = 1e-6) -> bool:
        """Whether all tempi lie within `tolerance` (relative) of the first one."""
        tempi = np.concatenate((self._pieces.bpm, self._pieces.end_bpm))
        return bool(np.all(np.abs(tempi / tempi[0] - 1.0) <= tolerance))

    def scaled(self, factor: float) -> "TempoMap":
        """Return the same music played `factor` times as fast; time 0 stays at time 0."""
        if not (math.isfinite(factor) and factor > 0):
            raise NrxError(
                "input.tempo_map", f"A tempo cannot be scaled by {factor!r}; the factor must be above 0."
            )
        segments = tuple(
            replace(s, start_s=s.start_s / factor, bpm=s.bpm * factor, end_bpm=s.end_bpm * factor)
            for s in self.segments
        )
        return TempoMap(segments, self.signatures)

    def steady(self, bpm: float) -> "TempoMap":
        """Return the same bars at the constant tempo `bpm`; what sounds at time 0 stays at time 0."""
        origin = TempoSegment(self.beats(0.0), 0.0, float(bpm), float(bpm), "constant")
        flat = TempoMap((origin,), self.signatures)
        zero = TempoSegment(0.0, flat.seconds(0.0), float(bpm), float(bpm), "constant")
        return TempoMap((zero,), self.signatures)

    def shifted(self, seconds: float) -> "TempoMap":
        """Return the same map with every beat `seconds` later."""
        return TempoMap(
            tuple(replace(s, start_s=s.start_s + seconds) for s in self.segments), self.signatures
        )

    def through(self, beats: ArrayOrSequence, seconds: ArrayOrSequence) -> "TempoMap":
        """Return this map bent to pass through the anchors `beats` at `seconds` (same length, rising).

        Between two anchors time is stretched evenly, which keeps each law what it is; before the first
        anchor and after the last this map's own tempo goes on.
        """
        from engine.tempo.bending import bent_through

        return bent_through(self, _floats(beats), _floats(seconds))

    # -- inside ----------------------------------------------------------------------------------------------

    @cached_property
    def _pieces(self) -> Pieces:
        return _pieces_of(self.segments)

    @cached_property
    def _bars(self) -> Bars:
        return Bars.of(self.signatures)

    @staticmethod
    def _whole(ends: Floats) -> Floats:
        return np.arange(math.ceil(ends[0]), math.floor(ends[1]) + 1, dtype=np.float64)


def _floats(values: float | ArrayOrSequence) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _like(given: float | ArrayOrSequence, result: Floats) -> float | Floats:
    """A Python float where one number was given, else the array."""
    return float(result) if np.ndim(given) == 0 else result


def _pieces_of(segments: Sequence[TempoSegment]) -> Pieces:
    starts = np.array([s.start_beat for s in segments], dtype=np.float64)
    return Pieces(
        start_beat=starts,
        start_s=np.array([s.start_s for s in segments], dtype=np.float64),
        bpm=np.array([s.bpm for s in segments], dtype=np.float64),
        end_bpm=np.array([s.end_bpm for s in segments], dtype=np.float64),
        length_beats=np.append(np.diff(starts), np.inf),
        law=np.array([LAWS.index(s.law) for s in segments], dtype=np.int64),
    )


def _checked_segments(segments: Sequence[TempoSegment]) -> tuple[TempoSegment, ...]:
    if not segments:
        raise NrxError("input.tempo_map", "segments is empty; a tempo map needs at least one segment.")
    for i, segment in enumerate(segments):
        _check_values(f"segments[{i}]", segment, is_last=i == len(segments) - 1)
    exact = [replace(segments[0])]
    for i, segment in enumerate(segments[1:], start=1):
        before = exact[-1]
        length_beats = segment.start_beat - before.start_beat
        if length_beats <= 0:
            raise NrxError(
                "input.tempo_map",
                f"segments[{i}].start_beat is {segment.start_beat:g}; it must be above the one before "
                f"({before.start_beat:g}).",
            )
        start_s = before.start_s + length_s(before.law, length_beats, before.bpm, before.end_bpm)
        if not math.isnan(segment.start_s) and abs(segment.start_s - start_s) > AGREEMENT_S:
            raise NrxError(
                "input.tempo_map",
                f"segments[{i}].start_s is {segment.start_s:.6f}, but the segments before it end at "
                f"{start_s:.6f}; "
                "correct it, or leave start_s out of all segments but the first.",
            )
        exact.append(replace(segment, start_s=start_s))
    return tuple(exact)


def _check_values(name: str, segment: TempoSegment, *, is_last: bool) -> None:
    if not math.isfinite(segment.start_beat):
        raise NrxError(
            "input.tempo_map", f"{name}.start_beat is {segment.start_beat!r}; it must be a finite number."
        )
    is_open = math.isnan(segment.start_s) and name != "segments[0]"
    if not (math.isfinite(segment.start_s) or is_open):
        raise NrxError(
            "input.tempo_map", f"{name}.start_s is {segment.start_s!r}; it must be a finite number."
        )
    if segment.law not in LAWS:
        raise NrxError("input.tempo_map", f"{name}.law is {segment.law!r}; use one of {', '.join(LAWS)}.")
    for field_name, bpm in (("bpm", segment.bpm), ("end_bpm", segment.end_bpm)):
        if not MIN_BPM <= bpm <= MAX_BPM:
            raise NrxError(
                "input.tempo_map",
                f"{name}.{field_name} is {bpm:g}; a tempo lies between {MIN_BPM:g} and {MAX_BPM:g} BPM.",
            )
    if segment.law == "constant" and segment.bpm != segment.end_bpm:
        raise NrxError(
            "input.tempo_map",
            f"{name}.end_bpm is {segment.end_bpm:g} and bpm {segment.bpm:g}, but its law is constant; "
            "make them equal, or use a linear law.",
        )
    if is_last and segment.law != "constant":
        raise NrxError(
            "input.tempo_map",
            f"{name}.law is {segment.law!r}, but the last segment has no end to ramp to; add a constant "
            "one after it.",
        )
