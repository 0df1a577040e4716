"""Tempo maps from files that a user names: JSON, a table of bars as JSON or CSV, or a Standard MIDI File."""

import csv
import io
from pathlib import Path

from engine.errors import NrxError
from engine.tempo.bar_table import COLUMNS, REQUIRED, TableReport, map_of_bar_table
from engine.tempo.document import map_and_report
from engine.tempo.tempo_map import TempoMap

MAX_BYTES = 20_000_000


def load_tempo_map(path: str | Path) -> TempoMap:
    """Return the tempo map in the file at `path`; see `load_tempo_map_and_report`."""
    return load_tempo_map_and_report(path)[0]


def load_tempo_map_and_report(path: str | Path) -> tuple[TempoMap, TableReport | None]:
    """Return the tempo map in a file, and how its bar table and segments differ if it has both.

    What the file is follows from its content: a MIDI file starts with "MThd", JSON with a bracket, and
    everything else is CSV with the columns bar, start_s, numerator, denominator and (if known) bpm, with or
    without a header line.

    Raises:
        NrxError: `input.not_found`, `input.is_folder`, `input.unreadable`, `input.too_large`, `input.empty`,
        or
            `input.tempo_map` naming the field that is wrong.
    """
    path = Path(path)
    data = _read(path)
    if data.startswith(b"MThd"):
        from engine.tempo.midi import load_midi

        return load_midi(path), None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NrxError(
            "input.tempo_map",
            f"{path.name} is neither text (JSON, CSV) nor a MIDI file; give a tempo map in one of them.",
        ) from None
    if text.lstrip()[:1] in ("{", "["):
        return map_and_report(text)
    return map_of_bar_table(_csv_rows(path.name, text)), None


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise NrxError("input.is_folder", f"{path} is a folder; name a tempo map file.")
        if size > MAX_BYTES:
            raise NrxError(
                "input.too_large",
                f"{path} has {size / 1e6:.0f} MB; a tempo map has at most {MAX_BYTES / 1e6:.0f} MB.",
            )
        data = path.read_bytes()
    except FileNotFoundError:
        raise NrxError("input.not_found", f"There is no tempo map at {path}.") from None
    except OSError as error:
        raise NrxError("input.unreadable", f"{path} cannot be read: {error.strerror or error}.") from None
    if not data.strip():
        raise NrxError("input.empty", f"{path} is empty; a tempo map is JSON, CSV or a MIDI file.")
    return data


def _csv_rows(name: str, text: str) -> list[dict[str, float]]:
    first_line = text.lstrip().splitlines()[0]
    delimiter = max(",;\t", key=first_line.count)
    lines = [
        row for row in csv.reader(io.StringIO(text.lstrip()), delimiter=delimiter) if any(map(str.strip, row))
    ]
    header = [cell.strip().lower() for cell in lines[0]]
    if header[0] in COLUMNS:
        lines = lines[1:]
    else:
        header = list(COLUMNS[: len(header)])
    missing = [column for column in REQUIRED if column not in header]
    if missing:
        raise NrxError(
            "input.tempo_map",
            f"{name} has no column {missing[0]!r}; a tempo map is JSON, a MIDI file, or CSV with the columns "
            f"{', '.join(COLUMNS)}.",
        )
    return [_csv_row(i, dict(zip(header, row, strict=False))) for i, row in enumerate(lines)]


def _csv_row(i: int, cells: dict[str, str]) -> dict[str, float]:
    row: dict[str, float] = {}
    for column, cell in cells.items():
        if cell.strip():
            try:
                row[column] = float(cell)
            except ValueError:
                raise NrxError(
                    "input.tempo_map", f"bars[{i}].{column} is {cell!r}; it must be a number."
                ) from None
    return row
