"""Tempo maps from a table of bars: one row a bar with its start, as a DAW answers when asked bar by bar.

A DAW knows best where its own bars start, so where a table comes together with tempo segments the table
wins. The segments then only say how tempo moves inside each bar (see `engine.tempo.bending`). How far the
two lie apart is reported; up to half a millisecond, which is what rounding to milliseconds makes, the
segments are kept as they are.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from engine.errors import NrxError
from engine.tempo.segments import LAWS, length_s
from engine.tempo.signatures import Bars, TimeSignature, checked
from engine.tempo.tempo_map import TempoMap

ROUNDING_MS = 0.5
REPORT_MS = 1.0
COLUMNS = ("bar", "start_s", "numerator", "denominator", "bpm")
REQUIRED = COLUMNS[:4]
MAX_BAR = 10_000_000


@dataclass(frozen=True, slots=True)
class BarRow:
    """Bar `bar` (0-based) starts at `start_s` in numerator/denominator; `bpm` is the tempo there if known."""

    bar: int
    start_s: float
    numerator: int
    denominator: int
    bpm: float | None = None


@dataclass(frozen=True, slots=True)
class TableReport:
    """How far a bar table lies from the tempo segments that came with it.

    `worst_ms` is the largest difference (table minus segments, its size), at `worst_bar`; `differs` says
    that it is above 1 ms, and is then worth telling; `bars_differing` counts the bars above 1 ms.
    """

    worst_ms: float
    worst_bar: int
    bars_differing: int

    @property
    def differs(self) -> bool:
        """Whether the table and the segments differ by more than 1 ms."""
        return self.worst_ms > REPORT_MS

    @property
    def sentence(self) -> str:
        """The difference as a sentence for people."""
        return (
            f"The bar table and the tempo segments differ by up to {self.worst_ms:.1f} ms (bar "
            f"{self.worst_bar}); "
            "the bar table was used."
        )


def rows_of(rows: Sequence[Any]) -> tuple[BarRow, ...]:
    """Return `rows` (`BarRow`s, mappings by column name, or sequences in column order) as `BarRow`s, checked.

    Raises:
        NrxError: `input.tempo_map`, naming row and column.
    """
    if not rows:
        raise NrxError("input.tempo_map", "bars is empty; a bar table needs at least one row.")
    read = tuple(_row(f"bars[{i}]", row) for i, row in enumerate(rows))
    for i, (before, row) in enumerate(pairwise(read), start=1):
        for column in ("bar", "start_s"):
            old, new = getattr(before, column), getattr(row, column)
            if new <= old:
                raise NrxError(
                    "input.tempo_map",
                    f"bars[{i}].{column} is {new:g}; it must be above the row before ({old:g}).",
                )
    if len(read) == 1 and read[0].bpm is None:
        raise NrxError("input.tempo_map", "bars has one row; it needs bpm there, or a second row.")
    return read


def map_of_bar_table(rows: Sequence[Any]) -> TempoMap:
    """Return the map whose bars start exactly where `rows` say.

    Inside a bar tempo is constant, unless `bpm` of this row and the next tell of a ramp that lasts as long
    as the bar does. After the last row its `bpm` goes on, or the tempo of the bar before it.
    """
    table = rows_of(rows)
    signatures = _signatures(table)
    starts = _beats(table, signatures)
    points: list[tuple[float, float, str]] = []
    for i, row in enumerate(table[:-1]):
        beats, seconds = starts[i + 1] - starts[i], table[i + 1].start_s - row.start_s
        points.append((starts[i], *_tempo_within(row, table[i + 1], beats, seconds)))
    last_bpm = table[-1].bpm if table[-1].bpm is not None else 60.0 * beats / seconds
    points.append((starts[-1], last_bpm, "constant"))
    base = TempoMap.from_points(points, start_s=table[0].start_s, signatures=signatures)
    return base.through(starts, [row.start_s for row in table])


def reconciled(base: TempoMap, rows: Sequence[Any]) -> tuple[TempoMap, TableReport]:
    """Return the map that `base` (from segments) and a bar table make together, and how far apart they lay.

    The table gives the bars' starts and signatures; `base` the course of tempo inside them.
    """
    table = rows_of(rows)
    signatures = _signatures(table)
    starts = _beats(table, signatures)
    wanted = np.array([row.start_s for row in table])
    off_ms = 1000.0 * np.abs(wanted - base.seconds(starts))
    worst = int(np.argmax(off_ms))
    report = TableReport(float(off_ms[worst]), table[worst].bar, int(np.count_nonzero(off_ms > REPORT_MS)))
    own = TempoMap(base.segments, signatures)
    return (own if report.worst_ms <= ROUNDING_MS else own.through(starts, wanted)), report


def _tempo_within(row: BarRow, following: BarRow, beats: float, seconds: float) -> tuple[float, str]:
    """Starting tempo and law of a bar if one explains its length to a millisecond; else its mean tempo."""
    mean = (60.0 * beats / seconds, "constant")
    if row.bpm is None or following.bpm is None:
        return mean
    off_s = {law: abs(length_s(law, beats, row.bpm, following.bpm) - seconds) for law in LAWS}
    best = min(LAWS, key=lambda law: off_s[law])
    return (row.bpm, best) if off_s[best] <= 1e-3 else mean


def _signatures(table: Sequence[BarRow]) -> tuple[TimeSignature, ...]:
    return checked([TimeSignature(row.bar, row.numerator, row.denominator) for row in table])


def _beats(table: Sequence[BarRow], signatures: Sequence[TimeSignature]) -> list[float]:
    bars = np.array([row.bar for row in table], dtype=np.float64)
    return [float(beat) for beat in Bars.of(signatures).beat_of_bar(bars)]


def _row(name: str, row: Any) -> BarRow:
    if isinstance(row, BarRow):
        return row
    if isinstance(row, Mapping):
        values = dict(row)
    elif isinstance(row, Sequence) and not isinstance(row, str) and len(row) in (4, 5):
        values = dict(zip(COLUMNS, row, strict=False))
    else:
        raise NrxError("input.tempo_map", f"{name} is not a row of {', '.join(COLUMNS)}.")
    unknown = sorted(set(map(str, values)) - set(COLUMNS))
    if unknown:
        raise NrxError(
            "input.tempo_map", f"{name}.{unknown[0]} is not known; a row has {', '.join(COLUMNS)}."
        )
    for column in REQUIRED:
        if values.get(column) is None:
            raise NrxError("input.tempo_map", f"{name}.{column} is missing.")
    bpm = values.get("bpm")
    return BarRow(
        bar=whole(f"{name}.bar", values["bar"]),
        start_s=number(f"{name}.start_s", values["start_s"]),
        numerator=whole(f"{name}.numerator", values["numerator"]),
        denominator=whole(f"{name}.denominator", values["denominator"]),
        bpm=None if bpm is None else number(f"{name}.bpm", bpm),
    )


def number(name: str, value: Any) -> float:
    """Return `value` as a float; raises `NrxError` naming the field unless it is a finite number."""
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not is_number or abs(value) > 1e12 or not math.isfinite(value):
        raise NrxError("input.tempo_map", f"{name} is {value!r}; it must be a number.")
    return float(value)


def whole(name: str, value: Any) -> int:
    """Return `value` as an int; raises `NrxError` naming the field unless it is a whole number."""
    as_float = number(name, value)
    if as_float != round(as_float) or abs(as_float) > MAX_BAR:
        raise NrxError("input.tempo_map", f"{name} is {value!r}; it must be a whole number.")
    return round(as_float)
