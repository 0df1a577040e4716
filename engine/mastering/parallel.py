"""Work on a song in pieces, a few at a time: numpy and FFTs leave the interpreter to others while they compute.

Pieces must not depend on each other; their results come in order, so that what is made is the same on any machine.
Work that runs beside other work is done piece by piece on its own thread, so that threads stay few.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from threading import local
from typing import TypeVar

from engine.progress import SILENT, Monitor

P = TypeVar("P")
R = TypeVar("R")

THREADS = max(1, min(2, cpu_count() or 1))
_here = local()


def in_pieces(work: Callable[[P], R], pieces: Sequence[P], monitor: Monitor = SILENT) -> list[R]:
    """Return what `work` makes of every piece, in their order.

    Raises:
        Exception: what `work` raised first; `Cancelled` from `monitor`. No piece is begun after either.
    """
    results: list[R] = []
    if _is_beside() or len(pieces) < 2:
        for index, piece in enumerate(pieces):
            results.append(work(piece))
            monitor.report((index + 1) / len(pieces))
        return results
    with ThreadPoolExecutor(THREADS, thread_name_prefix="nrx-master", initializer=_stay_beside) as pool:
        futures = [pool.submit(work, piece) for piece in pieces]
        try:
            for index, future in enumerate(futures):
                results.append(future.result())
                monitor.report((index + 1) / len(futures))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return results


def both(first: Callable[[], P], second: Callable[[], R]) -> tuple[P, R]:
    """Return what two functions give, run side by side; the first, the shorter one, keeps to one thread."""
    if _is_beside():
        return first(), second()
    with ThreadPoolExecutor(1, thread_name_prefix="nrx-master", initializer=_stay_beside) as pool:
        beside = pool.submit(first)
        done = second()
        return beside.result(), done


def _is_beside() -> bool:
    """Return whether this thread is one that works beside another."""
    return getattr(_here, "is_beside", False)


def _stay_beside() -> None:
    _here.is_beside = True
