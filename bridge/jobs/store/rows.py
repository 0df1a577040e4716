"""Rows of the jobs table: finding one, changing one, and what its columns say."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import ClauseElement, Connection, bindparam, select, update
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from bridge.inputs import RegisteredInput
from bridge.jobs.model import Snapshot
from bridge.jobs.schema import jobs, meta
from bridge.jobs.status import ROW
from bridge.jobs.writer import Batch
from bridge.protocol import InputFile, Request
from engine.errors import NrxError


class LeaseLost(Exception):  # noqa: N818 - it is no error but news
    """The token holds no lease any more: the job has ended, or was given to another worker."""


PLACING = frozenset({"state", "priority", "turn"})
"""The columns that decide the places in the queue."""
_BY_ID = select(jobs).where(jobs.c.id == bindparam("id"))
_BY_TOKEN = select(jobs).where(jobs.c.token == bindparam("token"), jobs.c.state == "running")


def known(connection: Connection, job_id: str) -> ROW:
    """Return the row of a job; raises `job.unknown`."""
    row = connection.execute(_BY_ID, {"id": job_id}).one_or_none()
    if row is None:
        raise NrxError("job.unknown", f"There is no job {job_id!r}; `nrx jobs` lists those there are.")
    return row


def held(connection: Connection, token: str) -> ROW:
    """Return the row of the running job whose lease a token holds; raises `LeaseLost`."""
    row = connection.execute(_BY_TOKEN, {"token": token}).one_or_none()
    if row is None:
        raise LeaseLost
    return row


def set_values(batch: Batch, job_id: str, **values: Any) -> None:
    """Change columns of a job; what changes places in the queue forgets those that were counted."""
    if not PLACING.isdisjoint(values):
        batch.places.clear()
    batch.connection.execute(update(jobs).where(jobs.c.id == bindparam("b_id")), {"b_id": job_id, **values})


def flag(connection: Connection, name: str) -> bool:
    """Return whether a flag of the store is set."""
    return connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar_one_or_none() == "1"


def wrong_state(row: ROW, what: str) -> NrxError:
    """Return the error for a wish that does not fit the state of a job."""
    verb = "has" if row.state in ("succeeded", "failed") else "is"
    return NrxError("job.state", f"The job {row.id} {verb} {row.state} and cannot be {what}.")


def path_of(text: str | None) -> Path | None:
    """Return the path in a column that may be empty."""
    return None if text is None else Path(text)


def request_of(row: ROW) -> Request:
    """Return what a job was asked."""
    return Request.model_validate_json(row.request)


def snapshots_of(row: ROW) -> tuple[Snapshot, ...]:
    """Return the inputs of a job as they were accepted."""
    return tuple(
        Snapshot(
            InputFile.model_validate(item["given"]),
            RegisteredInput(item["sha256"], Path(item["file"]), item["name"], item["bytes"]),
        )
        for item in json.loads(row.inputs)
    )


def driver_sql(statement: ClauseElement) -> str:
    """Return a statement's SQL for the driver, with `:name` for its parameters: what every accept runs."""
    return str(statement.compile(dialect=SQLiteDialect(paramstyle="named")))
