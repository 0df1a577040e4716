"""`nrx jobs`."""

import click

from bridge.doors.cli.job_states import STATES

HIGHEST_PRIORITY = 100


@click.command(
    "jobs",
    epilog="""
\b
Examples:
  nrx jobs
  nrx jobs --state failed
  nrx jobs --search fishin --json
  nrx jobs --pause                what runs ends, nothing new starts
  nrx jobs --delete 3f2a91c07d44  forget a finished job; its return stays
""",
)
@click.option("--state", type=click.Choice(STATES), help="Only jobs in this state.")
@click.option("--search", metavar="TEXT", help="Only jobs whose title or id holds TEXT.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=30, show_default=True, help="How many at most."
)
@click.option("--pause", "change", flag_value="pause", help="Start no further job until --resume.")
@click.option("--resume", "change", flag_value="resume", help="Go on starting jobs.")
@click.option("--first", metavar="JOB", help="Move a queued job before the others.")
@click.option("--delete", "deleted", metavar="JOB", help="Forget a finished job.")
@click.option("--files", is_flag=True, help="With --delete: delete its return as well.")
@click.option("--json", "as_json", is_flag=True, help="Print one job a line as JSON.")
def command(
    state: str | None,
    search: str | None,
    limit: int,
    change: str | None,
    first: str | None,
    deleted: str | None,
    *,
    files: bool,
    as_json: bool,
) -> None:
    """List the daemon's jobs, newest first, or change its queue."""
    from bridge.client import DaemonClient
    from bridge.config import load_settings
    from bridge.doors.cli.job_table import show_jobs
    from bridge.doors.cli.many import jobs_in

    with DaemonClient(load_settings()) as daemon:
        if change is not None:
            daemon.call("POST", f"/v2/queue/{change}")
            click.echo("The queue is paused." if change == "pause" else "The queue goes on.")
            return
        if first is not None:
            top = max((job.priority for job in jobs_in(daemon, "queued") if job.id != first), default=0)
            daemon.call("PATCH", f"/v2/jobs/{first}", json={"priority": min(top + 1, HIGHEST_PRIORITY)})
            click.echo(f"{first} is next.")
            return
        if deleted is not None:
            daemon.call("DELETE", f"/v2/jobs/{deleted}", params={"files": "true" if files else "false"})
            click.echo(f"{deleted} is deleted{' with its return' if files else '; its return stays'}.")
            return
        page = daemon.jobs(state=state, search=search, limit=limit)
        if as_json:
            for job in page["jobs"]:
                click.echo(job.model_dump_json())
            return
        paused = daemon.call("GET", "/v2/queue")["paused"]
        filtered = state is not None or search is not None
        show_jobs(page["jobs"], total=page["total"], paused=paused, filtered=filtered)
