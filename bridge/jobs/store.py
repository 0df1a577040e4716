"""The job store: what is accepted stays, and only the holder of a job's lease can say anything of it.

Each method is one transaction. A claim gives a worker a lease with a fencing token; every later word of that worker
carries the token, and is refused with `LeaseLost` once the job has been given to another. Accepting, claiming,
publishing and all ends are on the disk before the method returns; progress may be lost in a power cut.

What happens to a job whose worker did not finish it:

| what happened | counted as | then |
| --- | --- | --- |
| the process ended by itself | attempt, crash | again; after two crashes `job.crashed` |
| not enough memory | attempt | again with less memory; after the last step `job.memory` |
| no sign of life, lease lapsed | attempt | again; after the last attempt `job.attempts` |
| an error of our own | attempt | again; after the last attempt the error |
| bad input, full disk, missing backend | attempt | failed with that error |
| the daemon ended, or the process before it began | interruption | again; from the third on behind the others |
"""

import json
import secrets
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import (
    ClauseElement,
    Connection,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from bridge.config import JobsSettings
from bridge.inputs import RegisteredInput
from bridge.jobs.database import open_database
from bridge.jobs.model import Accepted, Claim, Holder, JobPage, NewJob, Published, Snapshot
from bridge.jobs.schema import events, jobs, meta
from bridge.jobs.status import ROW, SHORTEST_S, status_of
from bridge.jobs.writer import Batch, Writer
from bridge.protocol import EventType, InputFile, JobEvent, JobStatus, Request
from engine.errors import Cancelled, NrxError
from engine.thrift import STEPS as THRIFT_STEPS

CRASHES = 2
"""A job that has ended its process this often is not tried again."""
PATIENT_INTERRUPTIONS = 3
MOST_INTERRUPTIONS = 100
"""A job that was interrupted: from the first on it waits behind the others, from the second on it fails."""
TRIED_AGAIN = frozenset({"internal"})
"""Codes that may be chance; every other refusal is the same the next time."""
PAST_JOBS = 20
STATES = ("queued", "running", "succeeded", "failed", "cancelled")
ENDED = ("succeeded", "failed", "cancelled")


class LeaseLost(Exception):  # noqa: N818 - it is no error but news
    """The token holds no lease any more: the job has ended, or was given to another worker."""


class JobStore:
    """Jobs and their events in one SQLite file. Thread-safe; `close` it at the end.

    Args:
        file: the store's file, made if missing.
        settings: attempts and how long a lease lasts.
        on_events: called with the events of each transaction, in order, on the store's thread; must not block.

    Raises:
        NrxError: `store.network`, `output.not_writable`, `internal`.
    """

    def __init__(
        self,
        file: Path,
        settings: JobsSettings,
        on_events: Callable[[list[JobEvent]], None] = lambda _events: None,
    ) -> None:
        self._settings = settings
        self._write_engine, self._engine = open_database(file)
        self._writer = Writer(self._write_engine, on_events)
        self._paces: dict[str, float | None] = {}
        with self._engine.connect() as connection:
            self._paused = _flag(connection, "paused")

    def close(self) -> None:
        """Finish what was handed over, and fold the log into the file."""
        self._writer.close()
        with self._write_engine.connect() as connection:
            raw = connection.connection.cursor()
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            raw.close()
        self._write_engine.dispose()
        self._engine.dispose()

    # -- accepting ---------------------------------------------------------------------------------------------------

    def accept(self, new: NewJob) -> Accepted:
        """Add a job, or find the one that is there for the same id, key or content.

        Raises:
            NrxError: `request.conflict` if the id or key stands for another request.
        """
        return self._writer.write(self._accepting(new))

    def begin_accept(self, new: NewJob) -> "Future[Accepted]":
        """Do the same without waiting; the future is done, or raises, when it is on the disk or refused."""
        return self._writer.begin(self._accepting(new))

    def _accepting(self, new: NewJob) -> Callable[[Batch], Accepted]:
        def change(batch: Batch) -> Accepted:
            asked = {"id": new.id, "key": new.client_key, "fingerprint": new.fingerprint}
            if batch.driver.execute(_IS_ALIKE, asked).fetchone() is not None:
                found = _same(batch.connection, new, asked)
                if found is not None:
                    return Accepted(self._status(batch.connection, found), False)
            values = {**_BLANK, **_row_of(new, time.time())}
            (turn,) = batch.driver.execute(_INSERT, values).fetchone()
            row = SimpleNamespace(**values, turn=turn)
            return Accepted(self._tell_of(batch, row, "accepted", _place_at_end(batch, row)), True)

        return change

    def find(self, job_id: str | None, key: str | None) -> tuple[JobStatus, Request] | None:
        """Return the job that an id or a client's key stands for, and what it was asked, or None."""
        with self._engine.connect() as connection:
            row = _for_key(connection, job_id, key)
            return None if row is None else (self._status(connection, row), _request_of(row))

    # -- reading -----------------------------------------------------------------------------------------------------

    def get(self, job_id: str) -> JobStatus:
        """Return where a job stands.

        Raises:
            NrxError: `job.unknown`.
        """
        with self._engine.connect() as connection:
            return self._status(connection, _known(connection, job_id))

    def request_of(self, job_id: str) -> Request:
        """Return what a job was asked; raises `job.unknown`."""
        with self._engine.connect() as connection:
            return _request_of(_known(connection, job_id))

    def snapshots_of(self, job_id: str) -> tuple[Snapshot, ...]:
        """Return the inputs of a job as they were accepted; raises `job.unknown`."""
        with self._engine.connect() as connection:
            return _snapshots_of(_known(connection, job_id))

    def page(
        self,
        *,
        state: str | None = None,
        search: str | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> JobPage:
        """Return jobs, newest first.

        Args:
            state: one of `STATES`, or None for all.
            search: words that all must occur in title, style, names of inputs or id.
            limit: at most so many.
            before: the `next` of the page before.

        Raises:
            NrxError: `request.invalid` for a state or a page that there is not.
        """
        wanted = []
        if state is not None:
            if state not in STATES:
                raise NrxError(
                    "request.invalid", f"There is no state {state!r}; the states are: {', '.join(STATES)}."
                )
            wanted.append(jobs.c.state == state)
        words = (search or "").casefold().split()
        wanted.extend(jobs.c.search.contains(word, autoescape=True) for word in words)
        here = list(wanted)
        if before is not None:
            if not (before.isascii() and before.isdigit()):
                raise NrxError("request.invalid", f"There is no page {before!r}; take `next` of a page.")
            here.append(jobs.c.seq < int(before))
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(jobs).where(*here).order_by(jobs.c.seq.desc()).limit(limit + 1)
            ).all()
            counts = dict.fromkeys(STATES, 0)
            for name, count in connection.execute(_COUNTS):
                counts[name] = count
            total = (
                connection.execute(select(func.count()).select_from(jobs).where(*wanted)).scalar_one()
                if search
                else sum(counts.values())
                if state is None
                else counts[state]
            )
            shown = rows[:limit]
            places = _places(connection, [row for row in shown if row.state == "queued"])
            now = time.time()
            statuses = tuple(
                status_of(row, now, position=places.get(row.id), pace_s_per_s=self._pace(connection, row))
                for row in shown
            )
        return JobPage(statuses, str(shown[-1].seq) if len(rows) > limit else None, total, counts)

    def events_after(self, last_id: int, limit: int) -> tuple[JobEvent, ...]:
        """Return the events after an id, oldest first."""
        with self._engine.connect() as connection:
            found = connection.execute(
                select(events).where(events.c.id > last_id).order_by(events.c.id).limit(limit)
            )
            return tuple(
                JobEvent.model_construct(
                    id=row.id, at=row.at, type=row.type, job=JobStatus.model_validate_json(row.status)
                )
                for row in found
            )

    def last_event_id(self) -> int:
        """Return the id of the newest event; 0 if there is none."""
        with self._engine.connect() as connection:
            return int(connection.execute(select(func.max(events.c.id))).scalar_one() or 0)

    def parents(self) -> set[Path]:
        """Return the folders in which jobs have made their returns, or will."""
        with self._engine.connect() as connection:
            return {Path(parent) for parent in connection.execute(select(jobs.c.parent).distinct()).scalars()}

    def used_snapshots(self, finished_after: float) -> set[str]:
        """Return the names of the snapshots that unfinished jobs need, or jobs finished after a time (Unix s)."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(jobs.c.inputs).where(
                    jobs.c.state.in_(("queued", "running")) | (jobs.c.finished_at > finished_after)
                )
            ).scalars()
            return {Path(item["file"]).name for text in rows for item in json.loads(text)}

    # -- a worker's words, each under its token ----------------------------------------------------------------------

    def claim(self, worker_pid: int, worker_started: float) -> Claim | None:
        """Give the next job to a worker process; None if none waits or the queue is paused."""
        if self._paused:
            return None

        def change(batch: Batch) -> Claim | None:
            row = batch.connection.execute(_FIRST).one_or_none()
            if row is None:
                return None
            token, now = secrets.token_hex(16), time.time()
            _set(
                batch,
                row.id,
                state="running",
                attempt=row.attempt + 1,
                token=token,
                lease_until=now + self._settings.lease_s,
                worker_pid=worker_pid,
                worker_started=worker_started,
                started_at=now,
                stage=None,
                fraction=0.0,
                cancelling=False,
            )
            self._tell(batch, row.id, "running")
            return Claim(
                job_id=row.id,
                token=token,
                attempt=row.attempt + 1,
                request=_request_of(row),
                snapshots=_snapshots_of(row),
                parent=Path(row.parent),
                thrift=row.thrift,
                notes=tuple(json.loads(row.notes)),
            )

        return self._writer.write(change)

    def beat(self, token: str, stage: str | None, fraction: float) -> "Future[None]":
        """Renew the lease and say how far the job is; progress never goes back. The future raises `LeaseLost`."""

        def change(batch: Batch) -> None:
            row = _held(batch.connection, token)
            _set(
                batch,
                row.id,
                lease_until=time.time() + self._settings.lease_s,
                stage=stage or row.stage,
                fraction=max(row.fraction, min(1.0, fraction)),
            )
            if stage is not None and (stage != row.stage or fraction > row.fraction):
                self._tell(batch, row.id, "progress")

        return self._writer.begin(change, durable=False)

    def renew(self, token: str) -> "Future[None]":
        """Renew the lease without news, for a worker that is seen to work; the future raises `LeaseLost`."""

        def change(batch: Batch) -> None:
            row = _held(batch.connection, token)
            _set(batch, row.id, lease_until=time.time() + self._settings.lease_s)

        return self._writer.begin(change, durable=False)

    def stage_in(self, token: str, staging: Path) -> None:
        """Record the folder in which the return will be built, before it is made.

        Raises:
            LeaseLost: the job is another's.
            Cancelled: it is to be cancelled.
        """
        self._record(token, staging=str(staging), target=None)

    def publish_at(self, token: str, target: Path) -> None:
        """Record the place that the return is about to be renamed to; raises as `stage_in`."""
        self._record(token, target=str(target))

    def _record(self, token: str, **values: Any) -> None:
        def change(batch: Batch) -> None:
            row = _held(batch.connection, token)
            if row.cancelling:
                raise Cancelled
            _set(batch, row.id, lease_until=time.time() + self._settings.lease_s, **values)

        self._writer.write(change)

    def succeed(self, token: str, published: Published) -> None:
        """End a job whose return is in its place; raises as `stage_in`: then the return must go."""

        def change(batch: Batch) -> None:
            row = _held(batch.connection, token)
            if row.cancelling:
                raise Cancelled
            self._end(
                batch,
                row,
                "succeeded",
                fraction=1.0,
                folder=str(published.folder),
                manifest=str(published.manifest),
            )
            self._paces.pop(row.action, None)

        self._writer.write(change)

    def fail(self, token: str, error: NrxError) -> JobStatus:
        """End a job with an error, or queue it again where the error may be chance; raises `LeaseLost`."""

        def change(batch: Batch) -> JobStatus:
            row = _held(batch.connection, token)
            if error.code in TRIED_AGAIN and row.attempt < self._settings.attempts:
                return self._again(batch, row, f"Attempt {row.attempt} failed: {error.sentence}")
            return self._fail(batch, row, error)

        return self._writer.write(change)

    def crashed(self, token: str, how: str) -> JobStatus:
        """Say that the worker process ended by itself; `how` as "was ended by signal 9". Raises `LeaseLost`."""

        def change(batch: Batch) -> JobStatus:
            row = _held(batch.connection, token)
            where = f"at the stage {row.stage}" if row.stage else "before its first stage"
            said = f"The worker process {how} {where}"
            _set(batch, row.id, crashes=row.crashes + 1)
            if row.crashes + 1 >= CRASHES:
                return self._fail(
                    batch,
                    row,
                    NrxError(
                        "job.crashed",
                        f"{said}, as one did before with this job; it is not tried again. "
                        "Try another file or setting, and please report it with the daemon's log.",
                    ),
                )
            return self._again_or_fail(batch, row, said)

        return self._writer.write(change)

    def starved(self, token: str, how: str) -> JobStatus:
        """Say that memory did not suffice: the next attempt spares it. Raises `LeaseLost`."""

        def change(batch: Batch) -> JobStatus:
            row = _held(batch.connection, token)
            if row.thrift >= THRIFT_STEPS or row.attempt >= max(self._settings.attempts, THRIFT_STEPS + 1):
                return self._fail(
                    batch,
                    row,
                    NrxError(
                        "job.memory",
                        f"The job needs more memory than this machine has, also with small blocks ({how}); "
                        "cut the audio into shorter files, or end other programs and retry.",
                    ),
                )
            _set(batch, row.id, thrift=row.thrift + 1)
            return self._again(
                batch,
                row,
                f"Attempt {row.attempt} ran out of memory ({how}); "
                f"tried again with less (step {row.thrift + 1} of {THRIFT_STEPS}).",
            )

        return self._writer.write(change)

    def lapsed(self, token: str) -> JobStatus:
        """Take the job from a worker that gave no sign of life for the length of the lease. Raises `LeaseLost`."""

        def change(batch: Batch) -> JobStatus:
            row = _held(batch.connection, token)
            said = (
                f"The worker gave no sign of life for {self._settings.lease_s:g} s at the stage {row.stage}"
            )
            return self._again_or_fail(batch, row, said)

        return self._writer.write(change)

    def give_back(self, token: str) -> JobStatus:
        """Queue a job again that was stopped because the daemon ends; nothing is counted. Raises `LeaseLost`."""

        def change(batch: Batch) -> JobStatus:
            row = _held(batch.connection, token)
            _set(batch, row.id, attempt=row.attempt - 1)
            return self._again(batch, row, None)

        return self._writer.write(change)

    def cancelled(self, token: str) -> JobStatus:
        """End a job that was cancelled and has left nothing behind. Raises `LeaseLost`."""

        def change(batch: Batch) -> JobStatus:
            return self._end(batch, _held(batch.connection, token), "cancelled")

        return self._writer.write(change)

    def holders(self) -> list[Holder]:
        """Return who holds the running jobs: at start, those that a daemon before this one left."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(jobs).where(jobs.c.state == "running")).all()
        return [
            Holder(
                job_id=row.id,
                token=row.token,
                worker_pid=row.worker_pid,
                worker_started=row.worker_started,
                staging=_path(row.staging),
                target=_path(row.target),
                cancelling=row.cancelling,
            )
            for row in rows
        ]

    def interrupt(self, token: str, why: str) -> JobStatus:
        """Queue a job again that was interrupted through no fault of its own. Raises `LeaseLost`."""

        def change(batch: Batch) -> JobStatus:
            row = _held(batch.connection, token)
            if row.cancelling:
                return self._end(batch, row, "cancelled")
            times = row.interruptions + 1
            if times >= MOST_INTERRUPTIONS:
                return self._fail(
                    batch,
                    row,
                    NrxError("job.attempts", f"{why}; that was the {times}th interruption of this job."),
                )
            values: dict[str, Any] = {"attempt": row.attempt - 1, "interruptions": times}
            if times >= PATIENT_INTERRUPTIONS:
                values["turn"] = _next_turn(batch.connection)
            _set(batch, row.id, **values)
            return self._again(batch, row, f"{why}; it was taken up again.")

        return self._writer.write(change)

    # -- what people ask ---------------------------------------------------------------------------------------------

    def cancel(self, job_id: str) -> tuple[JobStatus, str | None]:
        """Cancel a queued job, or mark a running one; return its status and the token of the lease to end.

        Raises:
            NrxError: `job.unknown`, `job.state` if it has ended otherwise.
        """

        def change(batch: Batch) -> tuple[JobStatus, str | None]:
            row = _known(batch.connection, job_id)
            if row.state == "queued":
                return self._end(batch, row, "cancelled"), None
            if row.state == "running":
                if not row.cancelling:
                    _set(batch, row.id, cancelling=True)
                    return self._tell(batch, row.id, "progress"), row.token
                return self._status(batch.connection, row), row.token
            if row.state == "cancelled":
                return self._status(batch.connection, row), None
            raise _wrong_state(row, "cancelled")

        return self._writer.write(change)

    def retry(self, job_id: str) -> JobStatus:
        """Queue a failed or cancelled job again, as if new.

        Raises:
            NrxError: `job.unknown`, `job.state`.
        """

        def change(batch: Batch) -> JobStatus:
            row = _known(batch.connection, job_id)
            if row.state not in ("failed", "cancelled"):
                raise _wrong_state(row, "retried")
            _set(
                batch,
                row.id,
                state="queued",
                turn=_next_turn(batch.connection),
                stage=None,
                fraction=0.0,
                cancelling=False,
                attempt=0,
                crashes=0,
                interruptions=0,
                thrift=0,
                notes="[]",
                error_code=None,
                error_sentence=None,
                started_at=None,
                finished_at=None,
            )
            return self._tell(batch, row.id, "retried")

        return self._writer.write(change)

    def delete(self, job_id: str) -> JobStatus:
        """Forget a job that does not run, with its events; return what it was.

        Raises:
            NrxError: `job.unknown`, `job.state` while it runs.
        """

        def change(batch: Batch) -> JobStatus:
            row = _known(batch.connection, job_id)
            if row.state == "running":
                raise _wrong_state(row, "deleted; cancel it first")
            batch.connection.execute(delete(events).where(events.c.job_id == row.id))
            status = self._tell(batch, row.id, "deleted")
            batch.places.clear()
            batch.connection.execute(delete(jobs).where(jobs.c.id == row.id))
            return status

        return self._writer.write(change)

    def set_priority(self, job_id: str, priority: int) -> JobStatus:
        """Move a job before those of lower priority. Raises `job.unknown`, `job.state` if it has ended."""

        def change(batch: Batch) -> JobStatus:
            row = _known(batch.connection, job_id)
            if row.state in ENDED:
                raise _wrong_state(row, "given a priority")
            _set(batch, row.id, priority=priority)
            return self._tell(batch, row.id, "progress")

        return self._writer.write(change)

    @property
    def paused(self) -> bool:
        """Whether waiting jobs are held back; it outlives the daemon."""
        return self._paused

    def set_paused(self, *, paused: bool) -> None:
        """Hold waiting jobs back, or let them go."""

        def change(batch: Batch) -> None:
            batch.connection.execute(delete(meta).where(meta.c.name == "paused"))
            batch.connection.execute(insert(meta).values(name="paused", value=str(int(paused))))

        self._writer.write(change)
        self._paused = paused

    def prune_events(self, *, keep: int, keep_progress: int) -> int:
        """Forget old events, progress sooner than the rest; return how many went."""

        def change(batch: Batch) -> int:
            newest = batch.connection.execute(select(func.max(events.c.id))).scalar_one() or 0
            gone = batch.connection.execute(
                delete(events).where(
                    (events.c.id <= newest - keep)
                    | ((events.c.type == "progress") & (events.c.id <= newest - keep_progress))
                )
            )
            return int(gone.rowcount)

        return self._writer.write(change, durable=False)

    # -- within a transaction ----------------------------------------------------------------------------------------

    def _status(self, connection: Connection, row: ROW) -> JobStatus:
        return status_of(
            row, time.time(), position=_place(connection, row), pace_s_per_s=self._pace(connection, row)
        )

    def _tell(self, batch: Batch, job_id: str, kind: EventType) -> JobStatus:
        """Write an event that holds the job's status as it is now."""
        row = _known(batch.connection, job_id)
        return self._tell_of(batch, row, kind, _place(batch.connection, row))

    def _tell_of(self, batch: Batch, row: ROW, kind: EventType, position: int | None) -> JobStatus:
        now = time.time()
        status = status_of(row, now, position=position, pace_s_per_s=self._pace(batch.connection, row))
        batch.driver.execute(
            _TELL, {"at": now, "type": kind, "job_id": status.id, "status": status.model_dump_json()}
        )
        batch.events.append(JobEvent(id=batch.driver.lastrowid or 0, at=now, type=kind, job=status))
        return status

    def _end(self, batch: Batch, row: ROW, state: EventType, **values: Any) -> JobStatus:
        _set(
            batch,
            row.id,
            state=state,
            cancelling=False,
            finished_at=time.time(),
            **{**_NO_LEASE, "staging": None, "target": None, **values},
        )
        return self._tell(batch, row.id, state)

    def _fail(self, batch: Batch, row: ROW, error: NrxError) -> JobStatus:
        if row.cancelling:
            return self._end(batch, row, "cancelled")
        return self._end(batch, row, "failed", error_code=error.code, error_sentence=error.sentence)

    def _again(self, batch: Batch, row: ROW, note: str | None) -> JobStatus:
        """Queue a job again in its old place; what it has recorded stays, for the next attempt to clear up."""
        if row.cancelling:
            return self._end(batch, row, "cancelled")
        notes = json.loads(row.notes)
        if note is not None and note not in notes:
            notes.append(note)
        _set(batch, row.id, state="queued", stage=None, fraction=0.0, notes=json.dumps(notes), **_NO_LEASE)
        return self._tell(batch, row.id, "retried")

    def _again_or_fail(self, batch: Batch, row: ROW, said: str) -> JobStatus:
        if row.attempt < self._settings.attempts:
            return self._again(batch, row, f"{said}; the job was tried again.")
        return self._fail(
            batch, row, NrxError("job.attempts", f"{said}, in attempt {row.attempt}, which was the last.")
        )

    def _pace(self, connection: Connection, row: ROW) -> float | None:
        """Return seconds of work for a second of audio in the last jobs of this action, their median."""
        if row.state != "running":
            return None
        if row.action not in self._paces:
            past = connection.execute(_PAST, {"action": row.action}).all()
            self._paces[row.action] = (
                statistics.median(seconds / max(length_s, SHORTEST_S) for seconds, length_s in past)
                if past
                else None
            )
        return self._paces[row.action]


_FRESH: dict[str, Any] = {
    "fraction": 0.0,
    "cancelling": False,
    "attempt": 0,
    "crashes": 0,
    "interruptions": 0,
    "thrift": 0,
    "notes": "[]",
}
_BLANK: dict[str, Any] = {**{column.name: None for column in jobs.columns if column.nullable}, **_FRESH}
"""What a new row holds beside what was asked."""
_PLACING = frozenset({"state", "priority", "turn"})
"""The columns that decide the places in the queue."""
_NO_LEASE: dict[str, Any] = {"token": None, "lease_until": None, "worker_pid": None, "worker_started": None}
_BY_ID = select(jobs).where(jobs.c.id == bindparam("id"))
_BY_TOKEN = select(jobs).where(jobs.c.token == bindparam("token"), jobs.c.state == "running")
_BY_KEY = select(jobs).where((jobs.c.id == bindparam("id")) | (jobs.c.client_key == bindparam("key")))
_ALIKE = (
    select(jobs)
    .where(
        (jobs.c.id == bindparam("id"))
        | (jobs.c.client_key == bindparam("key"))
        | (jobs.c.fingerprint == bindparam("fingerprint"))
    )
    .order_by(jobs.c.seq.desc())
)
_ASKED = (
    *(
        "id",
        "client_key",
        "body",
        "fingerprint",
        "action",
        "title",
        "style",
        "door",
        "request",
        "inputs",
        "parent",
    ),
    *("search", "length_s", "state", "priority", "created_at"),
)
"""The columns of a new row that `_row_of` gives."""


def _text(statement: ClauseElement) -> str:
    """Return a statement's SQL for the driver, with `:name` for its parameters: what every accept runs."""
    return str(statement.compile(dialect=SQLiteDialect(paramstyle="named")))


_IS_ALIKE = _text(
    select(literal_column("1"))
    .select_from(jobs)
    .where(
        (jobs.c.id == bindparam("id"))
        | (jobs.c.client_key == bindparam("key"))
        | (jobs.c.fingerprint == bindparam("fingerprint"))
    )
)
_INSERT = _text(
    insert(jobs)
    .values(
        {
            **{name: bindparam(name) for name in (*_ASKED, *_FRESH)},
            "turn": select(
                func.coalesce(func.max(jobs.c.turn), literal_column("0")) + literal_column("1")
            ).scalar_subquery(),
        }
    )
    .returning(jobs.c.turn)
)
_TELL = _text(insert(events).values({name: bindparam(name) for name in ("at", "type", "job_id", "status")}))
_FIRST = select(jobs).where(jobs.c.state == "queued").order_by(jobs.c.priority.desc(), jobs.c.turn).limit(1)
_BEFORE = (
    select(func.count())
    .select_from(jobs)
    .where(
        jobs.c.state == "queued",
        (jobs.c.priority > bindparam("priority"))
        | ((jobs.c.priority == bindparam("priority")) & (jobs.c.turn < bindparam("turn"))),
    )
)
_COUNTS = select(jobs.c.state, func.count()).group_by(jobs.c.state)
_PAST = (
    select(jobs.c.finished_at - jobs.c.started_at, jobs.c.length_s)
    .where(jobs.c.action == bindparam("action"), jobs.c.state == "succeeded")
    .order_by(jobs.c.finished_at.desc())
    .limit(PAST_JOBS)
)


def conflict(name: str) -> NrxError:
    """Return the error for an id or key that stands for another request already."""
    return NrxError(
        "request.conflict",
        f"The id or key {name!r} already stands for another request; use a new one, or send the same request.",
    )


def _shown_key(client_key: str | None) -> str:
    """Return a key as the client wrote it."""
    return (client_key or "").partition(":")[2]


def _wrong_state(row: ROW, what: str) -> NrxError:
    verb = "has" if row.state in ("succeeded", "failed") else "is"
    return NrxError("job.state", f"The job {row.id} {verb} {row.state} and cannot be {what}.")


def _known(connection: Connection, job_id: str) -> ROW:
    row = connection.execute(_BY_ID, {"id": job_id}).one_or_none()
    if row is None:
        raise NrxError("job.unknown", f"There is no job {job_id!r}; `nrx jobs` lists those there are.")
    return row


def _held(connection: Connection, token: str) -> ROW:
    row = connection.execute(_BY_TOKEN, {"token": token}).one_or_none()
    if row is None:
        raise LeaseLost
    return row


def _for_key(connection: Connection, job_id: str | None, key: str | None) -> ROW | None:
    """Return the job of this id or this key; `request.conflict` if they are two."""
    rows = connection.execute(_BY_KEY, {"id": job_id, "key": key}).all()
    if len(rows) > 1:
        raise conflict(_shown_key(key))
    return rows[0] if rows else None


def _same(connection: Connection, new: NewJob, asked: dict[str, Any]) -> ROW | None:
    """Return the job that a new one is the same as, among those of its id, key or content.

    Raises:
        NrxError: `request.conflict`.
    """
    known = connection.execute(_ALIKE, asked).all()
    named = [row for row in known if row.id == new.id or row.client_key == new.client_key is not None]
    if any(row.body != new.body for row in named) or len(named) > 1:
        raise conflict(new.id if any(row.id == new.id for row in named) else _shown_key(new.client_key))
    if named or new.client_key is not None:
        return named[0] if named else None
    return next((row for row in known if _stands_for_the_same(row)), None)


def _set(batch: Batch, job_id: str, **values: Any) -> None:
    if not _PLACING.isdisjoint(values):
        batch.places.clear()
    batch.connection.execute(update(jobs).where(jobs.c.id == bindparam("b_id")), {"b_id": job_id, **values})


def _flag(connection: Connection, name: str) -> bool:
    return connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar_one_or_none() == "1"


def _next_turn(connection: Connection) -> int:
    return int(connection.execute(select(func.max(jobs.c.turn))).scalar_one() or 0) + 1


def _stands_for_the_same(row: ROW) -> bool:
    """Return whether a job of the same content is the answer: on its way, or done and its return still there."""
    if row.state in ("queued", "running"):
        return not row.cancelling
    return row.state == "succeeded" and row.manifest is not None and Path(row.manifest).is_file()


def _place(connection: Connection, row: ROW) -> int | None:
    """Return how many jobs will run before a queued one."""
    if row.state != "queued":
        return None
    return int(connection.execute(_BEFORE, {"priority": row.priority, "turn": row.turn}).scalar_one())


def _place_at_end(batch: Batch, row: ROW) -> int | None:
    """Return the same for a job that has just been added, counting only once for several added together."""
    place = batch.places.get(row.priority)
    if place is None:
        place = _place(batch.connection, row) or 0
    batch.places.clear()
    batch.places[row.priority] = place + 1
    return place


def _places(connection: Connection, queued: Sequence[ROW]) -> dict[str, int]:
    """Return the places of queued jobs: of the first by counting, of those up to the last by their order."""
    if not queued:
        return {}
    order = sorted(queued, key=lambda row: (-row.priority, row.turn))
    first, last = order[0], order[-1]
    priority, turn = jobs.c.priority, jobs.c.turn
    between = (
        select(jobs.c.id)
        .where(
            jobs.c.state == "queued",
            (priority < first.priority) | ((priority == first.priority) & (turn >= first.turn)),
            (priority > last.priority) | ((priority == last.priority) & (turn <= last.turn)),
        )
        .order_by(priority.desc(), turn)
    )
    ids = connection.execute(between).scalars()
    return {job_id: place for place, job_id in enumerate(ids, _place(connection, first) or 0)}


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _request_of(row: ROW) -> Request:
    return Request.model_validate_json(row.request)


def _snapshots_of(row: ROW) -> tuple[Snapshot, ...]:
    return tuple(
        Snapshot(
            InputFile.model_validate(item["given"]),
            RegisteredInput(item["sha256"], Path(item["file"]), item["name"], item["bytes"]),
        )
        for item in json.loads(row.inputs)
    )


def _row_of(new: NewJob, now: float) -> dict[str, Any]:
    inputs = [
        {
            "given": item.given.model_dump(mode="json"),
            "name": item.file.name,
            "sha256": item.file.sha256,
            "bytes": item.file.bytes,
            "file": str(item.file.path),
        }
        for item in new.snapshots
    ]
    searched: Iterable[str | None] = (
        new.title,
        new.request.action,
        new.request.style,
        new.request.prompt,
        new.id,
        new.door,
        *(item.file.name for item in new.snapshots),
    )
    return {
        "id": new.id,
        "client_key": new.client_key,
        "body": new.body,
        "fingerprint": new.fingerprint,
        "action": new.request.action,
        "title": new.title,
        "style": new.request.style,
        "door": new.door,
        "request": new.request.model_dump_json(),
        "inputs": json.dumps(inputs),
        "parent": str(new.parent),
        "search": " ".join(text for text in searched if text).casefold(),
        "length_s": new.length_s,
        "state": "queued",
        "priority": new.priority,
        "created_at": now,
    }
