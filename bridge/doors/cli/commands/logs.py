"""`nrx logs`."""

import time
from pathlib import Path

import click

POLL_S = 0.3
ACCESS = " nrx.http: "
"""In lines of the access log, which say who asked after a job, not what became of it."""


@click.command(
    "logs",
    epilog="""
\b
Examples:
  nrx logs
  nrx logs --follow
  nrx logs 3f2a91c07d44     only lines about this job
""",
)
@click.argument("job_id", required=False, metavar="[JOB]")
@click.option(
    "-n", "--lines", type=click.IntRange(1), default=40, show_default=True, help="How many lines at most."
)
@click.option("-f", "--follow", is_flag=True, help="Go on showing new lines until Ctrl-C.")
def command(job_id: str | None, lines: int, *, follow: bool) -> None:
    """Show the end of the daemon's log (NRX_HOME/logs/daemon.log)."""
    from bridge.config import load_settings
    from engine.errors import NrxError

    file = load_settings().home / "logs" / "daemon.log"
    if not file.is_file():
        raise NrxError("daemon.absent", f"There is no log {file} yet; the daemon writes it: `nrx serve`.")
    raw = file.read_bytes()
    text = raw.decode("utf-8", "replace")
    wanted = [line for line in text.splitlines() if _is_about(job_id, line)]
    if not wanted and job_id is not None and not follow:
        raise NrxError(
            "job.unknown", f"The log {file} does not speak of a job {job_id!r}; `nrx jobs` lists all."
        )
    for line in wanted[-lines:]:
        click.echo(line)
    if follow:
        _follow(file, len(raw), job_id)


def _is_about(job_id: str | None, line: str) -> bool:
    """Return whether a line tells of the job; without a job, all do."""
    return job_id is None or (job_id in line and ACCESS not in line)


def _follow(file: Path, seen: int, job_id: str | None) -> None:
    """Print lines as they are added; a log that was rotated is read from its start."""
    rest = ""
    while True:
        time.sleep(POLL_S)
        try:
            size = file.stat().st_size
            if size == seen:
                continue
            with file.open("rb") as log:
                log.seek(seen if size > seen else 0)
                new = log.read()
        except FileNotFoundError:
            continue
        seen = size
        *whole, rest = (rest + new.decode("utf-8", "replace")).split("\n")
        for line in whole:
            if _is_about(job_id, line):
                click.echo(line)
