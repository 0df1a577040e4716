"""Opens the store's SQLite file: WAL, one writer that takes its lock at once, readers that never wait for it.

A write-ahead log needs shared memory beside the file, which network shares do not give; SQLite's manual
("Write-Ahead Logging", section 1) forbids it there, so such a folder is refused.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select
from sqlalchemy.exc import DatabaseError

from bridge.jobs.network import is_on_network
from bridge.jobs.schema import SCHEMA_VERSION, meta, metadata
from engine.errors import NrxError

BUSY_TIMEOUT_MS = 10_000
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    "PRAGMA wal_autocheckpoint = 2000",
    "PRAGMA journal_size_limit = 67108864",
)


def open_database(file: Path) -> tuple[Engine, Engine]:
    """Open or make the store in `file`; return the engines for writing and for reading.

    Raises:
        NrxError: `store.network` on a network share, `output.not_writable` where it cannot be made, `internal` for a
            store that is damaged or was made by a newer version.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    if is_on_network(file.parent):
        raise NrxError(
            "store.network",
            f"The job store {file} would lie on a network share, where it could be damaged; "
            "set NRX_HOME to a folder on a disk of this machine.",
        )
    writing, reading = _engine(file, "BEGIN IMMEDIATE"), _engine(file, "BEGIN")
    try:
        with writing.begin() as connection:
            _bring_up(connection, file)
    except DatabaseError as error:
        raise NrxError(
            "output.not_writable", f"The job store {file} cannot be opened ({error.orig})."
        ) from error
    return writing, reading


def _engine(file: Path, begin: str) -> Engine:
    engine = create_engine(
        f"sqlite:///{file.as_posix()}",
        pool_size=4,
        max_overflow=60,
        connect_args={"check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # this module says when a transaction begins, not the driver
        for pragma in PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _bring_up(connection: Connection, file: Path) -> None:
    """Make the tables in an empty file; refuse one that a newer version made."""
    if not inspect(connection).has_table("meta"):
        metadata.create_all(connection)
        connection.execute(meta.insert().values(name="schema", value=str(SCHEMA_VERSION)))
        return
    found = connection.execute(select(meta.c.value).where(meta.c.name == "schema")).scalar_one_or_none()
    if found != str(SCHEMA_VERSION):
        raise NrxError(
            "internal",
            f"The job store {file} has the schema {found} and this version of nrx knows {SCHEMA_VERSION}: "
            "use the version that made it, or move the file away.",
        )
