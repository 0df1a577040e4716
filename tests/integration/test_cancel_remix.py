"""Jobs that are cancelled: in any stage, at any step of publishing, in a call that hears nothing; nothing is left.

`python benchmarks/cancel.py` measures how long it takes.
"""

import queue
import random
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import soundfile

from bridge.config import Settings, load_settings
from bridge.jobs import Jobs
from bridge.protocol import JobEvent, JobStatus, parse_request
from engine.errors import NrxError
from tests import faulty_worker
from tests.queue_kit import returns_in, set_faults, tiny_request, until
from tests.songs import song

STAGES = ("read", "separate", "analyze", "generate", "sync", "mix", "master", "publish")
HELD_STEPS = ("staging made", "files synced", "place recorded", "manifest written", "renamed", "before done")
"""Steps at which the job is held until the cancel has been said."""
RACES, LATEST_CANCEL_S = 20, 0.3

pytestmark = pytest.mark.slow


@dataclass
class Bench:
    """A queue with one worker, and all that it has told."""

    jobs: Jobs
    settings: Settings
    songs: Path
    told: "queue.Queue[JobEvent]"

    def submit(self, job_id: str, seed: int) -> None:
        file = self.songs / f"{job_id}.wav"
        soundfile.write(file, song(bars=2, seed=seed), 44100, subtype="PCM_24")
        asked: dict[str, Any] = {"action": "remix", "inputs": [{"path": str(file)}], "style": "lofi_chill"}
        self.jobs.submit(parse_request(asked), door="test", job_id=job_id)

    def until_stage(self, job_id: str, stage: str) -> None:
        """Wait until a job has come to a stage, or past it."""
        late = STAGES[STAGES.index(stage) :]
        while True:
            job = self.told.get(timeout=120).job
            if job.id == job_id and (job.stage in late or job.state == "succeeded"):
                return

    def ended(self, job_id: str) -> JobStatus:
        """Wait until a job has ended; return how."""

        def look() -> JobStatus | None:
            status = self.jobs.get(job_id)
            return status if status.state not in ("queued", "running") else None

        found = until(look, 120, f"the end of {job_id}")
        assert isinstance(found, JobStatus)
        return found

    def endings(self, job_id: str) -> list[str]:
        """Return all endings of a job that were ever told."""
        events = self.jobs.events_after(0, 100_000)
        return [
            event.type
            for event in events
            if event.job.id == job_id and event.type in ("succeeded", "failed", "cancelled")
        ]

    def assert_nothing_is_left(self) -> None:
        """Fail if a return, half of one, half of a stage, or a process beside the workers is there."""
        assert returns_in(self.settings.returns_folder) == {}
        assert not list(self.settings.cache_folder.glob(".building-*"))
        assert not list((self.settings.home / "inputs").glob(".incoming-*"))


@pytest.fixture
def bench(own_home: Path, tmp_path: Path) -> Iterator[Bench]:
    settings = load_settings()
    told: queue.Queue[JobEvent] = queue.Queue()
    jobs = Jobs(settings, faulty_worker.main)
    jobs.subscribe(told.put)
    jobs.start()
    yield Bench(jobs, settings, tmp_path, told)
    jobs.close()


def test_remix_that_is_cancelled_in_any_stage_ends_as_cancelled_and_leaves_nothing(bench: Bench) -> None:
    for number, stage in enumerate(STAGES[:-1]):
        bench.submit(stage, number)
        bench.until_stage(stage, stage)
        bench.jobs.cancel(stage)
        assert bench.ended(stage).state == "cancelled"
        assert bench.endings(stage) == ["cancelled"]
        bench.assert_nothing_is_left()
    bench.jobs.submit(tiny_request(), door="test", job_id="next")
    assert bench.ended("next").state == "succeeded"


