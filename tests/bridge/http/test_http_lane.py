"""Work is begun in its order, does not wait for what was begun before, and every caller gets its own answer."""

import asyncio
from concurrent.futures import Future

import pytest

from bridge.doors.http.lane import Lane
from engine.errors import NrxError


def done(value: int) -> "Future[int]":
    future: Future[int] = Future()
    future.set_result(value)
    return future


def test_work_is_begun_in_order_and_answered_each() -> None:
    begun: list[int] = []

    def begin(number: int) -> "Future[int]":
        begun.append(number)
        return done(number * 10)

    async def ask() -> list[int]:
        lane = Lane()
        lane.start()
        try:
            return await asyncio.gather(*(lane.run(lambda n=n: begin(n)) for n in range(50)))  # type: ignore[misc]
        finally:
            lane.stop()

    assert asyncio.run(ask()) == [number * 10 for number in range(50)]
    assert begun == list(range(50))


def test_nobody_waits_for_what_was_begun_before() -> None:
    slow: Future[int] = Future()

    async def ask() -> tuple[int, int]:
        lane = Lane()
        lane.start()
        try:
            first = asyncio.ensure_future(lane.run(lambda: slow))
            second = await lane.run(lambda: done(2))
            assert not first.done()
            slow.set_result(1)
            return await first, second
        finally:
            lane.stop()

    assert asyncio.run(ask()) == (1, 2)


def test_errors_of_both_kinds_reach_their_caller_only() -> None:
    def refuse() -> "Future[int]":
        raise NrxError("request.invalid", "At once.")

    failed: Future[int] = Future()
    failed.set_exception(NrxError("request.conflict", "Later."))

    async def ask() -> int:
        lane = Lane()
        lane.start()
        try:
            with pytest.raises(NrxError, match=r"At once\."):
                await lane.run(refuse)
            with pytest.raises(NrxError, match=r"Later\."):
                await lane.run(lambda: failed)
            return await lane.run(lambda: done(3))
        finally:
            lane.stop()

    assert asyncio.run(ask()) == 3


def test_a_caller_that_has_gone_disturbs_nobody() -> None:
    slow: Future[int] = Future()

    async def ask() -> int:
        lane = Lane()
        lane.start()
        try:
            gone = asyncio.ensure_future(lane.run(lambda: slow))
            await lane.run(lambda: done(1))
            gone.cancel()
            slow.set_result(0)
            return await lane.run(lambda: done(2))
        finally:
            lane.stop()

    assert asyncio.run(ask()) == 2
