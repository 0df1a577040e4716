"""Following jobs live; a daemon that is started anew meanwhile is found again, and nothing is missed."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import click

from bridge.doors.cli.bar import ProgressBar
from bridge.doors.cli.job_table import job_table, progress_of
from bridge.protocol import ENDED, JobEvent, JobStatus
from engine.errors import NrxError

if TYPE_CHECKING:
    from bridge.client import DaemonClient

SHOWN = 20
PATIENCE_S, PAUSE_S, POLL_S = 15.0, 0.5, 0.2
T = TypeVar("T")


def patiently(daemon: "DaemonClient", act: Callable[[], T]) -> T:
    """Call `act`; a daemon that is away is waited for and found again.

    Raises:
        NrxError: `daemon.absent` when it stays away for `PATIENCE_S`; what the daemon refuses with.
    """
    waited_until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return act()
        except NrxError as error:
            if error.code != "daemon.absent" or time.monotonic() > waited_until:
                raise
        time.sleep(PAUSE_S)
        with contextlib.suppress(NrxError):
            daemon.reconnect()


def follow_job(daemon: "DaemonClient", job_id: str, *, quiet: bool) -> JobStatus:
    """Show a job's progress until it has ended, and return how it ended."""
    job = daemon.job(job_id)
    with ProgressBar(job.title, quiet=quiet) as tell:
        while job.state not in ENDED:
            tell(progress_of(job) if job.state == "queued" else job.stage or "starting", job.fraction)
            time.sleep(POLL_S)
            job = patiently(daemon, lambda: daemon.job(job_id))
    return job


def events(daemon: "DaemonClient") -> Iterator[JobEvent]:
    """Yield events for ever; where the connection breaks it goes on after the last one seen."""
    last: int | None = None
    stream = daemon.events(last)

    def following() -> JobEvent | None:
        nonlocal stream
        try:
            event = next(stream, None)
        except NrxError:
            stream = daemon.events(last)
            raise
        if event is None:
            stream = daemon.events(last)
        return event

    while True:
        event = patiently(daemon, following)
        if event is None:
            time.sleep(PAUSE_S)
            continue
        last = event.id
        yield event


def follow_all(daemon: "DaemonClient", *, as_json: bool) -> None:
    """Show all jobs until Ctrl-C: a table on a terminal, a line an event elsewhere."""
    if as_json or not sys.stdout.isatty():
        said: dict[str, str] = {}
        for event in events(daemon):
            line = f"{event.job.id} {event.job.title}: {event.type} {progress_of(event.job)}"
            if as_json or said.get(event.job.id) != line:  # progress comes oftener than its words change
                click.echo(event.model_dump_json() if as_json else line)
            said[event.job.id] = line
            if event.job.state in ENDED:
                del said[event.job.id]
        return
    from rich.live import Live

    jobs = {job.id: job for job in daemon.jobs(limit=SHOWN)["jobs"]}
    with Live(job_table(list(jobs.values())), auto_refresh=False) as live:
        for event in events(daemon):
            jobs[event.job.id] = event.job
            if event.type == "deleted":
                del jobs[event.job.id]
            shown = sorted(jobs.values(), key=lambda job: job.created_at)[-SHOWN:]
            live.update(job_table(shown), refresh=True)
