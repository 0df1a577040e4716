"""Worker processes: real ones, spawned, killed and hung. Whatever happens to one job, the next one runs."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bridge.config import JobsSettings, Settings, load_settings
from bridge.jobs import Jobs
from bridge.jobs.deaths import Deaths
from bridge.protocol import JobEvent, JobStatus
from tests import faulty_worker
from tests.queue_kit import returns_in, set_faults, tiny_request, until

LEASE_S = 1.5


@pytest.fixture
def settings(own_home: Path) -> Settings:
    return load_settings().model_copy(update={"jobs": JobsSettings(lease_s=LEASE_S)})


@pytest.fixture
def jobs(settings: Settings) -> Iterator[Jobs]:
    """A queue with one worker that has the faults of `set_faults`."""
    jobs = Jobs(settings, faulty_worker.main)
    jobs.start()
    yield jobs
    jobs.close()


def submit(jobs: Jobs, job_id: str) -> None:
    jobs.submit(tiny_request(sum(job_id.encode())), door="test", job_id=job_id)


def ended(jobs: Jobs, job_id: str) -> JobStatus:
    def look() -> JobStatus | None:
        status = jobs.get(job_id)
        return status if status.state not in ("queued", "running") else None

    found = until(look, 120, f"the end of {job_id}")
    assert isinstance(found, JobStatus)
    return found


def code_of(status: JobStatus) -> str | None:
    return status.error.code if status.error is not None else None


@pytest.mark.slow
def test_one_bad_job_after_the_other_and_the_good_one_still_runs(jobs: Jobs, settings: Settings) -> None:
    faults = {
        "crashes": {"point": "mix", "victim": "worker", "times": 2},
        "crashes-once": {"point": "mix", "victim": "worker"},
        "starves": {"point": "mix", "victim": "memory", "times": 9},
        "starves-once": {"point": "mix", "victim": "memory"},
        "errs": {"point": "mix", "victim": "error", "times": 9},
        "good": {"point": "never"},
    }
    set_faults(settings.home, faults)
    heard: list[JobEvent] = []
    jobs.subscribe(heard.append)
    for job_id in faults:
        submit(jobs, job_id)
    how = {job_id: ended(jobs, job_id) for job_id in faults}
    assert {job_id: code_of(status) for job_id, status in how.items()} == {
        "crashes": "job.crashed",
        "crashes-once": None,
        "starves": "job.memory",
        "starves-once": None,
        "errs": "internal",
        "good": None,
    }
    assert {job_id: status.attempt for job_id, status in how.items()} == {
        "crashes": 2,
        "crashes-once": 2,
        "starves": 3,
        "starves-once": 2,
        "errs": 3,
        "good": 1,
    }
    assert set(returns_in(settings.returns_folder)) == {"crashes-once", "starves-once", "good"}
    assert "with less" in how["starves-once"].notes[0]
    error = how["errs"].error
    assert error is not None
    details = Path(error.sentence.partition("the details are in ")[2].partition(": please")[0])
    assert "ZeroDivisionError: a bug" in details.read_text()
    for job_id in faults:
        told = [event for event in heard if event.job.id == job_id]
        assert [event.type for event in told if event.type in ("succeeded", "failed")] == [how[job_id].state]
        fractions: list[float] = []
        for event in told:
            fractions = [] if event.type in ("running", "retried") else fractions
            assert not fractions or event.job.fraction >= fractions[-1] or event.type == "failed"
            fractions.append(event.job.fraction)


@pytest.mark.slow
def test_worker_without_a_sign_of_life_loses_its_job_and_one_that_computes_does_not(
    jobs: Jobs, settings: Settings
) -> None:
    set_faults(
        settings.home,
        {
            "hangs": {"point": "mix", "victim": "hang"},
            "computes": {"point": "mix", "victim": "busy", "cpu_s": 2 * LEASE_S},
        },
    )
    submit(jobs, "hangs")
    submit(jobs, "computes")
    hung, computed = ended(jobs, "hangs"), ended(jobs, "computes")
    assert (hung.state, hung.attempt, len(hung.notes)) == ("succeeded", 2, 1)
    assert "no sign of life" in hung.notes[0]
    assert (computed.state, computed.attempt, computed.notes) == ("succeeded", 1, ())


@pytest.mark.slow
@pytest.mark.parametrize("deaf", [False, True])
def test_cancelled_job_ends_as_cancelled_and_leaves_nothing(
    jobs: Jobs, settings: Settings, deaf: bool
) -> None:
    """One that reports often stops by itself; one that hears nothing is ended with its process."""
    if deaf:
        set_faults(settings.home, {"a": {"point": "mix", "victim": "hang"}})
    jobs.submit(tiny_request(0, stem=None, duration_s=20), door="test", job_id="a")
    until(lambda: jobs.get("a").stage == "mix" if deaf else jobs.get("a").fraction > 0.05)
    before = [one.pid for one in jobs.workers()]
    assert jobs.cancel("a").cancelling
    assert ended(jobs, "a").state == "cancelled"
    assert returns_in(settings.returns_folder) == {}
    submit(jobs, "next")
    assert ended(jobs, "next").state == "succeeded"
    assert ([one.pid for one in jobs.workers()] != before) == deaf


@pytest.mark.slow
@pytest.mark.parametrize("step", ["before staging", "files synced"])
def test_cancel_that_the_store_knows_before_the_worker_hears_of_it_ends_the_job(
    jobs: Jobs, settings: Settings, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The worker asks for its next step in between, and is told no."""
    set_faults(settings.home, {"a": {"point": step, "victim": "wait"}})
    submit(jobs, "a")
    until((settings.home / "fault-a-0").exists)
    monkeypatch.setattr(jobs._pool, "halt", lambda _token: None)
    assert jobs.cancel("a").cancelling
    (settings.home / "go-a").touch()
    assert ended(jobs, "a").state == "cancelled"
    assert returns_in(settings.returns_folder) == {}
    submit(jobs, "next")
    assert ended(jobs, "next").state == "succeeded"


