"""The threads that run a step together, and how many of them are worth it.

Threads wait for each other some hundred times a step. Where other programs want the processors too, fewer threads are
often faster; `Pace` finds out by trying, all the time, since results don't depend on it.

One step runs at a time in a process: steps are bound by memory, so two at once would only wait for each other. A step
takes a few hundredths of a second, after which the next session has its turn.
"""

import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

MOST_THREADS = 16
"""More than this many no memory feeds."""
TRY_EVERY = 12
"""Each how many steps another number of threads is tried."""
ALIKE = 4
"""Up to so many tokens a step takes about the same time, that of reading the weights."""

_turn = threading.Lock()
_helpers: ThreadPoolExecutor | None = None


def thread_count() -> int:
    """Return how many threads a step uses: one a core that this process may run on."""
    import psutil

    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, psutil.cpu_count(logical=False) or allowed, MOST_THREADS))


def pause_address() -> int:
    """Return the address of the system's function that lets other threads run first."""
    if sys.platform == "win32":
        function = ctypes.windll.kernel32.SwitchToThread
    else:
        function = ctypes.CDLL(None).sched_yield
    return int(ctypes.cast(function, ctypes.c_void_p).value or 0)


def run_together(threads: int, work: Callable[[int], Any]) -> None:
    """Call `work` with 0 .. threads-1, each in a thread of its own, together; return when all have ended.

    Work must be such that thread 0 alone would do all of it: a thread that comes too late is not started.
    """
    global _helpers
    with _turn:
        if threads > 1 and (_helpers is None or _helpers._max_workers < threads - 1):
            _helpers = ThreadPoolExecutor(threads - 1, thread_name_prefix="musicgen")
        others: list[Future[Any]] = []
        if _helpers is not None:
            others = [_helpers.submit(work, number) for number in range(1, threads)]
        work(0)
        for other in others:
            if not other.cancel():  # one that has not begun is not needed any more
                other.result()


class Pace:
    """Chooses how many threads run a step: as many as were the fastest lately, now and then another number."""

    def __init__(self, most: int) -> None:
        """Begin with `most` threads; fewer are half as many, and half of that, down to one."""
        self._choices = [most]
        while self._choices[-1] > 1:
            self._choices.append(self._choices[-1] // 2)
        self._seconds: dict[int, float] = {}
        self._steps = 0

    def choose(self) -> int:
        """Return how many threads the next step of one column is to have."""
        self._steps += 1
        untried = [choice for choice in self._choices if choice not in self._seconds]
        if untried:
            return untried[0]
        if self._steps % TRY_EVERY == 0:
            return self._choices[self._steps // TRY_EVERY % len(self._choices)]
        return min(self._choices, key=self._seconds.__getitem__)

    def learn(self, threads: int, seconds: float) -> None:
        """Take in how long a step took; what was lately counts as much as all before."""
        self._seconds[threads] = (self._seconds.get(threads, seconds) + seconds) / 2

    def run(self, tokens: int, work: Callable[[int], Any]) -> None:
        """Run a step; only those of few tokens are compared, since others take longer for their own reasons."""
        if tokens > ALIKE:
            run_together(self._choices[0], work)
            return
        threads = self.choose()
        started = time.perf_counter()
        run_together(threads, work)
        self.learn(threads, time.perf_counter() - started)
