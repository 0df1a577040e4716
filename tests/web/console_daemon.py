"""A running daemon as tests of the console speak to it, and what a remix by clicks left to look at."""

import json
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

READY_S = 60.0


@dataclass(frozen=True)
class RunningDaemon:
    """A daemon in a process of its own."""

    home: Path
    url: str
    token: str

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        request = urllib.request.Request(
            self.url + path,
            data=data,
            method=method,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": kind},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def link(self) -> str:
        """A link that signs in once."""
        return str(self.call("POST", "/v2/session/code", b"")["url"])

    def submit(self, action: str, *paths: Path, **fields: Any) -> dict[str, Any]:
        uploads = [
            self.call("POST", f"/v2/uploads?name={quote(path.name)}", path.read_bytes())["id"]
            for path in paths
        ]
        inputs = [{"upload": upload} for upload in uploads]
        job: dict[str, Any] = self.call("POST", "/v2/jobs", {"action": action, "inputs": inputs, **fields})
        return job

    def finished(self, job_id: str) -> dict[str, Any]:
        """Wait for the end of a job."""
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            job: dict[str, Any] = self.call("GET", f"/v2/jobs/{job_id}")
            if job["finished_at"] is not None:
                return job
            time.sleep(0.1)
        raise AssertionError(f"job {job_id} did not end: {job}")


@dataclass(frozen=True)
class Remixed:
    """What was seen while a remix was made by clicks."""

    job_id: str
    manifest: dict[str, Any]
    said: tuple[str, ...]
    fractions: tuple[float, ...]
