"""MusicGen server: music from words, and single stems, in the answer itself. Its `/health` is our own."""

import asyncio
import base64
import io
import secrets
import time
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bridge.backends import backends_of
from bridge.doors.http.answers import answer
from bridge.doors.http.context import InService, Serving
from bridge.doors.http.errors import answers
from bridge.doors.http.legacy.bodies import LegacyBody
from bridge.doors.http.legacy.words import MASTER, MIX, open_first, whole
from bridge.doors.http.submitting import submit
from bridge.doors.http.waiting import ended
from bridge.protocol import parse_request
from engine.choices import choice_of
from engine.errors import NrxError
from engine.presets import list_styles

router = APIRouter(tags=["as in the MusicGen server"])

LONGEST_S = 300.0
SEEDS = 2**31
STEMS: dict[str, str | None] = {
    "drums": "drums",
    "drum": "drums",
    "percussion": "drums",
    "bass": "bass",
    "chords": "chords",
    "pad": "pad",
    "ambient": "pad",
    "arp": "arp",
    "lead": "lead",
    "melody": "melody",
    "synth": "lead",
    "strings": "strings",
    "keys": "keys",
    "piano": "keys",
    "guitar": "guitar",
    "fx": "fx",
    "other": "other",
    "voice": None,
    "vocals": None,
}
"""The stems that people ask for -> what generators call them; None for what needs a model that sings."""


class GenerateBody(LegacyBody):
    """Music from words."""

    prompt: str = Field(min_length=1, max_length=1000)
    duration: float = Field(default=8.0, gt=0, le=LONGEST_S)
    format: Literal["base64"] = "base64"


class StemBody(LegacyBody):
    """One stem."""

    type: str = Field(min_length=1, max_length=40)
    style: str | None = Field(default=None, max_length=200)
    mood: str | None = Field(default=None, max_length=200)
    key: str | None = Field(default=None, max_length=40)
    bpm: float | None = None
    duration: float = Field(default=8.0, gt=0, le=LONGEST_S)


@router.post("/generate", response_model=dict[str, Any], responses=answers(409, 429, 501, 503, 507))
async def generate(request: Request, body: GenerateBody, serving: InService) -> Response:
    """Make music from words and answer with it, as a WAV file in base64. The job is cancelled if the caller leaves."""
    return await _made(
        request, serving, {"prompt": body.prompt, "duration_s": body.duration}, body.prompt, (MASTER, MIX)
    )


@router.post("/generate_stem", response_model=dict[str, Any], responses=answers(409, 429, 501, 503, 507))
async def generate_stem(request: Request, body: StemBody, serving: InService) -> Response:
    """Make one stem and answer with it, as a WAV file in base64."""
    kind = body.type.strip().lower()
    if kind not in STEMS:
        raise NrxError("request.invalid", f"There is no stem {kind!a} to generate; {choice_of(kind, STEMS)}")
    stem = STEMS[kind]
    if stem is None:
        choice = backends_of(serving.context.settings).generator()
        if not choice.is_neural:
            raise NrxError(
                "backend.missing",
                f"The built-in arranger makes no {kind}, and {choice.why}; choose another type, or fetch a model.",
            )
        stem = "voice"
    words = " ".join(word for word in (body.mood, body.style, kind) if word)
    fields = {"prompt": words, "stem": stem, "key": body.key, "bpm": body.bpm, "duration_s": body.duration}
    known = list_styles((serving.context.settings.styles_folder,))
    if body.style in known:
        fields["style"] = body.style
    return await _made(request, serving, fields, words, (MIX, MASTER))


async def _made(
    request: Request, serving: Serving, fields: dict[str, Any], prompt: str, files: tuple[str, ...]
) -> Response:
    """Run a job, wait for its end, and return its audio."""
    began = time.perf_counter()
    asked = parse_request({"action": "generate", "seed": secrets.randbelow(SEEDS), **fields})
    with serving.waiters.place():
        status, _ = await run_in_threadpool(submit, serving.context, asked)
        status = await ended(serving, status.id, request)
    if status.error is not None:
        raise NrxError(status.error.code, status.error.sentence)
    if status.state != "succeeded":
        raise NrxError("cancelled", f"The job {status.id} was cancelled.")
    audio, rate, duration_s = await run_in_threadpool(
        _encoded, serving, status.id, files, asked.duration_s or 0.0
    )
    content = {
        "success": True,
        "prompt": prompt,
        "duration": whole(duration_s),
        "sampling_rate": rate,
        "audio_base64": audio,
        "generation_time": round(time.perf_counter() - began, 3),
        "job_id": status.id,
    }
    return await asyncio.to_thread(answer, content)


def _encoded(
    serving: Serving, job_id: str, files: tuple[str, ...], length_s: float
) -> tuple[str, int, float]:
    """Return a return's audio in base64, its sample rate and its length.

    Music ends at a bar's end; silence fills it up to the length that was asked for, as callers count on it.
    """
    import numpy as np
    import soundfile

    stream, _ = open_first(serving.context, job_id, files)
    with stream, soundfile.SoundFile(stream) as file:
        rate, subtype = file.samplerate, file.subtype
        sound = file.read(dtype="int32" if subtype.startswith("PCM") else "float32", always_2d=True)
    missing = round(length_s * rate) - len(sound)
    if missing > 0:
        sound = np.concatenate([sound, np.zeros((missing, sound.shape[1]), sound.dtype)])
    written = io.BytesIO()
    soundfile.write(written, sound, rate, format="WAV", subtype=subtype)
    return base64.b64encode(written.getvalue()).decode("ascii"), rate, round(len(sound) / rate, 3)
