"""Replicate: a prediction is created, asked for until it is done, and its output downloaded.

Source: Replicate's HTTP API reference (`POST /predictions`, `GET /predictions/{id}`, `POST /predictions/{id}/cancel`,
`POST /files`, `DELETE /files/{id}`; header `Cancel-After`), and the input schema of meta/musicgen. A melody is uploaded
as a file and deleted afterwards. A job that is cancelled or fails cancels its prediction, which would cost money; the
service itself cancels what outlives our patience.
"""

import asyncio
import contextlib
import math
import re
from typing import Any

from engine.generation.cloud.wire import Wire, asleep_until
from engine.generation.musicgen.sampling import Sampling
from engine.generation.protocol import Wish
from engine.generation.sketch import sketch
from engine.models.cloud import CloudModel
from engine.progress import Monitor

LED, UNLED = "stereo-melody-large", "stereo-large"
"""`model_version`: which of the MusicGen models plays."""
SEEDS = 2**31 - 2
FAREWELL_S = 10.0
USUAL_S = 60.0
"""A take's usual time, for progress."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
DONE, RUNNING = "succeeded", ("starting", "processing", "queued")


async def play(wire: Wire, model: CloudModel, wish: Wish, sampling: Sampling, monitor: Monitor) -> bytes:
    """Return the bytes of one take."""
    monitor.report(0.02)
    file: dict[str, str] | None = None
    try:
        if wish.melody is not None:
            file = await _upload(wire, model, _flac(wish))
            monitor.report(0.08)
        order = {"version": model.revision, "input": _input(wish, sampling, file)}
        made = await wire.said(
            "POST",
            f"{model.url}/predictions",
            json=order,
            headers={"Cancel-After": f"{max(5, math.ceil(model.patience_s))}s"},
            repeatable=False,
        )
        return await _output(wire, model, made, monitor)
    finally:
        if file is not None:
            await _farewell(wire, "DELETE", f"{model.url}/files/{file['id']}")


async def _output(wire: Wire, model: CloudModel, made: dict[str, Any], monitor: Monitor) -> bytes:
    number = _id(wire, made)
    address = f"{model.url}/predictions/{number}"
    current: dict[str, Any] = made

    async def finished() -> dict[str, Any] | None:
        nonlocal current
        if current.get("status") in RUNNING:
            current = await wire.said("GET", address)
        return None if current.get("status") in RUNNING else current

    try:
        done = await asleep_until(
            finished, lambda spent_s: monitor.report(0.1 + 0.8 * (1.0 - math.exp(-spent_s / USUAL_S)))
        )
    except BaseException:
        await _farewell(wire, "POST", f"{address}/cancel")
        raise
    if done.get("status") != DONE:
        said = " ".join(str(done.get("error") or "no reason given").split())[:300].rstrip(".")
        raise wire.failed(f"ended the prediction as {str(done.get('status'))[:40]!r} ({said})")
    output = done.get("output")
    url = output[0] if isinstance(output, list) and output else output
    if not isinstance(url, str):
        raise wire.failed("gave no address of what was played")
    _, sound = await wire.answer("GET", url)
    return sound


def _input(wish: Wish, sampling: Sampling, file: dict[str, str] | None) -> dict[str, Any]:
    likeliest = sampling.temperature == 0
    return {
        "prompt": wish.prompt,
        "duration": math.ceil(wish.duration_s),
        "model_version": UNLED if file is None else LED,
        "temperature": 1.0 if likeliest else sampling.temperature,
        "top_k": 1 if likeliest else sampling.top_k,
        "top_p": sampling.top_p if sampling.top_p < 1 else 0.0,
        "classifier_free_guidance": round(sampling.guidance),
        "seed": 1 + sampling.seed % SEEDS,  # 0 would be drawn anew each time
        "normalization_strategy": "peak",
        "output_format": "wav",
        **({} if file is None else {"input_audio": file["url"], "continuation": False}),
    }


def _flac(wish: Wish) -> bytes:
    """Return the sketch of a wish's melody as a FLAC file."""
    import io

    import soundfile

    assert wish.melody is not None  # asked by the caller
    heard, file = sketch(wish.melody, wish.duration_s), io.BytesIO()
    soundfile.write(file, heard.samples.T, heard.sample_rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()


async def _upload(wire: Wire, model: CloudModel, sound: bytes) -> dict[str, str]:
    said = await wire.said(
        "POST", f"{model.url}/files", files={"content": ("melody.flac", sound, "audio/flac")}
    )
    urls = said.get("urls")
    url = urls.get("get") if isinstance(urls, dict) else None
    if not isinstance(url, str):
        raise wire.failed("gave no address of the file that was sent")
    return {"id": _id(wire, said), "url": url}


def _id(wire: Wire, said: dict[str, Any]) -> str:
    number = said.get("id")
    if not isinstance(number, str) or not _ID.fullmatch(number):
        raise wire.failed("answers without the number of what it made")
    return number


async def _farewell(wire: Wire, method: str, url: str) -> None:
    """Send what is still to be said, though the work itself is over; whether it is heard changes nothing."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(FAREWELL_S):
            await wire.answer(method, url)
