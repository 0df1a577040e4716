"""Runs requests for the command line: a progress bar with stage and time left, Ctrl-C, and what is printed at the end.

The work runs in a thread, so that Ctrl-C is heard at once: it raises the job's flag, and the stages stop at their next
report. Work that has not stopped after `PATIENCE_S` is abandoned: its half-made return is removed and the process ends.
"""

import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from bridge.config import Settings, load_settings
from bridge.doors.cli.bar import ProgressBar
from bridge.doors.cli.unexpected import unexpected
from bridge.job import Job
from bridge.protocol import Manifest, Request
from engine.errors import Cancelled, NrxError

PATIENCE_S = 1.5


@dataclass(slots=True)
class _Result:
    manifest: Manifest | None = None
    error: BaseException | None = None


def run_requests(
    requests: Sequence[Request],
    out: Path | None,
    *,
    as_json: bool,
    finished: Callable[[int, Manifest], None] = lambda _number, _manifest: None,
    keep_warm_s: float = 0.0,
) -> None:
    """Run requests one after the other, print each result, and exit with the first failure's status if any failed.

    `finished` is called with the number of each request (from 0) that has succeeded, and its manifest. Models stay
    loaded for `keep_warm_s` seconds at least, for the next request.
    """
    from bridge.doors.cli.app import complain
    from bridge.doors.cli.show import show_manifest

    settings = load_settings()
    if keep_warm_s > settings.models.keep_warm_s:
        models = settings.models.model_copy(update={"keep_warm_s": keep_warm_s})
        settings = settings.model_copy(update={"models": models})
    status = 0
    for number, request in enumerate(requests):
        try:
            manifest = run_one(request, settings, out, quiet=as_json)
            finished(number, manifest)
        except Cancelled:
            click.echo("Cancelled; nothing was left behind.", err=True)
            sys.exit(130)
        except NrxError as error:
            complain(error)
            status = status or error.exit_status
            continue
        if as_json:
            click.echo(manifest.model_dump_json())
        else:
            show_manifest(manifest)
    if status:
        sys.exit(status)


def progress_title(request: Request) -> str:
    """Return what stands before the bar: the action, and what people call what it works on."""
    if request.project is not None:
        return f"{request.action} {request.project.name}"
    if not request.inputs:
        return request.action
    first, more = request.inputs[0], len(request.inputs) - 1
    return f"{request.action} {first.name or Path(first.path).name}" + (f" and {more} more" if more else "")


def run_one(request: Request, settings: Settings, out: Path | None, *, quiet: bool = False) -> Manifest:
    """Run one request with a progress bar on standard error.

    Raises:
        NrxError: what the job failed with; `Cancelled` after Ctrl-C.
    """
    stop, done, result = threading.Event(), threading.Event(), _Result()
    with ProgressBar(progress_title(request), quiet=quiet) as tell:
        job = Job(request, settings, out, on_progress=tell, is_cancelled=stop.is_set)

        def work() -> None:
            try:
                result.manifest = job.run()
            except BaseException as error:  # noqa: BLE001 - it is raised again in the main thread
                result.error = error
            finally:
                done.set()

        threading.Thread(target=work, name="nrx-job", daemon=True).start()
        try:
            while not done.wait(0.1):  # an interrupted Thread.join would take the thread for dead
                pass
        except KeyboardInterrupt:
            stop.set()
            if not done.wait(PATIENCE_S):
                job.abandon()
                click.echo("\nCancelled; nothing was left behind.", err=True)
                sys.stderr.flush()
                os._exit(130)
    if isinstance(result.error, NrxError):
        raise result.error
    if result.error is not None:
        raise unexpected(result.error, settings.home) from result.error
    if result.manifest is None:
        raise NrxError("internal", "The job ended without a result.")
    return result.manifest
