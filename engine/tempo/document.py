"""Tempo maps as JSON documents, for `--tempo-map FILE`, requests and manifests.

A document is a mapping with `segments`, or `bars`, or both (then the bar table wins, see
`engine.tempo.bar_table`):

    {"segments": [{"start_beat": 0, "start_s": 0.0, "bpm": 120.0, "end_bpm": 120.0, "law": "constant"}, …],
     "signatures": [{"start_bar": 0, "numerator": 4, "denominator": 4}, …],
     "bars": [{"bar": 0, "start_s": 0.0, "numerator": 4, "denominator": 4, "bpm": 120.0}, …]}

Only `bpm` is required of a segment: `start_beat` and `start_s` of the first are 0 unless given, `start_s` of
the others follows, `law` is "constant" unless given, and a ramp's `end_bpm` is the next segment's `bpm`.
`signatures` is 4/4 unless given. Unknown fields are refused. A list alone is a bar table.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, get_args

from engine.errors import NrxError
from engine.tempo.bar_table import TableReport, map_of_bar_table, number, reconciled, whole
from engine.tempo.segments import LAWS, Law, TempoSegment
from engine.tempo.signatures import TimeSignature
from engine.tempo.tempo_map import TempoMap

SEGMENT_FIELDS = ("start_beat", "start_s", "bpm", "end_bpm", "law")
SIGNATURE_FIELDS = ("start_bar", "numerator", "denominator")
DOCUMENT_FIELDS = ("segments", "signatures", "bars")


def document_of_map(tempo_map: TempoMap) -> dict[str, Any]:
    """Return `tempo_map` as plain values; floats are written in full, so that it reads back exactly."""
    return {
        "segments": [asdict(segment) for segment in tempo_map.segments],
        "signatures": [asdict(signature) for signature in tempo_map.signatures],
    }


def map_from_document(data: Any) -> TempoMap:
    """Return the map of a document (a mapping, a list of bars, or JSON text).

    Raises:
        NrxError: `input.tempo_map`, naming the field.
    """
    return map_and_report(data)[0]


def map_and_report(data: Any) -> tuple[TempoMap, TableReport | None]:
    """Return the map of a document, and how far its bar table lies from its segments where it has both."""
    if isinstance(data, str | bytes):
        try:
            data = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise NrxError("input.tempo_map", f"The tempo map is not JSON: {error}.") from None
    if isinstance(data, list):
        return map_of_bar_table(data), None
    document = _mapping("The tempo map", data, DOCUMENT_FIELDS)
    bars = _list(document, "bars")
    segments = _segments(_list(document, "segments"))
    signatures = tuple(_signature(i, entry) for i, entry in enumerate(_list(document, "signatures")))
    if not segments:
        if not bars:
            raise NrxError("input.tempo_map", "segments is missing; a tempo map has segments, bars, or both.")
        return map_of_bar_table(bars), None
    own = TempoMap(segments, signatures)
    return reconciled(own, bars) if bars else (own, None)


def _segments(entries: Sequence[Any]) -> tuple[TempoSegment, ...]:
    read: list[TempoSegment] = []
    for i, entry in enumerate(entries):
        name = f"segments[{i}]"
        fields = _mapping(name, entry, SEGMENT_FIELDS)
        law = _law(f"{name}.law", fields.get("law", "constant"))
        start = 0.0 if i == 0 else math.nan
        if i and "start_beat" not in fields:
            raise NrxError("input.tempo_map", f"{name}.start_beat is missing.")
        read.append(
            TempoSegment(
                start_beat=number(f"{name}.start_beat", fields.get("start_beat", 0.0)),
                start_s=number(f"{name}.start_s", fields["start_s"]) if "start_s" in fields else start,
                bpm=_bpm(name, fields, "bpm"),
                end_bpm=_end_bpm(name, fields, law, entries[i + 1] if i + 1 < len(entries) else None),
                law=law,
            )
        )
    return tuple(read)


def _end_bpm(name: str, fields: Mapping[str, Any], law: Law, following: Any) -> float:
    if "end_bpm" in fields:
        return _bpm(name, fields, "end_bpm")
    if law != "constant" and isinstance(following, Mapping):
        return _bpm(f"the segment after {name}", following, "bpm")
    return _bpm(name, fields, "bpm")


def _bpm(name: str, fields: Mapping[str, Any], field: str) -> float:
    if field not in fields:
        raise NrxError("input.tempo_map", f"{name}.{field} is missing.")
    return number(f"{name}.{field}", fields[field])


def _law(name: str, value: Any) -> Law:
    for law in get_args(Law):
        if value == law:
            return law  # type: ignore[no-any-return]  # get_args is untyped
    raise NrxError("input.tempo_map", f"{name} is {value!r}; use one of {', '.join(LAWS)}.")


def _signature(i: int, entry: Any) -> TimeSignature:
    name = f"signatures[{i}]"
    fields = _mapping(name, entry, SIGNATURE_FIELDS)
    values = dict.fromkeys(SIGNATURE_FIELDS, 0)
    for field in SIGNATURE_FIELDS:
        if field in fields:
            values[field] = whole(f"{name}.{field}", fields[field])
        elif field != "start_bar" or i:
            raise NrxError("input.tempo_map", f"{name}.{field} is missing.")
    return TimeSignature(**values)


def _mapping(name: str, value: Any, fields: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise NrxError("input.tempo_map", f"{name} is not a mapping with {', '.join(fields)}.")
    unknown = sorted(set(map(str, value)) - set(fields))
    if unknown:
        raise NrxError(
            "input.tempo_map",
            f"{name} has an unknown field {unknown[0]!r}; the fields are {', '.join(fields)}.",
        )
    return value


def _list(document: Mapping[str, Any], field: str) -> Sequence[Any]:
    value = document.get(field)
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not value:
        raise NrxError("input.tempo_map", f"{field} must be a list with at least one entry.")
    return value
