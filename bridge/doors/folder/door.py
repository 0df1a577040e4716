"""`FolderDoor`: the loop over all watched folders.

One thread keeps all state: notices, scans, and the results of the second thread, which hashes and submits, come to it
as messages. A folder that vanishes (an unplugged drive) and returns is watched again; an error in one file or folder is
logged, or reported beside the returns, and never ends the loop.

What lies in a folder when it is watched for the first time is left alone until it changes; whatever comes while the
daemon does not run is taken at its next start. Beside notices, every folder is looked through every five minutes, and
every second where there are no notices or `polling` is set (network shares).
"""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.config import Settings, WatchSettings
from bridge.doors.folder.grouping import complete_groups, group_quiet_s
from bridge.doors.folder.ledger import Ledger
from bridge.doors.folder.model import WaitingFile
from bridge.doors.folder.names import audio_of_sidecar, stem_name
from bridge.doors.folder.notices import Kind, Notices
from bridge.doors.folder.place import Place
from bridge.doors.folder.reports import remove_reports, write_report
from bridge.doors.folder.requests import mark_of, sidecar_of
from bridge.doors.folder.settling import Candidate, Settling, Signature, State, signature
from bridge.doors.folder.taking import Batch, Outcome, Verdict, refuse, take
from bridge.doors.folder.watched import WatchedFolder, root_of
from bridge.protocol import JobEvent, JobStatus
from engine.errors import NrxError

if TYPE_CHECKING:
    from bridge.jobs import Jobs

RESCAN_S, POLL_S, PRESENCE_S = 300.0, 1.0, 1.0
PATIENCE_S, PATIENCE_SETTLES = 10.0, 5
"""An unfinished header is waited for this long, or this many settle times, whichever is more."""
RETRY_S = 15.0
FIRST_LOOK_S = 5.0
"""`start` waits at most so long for the first look, so that a file that comes after it counts as new."""
FORGET_S = 30 * 86400.0

log = logging.getLogger("nrx.folder")


