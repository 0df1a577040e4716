"""`Jobs`: all that a door needs of the queue. Every method may be called from any thread, and waits until it is done.

    jobs = Jobs(settings)
    jobs.start()
    status = jobs.submit(request, door="http")     # durable when it returns
    stop = jobs.subscribe(lambda event: ...)       # accepted, running, progress, succeeded, …
    jobs.close()

The same request twice is one job. With an id or key of the client's own it stays that job for ever; the same id with
another request is a conflict. Without one, the content decides: as long as a job of the same content waits or runs, or
its return is still where it was put, that job is the answer. (Who wants another take asks with another seed.) A failed
or cancelled job, or a return that was removed, does not stand in the way of a new one.
"""

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from uuid import uuid4

from bridge.config import Settings
from bridge.inputs import RegisteredInput, Snapshots
from bridge.jobs import worker
from bridge.jobs.events import EventHub, Listener
from bridge.jobs.identity import body_of, fingerprint_of
from bridge.jobs.model import Accepted, JobPage, NewJob, Snapshot
from bridge.jobs.opening import shown_path, with_shown_names
from bridge.jobs.pool import WorkerInfo, WorkerPool
from bridge.jobs.settling import settle
from bridge.jobs.store import JobStore
from bridge.jobs.sweep import KEEP_INPUTS_S, sweep_leftovers, take_up
from bridge.protocol import JobEvent, JobStatus, Request
from engine.errors import NrxError

if TYPE_CHECKING:
    from engine.audio import AudioInfo

STORE_FILE = "jobs.db"
INPUTS_FOLDER = "inputs"
KEEP_EVENTS, KEEP_PROGRESS = 100_000, 20_000
HOUSEKEEPING_S = 600.0
LARGEST_PAGE = 1000
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LONGEST_KEY = 256


