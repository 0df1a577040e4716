"""From a finished file, or the stems of a song, to an accepted job: beside the loop, since hashing is slow.

The job's key is made of path, size, time and sidecar of every file. If the daemon is killed after a job was accepted
and before the ledger says so, the next start submits the same key and gets the same job.
"""

import hashlib
import json
import time
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.doors.folder.ledger import Ledger, Row
from bridge.doors.folder.reports import remove_reports, write_report
from bridge.doors.folder.requests import Asked, build, mark_of, sidecar_of
from bridge.doors.folder.settling import Signature, signature
from bridge.doors.folder.watched import WatchedFolder
from bridge.protocol import JobStatus
from engine.errors import NrxError

if TYPE_CHECKING:
    from bridge.jobs import Jobs

_PASSING = ("output.", "internal", "store.", "daemon.")
"""Codes that say nothing against the file: it is tried again."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Files that become one job, as they were when they were found finished."""

    folder: WatchedFolder
    files: tuple[tuple[Path, Signature], ...]
    style: str | None

    @property
    def paths(self) -> list[Path]:
        """The files."""
        return [path for path, _ in self.files]


class Verdict(Enum):
    """What became of a batch."""

    DONE = "done"
    CHANGED = "changed"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch; with LATER, `reason` says what stands in the way, and `job` is set where one was made."""

    verdict: Verdict
    reason: str = ""
    job: JobStatus | None = None


def take(batch: Batch, jobs: "Jobs", ledger: Ledger) -> Outcome:
    """Submit a batch, and write into the ledger what was decided. Raises only what is no `NrxError`."""
    mark = mark_of(sidecar_of(batch.paths[0]))
    if _was_taken(batch, mark, ledger):
        return Outcome(Verdict.DONE)
    try:
        asked = build(batch.paths, batch.folder.settings, batch.style)
        job = _submit(batch, asked, jobs)
    except NrxError as error:
        if any(signature(path) != seen for path, seen in batch.files):
            return Outcome(Verdict.CHANGED)
        if error.code.startswith(_PASSING):
            return Outcome(Verdict.LATER, error.sentence)
        if (
            error.code == "request.conflict"
        ):  # taken before with other settings, and the ledger was not written
            ledger.put(_rows(batch, mark, None))
            return Outcome(Verdict.DONE)
        refuse(batch, mark, error, ledger)
        return Outcome(Verdict.DONE)
    if any(signature(path) != seen for path, seen in batch.files):
        jobs.cancel(job.id)
        return Outcome(Verdict.CHANGED)
    ledger.put(_rows(batch, mark, job))
    remove_reports(batch.folder, batch.paths)
    return Outcome(Verdict.DONE, job=job)


def refuse(batch: Batch, mark: str, error: NrxError, ledger: Ledger) -> None:
    """Write why a batch was not taken, and remember it until one of its files changes."""
    write_report(batch.folder, batch.paths, error)
    now = time.time()
    ledger.put(
        Row(str(path), batch.folder.key, *seen, batch.style, None, "bad", None, mark, now)
        for path, seen in batch.files
    )


def _submit(batch: Batch, asked: Asked, jobs: "Jobs") -> JobStatus:
    watch = batch.folder.settings
    told = [batch.folder.key, asked.mark, [(str(path), *seen) for path, seen in batch.files]]
    key = "folder-" + hashlib.sha256(json.dumps(told).encode()).hexdigest()
    return jobs.submit(
        asked.request,
        door="folder",
        key=key,
        out=None if watch.returns is None else batch.folder.returns,
        priority=asked.priority,
    )


def _was_taken(batch: Batch, mark: str, ledger: Ledger) -> bool:
    """Whether every file was only touched, or moved within the watch, since it was taken; then the ledger follows.

    Moving a file that was taken (tidying up) is no new render, unless it goes to another style's folder.
    """
    followed = []
    for path, seen in batch.files:
        row = ledger.row(path)
        if row is not None and row.state == "accepted":
            known = [row] if (row.size, row.style, row.asked) == (seen[0], batch.style, mark) else []
        else:
            known = ledger.gone_with_size(batch.folder.key, seen[0], batch.style)
        sha256 = _hash(path) if known else None
        same = next((row for row in known if row.sha256 is not None and row.sha256 == sha256), None)
        if same is None:
            return False
        followed.append(replace(same, path=str(path), size=seen[0], mtime_ns=seen[1], at=time.time()))
    ledger.put(followed)
    return True


def _hash(path: Path) -> str | None:
    from engine.stages import file_hash

    try:
        return file_hash(path)
    except OSError:
        return None


def _rows(batch: Batch, mark: str, job: JobStatus | None) -> list[Row]:
    hashes = [entry.sha256 for entry in job.inputs] if job is not None else []
    hashes += [""] * (len(batch.files) - len(hashes))
    job_id, now = (job.id if job else None), time.time()
    return [
        Row(str(path), batch.folder.key, *seen, batch.style, sha256 or None, "accepted", job_id, mark, now)
        for (path, seen), sha256 in zip(batch.files, hashes, strict=False)
    ]
