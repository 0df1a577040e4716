"""The record beside a model's files: what was verified when they were published, and whether it still holds.

`nrx-model.json` lists every file with its size, the time of its last change and its SHA-256. A file that is missing or
has another size or time is never trusted: looking costs nothing, and `verify` reads every byte.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.hashing import file_hash
from engine.progress import SILENT, Monitor

RECORD = "nrx-model.json"
LAYOUT = 1


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A verified file: bytes, time of its last change in nanoseconds, SHA-256 as hex."""

    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a folder of files: the model's name, the repository, the commit, and each file."""

    name: str
    repo: str
    revision: str
    licence: str
    files: Mapping[str, FileRecord]

    @property
    def sha256(self) -> dict[str, str]:
        """File -> hash."""
        return {name: file.sha256 for name, file in self.files.items()}


def write_record(folder: Path, record: Record) -> None:
    """Write a record into the folder that it is about."""
    text = json.dumps({"layout": LAYOUT, **asdict(record)}, indent=2, ensure_ascii=False)
    (folder / RECORD).write_text(text, encoding="utf-8")


def read_record(folder: Path) -> Record | None:
    """Return the record in a folder; None if there is none that can be read."""
    try:
        read: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if read.pop("layout") != LAYOUT:
            return None
        files = {name: FileRecord(**file) for name, file in read.pop("files").items()}
        return Record(files=files, **read)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def measure(folder: Path, monitor: Monitor = SILENT) -> dict[str, FileRecord]:
    """Hash every file below `folder` but the record itself; `monitor` is told how far it is."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != RECORD)
    total = sum(path.stat().st_size for path in paths) or 1
    done, found = 0, {}
    for path in paths:
        said = path.stat()
        found[path.relative_to(folder).as_posix()] = FileRecord(
            said.st_size, said.st_mtime_ns, file_hash(path, monitor)
        )
        done += said.st_size
        monitor.report(done / total)
    return found


def changed_file(folder: Path, record: Record) -> str | None:
    """Return the first file that is missing or not as it was recorded, by size and time; None if all are."""
    for name, file in record.files.items():
        try:
            said = (folder / name).stat()
        except OSError:
            return name
        if said.st_size != file.size or said.st_mtime_ns != file.mtime_ns:
            return name
    return None
