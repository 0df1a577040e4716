"""Neural Remix Engine: upload, remix, status, download, styles, system, below `/api`."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from bridge.doors.http.answers import answer
from bridge.doors.http.context import Context
from bridge.doors.http.errors import answers
from bridge.doors.http.files import disposition, file_answer
from bridge.doors.http.legacy.bodies import LegacyBody
from bridge.doors.http.legacy.words import (
    MASTER,
    MIX,
    STATUS,
    generator_of,
    open_first,
    percent,
    require_finished,
    whole,
)
from bridge.doors.http.routes.returns import BYTES, RANGES
from bridge.doors.http.routes.styles import known_styles
from bridge.doors.http.routes.system import backends, can_be_used
from bridge.doors.http.routes.uploads import AUDIO_BODY, receive_upload
from bridge.doors.http.submitting import submit, upload_input
from bridge.protocol import JobStatus, parse_request

router = APIRouter(prefix="/api", tags=["as in Neural Remix Engine"])

MODELS = ("demucs", "librosa", "musicgen")
NEURAL = ("demucs", "musicgen")


class RemixBody(LegacyBody):
    """A remix of an uploaded file."""

    file_id: str = Field(min_length=1, max_length=100)
    style: str = Field(min_length=1, max_length=100)
    energy: float = 1.0
    brightness: float = 1.0


@router.post("/upload", response_model=dict[str, Any], responses=answers(507), openapi_extra=AUDIO_BODY)
async def upload(request: Request, context: Context) -> Response:
    """Take an audio file as the form's part `file`. `audio_id` is the same id, for the calls that name it so."""
    taken = await receive_upload(request, context, "upload.wav")
    return answer(
        {
            "file_id": taken.id,
            "audio_id": taken.id,
            "filename": taken.name,
            "duration": None if taken.duration_s is None else round(taken.duration_s, 3),
            "message": "File uploaded successfully",
        }
    )


@router.post("/remix", response_model=dict[str, Any], responses=answers(409, 501, 507))
def remix(body: RemixBody, context: Context) -> Response:
    """Start a remix."""
    source = upload_input(context.uploads.get(body.file_id))
    fields = {"action": "remix", "style": body.style, "energy": body.energy, "brightness": body.brightness}
    request = parse_request({**fields, "inputs": [source.model_dump()]})
    status, _ = submit(context, request)
    return answer({"job_id": status.id, "status": "processing", "message": "Remix job started"})


@router.get("/status/{job_id}", response_model=dict[str, Any], responses=answers())
def status(job_id: str, context: Context) -> Response:
    """Tell where a job stands; `result` is there when it is completed."""
    job = context.jobs.get(job_id)
    return answer(
        {
            "job_id": job.id,
            "status": STATUS[job.state],
            "progress": percent(job),
            "stage": job.stage,
            "result": _result(context, job) if job.state == "succeeded" else None,
            "error": job.error.sentence if job.error is not None else None,
        }
    )


@router.get("/download/{job_id}", response_class=Response, responses={**BYTES, **RANGES, **answers(409)})
def download(request: Request, job_id: str, context: Context) -> Response:
    """Return the finished audio of a remix or a generation."""
    job = context.jobs.get(job_id)
    require_finished(job)
    stream, _ = open_first(context, job_id, (MASTER, MIX))
    answered = file_answer(request, stream, MASTER)
    answered.headers["content-disposition"] = disposition(
        f"{Path(job.folder or job_id).name}.wav", attach=True
    )
    return answered


@router.get("/styles", response_model=dict[str, Any], responses=answers())
def styles(context: Context) -> Response:
    """List the styles."""
    return answer(
        {
            "styles": [
                {
                    "id": style.id,
                    "name": style.name,
                    "description": style.description,
                    "tempo_range": [whole(bpm) for bpm in style.tempo_range_bpm],
                    "energy": style.energy,
                }
                for style in known_styles(context.settings)
            ]
        }
    )


@router.get("/system", response_model=dict[str, Any], responses=answers())
def system(context: Context) -> Response:
    """Tell which models are there. `mode` is full with the neural ones, and built-in without."""
    told = backends(context.settings)
    active = {name: "active" if can_be_used(told[name]) else "missing" for name in MODELS}
    return answer({"mode": mode(context), "models": active})


def mode(context: Context) -> str:
    """Return "full" where all neural models can be used, else "built-in"."""
    told = backends(context.settings)
    return "full" if all(can_be_used(told[name]) for name in NEURAL) else "built-in"


def _result(context: Context, job: JobStatus) -> dict[str, Any]:
    manifest = context.library.manifest(job.id)
    there = context.library.files(job.id)
    output = next((str(there[name]) for name in (MASTER, MIX) if name in there), None)
    return {
        "output_path": output,
        "analysis": manifest.get("analysis"),
        "model": generator_of(manifest),
        "mode": mode(context),
    }
