"""Jobs as a table for people."""

import time
from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge.doors.cli.job_states import STATE_STYLES
from bridge.doors.cli.width import output_width
from bridge.protocol import JobStatus

MINUTE, HOUR, DAY = 60, 3600, 86400
ID_WIDTH, WHAT_WIDTH = 20, 36
"""Characters on a terminal: longer ids are folded, longer titles cut."""


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
    return ""


def _return_of(job: JobStatus, *, wide: bool) -> str:
    """Return where the return is, or what its folder is called."""
    if job.folder is None:
        return ""
    return job.folder if wide else Path(job.folder).name


def title_of(job: JobStatus) -> str:
    """Return what a job works on, and in which style."""
    return job.title if job.style is None else f"{job.title} ({job.style})"


def job_table(jobs: Sequence[JobStatus], *, wide: bool = False) -> Table:
    """Return the table; a wide one has whole ids and paths."""
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("job", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("what", max_width=None if wide else WHAT_WIDTH)
    table.add_column("door", no_wrap=True)
    table.add_column("age", no_wrap=True)
    table.add_column("", overflow="fold")
    for job in jobs:
        table.add_row(
            job.id if wide else "\n".join(wrap(job.id, ID_WIDTH)),
            Text(job.state, style=STATE_STYLES[job.state]),
            Text(title_of(job), no_wrap=True, overflow="ellipsis"),
            job.door,
            ago(time.time() - job.created_at),
            Text(progress_of(job) or _return_of(job, wide=wide)),
        )
    return table


def show_jobs(jobs: Sequence[JobStatus], *, total: int, paused: bool, filtered: bool) -> None:
    """Print jobs, and how many there are in all; `filtered`: only some were asked for."""
    width = output_width()
    console = Console(highlight=False, width=width)
    if jobs:
        console.print(job_table(jobs, wide=width is not None))
    else:
        console.print("There are no such jobs." if filtered else "There are no jobs yet.")
    if total > len(jobs):
        console.print(f"{len(jobs)} of {total} jobs; --limit shows more, --search finds.")
    if paused:
        console.print("The queue is paused; `nrx jobs --resume` goes on.", style="yellow")
