"""`/v2/jobs`: submit, list, look at, cancel, retry, move and delete jobs."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from bridge.doors.http.answers import model_answer
from bridge.doors.http.bodies import JSON_BODY
from bridge.doors.http.context import Context, Serving
from bridge.doors.http.errors import answers
from bridge.doors.http.models import JobPageAnswer, PriorityBody, SubmitBody
from bridge.doors.http.submitting import begin_submission, read_submission
from bridge.protocol import JobState, JobStatus
from engine.errors import NrxError

router = APIRouter(tags=["jobs"])

LONGEST_KEY_HEADER = 200
SUBMIT_DOCUMENT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/SubmitBody"}}},
    },
    "parameters": [
        {
            "name": "idempotency-key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY_HEADER},
        }
    ],
}
DOCUMENTED = (SubmitBody,)
"""Models that the document must hold though no signature names them."""


@router.post(
    "/v2/jobs",
    status_code=202,
    response_model=JobStatus,
    responses={
        200: {"model": JobStatus, "description": "the job was there already"},
        **answers(409, 501, 507),
    },
    openapi_extra=SUBMIT_DOCUMENT,
)
async def submit(request: Request) -> Response:
    """Accept a job: its inputs are copied and it is on the disk before this answers.

    The same key with the same request gives the job that is there (200); with another request it is a conflict (409).
    """
    serving: Serving = request.app.state.serving
    fields = request.scope.get(JSON_BODY)
    if not isinstance(fields, dict):
        raise NrxError("request.invalid", "The body is refused: it must be a JSON object; see /openapi.json.")
    asked = read_submission(fields, _key_of(request.headers))
    begin = partial(begin_submission, serving.context, asked)
    if asked.is_quick:
        accepted = await serving.lane.run(begin)
    else:
        accepted = await run_in_threadpool(lambda: begin().result())
    status = accepted.status
    return model_answer(status, 202 if accepted.is_new else 200, {"location": f"/v2/jobs/{status.id}"})


DIRECT = [route for route in router.routes if isinstance(route, APIRoute) and route.endpoint is submit]
"""Routes that are called often enough to be called without the framework's routing."""


def _key_of(headers: Headers) -> str | None:
    """Return the key that a header names.

    Raises:
        NrxError: `request.invalid`.
    """
    key = headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= LONGEST_KEY_HEADER:
        raise NrxError(
            "request.invalid",
            f"Idempotency-Key is refused: it must have 1 to {LONGEST_KEY_HEADER} characters.",
        )
    return key


@router.get("/v2/jobs", response_model=JobPageAnswer, responses=answers())
def listing(
    context: Context,
    state: JobState | None = None,
    search: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[str | None, Query(max_length=20, pattern=r"^[0-9]+$")] = None,
) -> Response:
    """List jobs, newest first."""
    page = context.jobs.list(state=state, search=search or None, limit=limit, before=before)
    return model_answer(
        JobPageAnswer.model_construct(
            jobs=page.jobs, next=page.next, total=page.total, counts=dict(page.counts)
        )
    )


@router.get("/v2/jobs/{job_id}", response_model=JobStatus, responses=answers())
def show(job_id: str, context: Context) -> Response:
    """Show where a job stands."""
    return model_answer(context.jobs.get(job_id))


@router.post("/v2/jobs/{job_id}/cancel", response_model=JobStatus, responses=answers(409))
def cancel(job_id: str, context: Context) -> Response:
    """Cancel a job: at once while queued, within two seconds while running."""
    return model_answer(context.jobs.cancel(job_id))


@router.post("/v2/jobs/{job_id}/retry", response_model=JobStatus, responses=answers(409))
def retry(job_id: str, context: Context) -> Response:
    """Queue a failed or cancelled job again."""
    return model_answer(context.jobs.retry(job_id))


@router.patch("/v2/jobs/{job_id}", response_model=JobStatus, responses=answers(409))
def move(job_id: str, body: PriorityBody, context: Context) -> Response:
    """Give a job another priority."""
    return model_answer(context.jobs.set_priority(job_id, body.priority))


@router.delete("/v2/jobs/{job_id}", status_code=204, responses=answers(409))
def delete(job_id: str, context: Context, *, files: bool = False) -> Response:
    """Delete a job that has ended, and with `files=true` its return."""
    context.jobs.delete(job_id, files=files)
    return Response(status_code=204)
