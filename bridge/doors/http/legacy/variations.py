"""Music generation backend: variations of an uploaded instrumental. Upload and download are the remix engine's."""

import secrets
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from bridge.doors.http.answers import answer
from bridge.doors.http.context import Context
from bridge.doors.http.errors import answers
from bridge.doors.http.legacy.bodies import LegacyBody
from bridge.doors.http.submitting import submit, upload_input
from bridge.protocol import parse_request

router = APIRouter(prefix="/api", tags=["as in the music generation backend"])

SEEDS = 2**31


class VariationBody(LegacyBody):
    """How long a variation shall be. `temperature` is a neural generator's; the arranger varies by its seed."""

    duration: float = Field(default=30.0, gt=0, le=3600)
    temperature: float = Field(default=1.0, ge=0, le=2)


@router.post("/generate/{audio_id}", response_model=dict[str, Any], responses=answers(409, 501, 507))
def generate(audio_id: str, body: VariationBody, context: Context) -> Response:
    """Start a variation of an upload; each call gives another one. Download it by its `generation_id`."""
    source = upload_input(context.uploads.get(audio_id))
    request = parse_request(
        {
            "action": "generate",
            "inputs": [source.model_dump()],
            "duration_s": body.duration,
            "seed": secrets.randbelow(SEEDS),
            "generation": {"temperature": body.temperature},
        }
    )
    status, _ = submit(context, request)
    return answer(
        {
            "generation_id": status.id,
            "job_id": status.id,
            "audio_id": audio_id,
            "status": "processing",
            "duration": body.duration,
            "temperature": body.temperature,
            "message": "Generation started",
        }
    )


@router.get("/embedding/{audio_id}", response_model=dict[str, Any], responses=answers(501))
def embedding(audio_id: str, context: Context) -> Response:
    """Return an upload's vector of length 1, from a model of sound and words; say what to do where there is none."""
    from bridge.embedding import embed

    upload = context.uploads.get(audio_id)
    made = embed(context.settings, [Path(upload.path)])
    vector = list(made.vectors[0])
    return answer({"audio_id": audio_id, "embedding": vector, "dimension": len(vector), **made.about})
