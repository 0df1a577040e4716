"""`nrx cancel`."""

import click


@click.command(
    "cancel",
    epilog="""
\b
Examples:
  nrx cancel 3f2a91c07d44
  nrx cancel --all        everything that is queued or running
""",
)
@click.argument("job_ids", nargs=-1, metavar="[JOB…]")
@click.option("--all", "every", is_flag=True, help="Cancel all jobs that are queued or running.")
def command(job_ids: tuple[str, ...], *, every: bool) -> None:
    """Cancel jobs: a queued one at once, a running one within two seconds. Nothing half-made is left."""
    from bridge.client import DaemonClient
    from bridge.config import load_settings
    from bridge.doors.cli.many import for_each_job, unfinished_jobs
    from bridge.protocol import JobStatus

    with DaemonClient(load_settings()) as daemon:
        wanted = unfinished_jobs(daemon) if every else job_ids

        def cancel(job_id: str) -> str:
            job = JobStatus.model_validate(daemon.call("POST", f"/v2/jobs/{job_id}/cancel"))
            return "is cancelled" if job.state == "cancelled" else "is being cancelled"

        for_each_job(
            wanted,
            cancel,
            nothing="Name a job, or say --all." if not every else "No job is waiting or running.",
        )
