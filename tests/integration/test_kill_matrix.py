"""SIGKILL to the worker, the daemon, or both, at every stage, at every step of publishing, and at random moments.

Every accepted job ends exactly once with one whole return; none is lost, none doubled, nothing half-made stays. The
full run kills three victims at every point, and 50 times at random:

    NRX_KILLS=50 python -m pytest tests/integration/test_kill_matrix.py
"""

import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faulty_worker import STEPS
from tests.queue_kit import Observer, OtherQueue, returns_in, set_faults, tiny, until

KILLS = int(os.environ.get("NRX_KILLS", "8"))
FULL = KILLS >= 50
STAGES = ("generate", "mix", "master", "publish")
POINTS = (*STAGES, *STEPS)
DAEMON_POINTS = POINTS if FULL else ("generate", "staging made", "place recorded", "renamed", "before done")
TIMEOUT_S = 1500.0 if FULL else 240.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's"),
    pytest.mark.timeout(TIMEOUT_S + 60),
]


@pytest.fixture
def queue(own_home: Path) -> Iterator[OtherQueue]:
    queue = OtherQueue(own_home)
    yield queue
    if queue.alive:
        queue.end()


@pytest.fixture
def observer(own_home: Path) -> Iterator[Observer]:
    observer = Observer(own_home)
    yield observer
    observer.close()


def submit(queue: OtherQueue, job_id: str, seed: int) -> None:
    """Submit until it is accepted, as a client does that gets no answer: the same id is the same job."""
    while not queue.submit(job_id, tiny(seed)):
        queue.kill()
        queue.start()


def until_all_ended(queue: OtherQueue, observer: Observer, count: int) -> None:
    """Start the daemon again whenever it was killed, until every job has ended."""

    def look() -> bool:
        if not queue.alive:
            queue.kill()
            queue.start()
        return observer.all_ended(count)

    until(look, TIMEOUT_S, "the end of every job")


def check(queue: OtherQueue, observer: Observer, ids: list[str]) -> None:
    assert queue.end() == 0
    jobs = observer.jobs()
    assert {job_id: job.state for job_id, job in jobs.items()} == dict.fromkeys(ids, "succeeded")
    assert observer.endings() == {(job_id, "succeeded"): 1 for job_id in ids}
    assert returns_in(queue.home / "returns") == dict.fromkeys(ids, 1)
    for job in jobs.values():
        assert job.manifest is not None
        assert Path(job.manifest).is_file()
    assert not list((queue.home / "cache").glob(".building-*"))


@pytest.mark.parametrize("victim", ["worker", "daemon", "both"] if FULL else ["worker", "daemon"])
def test_killed_at_every_point_every_job_ends_once_with_one_whole_return(
    queue: OtherQueue, observer: Observer, victim: str
) -> None:
    points = POINTS if victim == "worker" else DAEMON_POINTS
    ids = [point.replace(" ", "-") for point in points]
    set_faults(
        queue.home,
        {job_id: {"point": point, "victim": victim} for job_id, point in zip(ids, points, strict=True)},
    )
    queue.start()
    for seed, job_id in enumerate(ids):
        submit(queue, job_id, seed)
    until_all_ended(queue, observer, len(ids))
    struck = {path.name.removeprefix("fault-").removesuffix("-0") for path in queue.home.glob("fault-*")}
    assert struck == set(ids)
    check(queue, observer, ids)


def test_killed_at_random_moments_every_job_ends_once_with_one_whole_return(
    queue: OtherQueue, observer: Observer
) -> None:
    """Each kill waits for a job that was not killed before: a worker killed twice by one job is another matter."""
    chance = random.Random(KILLS)
    queue.start()
    ids: list[str] = []
    for number in range(KILLS):
        ids.append(f"job-{number}")
        submit(queue, ids[-1], number)
        until(lambda: observer.jobs()[ids[-1]].state != "queued", what="the start of the job")
        time.sleep(chance.uniform(0.0, 0.6))
        if chance.random() < 0.5:
            for worker in queue.workers():
                worker.kill()
        else:
            queue.kill()
            queue.start()
    until_all_ended(queue, observer, len(ids))
    check(queue, observer, ids)
