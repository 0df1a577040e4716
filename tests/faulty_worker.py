"""A worker process that kills itself, its daemon, or both, at a named point of a named job; for tests of the queue.

`NRX_HOME/faults.json` says {job id: {"point": …, "victim": …, "times": 1, "delay_s": 0}}. Points are a stage's name
(when it begins) or one of `STEPS`; `delay_s` strikes so much later, in the middle of whatever is being done then.
Victims are "worker", "daemon", "both", or what goes wrong instead: "memory", "error", "hang", "busy", "native" (hangs
in one native call that lets no other thread run), "wait" (until the test has made the file `go-<job id>`).
"""

import ctypes
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bridge.config import Settings
from bridge.jobs import worker
from bridge.jobs.messages import Beat, Done, FromWorker
from bridge.returns import folder, write

STEPS = (
    "before staging",
    "staging recorded",
    "staging made",
    "files written",
    "files synced",
    "place recorded",
    "manifest written",
    "renamed",
    "before done",
    "after done",
)
FAULTS = "faults.json"


class Fault:
    """The fault of the job that runs now."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.job_id = ""

    def at(self, point: str) -> None:
        """Die here if the job's fault says so."""
        file = self.home / FAULTS
        faults: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
        fault = faults.get(self.job_id)
        if fault is None or fault["point"] != point:
            return
        for time_of in range(fault.get("times", 1)):
            try:
                (self.home / f"fault-{self.job_id}-{time_of}").touch(exist_ok=False)
            except FileExistsError:
                continue
            break
        else:
            return
        if "delay_s" in fault:
            threading.Timer(fault["delay_s"], self.happen, (fault,)).start()
        else:
            self.happen(fault)

    def happen(self, fault: dict[str, Any]) -> None:
        """Do what the fault is."""
        match fault.get("victim", "worker"):
            case "memory":
                raise MemoryError("no more of it")
            case "error":
                raise ZeroDivisionError("a bug")
            case "hang":
                time.sleep(1e6)
            case "native":
                ctypes.PyDLL(None).sleep(1_000_000)
            case "wait":
                go = self.home / f"go-{self.job_id}"
                while not go.exists():
                    time.sleep(0.01)
            case "busy":  # computes without a word, as a long native call does
                end = time.process_time() + fault["cpu_s"]
                while time.process_time() < end:
                    pass
            case victim:
                if victim in ("daemon", "both"):
                    os.kill(os.getppid(), signal.SIGKILL)
                if victim in ("worker", "both"):
                    os.kill(os.getpid(), signal.SIGKILL)


def main(pipe: Connection, settings: Settings) -> None:
    """Serve as `bridge.jobs.worker.main` does, with faults."""
    fault = Fault(settings.home)

    def around(owner: Any, name: str, before: str | None, after: str | None) -> None:
        inner: Callable[..., Any] = getattr(owner, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if before is not None:
                fault.at(before)
            result = inner(*args, **kwargs)
            if after is not None:
                fault.at(after)
            return result

        setattr(owner, name, wrapped)

    around(worker._PipeLease, "stage_in", "before staging", "staging recorded")
    around(worker._PipeLease, "publish_at", None, "place recorded")
    around(folder.Staging, "__init__", None, "staging made")
    around(folder.Staging, "sync", "files written", "files synced")
    around(folder.Staging, "publish", None, "renamed")
    around(write, "write_manifest", None, "manifest written")
    send = worker.Worker.send
    attempt = worker.Worker._attempt
    stages: set[str] = set()

    def sending(self: worker.Worker, message: FromWorker) -> None:
        if isinstance(message, Beat) and message.stage is not None and message.stage not in stages:
            stages.add(message.stage)
            send(self, message)
            fault.at(message.stage)
            return
        if isinstance(message, Done):
            fault.at("before done")
            send(self, message)
            fault.at("after done")
            return
        send(self, message)

    def attempting(self: worker.Worker, claim: Any) -> FromWorker:
        fault.job_id = claim.job_id
        stages.clear()
        return attempt(self, claim)

    worker.HEAVY = ("bridge.job",)  # the rest when it is needed: a process here rarely lives for two jobs
    worker.Worker.send = sending  # type: ignore[method-assign]
    worker.Worker._attempt = attempting  # type: ignore[method-assign]
    worker.main(pipe, settings)
