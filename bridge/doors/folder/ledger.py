"""What was taken before: a small SQLite file, so that a restart takes nothing twice and misses nothing.

A file is known by path, size and time; its hash tells a touched file from a new render. A row is written only after
the job was accepted (or the file was found bad). The files that lie in a folder when it is first watched are written
down as `present` and are not taken until they change.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal

from bridge.doors.folder.settling import Signature

log = logging.getLogger("nrx.folder")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS watches (path TEXT PRIMARY KEY, since REAL NOT NULL);
CREATE TABLE IF NOT EXISTS files (  -- as in Row
    path TEXT PRIMARY KEY, watch TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, style TEXT,
    sha256 TEXT, state TEXT NOT NULL, job_id TEXT, asked TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS files_by_job ON files (job_id);
CREATE INDEX IF NOT EXISTS files_by_size ON files (watch, size);
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A file that was seen to its end; `asked` is the hash of what was asked for beside it (its sidecar)."""

    path: str
    watch: str
    size: int
    mtime_ns: int
    style: str | None
    sha256: str | None
    state: Literal["present", "accepted", "bad"]
    job_id: str | None
    asked: str
    at: float

    @property
    def signature(self) -> Signature:
        """Size and time of the file as it was then."""
        return self.size, self.mtime_ns


class Ledger:
    """The rows. Thread-safe. A file that is no ledger any more is put aside and begun anew."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = _connect(file)
        except sqlite3.DatabaseError as error:
            aside = file.with_name(f"{file.name}.broken-{time.time():.0f}")
            log.warning("The ledger of watched folders is broken (%s); it is kept as %s", error, aside)
            file.replace(aside)
            self._connection = _connect(file)
        rows = self._connection.execute("SELECT * FROM files")
        self._rows = {row[0]: Row(*row) for row in rows}

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def knows_watch(self, watch: str) -> bool:
        """Whether a folder was watched before."""
        with self._lock:
            found = self._connection.execute("SELECT 1 FROM watches WHERE path = ?", (watch,)).fetchone()
        return found is not None

    def begin_watch(self, watch: str, present: Iterable[tuple[str, Signature]]) -> None:
        """Write down that a folder is watched from now on, and what lies there."""
        now = time.time()
        rows = [Row(path, watch, *seen, None, None, "present", None, "", now) for path, seen in present]
        with self._lock, self._connection:
            self._connection.execute("INSERT OR REPLACE INTO watches VALUES (?, ?)", (watch, now))
            self._put(rows)

    def row(self, path: Path) -> Row | None:
        """Return what is known of a path."""
        return self._rows.get(str(path))

    def gone_with_size(self, watch: str, size: int, style: str | None) -> list[Row]:
        """Return the accepted rows of files of that size and style that are not where they were."""
        with self._lock:
            found = self._connection.execute(
                "SELECT path FROM files WHERE watch = ? AND size = ? AND style IS ? AND state = 'accepted'",
                (watch, size, style),
            ).fetchall()
        return [self._rows[old] for (old,) in found if not Path(old).exists()]

    def of_job(self, job_id: str) -> list[Row]:
        """Return the files of a job."""
        with self._lock:
            found = self._connection.execute(
                "SELECT path FROM files WHERE job_id = ? ORDER BY path", (job_id,)
            ).fetchall()
        return [self._rows[path] for (path,) in found]

    def put(self, rows: Iterable[Row]) -> None:
        """Write rows, durably; the newest of a path counts."""
        with self._lock, self._connection:
            self._put(rows)

    def forget_missing(self, watch: str, there: set[str], older_than_s: float) -> None:
        """Drop the rows of files that have been gone for long; `there` is what a whole scan has found."""
        limit = time.time() - older_than_s
        gone = [
            row.path
            for row in list(self._rows.values())
            if row.watch == watch and row.at < limit and row.path not in there
        ]
        with self._lock, self._connection:
            self._connection.executemany("DELETE FROM files WHERE path = ?", [(path,) for path in gone])
            for path in gone:
                self._rows.pop(path, None)

    def _put(self, rows: Iterable[Row]) -> None:
        rows = list(rows)
        self._connection.executemany(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [astuple(row) for row in rows],
        )
        self._rows.update((row.path, row) for row in rows)


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, check_same_thread=False, timeout=5.0)
    try:
        connection.executescript(_SCHEMA)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection
