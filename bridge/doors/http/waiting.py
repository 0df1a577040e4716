"""Waiting for the end of a job, for callers that want the result in the answer."""

import asyncio
import contextlib

from starlette.requests import Request

from bridge.doors.http.context import Serving
from bridge.protocol import ENDED, JobEvent, JobStatus
from engine.errors import NrxError


async def ended(serving: Serving, job_id: str, request: Request) -> JobStatus:
    """Return the status of a job at its end; a job whose caller goes away is cancelled.

    Raises:
        NrxError: `daemon.absent` when the daemon stops meanwhile (the job goes on at its next start).
    """
    jobs, loop = serving.context.jobs, asyncio.get_running_loop()
    done = asyncio.Event()

    def heard(event: JobEvent) -> None:
        if event.job.id == job_id and (event.job.state in ENDED or event.type == "deleted"):
            with contextlib.suppress(RuntimeError):  # the loop has just closed
                loop.call_soon_threadsafe(done.set)

    unsubscribe = jobs.subscribe(heard)
    parts = [
        asyncio.ensure_future(done.wait()),
        asyncio.ensure_future(serving.hub.closing.wait()),
        asyncio.ensure_future(_gone(request)),
    ]
    try:
        status = await asyncio.to_thread(jobs.get, job_id)
        if status.state not in ENDED:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            status = await asyncio.to_thread(jobs.get, job_id)
    finally:
        unsubscribe()
        for part in parts:
            part.cancel()
    if status.state in ENDED:
        return status
    if serving.hub.closing.is_set():
        raise NrxError("daemon.absent", f"The daemon stops; the job {job_id} goes on when it starts again.")
    return await asyncio.to_thread(jobs.cancel, job_id)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
