"""What the older systems have in common: words for states, progress in percent, and the file that they give back."""

from typing import Any, BinaryIO

from bridge.doors.http.context import HttpContext
from bridge.protocol import JobState, JobStatus
from engine.errors import NrxError

STATUS: dict[JobState, str] = {
    "queued": "processing",
    "running": "processing",
    "succeeded": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}
MASTER, MIX = "master.wav", "mix.wav"


def percent(status: JobStatus) -> int:
    """Return the progress as these systems tell it: 100 when completed, and not before."""
    return 100 if status.state == "succeeded" else min(99, int(status.fraction * 100))


def whole(number: float) -> float | int:
    """Return a number without decimals where it has none, as people wrote it."""
    return int(number) if float(number).is_integer() else number


def require_finished(status: JobStatus) -> None:
    """Refuse to give files of a job that has not succeeded.

    Raises:
        NrxError: `job.state`, with what is the matter.
    """
    if status.state == "succeeded":
        return
    if status.error is not None:
        raise NrxError("job.state", f"The job {status.id} failed: {status.error.sentence}")
    if status.state == "cancelled":
        raise NrxError("job.state", f"The job {status.id} was cancelled; start it again.")
    raise NrxError(
        "job.state", f"The job {status.id} is {percent(status)} % done; ask for its file when it has ended."
    )


def open_first(context: HttpContext, job_id: str, names: tuple[str, ...]) -> tuple[BinaryIO, str]:
    """Open the first of these files that a return has; return it and its name.

    Raises:
        NrxError: `return.unknown`, `file.unknown`.
    """
    there = context.library.files(job_id)
    for name in names:
        if name in there:
            return context.library.open(job_id, name), name
    raise NrxError("file.unknown", f"The return of job {job_id} has no {' or '.join(names)}.")


def generator_of(manifest: dict[str, Any]) -> str | None:
    """Return what a manifest says of the backend that made the music."""
    for backend in manifest.get("backends") or ():
        if backend.get("stage") == "generate":
            return f"{backend.get('name')} ({backend.get('what')})"
    return None
