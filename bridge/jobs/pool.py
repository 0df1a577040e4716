"""Runs jobs in worker processes, and knows at any time which process holds which job.

One thread does everything here: it hears the workers, gives jobs to idle ones, and looks after leases. A worker's beat
renews its lease; during one long call into native code, which cannot beat, the lease is renewed while the process's
processor time grows. A worker whose lease has lapsed is killed, and only when it is gone is the job given to another;
what it had half-made is taken away by a rename, so that even a process that cannot be killed can publish nothing.
"""

import contextlib
import logging
import multiprocessing
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from bridge.config import Settings
from bridge.jobs import processes, worker
from bridge.jobs.deaths import Deaths
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
    Stop,
    ToWorker,
)
from bridge.jobs.model import Claim, Published
from bridge.jobs.settling import settle
from bridge.jobs.store import JobStore, LeaseLost
from bridge.jobs.terminal import signals_held_back
from engine.errors import Cancelled, NrxError
from engine.stages import StageCache

HALT_PATIENCE_S = 1.0
"""A job that has not stopped this long after it was asked to is stopped by ending its process."""
STOP_PATIENCE_S = 3.0
"""The same when the daemon ends."""
GONE_PATIENCE_S = 10.0
BUSY_SHARE = 0.02
"""A process that uses more than this share of a processor is at work."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
"""Before a worker is started again that ended before it was ready; the pause doubles."""
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Held:
    """A job in a worker's hands. Times are those of the monotonic clock."""

    claim: Claim
    lease_until: float
    cpu_s: float
    cpu_looked_at: float
    has_begun: bool = False
    staging: Path | None = None
    target: Path | None = None
    stop: Stop | None = None
    kill_at: float | None = None


@dataclass(slots=True)
class _Worker:
    """A worker process."""

    process: BaseProcess
    pipe: Connection
    pid: int
    started: float = 0.0
    is_ready: bool = False
    held: _Held | None = None
    lapsed: bool = False
    starved: str | None = None


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """A worker as doors show it."""

    pid: int
    ready: bool
    job_id: str | None
    resident_bytes: int | None


@dataclass(slots=True)
class _Place:
    """A place for a worker: at most one process at a time, started again after it has ended."""

    worker: _Worker | None = None
    start_at: float = 0.0
    pause_s: float = FIRST_PAUSE_S


@dataclass(slots=True)
class _Wakes:
    """Wakes the pool's thread from others."""

    reading: Connection
    writing: Connection
    lock: threading.Lock = field(default_factory=threading.Lock)

    def wake(self) -> None:
        """Have the thread look around; does not wait for it."""
        with self.lock, contextlib.suppress(OSError):
            if not self.reading.poll():
                self.writing.send_bytes(b"!")


