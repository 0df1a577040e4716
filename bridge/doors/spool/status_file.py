"""What a status file says: `SpoolStatus`, written whole by one rename, in ASCII, for the smallest JSON parsers.

`state` is `received` (seen, not yet accepted), or the job's own: `queued`, `running`, `succeeded`, `failed`,
`cancelled`. `accepted` is true from the moment on at which the job survives a power cut. What is not known is left
out. `manifest` is the path of the return's manifest. `refused` says why a later file with the same id was not taken.
"""

import contextlib
import json
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from bridge.protocol import ENDED, Action, JobError, JobStatus
from engine.errors import NrxError

_REPLACE_TRIES, _REPLACE_PAUSE_S = 10, 0.02
log = logging.getLogger("nrx.spool")

_DOING = {
    "rebuild": "Rebuilding the track",
    "separate": "Separating",
    "analyze": "Analysing",
    "generate": "Generating",
    "sync": "Fitting to the timeline",
    "mix": "Mixing",
    "master": "Mastering",
    "publish": "Writing the return",
}


class SpoolStatus(BaseModel):
    """Where a request stands; `at` is when this was written, in Unix seconds."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    protocol: Literal[1] = 1
    id: str
    state: Literal["received", "queued", "running", "succeeded", "failed", "cancelled"]
    accepted: bool = False
    stage: str | None = None
    fraction: float = 0.0
    left_s: float | None = None
    message: str = ""
    position: int | None = None
    cancelling: bool = False
    action: Action | None = None
    title: str | None = None
    style: str | None = None
    folder: str | None = None
    manifest: str | None = None
    error: JobError | None = None
    refused: JobError | None = None
    at: float = 0.0


def status_of(job: JobStatus) -> SpoolStatus:
    """Return what the status file of a job says."""
    return SpoolStatus(
        id=job.id,
        state=job.state,
        accepted=True,
        stage=job.stage,
        fraction=round(job.fraction, 4),
        left_s=None if job.left_s is None else round(job.left_s, 1),
        message=message_of(job),
        position=job.position,
        cancelling=job.cancelling,
        action=job.action,
        title=job.title,
        style=job.style,
        folder=job.folder,
        manifest=job.manifest,
        error=job.error,
    )


def message_of(job: JobStatus) -> str:
    """Return one line for a progress window."""
    if job.error is not None:
        return job.error.sentence
    if job.state == "queued":
        return f"Waiting, {job.position} before this one." if job.position else "Waiting for a worker."
    if job.state == "running":
        if job.cancelling:
            return "Cancelling."
        doing = _DOING.get(job.stage or "", (job.stage or "Starting").replace("_", " ").capitalize())
        left = "" if job.left_s is None else f", about {_duration(job.left_s)} left"
        return f"{doing}: {job.fraction:.0%}{left}."
    return {"succeeded": "Done.", "cancelled": "Cancelled."}.get(job.state, "Failed.")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


class StatusFolder:
    """The status files of one spool. Writing never raises: a full disk must not end a door."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def received(self, job_id: str) -> None:
        """Say that a request was seen."""
        self.write(SpoolStatus(id=job_id, state="received", message="Received; checking the input."))

    def refused(self, job_id: str, error: NrxError) -> None:
        """Say that a request was not accepted, and why."""
        told = JobError(code=error.code, sentence=error.sentence)
        self.write(SpoolStatus(id=job_id, state="failed", message=error.sentence, error=told))

    def refused_again(self, job: JobStatus, error: NrxError) -> None:
        """Say that a second request with a job's id was not accepted; the job itself goes on."""
        told = JobError(code=error.code, sentence=error.sentence)
        self.write(status_of(job).model_copy(update={"refused": told}))

    def show(self, job: JobStatus) -> None:
        """Write where a job stands."""
        self.write(status_of(job))

    def write(self, status: SpoolStatus) -> None:
        """Replace the status file of `status.id`."""
        values: dict[str, Any] = status.model_copy(update={"at": round(time.time(), 3)}).model_dump(
            exclude_none=True
        )
        target = self.folder / f"{status.id}.json"
        partial = self.folder / f".{status.id}.{uuid4().hex[:8]}.tmp"
        try:
            partial.write_text(json.dumps(values) + "\n", encoding="ascii", newline="\n")
            _replace(partial, target)
        except OSError as error:
            log.warning("The status file %s cannot be written: %s", target, error)
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)

    def read(self, job_id: str) -> SpoolStatus | None:
        """Return what the file of a job says, or None where there is none that can be read."""
        try:
            return SpoolStatus.model_validate_json((self.folder / f"{job_id}.json").read_bytes())
        except (OSError, ValidationError):
            return None

    def remove(self, job_id: str) -> None:
        """Remove the file of a job that was deleted."""
        with contextlib.suppress(OSError):
            (self.folder / f"{job_id}.json").unlink(missing_ok=True)

    def open_ones(self) -> Iterator[SpoolStatus]:
        """Yield what has not ended, as far as the files say."""
        for path in sorted(self.folder.glob("*.json")):
            status = self.read(path.stem)
            if status is not None and status.state not in ENDED:
                yield status

    def sweep(self, older_than_s: float) -> int:
        """Remove files of requests that ended longer ago than that, and what a crash left half-written."""
        limit, removed = time.time() - older_than_s, 0
        for path in (*self.folder.glob("*.json"), *self.folder.glob(".*.tmp")):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime >= limit:
                    continue
                status = self.read(path.stem) if path.suffix == ".json" else None
                if status is None or status.state in ENDED:
                    path.unlink()
                    removed += 1
        return removed


def _replace(partial: Path, target: Path) -> None:
    """Rename over `target`; on Windows a reader may have it open for a moment."""
    for attempt in range(_REPLACE_TRIES):
        try:
            partial.replace(target)
        except PermissionError:
            if os.name != "nt" or attempt == _REPLACE_TRIES - 1:
                raise
            time.sleep(_REPLACE_PAUSE_S)
        else:
            return
