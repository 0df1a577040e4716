"""`nrx watch`."""

import sys

import click


@click.command(
    "watch",
    epilog="""
\b
Examples:
  nrx watch                 all jobs, until Ctrl-C
  nrx watch 3f2a91c07d44    one job, until it ends
""",
)
@click.argument("job_id", required=False, metavar="[JOB]")
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON, one a line.")
def command(job_id: str | None, *, as_json: bool) -> None:
    """Follow the daemon's jobs live. To watch a folder for renders, see `nrx serve --watch`."""
    from bridge.client import DaemonClient
    from bridge.config import load_settings
    from bridge.doors.cli.follow import follow_all, follow_job
    from bridge.doors.cli.show import show_ended
    from engine.errors import CODES

    with DaemonClient(load_settings()) as daemon:
        try:
            if job_id is None:
                follow_all(daemon, as_json=as_json)
            else:
                show_ended(follow_job(daemon, job_id, quiet=as_json), as_json=as_json)
        except KeyboardInterrupt:
            click.echo("No longer watching; the jobs go on.", err=True)
            sys.exit(CODES["cancelled"].exit_status)
