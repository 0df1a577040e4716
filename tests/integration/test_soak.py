"""Many jobs in a row through a whole daemon: nothing grows, nothing is left open, nothing is left lying about.

A hundred here; `python benchmarks/soak.py` runs two thousand.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.queue_kit import Observer, returns_in, until
from tests.serve_kit import Served

JOBS, EARLY, AT_A_TIME = 100, 30, 10
MOST_GROWTH = 0.05
"""The share by which resident memory of the daemon or its workers may grow from job `EARLY` to job `JOBS`."""
POOLED = 4
"""Threads and database connections that are kept for the next request, and may come after job `EARLY`."""


@dataclass(frozen=True)
class Held:
    """What the processes of a daemon hold. Bytes are resident ones."""

    pids: tuple[int, ...]
    daemon_bytes: int
    worker_bytes: int
    daemon_handles: int
    worker_handles: int
    daemon_threads: int
    worker_threads: int


def held_by(daemon: Served) -> Held:
    """Return what a daemon holds while it has nothing to do."""
    until(lambda: all(job["state"] not in ("queued", "running") for job in daemon.jobs()), 120)
    first, *others = daemon.tree()
    workers = daemon.workers()
    return Held(
        tuple(sorted(process.pid for process in (first, *others))),
        first.memory_info().rss,
        sum(worker.memory_info().rss for worker in workers),
        handles(first),
        sum(map(handles, workers)),
        first.num_threads(),
        sum(worker.num_threads() for worker in workers),
    )


def handles(process: psutil.Process) -> int:
    """Return how many files, sockets and the like a process has open."""
    return int(process.num_handles() if psutil.WINDOWS else process.num_fds())


@pytest.mark.slow
def test_a_hundred_jobs_in_a_row_leave_daemon_and_worker_as_they_were(own_home: Path) -> None:
    ids: list[str] = []
    held: dict[int, Held] = {}
    with Served(own_home) as daemon:
        while len(ids) < JOBS:
            ids += [daemon.submit(duration_s=1, seed=len(ids) + more) for more in range(AT_A_TIME)]
            held[len(ids)] = held_by(daemon)
        early, late = held[EARLY], held[JOBS]
        assert late.pids == early.pids
        assert late.daemon_bytes <= (1 + MOST_GROWTH) * early.daemon_bytes
        assert late.worker_bytes <= (1 + MOST_GROWTH) * early.worker_bytes
        assert late.worker_handles <= early.worker_handles
        assert late.worker_threads <= early.worker_threads
        assert late.daemon_handles <= early.daemon_handles + POOLED
        assert late.daemon_threads <= early.daemon_threads + POOLED
        daemon.end()
        assert daemon.process.returncode == 0

    observer = Observer(own_home)
    assert observer.all_ended(JOBS)
    assert observer.endings() == Counter((job_id, "succeeded") for job_id in ids)
    assert all(job.attempt == 1 for job in observer.jobs().values())
    observer.close()
    assert returns_in(own_home / "returns") == dict.fromkeys(ids, 1)
    assert not list((own_home / "cache").glob(".building-*"))