class WorkerPool:
    """The worker processes of a daemon.

    Args:
        settings: how many workers, and how long a lease lasts.
        store: whose jobs they run.
        entry: what a worker process runs; tests give one that dies in the middle.
    """

    def __init__(self, settings: Settings, store: JobStore, entry: worker.Entry = worker.main) -> None:
        self._settings, self._store, self._entry = settings, store, entry
        self._lease_s = settings.jobs.lease_s
        self._context = multiprocessing.get_context("spawn")
        self._places = [_Place() for _ in range(settings.jobs.workers)]
        self._wakes = _Wakes(*multiprocessing.Pipe(duplex=False))
        self._deaths = Deaths()
        self._has_work = True
        self._halts: list[tuple[str, Stop]] = []
        self._halts_lock = threading.Lock()
        self._unsaid: list[Callable[[], object]] = []
        self._stop_by: float | None = None
        self._thread = threading.Thread(target=self._run, name="nrx-pool", daemon=True)

    def start(self) -> None:
        """Start the workers; they take jobs as soon as they are ready."""
        self._thread.start()

    def stop(self) -> None:
        """Give running jobs back to the queue, and end the workers."""
        if self._stop_by is None:
            self._stop_by = time.monotonic() + STOP_PATIENCE_S
        self._wakes.wake()
        if self._thread.is_alive():
            self._thread.join()

    def poke(self) -> None:
        """Say that there may be work."""
        if not self._has_work and not self._store.paused:  # resuming pokes; else it is known already
            self._has_work = True
            self._wakes.wake()

    def halt(self, token: str) -> None:
        """Have a running job cancelled."""
        with self._halts_lock:
            self._halts.append((token, "cancel"))
        self._wakes.wake()

    def workers(self) -> tuple[WorkerInfo, ...]:
        """Return the workers as they are now."""
        found = [place.worker for place in self._places]
        return tuple(
            WorkerInfo(
                one.pid,
                one.is_ready,
                one.held.claim.job_id if one.held is not None else None,
                processes.resident_bytes(one.pid),
            )
            for one in found
            if one is not None
        )

    # -- the thread --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        looked_at = time.monotonic()
        while True:
            try:
                if self._stop_by is not None and self._all_ended():
                    return
                late_s = time.monotonic() - looked_at - self._lease_s / worker.BEATS_PER_LEASE
                looked_at = time.monotonic()
                if late_s > self._lease_s / 4:
                    self._forgive(late_s)  # this process itself was held up: nobody is to blame for that
                self._fill_places()
                self._give_jobs()
                self._listen(self._patience_s())
                self._take_halts()
                self._look_after()
            except Exception:  # the pool outlives whatever happens to one job
                log.exception("The worker pool met an error")
                self._has_work = True
                time.sleep(FIRST_PAUSE_S)

    def _all_ended(self) -> bool:
        """While stopping: ask workers to give back, end idle ones; True when all are gone."""
        for place in self._places:
            one = place.worker
            if one is None:
                continue
            if one.held is None:
                self._end(place)
            elif one.held.stop is None:
                self._halt_held(one, "give_back", STOP_PATIENCE_S)
        return all(place.worker is None for place in self._places)

    def _end(self, place: _Place) -> None:
        """End an idle worker's process: it leaves by itself when its pipe closes."""
        one, place.worker = place.worker, None
        if one is None:
            return
        one.pipe.close()
        one.process.join(HALT_PATIENCE_S)
        if one.process.is_alive():
            one.process.kill()
            one.process.join(GONE_PATIENCE_S)
        one.process.close()

    def _fill_places(self) -> None:
        """Start a worker wherever one is missing."""
        now = time.monotonic()
        for place in self._places:
            if place.worker is not None or self._stop_by is not None or now < place.start_at:
                continue
            ours, theirs = self._context.Pipe(duplex=True)
            process = self._context.Process(
                target=self._entry, args=(theirs, self._settings), name="nrx-worker", daemon=True
            )
            with signals_held_back():
                process.start()
            theirs.close()
            place.worker = _Worker(process, ours, process.pid or 0)

    def _give_jobs(self) -> None:
        """Give a job to every idle worker, as long as there are any."""
        for place in self._places:
            one = place.worker
            if not self._has_work or self._stop_by is not None:
                return
            if one is None or not one.is_ready or one.held is not None:
                continue
            self._has_work = False  # before the claim: a poke meanwhile is not lost
            claim = self._store.claim(one.pid, one.started)
            if claim is None:
                return
            self._has_work = True
            now = time.monotonic()
            one.held = _Held(claim, now + self._lease_s, processes.cpu_seconds(one.pid) or 0.0, now)
            self._send(one, Run(claim))

    def _listen(self, patience_s: float) -> None:
        """Wait for words or ends of workers, or a wake, and take them."""
        sources: dict[object, _Place] = {}
        for place in self._places:
            if place.worker is not None:
                sources[place.worker.pipe] = place
                sources[place.worker.process.sentinel] = place
        for ready in wait([*sources, self._wakes.reading], patience_s):  # type: ignore[list-item]  # pipes and handles
            if ready is self._wakes.reading:
                while self._wakes.reading.poll():
                    self._wakes.reading.recv_bytes()
                continue
            place = sources[ready]
            if place.worker is not None:
                self._hear(place, place.worker)

    def _hear(self, place: _Place, one: _Worker) -> None:
        """Take all that a worker has said; then, if it has ended, its end."""
        try:
            while one.pipe.poll():
                self._take(place, one, one.pipe.recv())
        except (EOFError, OSError):
            one.process.join(GONE_PATIENCE_S)
        if not one.process.is_alive():
            self._bury(place, one)

    def _patience_s(self) -> float:
        """Return how long nothing needs to be looked at."""
        now = time.monotonic()
        patience_s = self._lease_s / worker.BEATS_PER_LEASE
        for place in self._places:
            held = place.worker.held if place.worker is not None else None
            if held is not None and held.kill_at is not None:
                patience_s = min(patience_s, held.kill_at - now)
            if place.worker is None and self._stop_by is None:
                patience_s = min(patience_s, place.start_at - now)
        return max(0.0, patience_s)

    # -- what workers say --------------------------------------------------------------------------------------------

    def _take(self, place: _Place, one: _Worker, message: FromWorker) -> None:
        held = one.held
        if isinstance(message, Ready):
            one.is_ready, one.started = True, message.started
            place.pause_s = FIRST_PAUSE_S
            return
        if held is None or held.claim.token != message.token:
            return
        held.has_begun = True
        match message:
            case Beat(token, stage, fraction):
                held.lease_until = time.monotonic() + self._lease_s
                self._check(self._store.beat(token, stage, fraction))
            case Ask(token, step, path):
                held.lease_until = time.monotonic() + self._lease_s
                self._send(one, self._answer(held, token, step, path))
            case Done(token, folder, manifest):
                one.held = None
                self._succeed(held, token, Published(folder, manifest))
            case Failed(token, code, sentence):
                one.held = None
                if not self._was_published(held):
                    self._say(lambda: self._store.fail(token, NrxError(code, sentence)))
                self.poke()
            case Starved(_, how):
                one.starved = how
            case Halted(token):
                one.held = None
                if not self._settle_stopped(held):
                    self._say(lambda: self._store.cancelled(token))

    def _answer(self, held: _Held, token: str, step: Step, path: Path) -> Answer:
        """Record a step of a job, unless it is not to go on."""
        if held.stop is not None:
            return Answer("no")
        try:
            if step == "stage_in":
                self._store.stage_in(token, path)
                held.staging, held.target = path, None
            else:
                self._store.publish_at(token, path)
                held.target = path
        except (LeaseLost, Cancelled):
            return Answer("no")
        except NrxError as error:
            return Answer("failed", error)
        return Answer("yes")

    def _succeed(self, held: _Held, token: str, published: Published) -> None:
        def word() -> None:
            try:
                self._store.succeed(token, published)
            except (LeaseLost, Cancelled):
                settle(held.claim.job_id, None, published.folder, keep=False)
                self._store.cancelled(token)

        self._say(word)

    # -- what becomes of workers -------------------------------------------------------------------------------------

    def _bury(self, place: _Place, one: _Worker) -> None:
        """See to what a worker that has ended leaves behind, and have another one started."""
        place.worker = None  # first: whatever goes wrong below, its closed pipe is not listened to again
        code = one.process.exitcode
        one.pipe.close()
        if code is not None:
            one.process.close()
        else:
            log.error("The worker process %d could not be ended", one.pid)
        with contextlib.suppress(OSError):
            StageCache(self._settings.cache_folder, 0).discard_unfinished(one.pid)
        if not one.is_ready:
            log.error("A worker process ended with status %s before it was ready", code)
            place.start_at = time.monotonic() + place.pause_s
            place.pause_s = min(LONGEST_PAUSE_S, place.pause_s * 2)
        if one.held is not None:
            self._settle(one.held, one, code)
            one.held = None
            self.poke()

    def _settle(self, held: _Held, one: _Worker, code: int | None) -> None:
        """Bring a job whose process has ended to its end, or back to the queue."""
        token, job_id = held.claim.token, held.claim.job_id
        if self._settle_stopped(held):
            return
        if one.lapsed:
            self._say(lambda: self._store.lapsed(token))
        elif not held.has_begun:  # it ended for a reason of its own, before it heard of the job
            self._say(lambda: self._store.interrupt(token, "The worker process ended before the job began"))
        elif one.starved is not None:
            how = one.starved
            self._say(lambda: self._store.starved(token, how))
        elif (how_killed := self._deaths.by_memory(code)) is not None:
            self._say(lambda: self._store.starved(token, how_killed))
        else:
            log.error("The worker process of job %s ended with status %s", job_id, code)
            self._say(lambda: self._store.crashed(token, self._deaths.said(code)))

    def _settle_stopped(self, held: _Held) -> bool:
        """Clear up after a job that ended early; False if it was neither published by then nor asked to stop."""
        token = held.claim.token
        if self._was_published(held):
            return True
        if held.stop == "cancel":
            self._say(lambda: self._store.cancelled(token))
        elif held.stop == "give_back":
            self._say(lambda: self._store.give_back(token))
        return held.stop is not None

    def _was_published(self, held: _Held) -> bool:
        """Take away what a job has left; a whole return ends it well, unless it was to be cancelled."""
        published = settle(held.claim.job_id, held.staging, held.target, keep=held.stop != "cancel")
        if published is not None:
            self._succeed(held, held.claim.token, published)
        return published is not None

    def _take_halts(self) -> None:
        with self._halts_lock:
            halts, self._halts = self._halts, []
        for token, why in halts:
            for place in self._places:
                one = place.worker
                if one is not None and one.held is not None and one.held.claim.token == token:
                    self._halt_held(one, why, HALT_PATIENCE_S)

    def _halt_held(self, one: _Worker, why: Stop, patience_s: float) -> None:
        if one.held is None or one.held.stop == "cancel":
            return
        one.held.stop, one.held.kill_at = why, time.monotonic() + patience_s
        self._send(one, Halt(one.held.claim.token, why))

    def _look_after(self) -> None:
        """Kill workers that did not stop when asked; renew or end leases."""
        self._say_again()
        for place in self._places:
            one = place.worker
            if one is None or one.held is None:
                continue
            now = time.monotonic()
            if one.held.kill_at is not None and now >= one.held.kill_at:
                self._kill(place, one)
                continue
            self._watch_cpu(one, one.held, now)
            if now >= one.held.lease_until:
                log.warning("The worker of job %s gave no sign of life", one.held.claim.job_id)
                one.lapsed = True
                self._kill(place, one)

    def _watch_cpu(self, one: _Worker, held: _Held, now: float) -> None:
        """Renew the lease of a worker that computes without being able to say so."""
        spent_s = now - held.cpu_looked_at
        if spent_s < self._lease_s / worker.BEATS_PER_LEASE:
            return
        cpu_s = processes.cpu_seconds(one.pid) or 0.0
        if cpu_s - held.cpu_s > BUSY_SHARE * spent_s:
            held.lease_until = now + self._lease_s
            self._check(self._store.renew(held.claim.token))
        held.cpu_s, held.cpu_looked_at = cpu_s, now

    def _kill(self, place: _Place, one: _Worker) -> None:
        one.process.kill()
        one.process.join(GONE_PATIENCE_S)
        self._hear_last(place, one)
        if place.worker is not None:
            self._bury(place, one)

    def _hear_last(self, place: _Place, one: _Worker) -> None:
        """Take what a worker said before it was killed."""
        with contextlib.suppress(EOFError, OSError):
            while one.pipe.poll():
                self._take(place, one, one.pipe.recv())

    def _forgive(self, late_s: float) -> None:
        for place in self._places:
            if place.worker is not None and place.worker.held is not None:
                place.worker.held.lease_until += late_s

    # -- small things ------------------------------------------------------------------------------------------------

    @staticmethod
    def _send(one: _Worker, message: ToWorker) -> None:
        with contextlib.suppress(OSError):  # it has just ended: its end is seen next
            one.pipe.send(message)

    @staticmethod
    def _check(done: "Future[None]") -> None:
        """Log what a word that nobody waits for failed with."""

        def look(future: "Future[None]") -> None:
            error = future.exception()
            if error is not None and not isinstance(error, LeaseLost):
                log.error("Progress could not be written: %s", error)

        done.add_done_callback(look)

    def _say(self, word: Callable[[], object], *, again: bool = False) -> None:
        """Say to the store how a job went on. What cannot be written now, as on a full disk, is said again later."""
        try:
            word()
        except LeaseLost:
            return  # the job is another's by now
        except Exception:  # a word that is lost would leave the job running for ever
            if not again:
                log.exception("The job store cannot be written, and is asked until it can")
            self._unsaid.append(word)

    def _say_again(self) -> None:
        """Say what could not be written before."""
        unsaid, self._unsaid = self._unsaid, []
        for word in unsaid:
            self._say(word, again=True)