@pytest.mark.slow
def test_worker_that_died_between_jobs_is_not_the_next_jobs_fault(jobs: Jobs, settings: Settings) -> None:
    set_faults(settings.home, {"a": {"point": "after done", "victim": "worker"}})
    submit(jobs, "a")
    submit(jobs, "b")
    assert (ended(jobs, "a").state, ended(jobs, "b").state) == ("succeeded", "succeeded")
    assert ended(jobs, "b").attempt == 1
    assert set(returns_in(settings.returns_folder)) == {"a", "b"}


@pytest.mark.slow
def test_job_that_runs_at_the_end_is_given_back_and_done_at_the_next_start(settings: Settings) -> None:
    first = Jobs(settings)
    first.start()
    first.submit(tiny_request(0, stem=None, duration_s=20), door="test", job_id="a")
    until(lambda: first.get("a").fraction > 0.05)
    pids = [one.pid for one in first.workers()]
    first.close()
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert returns_in(settings.returns_folder) == {}
    second = Jobs(settings)
    status = second.get("a")
    assert (status.state, status.attempt, status.notes) == ("queued", 0, ())
    second.start()
    assert ended(second, "a").state == "succeeded"
    second.close()
    assert returns_in(settings.returns_folder) == {"a": 1}


def test_orphans_of_an_earlier_daemon_are_ended_before_their_job_runs_again(settings: Settings) -> None:
    """A process that still holds a job cannot publish beside the one that has it now."""
    orphan = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    jobs = Jobs(settings)
    submit(jobs, "a")
    claim = jobs._store.claim(orphan.pid, psutil.Process(orphan.pid).create_time())
    assert claim is not None
    staging = settings.returns_folder / ".nrx-staging-of-the-orphan"
    staging.mkdir(parents=True)
    jobs._store.stage_in(claim.token, staging)
    jobs._store.set_paused(paused=True)
    jobs.start()
    assert orphan.wait(10) is not None
    assert not staging.exists()
    assert (jobs.get("a").state, jobs.get("a").attempt) == ("queued", 0)
    jobs.close()


@pytest.mark.parametrize(
    ("code", "said"),
    [(-9, "was ended by SIGKILL"), (-11, "was ended by SIGSEGV"), (3, "ended with status 3")],
)
@pytest.mark.skipif(os.name != "posix", reason="signals have these names on POSIX")
def test_exit_status_is_told_in_words(code: int, said: str) -> None:
    assert Deaths.said(code) == said


def test_process_that_the_system_ended_for_memory_is_told_from_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kills = [0]
    monkeypatch.setattr("bridge.jobs.deaths._oom_kills", lambda: kills[0])
    deaths = Deaths()
    assert deaths.by_memory(-9) is None
    kills[0] = 1
    assert deaths.by_memory(-9) is not None
    assert deaths.by_memory(-9) is None
    kills[0] = 2
    assert deaths.by_memory(-11) is None


def test_word_that_the_store_could_not_take_is_said_again(settings: Settings) -> None:
    jobs = Jobs(settings)
    submit(jobs, "a")
    claim = jobs._store.claim(1, 1.0)
    assert claim is not None
    tries = [OSError("disk full"), OSError("disk full"), None]

    def word() -> None:
        error = tries.pop(0)
        if error is not None:
            raise error
        jobs._store.crashed(claim.token, "was ended")

    jobs._pool._say(word)
    assert jobs.get("a").state == "running"
    jobs._pool._say_again()
    jobs._pool._say_again()
    assert jobs.get("a").state == "queued"
    jobs._pool._say_again()
    assert tries == []
    jobs.close()
