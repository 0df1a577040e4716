"""`nrx retry`."""

import click


@click.command(
    "retry",
    epilog="""
\b
Examples:
  nrx retry 3f2a91c07d44
""",
)
@click.argument("job_ids", nargs=-1, required=True, metavar="JOB…")
def command(job_ids: tuple[str, ...]) -> None:
    """Queue failed or cancelled jobs again, with the input as it was when they were accepted."""
    from bridge.client import DaemonClient
    from bridge.config import load_settings
    from bridge.doors.cli.many import for_each_job

    with DaemonClient(load_settings()) as daemon:

        def retry(job_id: str) -> str:
            daemon.call("POST", f"/v2/jobs/{job_id}/retry")
            return "is queued again"

        for_each_job(job_ids, retry, nothing="Name a job.")
