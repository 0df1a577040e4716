"""From one request file to one accepted job: the way that the spool and a file announced over OSC share.

The file is removed only when the job has been accepted durably, or its refusal has been written; and only if it lies in
the spool's own folder. A file whose job exists already (the daemon was killed between accepting and removing) gives
that job again.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.config import Settings
from bridge.doors.spool.request_file import (
    COMMAND_LINE,
    SpoolRequest,
    UnfinishedFileError,
    id_of,
    read_request_file,
)
from bridge.doors.spool.status_file import StatusFolder
from bridge.protocol import JobStatus
from engine.errors import NrxError

if TYPE_CHECKING:
    from bridge.jobs import Jobs

log = logging.getLogger("nrx.spool")


def spool_folder(settings: Settings) -> Path:
    """Return where the spool is; it holds `new`, `cancel` and `status`."""
    return settings.home / "spool"


class _Hands:
    """Which request files are being taken in this process: by one thread at a time, whatever its door."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._busy: dict[Path, tuple[threading.Lock, int]] = {}

    @contextlib.contextmanager
    def on(self, path: Path, *, wait: bool) -> Iterator[bool]:
        """Hold a file; without `wait` the answer may be False: somebody else holds it."""
        with self._guard:
            lock, users = self._busy.get(path, (threading.Lock(), 0))
            self._busy[path] = (lock, users + 1)
        held = lock.acquire(blocking=wait)
        try:
            yield held
        finally:
            if held:
                lock.release()
            with self._guard:
                lock, users = self._busy.pop(path)
                if users > 1:
                    self._busy[path] = (lock, users - 1)


_hands = _Hands()


class Intake:
    """Takes request files for one door. Thread-safe: it holds no state of its own."""

    def __init__(self, settings: Settings, jobs: "Jobs", door: str) -> None:
        self._settings = settings
        self._jobs = jobs
        self._door = door
        self._own_folder = spool_folder(settings) / "new"
        self.statuses = StatusFolder(spool_folder(settings) / "status")

    def announce(self, path: Path) -> None:
        """Write `received` for a file, unless its id belongs to a job already, or it is taken or being taken."""
        with _hands.on(path, wait=False) as held:
            if held and path.is_file() and self.known(path.stem) is None:
                self.statuses.received(path.stem)

    def known(self, job_id: str) -> JobStatus | None:
        """Return the job of that id, if there is one."""
        try:
            return self._jobs.get(job_id)
        except NrxError:
            return None

    def take(
        self,
        path: Path,
        *,
        finished: bool,
        check: Callable[[SpoolRequest], SpoolRequest] = lambda asked: asked,
    ) -> JobStatus:
        """Read a request file and submit it.

        Args:
            path: the request file.
            finished: whether its writer has closed it, so that broken JSON is an error and not a beginning.
            check: what else a door demands; it may return the request with resolved paths.

        The spool and a file announced over OSC may take the same file at the same time. Whoever comes second finds it
        gone, and gets what the first one got: the job, or why it was refused.

        Raises:
            UnfinishedFileError: if it is no JSON and `finished` is False; nothing has been done then.
            NrxError: why it was refused; the status file says the same.
        """
        job_id = id_of(path)
        with _hands.on(path, wait=True):
            return self._take(path, job_id, check, finished=finished)

    def _take(
        self, path: Path, job_id: str, check: Callable[[SpoolRequest], SpoolRequest], *, finished: bool
    ) -> JobStatus:
        known = self.known(job_id)
        if not path.exists():
            return self._taken(path, job_id)
        try:
            asked = check(self._read(path, finished=finished))
            status = self._jobs.submit(
                asked.request,
                door=COMMAND_LINE if asked.client == COMMAND_LINE else self._door,
                job_id=job_id,
                out=None if asked.out is None else Path(asked.out).expanduser(),
                priority=asked.priority,
            )
        except (UnfinishedFileError, NrxError) as error:
            if isinstance(error, NrxError):
                self._refuse(path, job_id, known, error)
            raise
        except Exception as error:
            log.exception("The request file %s could not be taken", path)
            told = NrxError(
                "internal", f"NRX Bridge failed on the request {job_id}: {type(error).__name__}: {error}."
            )
            self._refuse(path, job_id, known, told)
            raise told from error
        if known is not None:
            self.statuses.show(status)
        self._remove(path)
        return status

    def _taken(self, path: Path, job_id: str) -> JobStatus:
        """Return the job of a file that is gone: somebody else has taken it.

        Raises:
            NrxError: why it was refused, or `input.not_found` if it never was.
        """
        job = self.known(job_id)
        if job is not None:
            return job
        said = self.statuses.read(job_id) if path.parent == self._own_folder else None
        if said is not None and said.error is not None:
            raise NrxError(said.error.code, said.error.sentence)
        raise NrxError(
            "input.not_found", f'There is no request file "{path.name}"; write it before you announce it.'
        )

    def _read(self, path: Path, *, finished: bool) -> SpoolRequest:
        try:
            return read_request_file(path, self._settings)
        except UnfinishedFileError as error:
            if not finished:
                raise
            raise NrxError("request.invalid", f'The file "{path.name}" is not JSON: {error}.') from None

    def _refuse(self, path: Path, job_id: str, known: JobStatus | None, error: NrxError) -> None:
        """Write why a file of the spool's own was refused; a file elsewhere leaves no traces here."""
        if path.parent != self._own_folder:
            return
        job = known or self.known(job_id)
        if job is None:
            self.statuses.refused(job_id, error)
        else:
            self.statuses.refused_again(job, error)
        self._remove(path)

    def _remove(self, path: Path) -> None:
        if path.parent == self._own_folder:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
