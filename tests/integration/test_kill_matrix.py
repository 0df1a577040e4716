"""SIGKILL to the worker, the daemon, or both, at every stage, at every step of publishing, and at random moments.

Every accepted job ends exactly once with one whole return; none is lost, none doubled, nothing half-made stays. The
full run kills three victims at every point, of the smallest job and of a whole remix, and 50 times at random:

    NRX_KILLS=50 python -m pytest tests/integration/test_kill_matrix.py
"""

import os
import random
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tests.faulty_worker import STEPS
from tests.queue_kit import Observer, OtherQueue, returns_in, set_faults, tiny, until
from tests.songs import song

KILLS = int(os.environ.get("NRX_KILLS", "8"))
FULL = KILLS >= 50
STAGES = ("generate", "mix", "master", "publish")
POINTS = (*STAGES, *STEPS)
REMIX_STAGES = ("read", "separate", "analyze", "generate", "sync", "mix", "master", "publish")
REMIX_POINTS = (*REMIX_STAGES, *STEPS)
INSIDE_S = {"separate": 0.3, "analyze": 0.3, "generate": 0.5, "publish": 0.1}
"""Stages that last: they are struck at random moments up to so long after they began."""
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


def submit(queue: OtherQueue, job_id: str, request: Mapping[str, Any]) -> None:
    """Submit until it is accepted, as a client does that gets no answer: the same id is the same job."""
    while not queue.submit(job_id, request):
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


def struck(home: Path) -> set[str]:
    """Return the jobs whose faults have happened."""
    return {path.name.removeprefix("fault-").removesuffix("-0") for path in home.glob("fault-*")}


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
        submit(queue, job_id, tiny(seed))
    until_all_ended(queue, observer, len(ids))
    until(
        lambda: struck(queue.home) == set(ids),
        TIMEOUT_S,
        "the last fault, which strikes after the end of a job",
    )
    check(queue, observer, ids)


@pytest.mark.parametrize(
    ("victim", "points"),
    [(victim, REMIX_POINTS) for victim in ("worker", "daemon", "both")]
    if FULL
    else [("worker", ("separate", "generate", "renamed")), ("daemon", ("analyze", "sync", "place recorded"))],
)
def test_killed_in_every_stage_of_a_remix_it_ends_once_with_one_whole_return(
    queue: OtherQueue, observer: Observer, tmp_path: Path, victim: str, points: tuple[str, ...]
) -> None:
    chance = random.Random(f"{victim} {KILLS}")
    faults: dict[str, dict[str, Any]] = {}
    for point in points:
        later = {"delay_s": chance.uniform(0.0, INSIDE_S[point])} if point in INSIDE_S else {}
        faults[point.replace(" ", "-")] = {"point": point, "victim": victim, **later}
    set_faults(queue.home, faults)
    queue.start()
    for number, job_id in enumerate(faults):
        file = tmp_path / f"{job_id}.wav"
        soundfile.write(file, song(bars=2, seed=number), 44100, subtype="PCM_24")
        submit(queue, job_id, {"action": "remix", "inputs": [{"path": str(file)}], "style": "lofi_chill"})
        file.unlink()  # what was accepted needs it no more
    until_all_ended(queue, observer, len(faults))
    assert struck(queue.home) == set(faults)
    check(queue, observer, list(faults))


def test_killed_at_random_moments_every_job_ends_once_with_one_whole_return(
    queue: OtherQueue, observer: Observer
) -> None:
    """Each kill waits for a job that was not killed before: a worker killed twice by one job is another matter."""
    chance = random.Random(KILLS)
    queue.start()
    ids: list[str] = []
    for number in range(KILLS):
        ids.append(f"job-{number}")
        submit(queue, ids[-1], tiny(number))
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
