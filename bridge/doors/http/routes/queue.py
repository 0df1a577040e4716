"""`/v2/queue`: is it paused, what waits; pause and resume."""

from fastapi import APIRouter
from starlette.responses import Response

from bridge.doors.http.answers import answer
from bridge.doors.http.context import Context
from bridge.doors.http.errors import answers
from bridge.doors.http.models import QueueAnswer

router = APIRouter(tags=["queue"])


@router.get("/v2/queue", response_model=QueueAnswer, responses=answers())
def show(context: Context) -> Response:
    """Show whether the queue is paused, and how many jobs are in each state."""
    return answer({"paused": context.jobs.paused, "counts": dict(context.jobs.list(limit=1).counts)})


@router.post("/v2/queue/pause", response_model=QueueAnswer, responses=answers())
def pause(context: Context) -> Response:
    """Start no further job; what runs goes on."""
    context.jobs.pause()
    return show(context)


@router.post("/v2/queue/resume", response_model=QueueAnswer, responses=answers())
def resume(context: Context) -> Response:
    """Go on after a pause."""
    context.jobs.resume()
    return show(context)