def test_job_that_is_cancelled_while_it_publishes_never_succeeds(bench: Bench) -> None:
    ids = {step: step.replace(" ", "-") for step in HELD_STEPS}
    set_faults(
        bench.settings.home, {job_id: {"point": step, "victim": "wait"} for step, job_id in ids.items()}
    )
    for number, job_id in enumerate(ids.values()):
        bench.jobs.submit(tiny_request(number), door="test", job_id=job_id)
        until((bench.settings.home / f"fault-{job_id}-0").exists, what=f"the step {job_id}")
        assert bench.jobs.cancel(job_id).cancelling
        (bench.settings.home / f"go-{job_id}").touch()
        assert bench.ended(job_id).state == "cancelled"
        assert bench.endings(job_id) == ["cancelled"]
        bench.assert_nothing_is_left()


def test_job_that_is_stopped_while_it_publishes_is_not_done_twice(own_home: Path) -> None:
    """The daemon ends at that moment; the next one takes the job up, or finds it done."""
    settings = load_settings()
    ids = {step: step.replace(" ", "-") for step in ("place recorded", "renamed", "before done")}
    set_faults(own_home, {job_id: {"point": step, "victim": "wait"} for step, job_id in ids.items()})
    for number, job_id in enumerate(ids.values()):
        jobs = Jobs(settings, faulty_worker.main)
        jobs.start()
        jobs.submit(tiny_request(number), door="test", job_id=job_id)
        until((own_home / f"fault-{job_id}-0").exists, what=f"the step {job_id}")
        threading.Timer(0.5, (own_home / f"go-{job_id}").touch).start()
        jobs.close()
    jobs = Jobs(settings)
    jobs.start()
    bench = Bench(jobs, settings, own_home, queue.Queue())
    for job_id in ids.values():
        assert bench.ended(job_id).state == "succeeded"
        assert bench.endings(job_id) == ["succeeded"]
    jobs.close()
    assert returns_in(settings.returns_folder) == dict.fromkeys(ids.values(), 1)


@pytest.mark.skipif(sys.platform == "win32", reason="the call that hears nothing is of POSIX's C library")
@pytest.mark.parametrize("stage", ["separate", "master"])
def test_remix_in_one_long_native_call_is_ended_with_its_process(bench: Bench, stage: str) -> None:
    """The call lets no other thread run, so the worker cannot even hear that it should stop."""
    set_faults(bench.settings.home, {"deaf": {"point": stage, "victim": "native"}})
    bench.submit("deaf", 0)
    bench.until_stage("deaf", stage)
    worker = psutil.Process(bench.jobs.workers()[0].pid)
    bench.jobs.cancel("deaf")
    assert bench.ended("deaf").state == "cancelled"
    assert not worker.is_running()
    bench.assert_nothing_is_left()
    bench.jobs.submit(tiny_request(), door="test", job_id="next")
    assert bench.ended("next").state == "succeeded"


def test_waiting_remixes_are_cancelled_at_once_also_while_the_worker_hangs(bench: Bench) -> None:
    set_faults(bench.settings.home, {"hangs": {"point": "generate", "victim": "hang"}})
    bench.jobs.submit(tiny_request(), door="test", job_id="hangs")
    until((bench.settings.home / "fault-hangs-0").exists)
    for number in range(3):
        bench.submit(f"waits-{number}", number)
    for number in range(3):
        assert bench.jobs.cancel(f"waits-{number}").state == "cancelled"
    assert bench.jobs.get("hangs").state == "running"
    bench.jobs.cancel("hangs")
    assert bench.ended("hangs").state == "cancelled"
    assert [bench.endings(f"waits-{number}") for number in range(3)] == [["cancelled"]] * 3
    bench.assert_nothing_is_left()


def test_cancel_at_the_end_is_either_refused_or_kept(bench: Bench) -> None:
    chance = random.Random(1)
    succeeded = set()
    for number in range(RACES):
        job_id = f"job-{number}"
        bench.jobs.submit(tiny_request(number, duration_s=1), door="test", job_id=job_id)
        bench.until_stage(job_id, "publish")
        time.sleep(chance.uniform(0.0, LATEST_CANCEL_S))
        state = "cancelled"
        try:
            bench.jobs.cancel(job_id)
        except NrxError:
            state = "succeeded"
            succeeded.add(job_id)
        assert (bench.ended(job_id).state, bench.endings(job_id)) == (state, [state])
    assert set(returns_in(bench.settings.returns_folder)) == succeeded
