"""`/v2/system`, `/health` and `/metrics`: what runs here, that it runs, and how it does."""

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from bridge.backends import store_of
from bridge.config import Settings
from bridge.doors.http.answers import answer
from bridge.doors.http.context import InService, Serving
from bridge.doors.http.errors import answers
from bridge.doors.http.metrics import CONTENT_TYPE, family
from bridge.doors.http.models import HealthAnswer
from bridge.protocol import PROTOCOL_VERSION
from engine import __version__
from engine.models import CATALOGUE, Family, InstalledModel, what_is_missing

router = APIRouter(tags=["system"])

BUILT_IN = {"spectral": "separate", "arranger": "generate", "librosa": "analyze", "rubberband": "sync"}
"""Backends that need no weights -> their stage."""
NEURAL: dict[str, Family] = {"demucs": "demucs", "musicgen": "musicgen", "clap": "clap"}
"""Backends that need weights -> the family of models."""


@router.get("/health", response_model=HealthAnswer)
def health() -> Response:
    """Say that the daemon answers. This needs no token."""
    return answer({"status": "ok", "version": __version__, "protocol": PROTOCOL_VERSION})


@router.get("/v2/system", response_model=dict[str, Any], responses=answers())
def system(serving: InService) -> Response:
    """Tell version, device, workers, backends, disk, memory, folders and doors."""
    context = serving.context
    return answer(
        {
            "version": __version__,
            "protocol": PROTOCOL_VERSION,
            "device": "cpu",
            "workers": context.settings.jobs.workers,
            "backends": backends(context.settings),
            "disk": _disk(context.settings.home),
            "memory": {
                "daemon_bytes": _resident_bytes(),
                "limit_bytes": int(context.settings.memory_max_gb * 1e9),
            },
            "waiting": [_plain(item) for item in context.waiting()],
            "folders": [_folder(watch) for watch in context.settings.watch],
            "settings": context.settings.model_dump(mode="json", exclude={"home", "watch"}),
            "doors": {"http": serving.url, "event_clients": serving.hub.clients},
            **{name: _plain(value) for name, value in context.info().items()},
        }
    )


@router.get(
    "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}, **answers()}
)
def metrics(serving: InService) -> Response:
    """Tell counters in Prometheus' text format."""
    return Response("\n".join(_families(serving)) + "\n", 200, {"content-type": CONTENT_TYPE})


def backends(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return every backend with its stage, whether its packages are here, and which of its models are."""
    here = [found for _, found in store_of(settings).installed() if isinstance(found, InstalledModel)]
    told: dict[str, dict[str, Any]] = {
        name: {"stage": stage, "installed": True} for name, stage in BUILT_IN.items()
    }
    for name, needs in NEURAL.items():
        stage = next(card.task for card in CATALOGUE.values() if card.family == needs)
        models = [
            {"name": model.name, "revision": model.revision, "licence": model.card.licence}
            for model in here
            if model.card.family == needs
        ]
        told[name] = {"stage": stage, "installed": what_is_missing(needs) is None, "models": models}
    return told


def can_be_used(told: dict[str, Any]) -> bool:
    """Return whether a backend, as `backends` tells of it, has all that it needs: packages, and weights if any."""
    return bool(told["installed"] and told.get("models", True))


def _families(serving: Serving) -> Iterator[str]:
    jobs = serving.context.jobs
    counts = jobs.list(limit=1).counts
    yield from family(
        "nrx_jobs", "gauge", "Jobs by state.", [({"state": key}, n) for key, n in counts.items()]
    )
    yield from family("nrx_queue_length", "gauge", "Jobs that wait.", [({}, counts.get("queued", 0))])
    yield from family("nrx_queue_paused", "gauge", "Whether the queue is paused.", [({}, int(jobs.paused))])
    yield from family(
        "nrx_workers", "gauge", "Worker processes.", [({}, serving.context.settings.jobs.workers)]
    )
    yield from family("nrx_workers_busy", "gauge", "Workers with a job.", [({}, counts.get("running", 0))])
    yield from family(
        "nrx_event_clients", "gauge", "Clients that listen to events.", [({}, serving.hub.clients)]
    )
    yield from family("nrx_last_event_id", "counter", "The newest event.", [({}, jobs.last_event_id())])
    memory = [({"process": name}, size) for name, size in resident_bytes().items()]
    yield from family("nrx_resident_memory_bytes", "gauge", "Resident memory.", memory)
    for histogram in (serving.metrics.jobs, serving.metrics.stages, serving.metrics.http):
        yield from histogram.lines()


def resident_bytes() -> dict[str, int]:
    """Return the resident memory of the daemon and of its child processes together, in bytes."""
    import psutil

    workers = 0
    for child in psutil.Process().children(recursive=True):
        try:
            workers += child.memory_info().rss
        except psutil.Error:
            continue
    return {"daemon": _resident_bytes(), "workers": workers}


def _resident_bytes() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)


def _disk(home: Path) -> dict[str, int]:
    usage = shutil.disk_usage(home if home.is_dir() else home.anchor)
    return {"free_bytes": usage.free, "total_bytes": usage.total}


def _folder(watch: Any) -> dict[str, Any]:
    return {"path": str(watch.path), "action": watch.action, "style": watch.style, "polling": watch.polling}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: dataclasses and models as objects, paths as text."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
