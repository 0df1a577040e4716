"""One thing done to several jobs: what works and what is refused is said, and the status is the first failure's."""

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from engine.errors import NrxError

if TYPE_CHECKING:
    from bridge.client import DaemonClient
    from bridge.protocol import JobStatus

PAGE = 500


def for_each_job(job_ids: Sequence[str], act: Callable[[str], str], *, nothing: str) -> None:
    """Call `act` for each job and print what it says of it; exit with the first failure's status if any failed."""
    from bridge.doors.cli.app import complain

    if not job_ids:
        raise NrxError("request.invalid", nothing)
    status = 0
    for job_id in job_ids:
        try:
            said = act(job_id)
        except NrxError as error:
            complain(error)
            status = status or error.exit_status
            continue
        click.echo(f"{job_id} {said}.")
    if status:
        sys.exit(status)


def jobs_in(daemon: "DaemonClient", state: str) -> Iterator["JobStatus"]:
    """Yield all jobs in a state, page by page."""
    before: str | None = None
    while True:
        page = daemon.jobs(state=state, limit=PAGE, before=before)
        yield from page["jobs"]
        before = page["next"]
        if before is None:
            return


def unfinished_jobs(daemon: "DaemonClient") -> list[str]:
    """Return the ids of all jobs that are running or queued."""
    return [job.id for state in ("running", "queued") for job in jobs_in(daemon, state)]
