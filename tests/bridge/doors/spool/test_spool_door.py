"""The spool: requests are taken once and durably, every request gets an answer, nothing ends the door."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from bridge.config import Settings
from bridge.doors.spool import SpoolDoor, SpoolStatus, StatusFolder
from bridge.doors.spool.request_file import LARGEST_BYTES
from engine.errors import NrxError
from tests.bridge.doors.standin_jobs import StandInJobs, wait_until

Start = Callable[[], SpoolDoor]


@pytest.fixture
def jobs() -> StandInJobs:
    return StandInJobs()


@pytest.fixture
def settings(own_home: Path) -> Settings:
    return Settings(home=own_home)


@pytest.fixture
def start(jobs: StandInJobs, settings: Settings) -> Iterator[Start]:
    doors: list[SpoolDoor] = []

    def start() -> SpoolDoor:
        doors.append(SpoolDoor(settings, jobs, rescan_s=0.05))  # type: ignore[arg-type]  # stands in
        doors[-1].start()
        return doors[-1]

    yield start
    for door in doors:
        door.stop()


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "söng 絆.wav"
    soundfile.write(path, np.zeros((4410, 2), np.float32), 44100)
    return path


def ask(song: Path, **more: Any) -> dict[str, Any]:
    return {"protocol": 1, "action": "remix", "style": "jazz", "inputs": [{"path": str(song)}], **more}


def drop(door: SpoolDoor, job_id: str, what: Any, folder: str = "new") -> None:
    """Write as a script does: under another name, then renamed."""
    target = getattr(door, folder) / f"{job_id}.json"
    partial = target.with_suffix(".tmp")
    partial.write_text(what if isinstance(what, str) else json.dumps(what), encoding="utf-8")
    partial.rename(target)


def answer(door: SpoolDoor, job_id: str, state: str) -> dict[str, Any]:
    """Wait for a state and return what the status file then says."""
    path = door.status / f"{job_id}.json"
    last: dict[str, Any] = {}

    def arrived() -> bool:
        nonlocal last
        if path.exists():
            last = json.loads(path.read_bytes())
        return last.get("state") == state

    wait_until(arrived)
    return last


def test_request_becomes_a_job_of_that_id_and_its_file_goes(
    start: Start, jobs: StandInJobs, song: Path
) -> None:
    door = start()
    drop(door, "r-1", ask(song, priority=7))
    status = answer(door, "r-1", "queued")
    assert status["accepted"] is True
    assert status["protocol"] == 1
    wait_until(lambda: not list(door.new.iterdir()))
    assert jobs.asked["r-1"] == {"door": "spool", "key": None, "out": None, "priority": 7}


def test_both_forms_ask_for_the_same(start: Start, jobs: StandInJobs, song: Path) -> None:
    door = start()
    request = {key: value for key, value in ask(song).items() if key != "protocol"}
    drop(door, "flat", ask(song))
    drop(door, "envelope", {"protocol": 1, "id": "envelope", "request": request, "client": "lua 1"})
    answer(door, "flat", "queued")
    answer(door, "envelope", "queued")
    assert jobs.requests["flat"] == jobs.requests["envelope"]


def test_received_is_said_before_the_input_is_checked(start: Start, jobs: StandInJobs, song: Path) -> None:
    jobs.slow.clear()
    door = start()
    drop(door, "slow", ask(song))
    assert answer(door, "slow", "received")["accepted"] is False
    assert (door.new / "slow.json").exists(), "removed before the job was accepted"
    jobs.slow.set()
    answer(door, "slow", "queued")


def test_progress_and_end_are_told(start: Start, jobs: StandInJobs, song: Path) -> None:
    door = start()
    drop(door, "p", ask(song))
    answer(door, "p", "queued")
    jobs.run("p", "separate", 0.42)
    running = answer(door, "p", "running")
    assert (running["stage"], running["fraction"], running["left_s"]) == ("separate", 0.42, 3.0)
    assert running["message"] == "Separating: 42%, about 3 s left."
    jobs.succeed("p", "/returns/söng/manifest.json")
    assert answer(door, "p", "succeeded")["manifest"] == "/returns/söng/manifest.json"


def test_failure_tells_code_and_sentence(start: Start, jobs: StandInJobs, song: Path) -> None:
    door = start()
    drop(door, "f", ask(song))
    answer(door, "f", "queued")
    jobs.fail("f", "input.silent", "There is no sound in it.")
    failed = answer(door, "f", "failed")
    assert failed["error"] == {"code": "input.silent", "sentence": "There is no sound in it."}


def test_status_files_are_ascii_and_leave_out_what_is_unknown(
    start: Start, jobs: StandInJobs, song: Path
) -> None:
    door = start()
    drop(door, "a", ask(song))
    answer(door, "a", "queued")
    data = (door.status / "a.json").read_bytes()
    assert data.isascii()
    assert b"null" not in data
    assert json.loads(data)["title"] == song.name


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        ("{", "request.invalid", "not JSON"),
        ("", "request.invalid", "not JSON"),
        ("[1, 2]", "request.invalid", "one JSON object"),
        ("[" * 100_000, "request.invalid", "deep"),
        ('{"protocol": 1, "action": NaN}', "request.invalid", "NaN"),
        ({"action": "remix"}, "request.invalid", "does not say its protocol"),
        ({"protocol": 2, "action": "remix"}, "request.invalid", "speaks protocol 2"),
        ({"protocol": True, "action": "remix"}, "request.invalid", "protocol True"),
        ({"protocol": 1, "action": "dance"}, "request.invalid", "action 'dance'"),
        ({"protocol": 1, "request": [], "id": "x"}, "request.invalid", "JSON object with an action"),
        ({"protocol": 1, "request": {"action": "generate"}, "colour": 1}, "request.invalid", "colour"),
        ({"protocol": 1, "action": "generate", "id": "other"}, "request.invalid", "after its id"),
        ({"protocol": 1, "action": "generate", "out": "/etc"}, "request.forbidden", "no return folder"),
        ({"protocol": 1, "action": "generate", "priority": 1000}, "request.invalid", "priority"),
        (
            {"protocol": 1, "action": "analyze", "inputs": [{"path": "relative.wav"}]},
            "request.invalid",
            "absolute",
        ),
        (
            {"protocol": 1, "action": "analyze", "inputs": [{"path": "/no/such.wav"}]},
            "input.not_found",
            "no file",
        ),
        ('{"protocol": 1, "action": "generate", "seed": 1' + "0" * 5000 + "}", "request.invalid", ""),
        ("x" * (LARGEST_BYTES + 1), "request.invalid", "larger than"),
    ],
)
def test_bad_request_gets_an_answer(
    start: Start, jobs: StandInJobs, content: Any, code: str, says: str
) -> None:
    door = start()
    target = door.new / "bad.json"
    partial = target.with_suffix(".tmp")
    partial.write_text(content if isinstance(content, str) else json.dumps(content))
    os.utime(partial, (time.time() - 60, time.time() - 60))
    partial.rename(target)
    failed = answer(door, "bad", "failed")
    assert failed["error"]["code"] == code
    assert says in failed["error"]["sentence"]
    assert failed["accepted"] is False
    wait_until(lambda: not target.exists())
    assert not jobs.jobs


def test_bad_requests_do_not_stop_good_ones(start: Start, jobs: StandInJobs, song: Path) -> None:
    door = start()
    (door.new / "folder.json").mkdir()
    (door.new / "no id!.json").write_text("{}")
    (door.new / "link.json").symlink_to(song)
    drop(door, "good", ask(song))
    answer(door, "good", "queued")
    assert answer(door, "no_id_-refused", "failed")["error"]["code"] == "request.invalid"
    assert answer(door, "link", "failed")["error"]["code"] == "request.invalid"


def test_half_written_json_is_waited_for(start: Start, jobs: StandInJobs, song: Path) -> None:
    door = start()
    whole = json.dumps(ask(song))
    with (door.new / "slowly.json").open("w") as file:
        for start_at in range(0, len(whole), 60):
            file.write(whole[start_at : start_at + 60])
            file.flush()
            time.sleep(0.1)
    answer(door, "slowly", "queued")


def test_what_lies_there_at_start_is_taken(start: Start, settings: Settings, song: Path) -> None:
    new = settings.home / "spool" / "new"
    new.mkdir(parents=True)
    (new / "early.json").write_text(json.dumps(ask(song)))
    answer(start(), "early", "queued")


def test_killed_between_accepting_and_removing_gives_one_job(
    start: Start, jobs: StandInJobs, song: Path
) -> None:
    door = start()
    drop(door, "once", ask(song))
    answer(door, "once", "queued")
    door.stop()
    (door.new / "once.json").write_text(json.dumps(ask(song)))
    jobs.succeed("once", "/r/manifest.json")
    again = start()
    assert answer(again, "once", "succeeded")["manifest"] == "/r/manifest.json"
    wait_until(lambda: not list(again.new.iterdir()))
    assert list(jobs.jobs) == ["once"]


def test_status_files_go_on_after_a_restart(start: Start, jobs: StandInJobs, song: Path) -> None:
    door = start()
    drop(door, "long", ask(song))
    answer(door, "long", "queued")
    door.stop()
    jobs.fail("long", "job.memory", "Too large.")
    assert answer(start(), "long", "failed")["error"]["code"] == "job.memory"


def test_request_that_was_never_accepted_is_told_at_the_next_start(start: Start, settings: Settings) -> None:
    status = settings.home / "spool" / "status"
    status.mkdir(parents=True)
    StatusFolder(status).received("lost")
    assert answer(start(), "lost", "failed")["error"]["code"] == "job.unknown"


def test_another_request_with_a_taken_id_leaves_the_job_as_it_is(
    start: Start, jobs: StandInJobs, song: Path
) -> None:
    door = start()
    drop(door, "id", ask(song))
    answer(door, "id", "queued")
    drop(door, "id", ask(song, style="edm"))
    wait_until(lambda: "refused" in json.loads((door.status / "id.json").read_bytes()))
    status = json.loads((door.status / "id.json").read_bytes())
    assert status["state"] == "queued"
    assert status["refused"]["code"] == "request.conflict"


def test_cancel_reaches_the_job(start: Start, jobs: StandInJobs, song: Path) -> None:
    door = start()
    drop(door, "c", ask(song))
    answer(door, "c", "queued")
    drop(door, "c", "", "cancel")
    assert answer(door, "c", "cancelled")["message"] == "The job was cancelled."
    wait_until(lambda: not list(door.cancel.iterdir()))


def test_cancel_of_a_request_that_is_being_checked_waits_for_it(
    start: Start, jobs: StandInJobs, song: Path
) -> None:
    jobs.slow.clear()
    door = start()
    drop(door, "c", ask(song))
    answer(door, "c", "received")
    drop(door, "c", "{}", "cancel")
    time.sleep(0.2)
    jobs.slow.set()
    answer(door, "c", "cancelled")


def test_cancel_of_an_unknown_job_is_answered(start: Start) -> None:
    door = start()
    drop(door, "nobody", "{}", "cancel")
    assert answer(door, "nobody", "failed")["error"]["code"] == "job.unknown"


def test_error_inside_is_an_answer_too(start: Start, jobs: StandInJobs, song: Path) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise ZeroDivisionError("oh")

    jobs.submit = broken  # type: ignore[method-assign, assignment]  # a bug, played
    door = start()
    drop(door, "x", ask(song))
    assert answer(door, "x", "failed")["error"]["code"] == "internal"


def test_refusal_by_the_store_is_told(start: Start, jobs: StandInJobs, song: Path) -> None:
    jobs.refuse = NrxError("output.disk_full", "The disk is full.")
    door = start()
    drop(door, "x", ask(song))
    assert answer(door, "x", "failed")["error"]["code"] == "output.disk_full"


def test_old_status_files_are_swept_and_open_ones_kept(tmp_path: Path) -> None:
    statuses = StatusFolder(tmp_path)
    for job_id, state in (("old", "succeeded"), ("young", "succeeded"), ("open", "running")):
        statuses.write(SpoolStatus.model_validate({"id": job_id, "state": state}))
    (tmp_path / ".half.tmp").write_text("{")
    for name in ("old.json", "open.json", ".half.tmp"):
        os.utime(tmp_path / name, (1e9, 1e9))
    assert statuses.sweep(86400) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["open.json", "young.json"]


def test_status_is_never_seen_half_written(start: Start, jobs: StandInJobs, song: Path) -> None:
    door = start()
    drop(door, "w", ask(song))
    answer(door, "w", "queued")
    for step in range(200):
        jobs.run("w", "mix", step / 200)
        json.loads((door.status / "w.json").read_bytes())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_spool_is_the_users_own(start: Start) -> None:
    door = start()
    for folder in (door.new.parent, door.new, door.cancel, door.status):
        assert folder.stat().st_mode & 0o077 == 0


def test_stopping_twice_and_starting_again_is_fine(start: Start, song: Path) -> None:
    door = start()
    door.stop()
    door.stop()
    door.start()
    door.start()
    drop(door, "again", ask(song))
    answer(door, "again", "queued")
