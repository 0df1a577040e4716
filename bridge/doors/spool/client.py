"""The other side of the spool, for Python programs on this machine: hands requests in, waits until they are taken."""

import time
from pathlib import Path
from uuid import uuid4

from bridge.config import Settings
from bridge.doors.spool.request_file import COMMAND_LINE, SpoolRequest
from bridge.doors.spool.status_file import SpoolStatus, StatusFolder
from bridge.protocol import Request
from engine.errors import NrxError

POLL_S = 0.05
PATIENCE_S = 10.0


def hand_in(settings: Settings, request: Request, *, priority: int = 0) -> str:
    """Put a request into the spool, whole by one rename, and return the id of the job it will be."""
    job_id = uuid4().hex[:12]
    new = settings.home / "spool" / "new"
    asked = SpoolRequest(
        protocol=1, id=job_id, request=absolute(request), priority=priority, client=COMMAND_LINE
    )
    draft = new / f".{job_id}.tmp"
    try:
        new.mkdir(parents=True, exist_ok=True)
        draft.write_text(asked.model_dump_json(exclude_unset=False), encoding="utf-8")
        draft.replace(new / f"{job_id}.json")
    except OSError as error:
        raise NrxError(
            "output.not_writable", f"The folder {new} cannot be written ({error.strerror})."
        ) from error
    return job_id


def wait_until_taken(settings: Settings, job_id: str) -> SpoolStatus:
    """Wait until the daemon has accepted the job, for as long as it takes to copy its inputs.

    Raises:
        NrxError: what the request was refused with; `daemon.absent` if nobody takes it up.
    """
    board = StatusFolder(settings.home / "spool" / "status")
    given_up_at = time.monotonic() + PATIENCE_S
    while True:
        status = board.read(job_id)
        if status is not None and status.error is not None:
            raise NrxError(status.error.code, status.error.sentence)
        if status is not None and status.accepted:
            return status
        if status is None and time.monotonic() > given_up_at:
            raise NrxError(
                "daemon.absent", "The daemon does not take requests up; see `nrx logs` and `nrx doctor`."
            )
        time.sleep(POLL_S)


def absolute(request: Request) -> Request:
    """Return the request with whole paths: the daemon has another working folder."""
    inputs = tuple(
        item.model_copy(update={"path": str(Path(item.path).expanduser().absolute())})
        for item in request.inputs
    )
    return request.model_copy(update={"inputs": inputs})
