"""Requests through the daemon: hand them in, follow them, and bring their returns where they were asked for."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from bridge.client import DaemonClient
from bridge.config import Settings, load_settings
from bridge.doors.cli.follow import follow_job
from bridge.doors.cli.show import show_ended
from bridge.doors.spool.client import hand_in, wait_until_taken
from bridge.protocol import JobStatus, Manifest, Request
from bridge.returns.folder import MANIFEST, Staging, writing_to
from bridge.returns.write import write_manifest
from engine.errors import CODES, NrxError


def submit_requests(
    requests: Sequence[Request], out: Path | None, *, priority: int, as_json: bool, detach: bool
) -> None:
    """Hand requests in and, unless `detach`, wait and show what came of them; exit as the first failure says."""
    from bridge.doors.cli.app import complain

    settings = load_settings()
    status = 0
    with DaemonClient(settings) as daemon:
        jobs: list[str] = []
        for request in requests:
            try:
                job_id = hand_in(settings, request, priority=priority)
                wait_until_taken(settings, job_id)
            except NrxError as error:
                complain(error)
                status = status or error.exit_status
                continue
            jobs.append(job_id)
            if detach:
                click.echo(job_id)
        for job_id in () if detach else jobs:
            try:
                status = _finish(daemon, settings, job_id, out, as_json=as_json) or status
            except KeyboardInterrupt:
                _leave(daemon, jobs[jobs.index(job_id) :])
    if status:
        sys.exit(status)


def _finish(daemon: DaemonClient, settings: Settings, job_id: str, out: Path | None, *, as_json: bool) -> int:
    """Wait for a job, show it, and return its exit status."""
    try:
        job = follow_job(daemon, job_id, quiet=as_json)
        show_ended(_brought(job, out) if out is not None else job, as_json=as_json)
    except NrxError as error:
        from bridge.doors.cli.app import complain

        complain(error)
        return error.exit_status
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def _leave(daemon: DaemonClient, jobs: Sequence[str]) -> None:
    """After Ctrl-C: leave the jobs running, or cancel them if the person at the terminal says so; ends the process."""
    cancel = False
    if sys.stdin.isatty():
        click.echo("", err=True)
        cancel = click.prompt(
            "Cancel it (c), or leave it running (d)?", type=click.Choice(["d", "c"]), default="d", err=True
        ) == "c"  # fmt: skip
    for job_id in jobs:
        if cancel:
            daemon.call("POST", f"/v2/jobs/{job_id}/cancel")
            click.echo(f"{job_id} is being cancelled.", err=True)
        else:
            click.echo(
                f"{job_id} goes on; `nrx watch {job_id}` follows it, `nrx cancel {job_id}` ends it.", err=True
            )
    sys.exit(CODES["cancelled"].exit_status if cancel else 0)


def _brought(job: JobStatus, out: Path) -> JobStatus:
    """Copy a return to where this user asked for it (the daemon writes below its own folders only)."""
    if job.state != "succeeded" or job.folder is None:
        return job
    made = Path(job.folder)
    staging = Staging(out.expanduser().absolute())
    try:
        with writing_to(staging.parent):
            shutil.copytree(made, staging.path, dirs_exist_ok=True, copy_function=_link_or_copy)
        manifest = Manifest.model_validate_json((made / MANIFEST).read_text(encoding="utf-8"))
        published = None
        while published is None:
            target = staging.free_name(made.name)
            write_manifest(staging.path, manifest.model_copy(update={"folder": str(target)}))
            published = staging.publish(target)
    finally:
        staging.discard()
    return job.model_copy(update={"folder": str(published), "manifest": str(published / MANIFEST)})


def _link_or_copy(source: str, target: str) -> str:
    """Give a file a second name, so that it takes no more disk; copy it where the disk can't, or is another."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target
