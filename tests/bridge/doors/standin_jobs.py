"""Jobs as doors see them, in memory: accepts, remembers, tells of events, and ends jobs when a test says so."""

import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bridge.protocol import EventType, JobError, JobEvent, JobInput, JobStatus, Request
from engine.audio import probe
from engine.errors import NrxError


class StandInJobs:
    """The part of the façade that the spool, the watched folders and OSC use."""

    def __init__(self) -> None:
        self.jobs: dict[str, JobStatus] = {}
        self.requests: dict[str, Request] = {}
        self.asked: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, str] = {}
        self.refuse: NrxError | None = None
        self.slow = threading.Event()
        self.slow.set()
        self._callbacks: list[Callable[[JobEvent], None]] = []
        self._events = 0
        self._lock = threading.RLock()

    def submit(
        self,
        request: Request,
        *,
        door: str,
        job_id: str | None = None,
        key: str | None = None,
        out: Path | None = None,
        priority: int = 0,
    ) -> JobStatus:
        self.slow.wait(20)
        if self.refuse is not None:
            raise self.refuse
        inputs = []
        for item in request.inputs:
            probe(Path(item.path))
            data = Path(item.path).read_bytes()
            name = item.name or Path(item.path).name
            inputs.append(
                JobInput(name=name, role=item.role, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
            )
        with self._lock:
            known = job_id if job_id in self.jobs else self.keys.get(key or "")
            if known is not None:
                if self.requests[known] != request:
                    raise NrxError("request.conflict", f"The id {known} is another request's.")
                return self.jobs[known]
            new_id = job_id or f"job{len(self.jobs) + 1}"
            job = JobStatus(
                id=new_id,
                action=request.action,
                title=inputs[0].name if inputs else "words",
                style=request.style,
                door=door,
                state="queued",
                priority=priority,
                created_at=time.time(),
                inputs=tuple(inputs),
            )
            self.jobs[new_id], self.requests[new_id] = job, request
            self.asked[new_id] = {"door": door, "key": key, "out": out, "priority": priority}
            if key is not None:
                self.keys[key] = new_id
        self._tell("accepted", job)
        return job

    def get(self, job_id: str) -> JobStatus:
        try:
            return self.jobs[job_id]
        except KeyError:
            raise NrxError("job.unknown", f"There is no job {job_id}.") from None

    def cancel(self, job_id: str) -> JobStatus:
        job = self.get(job_id)
        if job.state in ("succeeded", "failed"):
            raise NrxError("job.state", f"The job {job_id} has ended.")
        error = JobError(code="cancelled", sentence="The job was cancelled.")
        return self.change(job_id, "cancelled", state="cancelled", error=error)

    def subscribe(self, callback: Callable[[JobEvent], None]) -> Callable[[], None]:
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def change(self, job_id: str, what: EventType, **values: Any) -> JobStatus:
        """Change a job and tell of it, as a worker would."""
        job = self.jobs[job_id] = self.jobs[job_id].model_copy(update=values)
        self._tell(what, job)
        return job

    def run(self, job_id: str, stage: str, fraction: float) -> JobStatus:
        return self.change(job_id, "progress", state="running", stage=stage, fraction=fraction, left_s=3.0)

    def succeed(self, job_id: str, manifest: str) -> JobStatus:
        return self.change(job_id, "succeeded", state="succeeded", fraction=1.0, manifest=manifest)

    def fail(self, job_id: str, code: str, sentence: str) -> JobStatus:
        return self.change(job_id, "failed", state="failed", error=JobError(code=code, sentence=sentence))

    def wait_for(self, count: int, timeout_s: float = 60.0) -> list[str]:
        """Wait until so many jobs were accepted, and return their ids."""
        wait_until(lambda: len(self.jobs) >= count, timeout_s)
        return list(self.jobs)

    def _tell(self, what: EventType, job: JobStatus) -> None:
        with self._lock:
            self._events += 1
            event = JobEvent(id=self._events, at=time.time(), type=what, job=job)
            for callback in list(self._callbacks):
                callback(event)


def wait_until(holds: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait until something holds, for a generous time that only a failure uses up."""
    end = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > end:
            raise AssertionError("what was waited for did not come")
        time.sleep(0.01)
