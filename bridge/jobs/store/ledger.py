"""What every transaction of the store builds on: the database, the writer, and a job's status told as an event."""

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from bridge.config import JobsSettings
from bridge.jobs.database import open_database
from bridge.jobs.schema import events, jobs
from bridge.jobs.status import ROW, SHORTEST_S, status_of
from bridge.jobs.store.places import place
from bridge.jobs.store.rows import driver_sql, flag, known, set_values
from bridge.jobs.writer import Batch, Writer
from bridge.protocol import EventType, JobEvent, JobStatus
from engine.errors import NrxError

PAST_JOBS = 20
_NO_LEASE: dict[str, Any] = {"token": None, "lease_until": None, "worker_pid": None, "worker_started": None}
_TELL = driver_sql(
    insert(events).values({name: bindparam(name) for name in ("at", "type", "job_id", "status")})
)
_PAST = (
    select(jobs.c.finished_at - jobs.c.started_at, jobs.c.length_s)
    .where(jobs.c.action == bindparam("action"), jobs.c.state == "succeeded")
    .order_by(jobs.c.finished_at.desc())
    .limit(PAST_JOBS)
)


class Ledger:
    """The database, and how a change is written down; the groups of the store's methods derive from it."""

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
            self._paused = flag(connection, "paused")

    def close(self) -> None:
        """Finish what was handed over, and fold the log into the file."""
        self._writer.close()
        with self._write_engine.connect() as connection:
            raw = connection.connection.cursor()
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            raw.close()
        self._write_engine.dispose()
        self._engine.dispose()

    def _status(self, connection: Connection, row: ROW) -> JobStatus:
        return status_of(
            row, time.time(), position=place(connection, row), pace_s_per_s=self._pace(connection, row)
        )

    def _tell(self, batch: Batch, job_id: str, kind: EventType) -> JobStatus:
        """Write an event that holds the job's status as it is now."""
        row = known(batch.connection, job_id)
        return self._tell_of(batch, row, kind, place(batch.connection, row))

    def _tell_of(self, batch: Batch, row: ROW, kind: EventType, position: int | None) -> JobStatus:
        now = time.time()
        status = status_of(row, now, position=position, pace_s_per_s=self._pace(batch.connection, row))
        batch.driver.execute(
            _TELL, {"at": now, "type": kind, "job_id": status.id, "status": status.model_dump_json()}
        )
        batch.events.append(JobEvent(id=batch.driver.lastrowid or 0, at=now, type=kind, job=status))
        return status

    def _end(self, batch: Batch, row: ROW, state: EventType, **values: Any) -> JobStatus:
        set_values(
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
        set_values(
            batch, row.id, state="queued", stage=None, fraction=0.0, notes=json.dumps(notes), **_NO_LEASE
        )
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