class Jobs:
    """The queue, its workers and its events, as one object.

    Args:
        settings: folders, limits, workers.
        entry: what worker processes run; tests give one that dies in the middle.

    Raises:
        NrxError: `store.network`, `output.not_writable`, `internal` from opening the store.
    """

    def __init__(self, settings: Settings, entry: worker.Entry = worker.main) -> None:
        self.settings = settings
        self._hub = EventHub()
        self._store = JobStore(settings.home / STORE_FILE, settings.jobs, self._hub.publish)
        self._snapshots = Snapshots(settings.home / INPUTS_FOLDER)
        self._pool = WorkerPool(settings, self._store, entry)
        self._closing = threading.Event()
        self._housekeeper = threading.Thread(target=self._keep_house, name="nrx-housekeeping", daemon=True)

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Take up what an earlier daemon left, sweep its leftovers, and start the workers."""
        take_up(self._store)
        self._snapshots.root.mkdir(
            parents=True, exist_ok=True
        )  # devices that cannot make folders record into it
        sweep_leftovers(self.settings, self._store.parents())
        self._pool.start()
        self._housekeeper.start()

    def close(self) -> None:
        """Give running jobs back to the queue, end the workers, close the store. Takes a few seconds at most."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._pool.stop()
        if self._housekeeper.is_alive():
            self._housekeeper.join()
        self._store.close()
        self._hub.close()

    # -- asking ------------------------------------------------------------------------------------------------------

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
        """Accept a request: when this returns, the job and its inputs are on the disk.

        The answer may be a job that was there already, in any state (see above).

        Args:
            request: what is asked; inputs are copied, and may change afterwards.
            door: how it came.
            job_id: an id that the client has chosen, of letters, digits, "_" and "-", at most 64.
            key: the client's idempotency key, any text of at most 256 characters.
            out: the folder in which the return's folder is made; default `NRX_HOME/returns`.
            priority: higher ones run first.

        Raises:
            NrxError: any `input.*`, `request.*`, `style.unknown`, `preset.invalid`; `output.disk_full`.
        """
        return self.accept(request, door=door, job_id=job_id, key=key, out=out, priority=priority).status

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
        """Do what `submit` does, and tell whether the job is new."""
        found = self._known(request, job_id, key)
        if found is not None:
            return found
        accepted = self._store.accept(
            self._checked(request, door=door, job_id=job_id, key=key, out=out, priority=priority)
        )
        self._pool.poke()
        return accepted

    def begin_accept(
        self, request: Request, *, door: str, key: str | None = None, priority: int = 0
    ) -> "Future[Accepted]":
        """Check a request at once, and return a future that is done, or raises, when the job is on the disk.

        Who accepts many requests hands them over one after the other, and one sync of the disk does for all.

        Raises:
            NrxError: as `submit`, but for `request.conflict` and `output.*`, which the future raises.
        """
        found = self._known(request, None, key)
        if found is not None:
            there: Future[Accepted] = Future()
            there.set_result(found)
            return there
        accepting = self._store.begin_accept(
            self._checked(request, door=door, job_id=None, key=key, out=None, priority=priority)
        )
        accepting.add_done_callback(lambda _done: self._pool.poke())
        return accepting

    def _known(self, request: Request, job_id: str | None, key: str | None) -> Accepted | None:
        """Return the job of an id or key where its inputs are gone: who asks again may have cleared up meanwhile."""
        _check_names(job_id, key)
        client_key = _client_key(job_id, key)
        if client_key is None or not _inputs_are_gone(request):
            return None
        found = self._store.find(job_id, client_key)
        return Accepted(found[0], False) if found is not None and found[1] == request else None

    def _checked(
        self,
        request: Request,
        *,
        door: str,
        job_id: str | None,
        key: str | None,
        out: Path | None,
        priority: int,
    ) -> NewJob:
        """Snapshot the inputs of a request, check all of it, and return the job that it asks for."""
        if request.project is not None:
            from bridge.projects.rebuild import settled

            request = settled(request)
        parent = (out.expanduser() if out is not None else self.settings.returns_folder).absolute()
        snapshots = tuple(
            Snapshot(item, self._snapshots.take(Path(item.path).expanduser(), item.name))
            for item in request.inputs
        )
        length_s = self._check(request, snapshots)
        body = body_of(request, snapshots, parent)
        return NewJob(
            id=job_id or uuid4().hex[:12],
            client_key=_client_key(job_id, key),
            body=body,
            fingerprint=fingerprint_of(body),
            request=request,
            snapshots=snapshots,
            parent=parent,
            title=title_of(request, snapshots),
            door=door,
            priority=max(-1000, min(1000, priority)),
            length_s=length_s,
        )

    def register_input(self, source: Path | BinaryIO, name: str) -> RegisteredInput:
        """Keep a file, or what a stream gives, so that requests can name it by `path` without its being copied again.

        Raises:
            NrxError: any `input.*` for a file that cannot be copied; `output.disk_full`, `output.not_writable`.
        """
        if isinstance(source, Path):
            return self._snapshots.take(source, name)
        return self._snapshots.receive(source, name, int(self.settings.http.upload_max_gb * 1e9))

    def _check(self, request: Request, snapshots: tuple[Snapshot, ...]) -> float:
        """Refuse what cannot work, by headers; return the length of the audio in seconds."""
        from bridge.backends import names_a_path
        from bridge.recipes import prepare
        from engine.actions.model import SourceFile

        own = names_a_path(request)
        if own is not None:
            raise NrxError(
                "request.forbidden",
                f"A daemon takes models by name, and {own} is a path; `nrx models fetch {own}` gives it a name.",
            )

        try:
            opened = tuple(
                SourceFile(
                    item.file.path,
                    _probed(
                        item.file.path,
                        item.file.bytes,
                        int(self.settings.input_max_gb * 1e9),
                        item.given.role,
                    ),
                    item.file.sha256,
                    item.given.role,
                    shown_path(item),
                )
                for item in snapshots
            )
            if request.project is None:
                prepare(request, self.settings, opened)
            else:
                from bridge.projects.rebuild import TrackToBuild

                track = TrackToBuild.of(request, self.settings, opened)
                _, _, opened = promised = track.promised(request, self.settings)
                prepare(*promised)
        except NrxError as error:
            raise with_shown_names(error, snapshots) from None
        if opened:
            return max(source.info.duration_s or 0.0 for source in opened)
        return request.duration_s or 30.0

    # -- reading -----------------------------------------------------------------------------------------------------

    def get(self, job_id: str) -> JobStatus:
        """Return where a job stands; raises `job.unknown`."""
        return self._store.get(job_id)

    def list(
        self,
        *,
        state: str | None = None,
        search: str | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> JobPage:
        """Return a page of jobs, newest first; `before` is the `next` of the page before.

        Raises:
            NrxError: `request.invalid` for a state or page that there is not.
        """
        return self._store.page(
            state=state, search=search, limit=max(1, min(LARGEST_PAGE, limit)), before=before
        )

    def request_of(self, job_id: str) -> Request:
        """Return what a job was asked; raises `job.unknown`."""
        return self._store.request_of(job_id)

    def inputs_of(self, job_id: str) -> tuple[Snapshot, ...]:
        """Return a job's inputs as they were accepted (`.file.path` may be swept long after the job); `job.unknown`."""
        return self._store.snapshots_of(job_id)

    def events_after(self, last_id: int, limit: int = 500) -> tuple[JobEvent, ...]:
        """Return the events after the last one that a client has seen, oldest first."""
        return self._store.events_after(last_id, limit)

    def last_event_id(self) -> int:
        """Return the id of the newest event."""
        return self._store.last_event_id()

    def subscribe(self, callback: Listener) -> Callable[[], None]:
        """Have `callback` called with each event, in order, on the event thread; it must not block.

        Returns what ends the subscription. To miss none: subscribe, then read `events_after`, and skip ids seen.
        """
        return self._hub.subscribe(callback)

    def workers(self) -> tuple[WorkerInfo, ...]:
        """Return the worker processes."""
        return self._pool.workers()

    # -- changing ----------------------------------------------------------------------------------------------------

    def cancel(self, job_id: str) -> JobStatus:
        """Cancel a job: at once if it waits, within two seconds if it runs (`cancelling` until then).

        Raises:
            NrxError: `job.unknown`; `job.state` if it has succeeded or failed.
        """
        status, token = self._store.cancel(job_id)
        if token is not None:
            self._pool.halt(token)
        return status

    def retry(self, job_id: str) -> JobStatus:
        """Queue a failed or cancelled job again.

        Raises:
            NrxError: `job.unknown`, `job.state`; `input.not_found` if the copy of its input has been swept.
        """
        for item in self._store.snapshots_of(job_id):
            if not item.file.path.is_file():
                raise NrxError(
                    "input.not_found",
                    f'The copy of "{item.file.name}" that job {job_id} worked on is not kept any more; '
                    "send the file again.",
                )
        status = self._store.retry(job_id)
        self._pool.poke()
        return status

    def delete(self, job_id: str, *, files: bool) -> None:
        """Forget a job; with `files` remove its return too.

        Raises:
            NrxError: `job.unknown`, `job.state` while it runs; `output.not_writable` if the return cannot be removed.
        """
        status = self._store.get(job_id)
        if status.state == "running":
            raise NrxError("job.state", f"The job {job_id} is running; cancel it before deleting it.")
        if files and status.folder is not None:
            settle(job_id, None, Path(status.folder), keep=False)
        self._store.delete(job_id)

    def set_priority(self, job_id: str, priority: int) -> JobStatus:
        """Move a waiting job: higher priorities run first.

        Raises:
            NrxError: `job.unknown`, `job.state` if it has ended, `request.invalid` outside -1000 to 1000.
        """
        if not -1000 <= priority <= 1000:
            raise NrxError(
                "request.invalid", f"The priority {priority} is refused: it must be from -1000 to 1000."
            )
        return self._store.set_priority(job_id, priority)

    def pause(self) -> None:
        """Hold waiting jobs back; running ones go on. It outlives the daemon."""
        self._store.set_paused(paused=True)

    def resume(self) -> None:
        """Let waiting jobs run again."""
        self._store.set_paused(paused=False)
        self._pool.poke()

    @property
    def paused(self) -> bool:
        """Whether the queue is held back."""
        return self._store.paused

    # -- housekeeping ------------------------------------------------------------------------------------------------

    def _keep_house(self) -> None:
        import_module("bridge.recipes")
        for action in ("remix", "separate", "generate", "mix", "master", "sync", "analyze"):
            import_module(f"engine.actions.{action}")  # so that the first request does not wait for it
        while not self._closing.wait(HOUSEKEEPING_S):
            self._store.prune_events(keep=KEEP_EVENTS, keep_progress=KEEP_PROGRESS)
            self._snapshots.sweep(self._store.used_snapshots(time.time() - KEEP_INPUTS_S))


@lru_cache(maxsize=4096)
def _probed(path: Path, size_bytes: int, max_bytes: int, role: str | None) -> "AudioInfo":
    """Read the header of a snapshot, once: what is named by its hash does not change."""
    from engine.audio import Limits, probe

    info = probe(path)
    Limits(max_bytes=max_bytes).check(info)
    return info


def title_of(request: Request, snapshots: tuple[Snapshot, ...]) -> str:
    """Return what people call a job: its project's track, the names of its inputs, or its words."""
    if request.project is not None:
        return request.project.name
    if snapshots:
        more = f" and {len(snapshots) - 1} more" if len(snapshots) > 1 else ""
        return f"{Path(snapshots[0].file.name).stem}{more}"
    return request.prompt or request.stem or request.style or request.action


def _check_names(job_id: str | None, key: str | None) -> None:
    if job_id is not None and not _ID.fullmatch(job_id):
        raise NrxError(
            "request.invalid",
            f"The id {job_id[:80]!r} is refused: it must be 1 to 64 letters, digits, '_' or '-'.",
        )
    if key is not None and not 1 <= len(key) <= _LONGEST_KEY:
        raise NrxError("request.invalid", f"The key is refused: it must have 1 to {_LONGEST_KEY} characters.")


def _client_key(job_id: str | None, key: str | None) -> str | None:
    """Return what the store knows a client's own id or key by."""
    return f"key:{key}" if key is not None else f"id:{job_id}" if job_id is not None else None


def _inputs_are_gone(request: Request) -> bool:
    return any(not Path(item.path).expanduser().exists() for item in request.inputs)
