"""The one writer of the store: many small changes from many threads, committed together (group commit).

SQLite takes one writer at a time and a durable commit costs a sync of the disk. So every change is a function that is
handed to one thread; while it commits, the next ones gather, and are committed by one sync. A change runs within a
savepoint: if it raises, it leaves nothing and the others stand. `BEGIN IMMEDIATE` takes the write lock at the start, so
that no change fails half-way for want of it.
"""

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from bridge.protocol import JobEvent
from engine.errors import NrxError

T = TypeVar("T")
LARGEST_BATCH = 256
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Batch:
    """One transaction: its connection, and the events that its changes have told so far.

    `driver` is a cursor of the connection, for statements that are run so often that SQLAlchemy's share of them counts.
    `places` is what a change may leave for the next one: priority -> the place of the next job added with it.
    """

    connection: Connection
    driver: sqlite3.Cursor
    places: dict[int, int]
    events: list[JobEvent] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Change(Generic[T]):
    work: Callable[[Batch], T]
    durable: bool
    done: "Future[T]"


class Writer:
    """Runs changes in one thread, in the order in which they came.

    Args:
        engine: whose connections begin with `BEGIN IMMEDIATE`.
        on_events: gets the events of each transaction after it has been committed, in order.
    """

    def __init__(self, engine: Engine, on_events: Callable[[list[JobEvent]], None]) -> None:
        self._engine, self._on_events = engine, on_events
        self._waiting: queue.SimpleQueue[_Change[Any] | None] = queue.SimpleQueue()
        self._places: dict[int, int] = {}
        self._is_durable: bool | None = None
        self._closed = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="nrx-store", daemon=True)
        self._thread.start()

    def begin(self, work: Callable[[Batch], T], *, durable: bool = True) -> "Future[T]":
        """Hand over a change; the future is done when it is committed (and, if `durable`, on the disk).

        It raises what `write` raises.
        """
        change = _Change(work, durable, Future[T]())
        with self._closed:
            if self._is_closed:
                raise RuntimeError("the store is closed")
            self._waiting.put(change)
        return change.done

    def write(self, work: Callable[[Batch], T], *, durable: bool = True) -> T:
        """Make a change and wait until it is committed.

        Raises:
            NrxError: `output.disk_full`, `output.not_writable` where it cannot be; and what `work` raises.
        """
        return self.begin(work, durable=durable).result()

    def _in_words(self, error: Exception) -> Exception:
        """Return an error of SQLite's as one for people, and any other as it is."""
        orig = error.orig if isinstance(error, OperationalError) else error
        if not isinstance(orig, sqlite3.OperationalError):
            return error
        file = self._engine.url.database
        if "full" in str(orig):
            return NrxError(
                "output.disk_full",
                f"The disk that holds the job store {file} is full; free some space, then retry.",
            )
        return NrxError("output.not_writable", f"The job store {file} cannot be written ({orig}).")

    def close(self) -> None:
        """Commit what has been handed over, and stop."""
        with self._closed:
            if self._is_closed:
                return
            self._is_closed = True
            self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        with self._engine.connect() as connection:
            while (batch := self._gather()) is not None:
                self._commit(connection, batch)

    def _gather(self) -> list[_Change[Any]] | None:
        """Wait for a change and take those that have come with it; None at the end."""
        first = self._waiting.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < LARGEST_BATCH:
            try:
                more = self._waiting.get_nowait()
            except queue.Empty:
                break
            if more is None:
                self._waiting.put(None)
                break
            batch.append(more)
        return batch

    def _commit(self, connection: Connection, changes: list[_Change[Any]]) -> None:
        """Run the changes in one transaction and tell each how it went."""
        driver: Any = connection.connection.cursor()
        batch = Batch(connection, driver, self._places)
        try:
            self._sync(driver, durable=any(change.durable for change in changes))
            with connection.begin():
                told = [(change, *self._attempt(batch, change)) for change in changes]
        except Exception as error:  # noqa: BLE001 - whoever waits is told; the writer must live on
            log.error("A transaction of the job store failed: %s", error)
            connection.rollback()
            self._places.clear()
            for change in changes:
                change.done.set_exception(self._in_words(error))
            return
        if batch.events:
            self._on_events(batch.events)
        for change, result, failure in told:
            if failure is not None:
                change.done.set_exception(self._in_words(failure))
            else:
                change.done.set_result(result)

    def _sync(self, driver: sqlite3.Cursor, *, durable: bool) -> None:
        """Say whether the next commit waits for the disk; asked of the driver, since no transaction may be open."""
        if durable != self._is_durable:
            driver.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._is_durable = durable

    @staticmethod
    def _attempt(batch: Batch, change: _Change[T]) -> tuple[T | None, Exception | None]:
        before = len(batch.events)
        batch.driver.execute("SAVEPOINT change")
        try:
            result = change.work(batch)
        except Exception as error:
            if not batch.driver.connection.in_transaction:
                raise  # SQLite has undone all of it, as for a full disk: nobody's change stands
            batch.driver.execute("ROLLBACK TO change")
            batch.driver.execute("RELEASE change")
            del batch.events[before:]
            batch.places.clear()
            return None, error
        batch.driver.execute("RELEASE change")
        return result, None
