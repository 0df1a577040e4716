"""`/v2/returns`: the library, and every file of a return by its job's id and its name in the manifest."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from bridge.doors.http.answers import answer
from bridge.doors.http.context import Context
from bridge.doors.http.errors import answers
from bridge.doors.http.files import disposition, file_answer
from bridge.doors.http.models import PeaksAnswer, ReturnPageAnswer
from bridge.doors.http.peaks import peaks_of
from bridge.doors.http.zipping import zip_chunks
from bridge.library import open_inside
from bridge.protocol import Manifest
from bridge.security.roots import open_regular
from engine.errors import NrxError

router = APIRouter(tags=["returns"])

BYTES: dict[int | str, dict[str, Any]] = {200: {"description": "the file", "content": {"*/*": {}}}}
RANGES: dict[int | str, dict[str, Any]] = {
    206: {"description": "a part of the file"},
    304: {"description": "unchanged"},
    416: {"description": "beyond"},
}


@router.get("/v2/returns", response_model=ReturnPageAnswer, responses=answers())
def listing(
    context: Context,
    search: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """List returns, newest first; `search` is words that title, style, action, key or date must hold."""
    page = context.library.page(search, limit, before)
    returns = [{name: getattr(item, name) for name in item.__dataclass_fields__} for item in page.returns]
    return answer({"returns": returns, "next": page.next, "total": page.total})


@router.get("/v2/returns/{job_id}", response_model=Manifest, responses=answers())
def show(job_id: str, context: Context) -> Response:
    """Return the manifest."""
    return answer(context.library.manifest(job_id))


@router.head("/v2/returns/{job_id}/files/{name:path}", include_in_schema=False)
@router.get(
    "/v2/returns/{job_id}/files/{name:path}",
    response_class=Response,
    responses={**BYTES, **RANGES, **answers()},
)
def file(request: Request, job_id: str, name: str, context: Context, *, download: bool = False) -> Response:
    """Return a file, or a range of it; with `download=true` as one to save."""
    return file_answer(request, context.library.open(job_id, name), name.rpartition("/")[2], attach=download)


@router.get("/v2/returns/{job_id}/zip", response_class=Response, responses={**BYTES, **answers()})
def archive(job_id: str, context: Context) -> Response:
    """Return the whole return as a zip archive."""
    folder = context.library.folder(job_id)
    files = context.library.files(job_id)
    chunks = zip_chunks(folder.name, files, lambda path: open_inside(folder, path))
    headers = {"content-disposition": disposition(f"{folder.name}.zip", attach=True)}
    return StreamingResponse(chunks, 200, headers, "application/zip")


@router.head("/v2/returns/{job_id}/source", include_in_schema=False)
@router.get(
    "/v2/returns/{job_id}/source", response_class=Response, responses={**BYTES, **RANGES, **answers()}
)
def source(
    request: Request, job_id: str, context: Context, index: Annotated[int, Query(ge=0, le=1000)] = 0
) -> Response:
    """Return the audio that the job worked on; `index` chooses among several inputs."""
    path, name = _source(context, job_id, index)
    return file_answer(request, open_regular(path), name)


@router.get("/v2/returns/{job_id}/peaks", response_model=PeaksAnswer, responses=answers())
def peaks(job_id: str, context: Context, columns: Annotated[int, Query(ge=1, le=4000)] = 1200) -> Response:
    """Return waveforms of all audio files of a return."""
    found = context.library.files(job_id)
    tracks = {name: peaks_of(path, columns) for name, path in found.items() if name.lower().endswith(".wav")}
    return answer({"columns": columns, "tracks": tracks})


def _source(context: Context, job_id: str, index: int) -> tuple[Path, str]:
    """Return where an input's bytes lie and what it is called: the job's snapshot, or a file below a root.

    Raises:
        NrxError: `return.unknown`, `file.unknown`; `request.forbidden` for a file outside the roots.
    """
    try:
        kept = context.jobs.inputs_of(job_id)
    except NrxError as error:
        if error.code != "job.unknown":
            raise
        sources = context.library.manifest(job_id).get("source") or []
        if index < len(sources):
            path = context.roots.allows(str(sources[index].get("path", "")))
            return path, path.name
    else:
        if index < len(kept):
            return kept[index].file.path, kept[index].file.name
    raise NrxError("file.unknown", f"The job has no input {index}; it counts from 0.")
