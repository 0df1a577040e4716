"""`SpoolDoor`: watches `$NRX_HOME/spool` and keeps the status files.

New files are seen through the system's own notices where it gives them, and by looking every half second in any case.
`received` is written as soon as a file is seen; hashing and accepting happen on a second thread, so that a large input
keeps nobody else waiting. At start the door takes what lies there and brings the status files of the last run up to
date. Every job that came as a request file has a status file, also one that was announced over OSC.
"""

import contextlib
import logging
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.config import Settings
from bridge.doors.spool.board import StatusBoard
from bridge.doors.spool.intake import Intake, spool_folder
from bridge.doors.spool.request_file import COMMAND_LINE, ID, UnfinishedFileError, no_id
from bridge.doors.spool.wakes import wake
from bridge.protocol import JobEvent
from engine.errors import NrxError

if TYPE_CHECKING:
    from bridge.jobs import Jobs

RESCAN_S = 0.5
UNFINISHED_S = 2.0
"""For how long a file that is no JSON may still be in the writing."""
KEEP_STATUS_S = 7 * 86400.0
KEEP_LEFTOVERS_S = 86400.0
SWEEP_EVERY_S = 3600.0
DOORS = ("spool", "osc", COMMAND_LINE)
"""Jobs of these doors have status files."""

log = logging.getLogger("nrx.spool")


class SpoolDoor:
    """The door for scripts that can only write and read files. `start`, then `stop`; both may be called twice."""

    def __init__(self, settings: Settings, jobs: "Jobs", *, rescan_s: float = RESCAN_S) -> None:
        self._jobs = jobs
        self._rescan_s = rescan_s
        self._intake = Intake(settings, jobs, "spool")
        self._board = StatusBoard(self._intake.statuses)
        root = spool_folder(settings)
        self.new, self.cancel, self.status = root / "new", root / "cancel", root / "status"
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._waiting: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._in_hand: set[str] = set()
        self._next_sweep = 0.0
        self._threads: list[threading.Thread] = []
        self._unsubscribe: Callable[[], None] = lambda: None
        self._end_notices: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Make the folders, take up what the last run left, and begin to watch."""
        if self._threads:
            return
        for folder in (self.new.parent, self.new, self.cancel, self.status):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._stopping.clear()
        self._board.start()
        self._unsubscribe = self._jobs.subscribe(self._on_event)
        self._bring_up_to_date()
        self._end_notices = _notices((self.new, self.cancel), self._wake.set)
        for name, run in (("nrx-spool", self._watch), ("nrx-spool-intake", self._take_all)):
            thread = threading.Thread(target=run, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End within 2 seconds; a request that is being hashed then is still there, and taken at the next start."""
        if not self._threads:
            return
        self._stopping.set()
        self._wake.set()
        self._waiting.put(None)
        self._end_notices()
        for thread in self._threads:
            thread.join(0.4)
        self._threads.clear()
        self._unsubscribe()
        self._board.stop()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self._look()
            except Exception:
                log.exception("Looking into the spool failed; trying again")
            self._wake.wait(self._rescan_s)

    def _look(self) -> None:
        for path in _requests_in(self.new):
            job_id = path.stem
            if job_id in self._in_hand:
                continue
            if not ID.fullmatch(job_id):
                self._refuse_name(path)
                continue
            if not path.exists():
                continue  # taken between the listing and now: it leaves the folder before it leaves our hands
            self._in_hand.add(job_id)
            self._intake.announce(path)
            self._waiting.put(path)
        for path in _requests_in(self.cancel):
            if path.stem not in self._in_hand:
                self._cancel(path)
        if time.monotonic() >= self._next_sweep:
            self._next_sweep = time.monotonic() + SWEEP_EVERY_S
            self._sweep()

    def _take_all(self) -> None:
        while (path := self._waiting.get()) is not None and not self._stopping.is_set():
            try:
                self._intake.take(path, finished=_age_s(path) > UNFINISHED_S)
            except (NrxError, UnfinishedFileError) as error:
                log.info("The request %s was not taken: %s", path.name, error)
            except Exception:
                log.exception("The request %s was not taken", path.name)
            finally:
                self._in_hand.discard(path.stem)
                if any(self.cancel.iterdir()):
                    self._wake.set()

    def _cancel(self, path: Path) -> None:
        """Cancel the job that a file names; a file that is left over from an ended job is only removed."""
        try:
            self._jobs.cancel(path.stem)
        except NrxError as error:
            log.info("Cancelling %s: %s", path.stem, error)
            is_new = ID.fullmatch(path.stem) is not None and self._intake.statuses.read(path.stem) is None
            if error.code == "job.unknown" and is_new:
                self._intake.statuses.refused(path.stem, error)
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)

    def _refuse_name(self, path: Path) -> None:
        """Tell the writer of a file whose name is no id, under the nearest name that is one."""
        near = re.sub(r"[^A-Za-z0-9_-]", "_", path.stem)[:64] or "_"
        self._intake.statuses.refused(
            f"{near[:56]}-refused",
            no_id(path.name),
        )
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)

    def _on_event(self, event: JobEvent) -> None:
        if event.job.door not in DOORS:
            return
        if event.type == "deleted":
            self._board.remove(event.job.id)
        else:
            self._board.show(event.job)
            if event.job.state not in ("queued", "running"):
                wake(self.new.parent / "wake", event.job.id)

    def _bring_up_to_date(self) -> None:
        """Have every status file that speaks of unfinished work say what has become of it."""
        for status in self._intake.statuses.open_ones():
            job = self._intake.known(status.id)
            if job is not None:
                self._board.show(job)
            elif not (self.new / f"{status.id}.json").exists():
                sentence = (
                    f"The request {status.id} was not accepted before NRX Bridge stopped; send it again."
                )
                self._intake.statuses.refused(status.id, NrxError("job.unknown", sentence))

    def _sweep(self) -> None:
        self._intake.statuses.sweep(KEEP_STATUS_S)
        for folder in (self.new, self.cancel):
            for path in folder.iterdir():
                if path.suffix != ".json" and _age_s(path) > KEEP_LEFTOVERS_S:
                    with contextlib.suppress(OSError):
                        path.unlink(missing_ok=True)


def _requests_in(folder: Path) -> Iterator[Path]:
    """Yield the `.json` files of a folder, oldest first; hidden ones are somebody's unfinished work."""
    found = [path for path in folder.iterdir() if path.suffix == ".json" and not path.name.startswith(".")]
    yield from sorted(found, key=_age_s, reverse=True)


def _age_s(path: Path) -> float:
    try:
        return max(0.0, time.time() - path.lstat().st_mtime)
    except OSError:
        return 0.0


def _notices(folders: tuple[Path, ...], wake: Callable[[], None]) -> Callable[[], None]:
    """Call `wake` whenever something appears in the folders; return what ends that.

    Where the system refuses (no more inotify watches), looking every half second has to do.
    """
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers import Observer

    class Handler(FileSystemEventHandler):
        def dispatch(self, event: FileSystemEvent) -> None:
            if event.event_type in ("created", "moved", "closed"):
                wake()

    observer = Observer()
    try:
        for folder in folders:
            observer.schedule(Handler(), str(folder))
        observer.start()
    except OSError as error:
        log.warning("The system gives no notice of new files (%s); looking every %.1f s", error, RESCAN_S)
        return lambda: None

    def end() -> None:
        observer.stop()
        observer.join(0.5)

    return end
