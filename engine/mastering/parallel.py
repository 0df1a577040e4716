"""Work on a song in pieces, a few at a time: numpy and FFTs leave the interpreter to others while they compute.

Pieces must not depend on each other; their results come in order, so that what is made is the same on any machine.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from typing import TypeVar

from engine.progress import SILENT, Monitor

P = TypeVar("P")
R = TypeVar("R")

THREADS = max(1, min(2, cpu_count() or 1))


def in_pieces(work: Callable[[P], R], pieces: Sequence[P], monitor: Monitor = SILENT) -> list[R]:
    """Return what `work` makes of every piece, in their order.

    Raises:
        Exception: what `work` raised first; `Cancelled` from `monitor`. No piece is begun after either.
    """
    results: list[R] = []
    with ThreadPoolExecutor(THREADS, thread_name_prefix="nrx-master") as pool:
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
    """Return what two functions give, run side by side."""
    with ThreadPoolExecutor(1, thread_name_prefix="nrx-master") as pool:
        beside = pool.submit(first)
        done = second()
        return beside.result(), done
