"""`/v2/uploads`: audio that a client sends once and names by its id in jobs."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bridge.doors.http.answers import model_answer
from bridge.doors.http.context import Context
from bridge.doors.http.errors import answers
from bridge.doors.http.models import UploadAnswer
from bridge.doors.http.receiving import is_form, received_body, received_form
from bridge.uploads import Upload
from engine.errors import NrxError

router = APIRouter(tags=["uploads"])

AUDIO_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


@router.post(
    "/v2/uploads",
    status_code=201,
    response_model=UploadAnswer,
    responses=answers(507),
    openapi_extra=AUDIO_BODY,
)
async def upload(
    request: Request, context: Context, name: Annotated[str, Query(max_length=500)] = "upload.wav"
) -> Response:
    """Take an audio file: the raw bytes with its name in the query, or a form with a part `file`.

    The file is streamed to disk and checked by its header; nothing is decoded.
    """
    taken = await receive_upload(request, context, name)
    return upload_answer(taken, 201)


@router.get("/v2/uploads/{upload_id}", response_model=UploadAnswer, responses=answers())
def show(upload_id: str, context: Context) -> Response:
    """Show an upload."""
    return upload_answer(context.uploads.get(upload_id))


@router.delete("/v2/uploads/{upload_id}", status_code=204, responses=answers())
def forget(upload_id: str, context: Context) -> Response:
    """Forget an upload; its bytes go when no job needs them any more."""
    context.uploads.delete(upload_id)
    return Response(status_code=204)


async def receive_upload(request: Request, context: Context, name: str) -> Upload:
    """Take one file from a raw body or a form, and register it.

    Raises:
        NrxError: `request.*`, `input.*`, `output.disk_full`.
    """
    uploads = context.uploads
    if not is_form(request):
        async with received_body(request, uploads) as path:
            return await run_in_threadpool(uploads.add, path, name)
    async with received_form(request, uploads) as form:
        files = [item for item in form.files if item.field == "file"]
        if not files:
            raise NrxError("request.invalid", "The form has no part called file; send the audio as that.")
        return await run_in_threadpool(uploads.add, files[0].path, files[0].name)


def upload_answer(taken: Upload, status: int = 200) -> Response:
    """Return what a client may know of an upload: not where it lies."""
    shown = {name: getattr(taken, name) for name in UploadAnswer.model_fields}
    return model_answer(UploadAnswer(**shown), status)
