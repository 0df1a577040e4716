"""Jobs as a table for people."""

import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge.doors.cli.job_states import STATE_STYLES
from bridge.protocol import JobStatus

MINUTE, HOUR, DAY = 60, 3600, 86400


def ago(seconds: float) -> str:
    """Return a time span in its largest unit: "12 s", "5 min", "3 h", "2 d"."""
    for length, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def progress_of(job: JobStatus) -> str:
    """Return what a running job does and how long it takes on, what a queued one waits for, why one failed."""
    if job.state == "running":
        left = "" if job.left_s is None else f", {ago(job.left_s)} left"
        return "cancelling" if job.cancelling else f"{job.stage or 'starting'} {job.fraction:.0%}{left}"
    if job.state == "queued":
        return f"{job.position} before it" if job.position else "next"
    if job.error is not None:
        return f"{job.error.sentence} [{job.error.code}]"
    return job.folder or ""


def job_table(jobs: Sequence[JobStatus]) -> Table:
    """Return the table."""
    table = Table(show_edge=False, pad_edge=False)
    for column in ("job", "state", "what", "door", "age"):
        table.add_column(column, no_wrap=True)
    table.add_column("", overflow="fold")
    for job in jobs:
        table.add_row(
            job.id,
            Text(job.state, style=STATE_STYLES[job.state]),
            Text(job.title, overflow="ellipsis"),
            job.door,
            ago(time.time() - job.created_at),
            Text(progress_of(job)),
        )
    return table


def show_jobs(jobs: Sequence[JobStatus], *, total: int, paused: bool) -> None:
    """Print jobs, and how many there are in all."""
    console = Console(highlight=False)
    if jobs:
        console.print(job_table(jobs))
    else:
        console.print("There are no such jobs.")
    if total > len(jobs):
        console.print(f"{len(jobs)} of {total} jobs; --limit shows more, --search finds.")
    if paused:
        console.print("The queue is paused; `nrx jobs --resume` goes on.", style="yellow")
