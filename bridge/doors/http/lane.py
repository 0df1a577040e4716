"""The way of requests into the queue: one thread checks them, one after the other, and many are answered at once.

A thread of its own for every call costs more than accepting a job does. Here a call hands its work over and awaits; the
thread begins it, goes on to the next, and does not wait for the disk. What the disk has taken together comes back to
the loop together.
"""

import asyncio
import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")
STOPPING_S = 1.0


class Lane:
    """Begins work on a thread, in the order in which it came. `start`, `run` and `stop` are called on the loop."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[tuple[asyncio.Future[Any], Callable[[], Future[Any]]] | None] = (
            queue.SimpleQueue()
        )
        self._ended: deque[tuple[asyncio.Future[Any], Future[Any]]] = deque()
        self._is_told = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._begin_all, name="nrx-http-lane", daemon=True)

    def start(self) -> None:
        """Begin to take work."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """Begin no more than what was handed over, and end the thread."""
        if self._thread.is_alive():
            self._asked.put(None)
            self._thread.join(STOPPING_S)

    async def run(self, begin: Callable[[], "Future[T]"]) -> T:
        """Have `begin` called on the thread, and return what its future gives, or raise what either raises."""
        waiting: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._asked.put((waiting, begin))
        return await waiting

    def _begin_all(self) -> None:
        while (asked := self._asked.get()) is not None:
            waiting, begin = asked
            try:
                begun = begin()
            except Exception as error:  # noqa: BLE001 - raised where it is awaited
                begun = Future()
                begun.set_exception(error)
            begun.add_done_callback(partial(self._tell, waiting))

    def _tell(self, waiting: "asyncio.Future[T]", ended: "Future[T]") -> None:
        """Have the loop look, once for all that ends until it does; on whatever thread it ended."""
        self._ended.append((waiting, ended))
        if not self._is_told and self._loop is not None:
            self._is_told = True
            with contextlib.suppress(RuntimeError):  # the loop has just closed
                self._loop.call_soon_threadsafe(self._answer_all)

    def _answer_all(self) -> None:
        self._is_told = False
        while self._ended:
            waiting, ended = self._ended.popleft()
            if waiting.done():
                continue  # who asked has gone
            error = ended.exception()
            if error is None:
                waiting.set_result(ended.result())
            else:
                waiting.set_exception(error)
