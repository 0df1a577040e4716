"""`/v2/jobs`: submit, list, look at, cancel, retry, move and delete jobs."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query
from starlette.responses import Response

from bridge.doors.http.answers import model_answer
from bridge.doors.http.context import Context
from bridge.doors.http.errors import answers
from bridge.doors.http.models import JobPageAnswer, PriorityBody, SubmitBody
from bridge.doors.http.submitting import submit_fields
from bridge.protocol import JobState, JobStatus

router = APIRouter(tags=["jobs"])

SUBMIT_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/SubmitBody"}}},
    }
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
    openapi_extra=SUBMIT_BODY,
)
def submit(
    context: Context,
    body: Annotated[dict[str, Any], Body()],
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> Response:
    """Accept a job: its inputs are copied and it is on the disk before this answers.

    The same key with the same request gives the job that is there (200); with another request it is a conflict (409).
    """
    status, is_new = submit_fields(context, body, idempotency_key)
    return model_answer(status, 202 if is_new else 200, {"location": f"/v2/jobs/{status.id}"})


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