class FolderDoor:
    """The door for renders. `start`, then `stop`; both may be called twice."""

    def __init__(
        self,
        settings: Settings,
        jobs: "Jobs",
        watches: Sequence[WatchSettings],
        *,
        patience_s: float = PATIENCE_S,
        rescan_s: float = RESCAN_S,
    ) -> None:
        """Check the watches.

        Raises:
            NrxError: `request.invalid` for a folder inside a return folder, or one that is watched twice.
        """
        self._jobs = jobs
        self._rescan_s = rescan_s
        self._ledger_file = settings.home / "folders.sqlite"
        roots = [root_of(watch) for watch in watches]
        for root in roots:
            if roots.count(root) > 1:
                raise NrxError("request.invalid", f"The folder {root} is watched twice; name it once.")
        self._places = [
            Place(
                WatchedFolder(watch, settings, roots),
                Settling(watch.settle_s, max(patience_s, PATIENCE_SETTLES * watch.settle_s)),
                looks_often=watch.polling,
            )
            for watch in watches
        ]
        self._messages: deque[Callable[[float], None]] = deque()
        self._wake = threading.Event()
        self._stopping, self._looked = threading.Event(), threading.Event()
        self._batches: queue.SimpleQueue[tuple[Place, Batch] | None] = queue.SimpleQueue()
        self._next_presence = 0.0
        self._waiting: list[WaitingFile] = []
        self._threads: list[threading.Thread] = []
        self._ledger: Ledger | None = None
        self._notices = Notices(self._on_notice)
        self._unsubscribe: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Open the ledger, look at every folder, and begin to watch."""
        if self._threads or not self._places:
            return
        self._stopping.clear()
        self._looked.clear()
        self._ledger = Ledger(self._ledger_file)
        self._unsubscribe = self._jobs.subscribe(self._on_event)
        for name, run in (("nrx-folders", self._run), ("nrx-folders-intake", self._take_all)):
            thread = threading.Thread(target=run, name=name, args=(self._ledger,), daemon=True)
            self._threads.append(thread)
            thread.start()
        self._looked.wait(FIRST_LOOK_S)

    def stop(self) -> None:
        """End within 2 seconds; what is being hashed then is taken at the next start."""
        if not self._threads:
            return
        self._stopping.set()
        self._wake.set()
        self._batches.put(None)
        self._unsubscribe()
        for thread in self._threads:
            thread.join(0.6)
        if self._ledger is not None and not any(thread.is_alive() for thread in self._threads):
            self._ledger.close()
        self._threads.clear()
        self._notices.stop()
        for place in self._places:
            place.identity, place.next_scan, place.group_due = None, 0.0, None
            place.candidates.clear()
            place.in_hand.clear()
        self._messages.clear()

    def waiting(self) -> list[WaitingFile]:
        """Return what was seen and is not accepted yet, with why, as of a moment ago."""
        return list(self._waiting)

    # Messages to the loop, from other threads

    def _tell(self, message: Callable[[float], None]) -> None:
        self._messages.append(message)
        self._wake.set()

    def _on_notice(self, kind: Kind, path: Path) -> None:
        if kind == "folder":
            self._tell(lambda now: self._scan_below(path, now))
        else:
            self._tell(lambda now: self._noticed(path, now, event=kind == "written"))

    def _on_event(self, event: JobEvent) -> None:
        if event.job.door == "folder" and event.type in ("failed", "succeeded"):
            self._tell(lambda _now: self._ended(event.job))

    # The loop

    def _run(self, ledger: Ledger) -> None:
        while not self._stopping.is_set():
            now = time.monotonic()
            for _ in range(len(self._messages)):
                self._guarded(self._messages.popleft(), now)
            if now >= self._next_presence:
                self._next_presence = now + PRESENCE_S
                for place in self._places:
                    self._guarded(self._check_presence, place, ledger, now)
                self._looked.set()
            for place in self._places:
                if place.identity is not None:
                    self._guarded(self._attend, place, ledger, now)
            self._publish()
            due = min(
                (place.next_due() for place in self._places if place.identity), default=now + PRESENCE_S
            )
            self._wake.wait(max(0.0, min(due, self._next_presence) - time.monotonic()))
            self._wake.clear()

    def _guarded(self, step: Callable[..., None], *arguments: object) -> None:
        try:
            step(*arguments)
        except Exception:
            log.exception("A step of the watched folders failed; going on")

    def _check_presence(self, place: Place, ledger: Ledger, now: float) -> None:
        """See whether a folder is there, and is the one that is being watched."""
        identity = place.folder.identity()
        if identity == place.identity:
            if identity is None and place.absent_since is None:
                place.absent_since = time.time()
            return
        self._notices.forget(place.folder.root)
        place.candidates = {path: c for path, c in place.candidates.items() if path in place.in_hand}
        if identity is None:
            place.identity, place.absent_since = None, time.time()
            log.warning("The watched folder %s is not there", place.folder.root)
            return
        has_notices = not place.folder.settings.polling and self._notices.watch(place.folder.root)
        place.looks_often = not has_notices
        place.next_scan = now
        if not ledger.knows_watch(place.folder.key):
            present = ((str(path), signature(path)) for path in place.folder.walk())
            ledger.begin_watch(place.folder.key, [(path, seen) for path, seen in present if seen is not None])
        place.identity, place.absent_since = identity, None

    def _attend(self, place: Place, ledger: Ledger, now: float) -> None:
        """Scan if it is time, look at the files that are due, and hand on what is complete."""
        if now >= place.next_scan:
            place.next_scan = now + (POLL_S if place.looks_often else self._rescan_s)
            there = {str(path) for path in self._scan(place, None, now)}
            if not place.looks_often:
                ledger.forget_missing(place.folder.key, there, FORGET_S)
        for path, candidate in list(place.candidates.items()):
            if path in place.in_hand or now < candidate.due:
                continue
            place.settling.examine(candidate, now, _companion(path))
            if candidate.state is State.READY:
                candidate.due = float("inf")
            elif candidate.state is State.GONE:
                del place.candidates[path]
            elif candidate.state is State.BAD and candidate.error is not None:
                batch = _batch(place, [candidate])
                refuse(batch, mark_of(sidecar_of(path)), candidate.error, ledger)
                del place.candidates[path]
        free = [candidate for path, candidate in place.candidates.items() if path not in place.in_hand]
        groups, place.group_due = complete_groups(free, now, group_quiet_s(place.settling.settle_s))
        for group in groups:
            place.in_hand.update(candidate.path for candidate in group)
            for candidate in group:
                candidate.reason = "Finished; being checked and copied."
            self._batches.put((place, _batch(place, group)))

    def _scan_below(self, start: Path, now: float) -> None:
        place = self._place_of(start)
        if place is not None:
            self._scan(place, start, now)

    def _scan(self, place: Place, start: Path | None, now: float) -> list[Path]:
        found = list(place.folder.walk(start))
        for path in found:
            self._consider(place, path, now, event=False)
        return found

    def _noticed(self, path: Path, now: float, *, event: bool) -> None:
        """Act on a notice: of an audio file, or of a sidecar, which may change what is asked for its neighbours."""
        place = self._place_of(path)
        if place is None:
            return
        if audio_of_sidecar(path.name) is not None:
            for neighbour in place.folder.walk(path.parent):
                if neighbour.parent == path.parent:
                    self._consider(place, neighbour, now, event=False)
        elif place.folder.wants(path):
            self._consider(place, path, now, event=event)

    def _consider(self, place: Place, path: Path, now: float, *, event: bool) -> None:
        """Look at an audio file: go on with one that is known, begin with one that is new or was changed."""
        if path in place.in_hand:
            return
        candidate = place.candidates.get(path)
        if candidate is not None:
            place.settling.touch(candidate, now, candidate.companion, event=event)
            return
        seen = signature(path)
        if seen is None or self._is_settled_matter(place, path, seen):
            return
        begun = place.settling.begin(path, now, time.time(), _companion(path))
        if begun is not None:
            place.candidates[path] = begun

    def _is_settled_matter(self, place: Place, path: Path, seen: Signature) -> bool:
        row = self._ledger.row(path) if self._ledger is not None else None
        if row is None or row.signature != seen:
            return False
        if row.state != "bad":
            return True
        return row.asked == mark_of(sidecar_of(path)) and row.style == place.folder.style_of(path)

    def _place_of(self, path: Path) -> Place | None:
        """Return the innermost watched folder that a path lies in."""
        holding = [place for place in self._places if path.is_relative_to(place.folder.root)]
        return max(holding, key=lambda place: len(place.folder.root.parts), default=None)

    # Taking, on the second thread

    def _take_all(self, ledger: Ledger) -> None:
        stem_name("")  # loads the table of roles before the first render is there
        while (entry := self._batches.get()) is not None and not self._stopping.is_set():
            place, batch = entry
            try:
                outcome = take(batch, self._jobs, ledger)
                if outcome.job is not None:
                    outcome = Outcome(outcome.verdict, job=self._jobs.get(outcome.job.id))
            except Exception as error:
                log.exception("Taking %s failed; trying again", batch.paths[0])
                outcome = Outcome(
                    Verdict.LATER, f"NRX Bridge failed on it ({type(error).__name__}: {error})."
                )
            self._tell(partial(self._finish, place, batch, outcome))

    def _finish(self, place: Place, batch: Batch, outcome: Outcome, now: float) -> None:
        """Take note of what became of a batch, and of what has changed in the meantime."""
        for path in batch.paths:
            place.in_hand.discard(path)
            candidate = place.candidates.pop(path, None)
            if outcome.verdict is Verdict.LATER and candidate is not None:
                candidate.state, candidate.due = State.SETTLING, now + RETRY_S
                candidate.reason = f"Tried again soon: {outcome.reason}"
                place.candidates[path] = candidate
            else:
                self._consider(place, path, now, event=False)
        if outcome.job is not None and outcome.job.state == "failed":
            self._ended(outcome.job)

    def _ended(self, job: JobStatus) -> None:
        """Report a job that failed in its work, or take an old report away."""
        rows = self._ledger.of_job(job.id) if self._ledger is not None else []
        place = self._place_of(Path(rows[0].path)) if rows else None
        if place is None:
            return
        paths = [Path(row.path) for row in rows]
        if job.error is not None:
            write_report(place.folder, paths, NrxError(job.error.code, job.error.sentence))
        else:
            remove_reports(place.folder, paths)

    def _publish(self) -> None:
        self._waiting = [
            WaitingFile(
                path,
                place.folder.root,
                place.folder.settings.style,
                candidate.signature[0],
                candidate.reason,
                candidate.since,
            )
            for place in self._places
            for path, candidate in sorted(place.candidates.items())
        ] + [
            WaitingFile(
                place.folder.root,
                place.folder.root,
                place.folder.settings.style,
                0,
                "The watched folder is not there; it is watched again as soon as it is.",
                place.absent_since,
            )
            for place in self._places
            if place.absent_since is not None
        ]


def _companion(path: Path) -> Signature | None:
    """Return the signature of a file's sidecar."""
    sidecar = sidecar_of(path)
    return None if sidecar is None else signature(sidecar)


def _batch(place: Place, candidates: Sequence[Candidate]) -> Batch:
    ordered = sorted(candidates, key=lambda candidate: candidate.path.name)
    return Batch(
        place.folder,
        tuple((candidate.path, candidate.signature) for candidate in ordered),
        place.folder.style_of(ordered[0].path),
    )
