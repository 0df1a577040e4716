"""What tests of the queue share: tiny requests, a queue in another process that can be killed, and what must hold."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from bridge.config import JobsSettings
from bridge.jobs.store import JobStore
from bridge.protocol import ENDED, JobStatus, Request, parse_request
from tests.faulty_worker import FAULTS

ROOT = Path(__file__).parents[1]


def tiny(seed: int = 0, **fields: Any) -> dict[str, Any]:
    """Return the smallest request that goes through every step: three seconds of bass."""
    return {"action": "generate", "stem": "bass", "bpm": 120, "duration_s": 3, "seed": seed, **fields}


def tiny_request(seed: int = 0, **fields: Any) -> Request:
    return parse_request(tiny(seed, **fields))


def until(condition: Callable[[], Any], timeout_s: float = 120.0, what: str = "it") -> Any:
    """Wait until something holds, and return it."""
    end = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < end, f"waited {timeout_s:g} s in vain for {what}"
        time.sleep(0.05)
    return found


def set_faults(home: Path, faults: Mapping[str, Mapping[str, Any]]) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / FAULTS).write_text(json.dumps(faults))


class OtherQueue:
    """A queue in another process: submit to it, kill it, start it again."""

    def __init__(self, home: Path, **variables: str) -> None:
        self.home = home
        self._environment = {**os.environ, "NRX_HOME": str(home), **variables}
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.queue_runner"],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def submit(self, job_id: str, request: Mapping[str, Any]) -> bool:
        """Return whether the job was accepted: not if the process is dead."""
        assert self.process is not None
        assert self.process.stdin is not None
        try:
            print(json.dumps({"id": job_id, "request": request}), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            return False
        return self._answer() == job_id

    def _answer(self) -> str:
        assert self.process is not None
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def workers(self) -> list[psutil.Process]:
        assert self.process is not None
        try:
            children = psutil.Process(self.process.pid).children()
            return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        except psutil.Error:
            return []

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self._close()

    def end(self) -> int:
        """End it cleanly; return its exit status."""
        assert self.process is not None
        return self._close()

    def _close(self) -> int:
        assert self.process is not None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        status = self.process.wait(30)
        self.process.stdout.close()
        return status


class Observer:
    """Reads a queue's store from outside."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._store: JobStore | None = None

    def jobs(self) -> dict[str, JobStatus]:
        if self._store is None:
            self._store = JobStore(self._home / "jobs.db", JobsSettings())
        return {job.id: job for job in self._store.page(limit=1000).jobs}

    def all_ended(self, count: int) -> bool:
        found = self.jobs()
        return len(found) == count and all(job.state in ENDED for job in found.values())

    def endings(self) -> Counter[tuple[str, str]]:
        """Return how often each job has ended, and how."""
        assert self._store is not None
        return Counter(
            (event.job.id, event.type)
            for event in self._store.events_after(0, 100_000)
            if event.type in ENDED
        )

    def close(self) -> None:
        if self._store is not None:
            self._store.close()


def returns_in(folder: Path) -> Counter[str]:
    """Return how many whole returns of each job lie in a folder; and fail on anything half-made."""
    found: Counter[str] = Counter()
    if folder.is_dir():
        for entry in folder.iterdir():
            assert not entry.name.startswith(".nrx"), f"{entry} was left behind"
            manifest = json.loads((entry / "manifest.json").read_bytes())
            for track in manifest["tracks"]:
                assert (entry / track["file"]).stat().st_size > 44 + 4 * track["frames"] // 2
            assert manifest["folder"] == str(entry)
            found[manifest["id"]] += 1
    return found
