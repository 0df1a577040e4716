"""Changes of the store are committed together, and one that fails takes no other with it."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from bridge.jobs.database import open_database
from bridge.jobs.schema import meta
from bridge.jobs.writer import Batch, Writer
from bridge.protocol import JobEvent


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    writing, reading = open_database(tmp_path / "jobs.db")
    writer = Writer(writing, lambda _events: None)
    yield writer
    writer.close()
    writing.dispose()
    reading.dispose()


def names(batch: Batch) -> set[str]:
    return set(batch.connection.execute(select(meta.c.name)).scalars()) - {"schema"}


def put(batch: Batch, name: str) -> None:
    batch.connection.execute(insert(meta).values(name=name, value=""))


def test_changes_that_come_while_one_is_made_are_committed_by_one_sync(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    inner = writer._commit

    def spy(connection: Connection, changes: list[Any]) -> None:
        batches.append(len(changes))
        inner(connection, changes)

    monkeypatch.setattr(writer, "_commit", spy)
    hold, held = threading.Event(), threading.Event()

    def slow(_batch: Batch) -> None:
        held.set()
        hold.wait(10)

    first = writer.begin(slow)
    held.wait(10)
    rest = [writer.begin(lambda batch, n=index: put(batch, f"n{n}")) for index in range(50)]  # type: ignore[misc]
    hold.set()
    for future in (first, *rest):
        future.result(10)
    assert batches[-1] == 50
    assert len(writer.write(names)) == 50


def test_change_that_fails_leaves_nothing_and_the_others_stand(writer: Writer) -> None:
    hold = threading.Event()
    writer.begin(lambda _batch: hold.wait(10))

    def fails(batch: Batch) -> None:
        put(batch, "half")
        batch.events.append(JobEvent.model_construct(id=1))
        raise ValueError("no")

    before = writer.begin(lambda batch: put(batch, "before"))
    failing = writer.begin(fails)
    after = writer.begin(lambda batch: (put(batch, "after"), list(batch.events)))
    hold.set()
    before.result(10)
    with pytest.raises(ValueError, match="no"):
        failing.result(10)
    assert after.result(10) == (None, [])
    assert writer.write(names) == {"before", "after"}


def test_transaction_that_cannot_be_committed_is_told_to_all_and_the_writer_lives_on(
    writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(batch: Batch) -> None:
        put(batch, "lost")
        batch.connection.exec_driver_sql("RELEASE change")
        batch.connection.exec_driver_sql("ROLLBACK")

    with pytest.raises(Exception, match=r"no such savepoint|cannot"):
        writer.write(breaks)
    writer.write(lambda batch: put(batch, "next"))
    assert writer.write(names) == {"next"}


def test_closed_writer_has_written_what_it_was_given_and_takes_no_more(writer: Writer) -> None:
    given = [writer.begin(lambda batch, n=index: put(batch, f"n{n}")) for index in range(20)]  # type: ignore[misc]
    writer.close()
    assert all(future.done() and future.exception() is None for future in given)
    with pytest.raises(RuntimeError):
        writer.write(names)
