"""Jobs as the HTTP door sees them, in memory, and returns on disk that tests make themselves."""

import hashlib
import io
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile

from bridge.inputs import RegisteredInput
from bridge.jobs.model import Accepted, JobPage, Snapshot
from bridge.protocol import EventType, JobError, JobEvent, JobInput, JobStatus, Manifest, Request
from engine.audio import probe
from engine.errors import NrxError

RATE = 44100


def wav_bytes(seconds: float = 1.0, *, channels: int = 2, rate: int = RATE, hz: float = 220.0) -> bytes:
    """Return a WAV file with a sine."""
    t = np.arange(int(seconds * rate)) / rate
    sound = 0.3 * np.sin(2 * np.pi * hz * t)
    stream = io.BytesIO()
    soundfile.write(stream, np.stack([sound] * channels, axis=1), rate, format="WAV", subtype="PCM_16")
    return stream.getvalue()


class StandInJobs:
    """The whole façade, in memory. `auto` ends each job at once with a return that has all usual files."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.auto = False
        self.fail_with: JobError | None = None
        self.paused = False
        self.asked: dict[str, Request] = {}
        self._jobs: dict[str, JobStatus] = {}
        self._keys: dict[str, str] = {}
        self._events: list[JobEvent] = []
        self._callbacks: list[Callable[[JobEvent], None]] = []
        self._lock = threading.RLock()

    def register_input(self, source: Path | BinaryIO, name: str) -> RegisteredInput:
        data = source.read_bytes() if isinstance(source, Path) else source.read()
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.home / "inputs" / f"{sha256}{Path(name).suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return RegisteredInput(sha256, path, name, len(data))

    def submit(self, request: Request, **named: Any) -> JobStatus:
        return self.accept(request, **named).status

    def inputs_of(self, job_id: str) -> tuple[Snapshot, ...]:
        return tuple(
            Snapshot(item, RegisteredInput("0" * 64, Path(item.path), item.name or "file", 1))
            for item in self.request_of(job_id).inputs
        )

    def accept(
        self,
        request: Request,
        *,
        door: str,
        job_id: str | None = None,
        key: str | None = None,
        out: Path | None = None,
        priority: int = 0,
    ) -> Accepted:
        for item in request.inputs:
            probe(Path(item.path))
        with self._lock:
            if key is not None and key in self._keys:
                known = self._keys[key]
                if self.asked[known] != request:
                    raise NrxError("request.conflict", f"The key {key!a} was used for another request.")
                return Accepted(self._jobs[known], False)
            new_id = job_id or f"job{len(self._jobs) + 1}"
            job = JobStatus(
                id=new_id,
                action=request.action,
                title=request.inputs[0].name or "file" if request.inputs else "words",
                style=request.style,
                door=door,
                state="queued",
                priority=priority,
                created_at=time.time(),
                inputs=tuple(
                    JobInput(name=item.name or "", role=item.role, sha256="0" * 64, bytes=1)
                    for item in request.inputs
                ),
            )
            self._jobs[new_id], self.asked[new_id] = job, request
            if key is not None:
                self._keys[key] = new_id
        self.tell("accepted", new_id)
        if self.fail_with is not None:
            self.tell("failed", new_id, state="failed", error=self.fail_with, finished_at=time.time())
        elif self.auto:
            self.finish(new_id)
        return Accepted(job, True)

    def begin_accept(self, request: Request, **named: Any) -> "Future[Accepted]":
        done: Future[Accepted] = Future()
        done.set_result(self.accept(request, **named))
        return done

    def tell(self, kind: EventType, job_id: str, **changes: object) -> None:
        """Change a job and tell of it."""
        with self._lock:
            job = self._jobs[job_id] = self._jobs[job_id].model_copy(update=changes)
            event = JobEvent(id=len(self._events) + 1, at=time.time(), type=kind, job=job)
            self._events.append(event)
            for callback in self._callbacks:
                callback(event)

    def finish(self, job_id: str, *, seconds: float = 1.0) -> Path:
        """End a job with a return."""
        folder = make_return(self.home / "returns", job_id, self.asked[job_id], seconds=seconds)
        self.tell(
            "succeeded",
            job_id,
            state="succeeded",
            fraction=1.0,
            started_at=self._jobs[job_id].created_at,
            finished_at=time.time(),
            folder=str(folder),
            manifest=str(folder / "manifest.json"),
        )
        return folder

    def get(self, job_id: str) -> JobStatus:
        if job_id not in self._jobs:
            raise NrxError("job.unknown", f"There is no job {job_id[:64]!a}.")
        return self._jobs[job_id]

    def request_of(self, job_id: str) -> Request:
        self.get(job_id)
        return self.asked[job_id]

    def list(
        self,
        *,
        state: str | None = None,
        search: str | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> JobPage:
        jobs = [job for job in reversed(self._jobs.values()) if state in (None, job.state)]
        if before is not None and not (before.isascii() and before.isdigit()):
            raise NrxError("request.invalid", "There is no such page.")
        start = int(before) if before is not None and len(before) < 10 else 0
        states = ("queued", "running", "succeeded", "failed", "cancelled")
        counts = {name: sum(job.state == name for job in self._jobs.values()) for name in states}
        more = str(start + limit) if start + limit < len(jobs) else None
        return JobPage(tuple(jobs[start : start + limit]), more, len(jobs), counts)

    def cancel(self, job_id: str) -> JobStatus:
        if self.get(job_id).state not in ("queued", "running"):
            raise NrxError("job.state", "The job has ended.")
        self.tell("cancelled", job_id, state="cancelled", finished_at=time.time())
        return self.get(job_id)

    def retry(self, job_id: str) -> JobStatus:
        if self.get(job_id).state not in ("failed", "cancelled"):
            raise NrxError("job.state", "The job has not failed.")
        self.tell("retried", job_id, state="queued", finished_at=None, error=None)
        return self.get(job_id)

    def delete(self, job_id: str, *, files: bool) -> None:
        self.get(job_id)
        self.tell("deleted", job_id)
        del self._jobs[job_id]

    def set_priority(self, job_id: str, priority: int) -> JobStatus:
        self.get(job_id)
        self.tell("progress", job_id, priority=priority)
        return self.get(job_id)

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def last_event_id(self) -> int:
        return len(self._events)

    def events_after(self, last_id: int, limit: int = 500) -> tuple[JobEvent, ...]:
        return tuple(self._events[last_id : last_id + limit])

    def subscribe(self, callback: Callable[[JobEvent], None]) -> Callable[[], None]:
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)


def make_return(parent: Path, job_id: str, request: Request, *, seconds: float = 1.0) -> Path:
    """Make a return with two tracks, mix, master, a picture and a manifest."""
    folder = parent / f"Söng {job_id}"
    (folder / "tracks").mkdir(parents=True)
    tracks = []
    for name, kind in (("tracks/a.wav", "generated"), ("mix.wav", "mix"), ("master.wav", "master")):
        data = wav_bytes(seconds)
        (folder / name).write_bytes(data)
        tracks.append(
            {
                "name": name.rpartition("/")[2],
                "role": "other",
                "kind": kind,
                "file": name,
                "start_s": 0.0,
                "start_frame": 0,
                "frames": int(seconds * RATE),
                "sample_rate": RATE,
                "channels": 2,
                "subtype": "PCM_16",
                "colour": "#888888",
                "gain_db": 0.0,
                "muted": False,
            }
        )
    (folder / "overview.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    manifest = Manifest.model_validate(
        {
            "nrx_version": "0",
            "action": request.action,
            "id": job_id,
            "folder": str(folder),
            "created_utc": "2026-01-02T03:04:05+00:00",
            "request": request.model_dump(mode="json"),
            "style": request.style,
            "tracks": tracks,
            "files": {"overview": "overview.png"},
            "loudness": {"master": {"integrated_lufs": -14.0, "true_peak_dbtp": -1.0, "lra_lu": 3.0}},
            "backends": [
                {
                    "stage": "generate",
                    "name": "arranger",
                    "version": "1",
                    "what": "arranged",
                    "licence": "GPL",
                }
            ],
            "stages": [{"stage": "generate", "seconds": 1.5, "cached": False}],
        }
    )
    (folder / "manifest.json").write_text(json.dumps(manifest.model_dump(mode="json")), encoding="utf-8")
    return folder
