"""A worker process: imports everything once, then runs the jobs that it is given, one at a time.

The main thread runs jobs; a second one listens to the daemon, so that a cancel is heard while a stage runs. When the
daemon is gone, the pipe ends and so does the process, at once: what it has half-made is swept by the next daemon, and
nothing can be published without asking. Keyboard and termination signals are for the daemon, which then stops its
workers.
"""

import contextlib
import logging
import math
import os
import queue
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from bridge.config import Settings
from bridge.jobs.messages import (
    Answer,
    Ask,
    Beat,
    Done,
    Failed,
    FromWorker,
    Halt,
    Halted,
    Ready,
    Run,
    Starved,
    Step,
    ToWorker,
)
from bridge.jobs.model import Claim
from bridge.jobs.opening import open_snapshots, with_shown_names
from bridge.jobs.processes import give_way, started_at
from bridge.jobs.terminal import ignore_signals
from bridge.memory import bound_arenas, give_back
from engine.errors import Cancelled, NrxError
from engine.models.warm import WARM
from engine.thrift import sparing_memory

BEATS_PER_LEASE = 4
PROGRESS_HZ = 10.0
HEAVY = (
    "bridge.job",
    "bridge.recipes",
    "bridge.returns.write",
    "bridge.returns.overview",
    "engine.actions.remix",
    "engine.actions.generate",
    "engine.actions.master",
    "engine.actions.mix",
    "engine.actions.sync",
    "engine.analysis.whole",
    "engine.generation.arranger.midi",
    "engine.sync.rubber_band",
    "scipy.signal",
    "soundfile",
    "soxr",
)
log = logging.getLogger(__name__)

Entry = Callable[[Connection, Settings], None]


def main(pipe: Connection, settings: Settings) -> None:
    """Serve the daemon at the other end of `pipe` until it ends."""
    ignore_signals()
    bound_arenas()
    give_way()
    Worker(pipe, settings).serve()


class Worker:
    """The life of a worker process."""

    def __init__(self, pipe: Connection, settings: Settings) -> None:
        self._pipe, self._settings = pipe, settings
        self._sending = threading.Lock()
        self._runs: queue.SimpleQueue[Claim] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._halted: set[str] = set()

    def serve(self) -> None:
        """Import, say so, and run what comes."""
        threading.Thread(target=self._listen, name="nrx-listen", daemon=True).start()
        import_everything()
        self.send(Ready(started_at(os.getpid()) or time.time()))
        while True:
            self._run(self._next())

    def _next(self) -> Claim:
        """Wait for a job; models that are kept warm are let go once nobody has used them for as long as is set."""
        kept_s = self._settings.models.keep_warm_s
        while WARM.let_go(kept_s):
            with contextlib.suppress(queue.Empty):
                return self._runs.get(timeout=kept_s / 4)
        return self._runs.get()

    def send(self, message: FromWorker) -> None:
        """Tell the daemon; ends the process if there is none."""
        try:
            with self._sending:
                self._pipe.send(message)
        except OSError:
            os._exit(0)

    def ask(self, token: str, step: Step, path: Path) -> None:
        """Ask for a step and wait for the answer.

        Raises:
            Cancelled: the job is to stop, or is not this worker's any more.
            NrxError: the step could not be recorded.
        """
        self.send(Ask(token, step, path))
        answer = self._answers.get()
        if answer.error is not None:
            raise answer.error
        if answer.allowed != "yes":
            raise Cancelled

    def is_halted(self, token: str) -> bool:
        """Return whether the daemon has asked to stop the job."""
        return token in self._halted

    def _listen(self) -> None:
        while True:
            try:
                message: ToWorker = self._pipe.recv()
            except (EOFError, OSError):
                os._exit(0)
            match message:
                case Run(claim):
                    self._runs.put(claim)
                case Answer():
                    self._answers.put(message)
                case Halt(token):
                    self._halted.add(token)

    def _run(self, claim: Claim) -> None:
        """Run one job and say how it ended."""
        out_of_memory = False
        try:
            with sparing_memory(claim.thrift):
                ended = self._attempt(claim)
        except MemoryError as error:
            out_of_memory = True
            ended = Starved(claim.token, str(error) or "the system gave no more memory")
        self._halted.discard(claim.token)
        self.send(ended)
        if out_of_memory:
            self._pipe.close()
            os._exit(0)
        give_back()

    def _attempt(self, claim: Claim) -> FromWorker:
        from bridge.job import Job

        lease = _PipeLease(self, claim.token)
        beats = Beats(self.send, claim.token, self._settings.jobs.lease_s / BEATS_PER_LEASE)
        beats.alive()  # from here on, what becomes of this process is the job's doing
        try:
            job = Job(
                claim.request,
                self._settings,
                claim.parent,
                job_id=claim.job_id,
                opened=open_snapshots(claim.snapshots, self._settings),
                lease=lease,
                notes=claim.notes,
                on_progress=beats.progress,
                is_cancelled=lambda: beats.alive() or self.is_halted(claim.token),
            )
            manifest = job.run()
            return Done(claim.token, Path(manifest.folder), Path(manifest.folder) / "manifest.json")
        except Cancelled:
            return Halted(claim.token)
        except NrxError as error:
            said = with_shown_names(error, claim.snapshots)
            return Failed(claim.token, said.code, said.sentence)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a job's error must not end the worker
            file = keep_details(self._settings.home, claim.job_id, error)
            return Failed(
                claim.token,
                "internal",
                f"nrx made an error ({type(error).__name__}); the details are in {file}: please report it with them.",
            )


class _PipeLease:
    """The lease as the job sees it: each step is asked of the daemon."""

    def __init__(self, worker: Worker, token: str) -> None:
        self._worker, self._token = worker, token

    def stage_in(self, staging: Path) -> None:
        """Record the staging folder."""
        self._worker.ask(self._token, "stage_in", staging)

    def publish_at(self, target: Path) -> None:
        """Record the place of the return."""
        self._worker.ask(self._token, "publish_at", target)


class Beats:
    """Signs of life from inside the stages: progress at most ten times a second, else a beat now and then."""

    def __init__(self, send: Callable[[FromWorker], None], token: str, every_s: float) -> None:
        self._send, self._token, self._every_s = send, token, every_s
        self._stage: str | None = None
        self._fraction = 0.0
        self._sent_at = -math.inf
        self._lock = threading.Lock()

    def progress(self, stage: str, fraction: float) -> None:
        """Tell a stage and the fraction of the whole job."""
        with self._lock:
            is_new = stage != self._stage
            self._stage, self._fraction = stage, fraction
            if is_new or time.monotonic() - self._sent_at >= 1 / PROGRESS_HZ:
                self._beat()

    def alive(self) -> bool:
        """Tell that the work goes on, if that was not told lately. Always False, to stand in a condition."""
        if time.monotonic() - self._sent_at >= self._every_s:
            with self._lock:
                self._beat()
        return False

    def _beat(self) -> None:
        self._sent_at = time.monotonic()
        self._send(Beat(self._token, self._stage, self._fraction))


def import_everything() -> None:
    """Import what jobs need, so that none waits for it."""
    from importlib import import_module

    for name in HEAVY:
        import_module(name)


def keep_details(home: Path, job_id: str, error: BaseException) -> Path:
    """Write an error's traceback to a file in `NRX_HOME/logs`, and return its path."""
    file = home / "logs" / f"error-{time.strftime('%Y%m%d-%H%M%S')}-{job_id}.txt"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    except OSError:
        log.exception("The details of an error could not be kept")
    return file
