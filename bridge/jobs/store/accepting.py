"""Accepting: a new job, or the one that is there for the same id, key or content."""

import json
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, literal_column, select

from bridge.jobs.model import Accepted, NewJob
from bridge.jobs.schema import jobs
from bridge.jobs.status import ROW
from bridge.jobs.store.ledger import Ledger
from bridge.jobs.store.places import place_at_end
from bridge.jobs.store.rows import driver_sql, request_of
from bridge.jobs.writer import Batch
from bridge.protocol import JobStatus, Request
from engine.errors import NrxError

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
_IS_ALIKE = driver_sql(
    select(literal_column("1"))
    .select_from(jobs)
    .where(
        (jobs.c.id == bindparam("id"))
        | (jobs.c.client_key == bindparam("key"))
        | (jobs.c.fingerprint == bindparam("fingerprint"))
    )
)
_INSERT = driver_sql(
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


class Accepting(Ledger):
    """How jobs come into the store."""

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
            return Accepted(self._tell_of(batch, row, "accepted", place_at_end(batch, row)), True)

        return change

    def find(self, job_id: str | None, key: str | None) -> tuple[JobStatus, Request] | None:
        """Return the job that an id or a client's key stands for, and what it was asked, or None."""
        with self._engine.connect() as connection:
            row = _for_key(connection, job_id, key)
            return None if row is None else (self._status(connection, row), request_of(row))


def conflict(name: str) -> NrxError:
    """Return the error for an id or key that stands for another request already."""
    return NrxError(
        "request.conflict",
        f"The id or key {name!r} already stands for another request; use a new one, or send the same request.",
    )


def _shown_key(client_key: str | None) -> str:
    """Return a key as the client wrote it."""
    return (client_key or "").partition(":")[2]


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


def _stands_for_the_same(row: ROW) -> bool:
    """Return whether a job of the same content is the answer: on its way, or done and its return still there."""
    if row.state in ("queued", "running"):
        return not row.cancelling
    return row.state == "succeeded" and row.manifest is not None and Path(row.manifest).is_file()


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
