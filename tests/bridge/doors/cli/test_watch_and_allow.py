"""What the command line tells of a running daemon: jobs as lines in a pipe, and the folders that may be named."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from bridge.config import Settings
from bridge.doors.cli import follow
from bridge.doors.cli.commands.allow import command as allow
from bridge.doors.spool import SpoolDoor
from bridge.doors.spool.client import hand_in, wait_until_taken
from bridge.protocol import JobEvent, JobStatus, parse_request
from tests.bridge.doors.standin_jobs import StandInJobs


def event(number: int, fraction: float, *, stage: str = "mix", ended: bool = False) -> JobEvent:
    job = JobStatus(
        id="a",
        action="mix",
        title="Song",
        door="cli",
        state="succeeded" if ended else "running",
        stage=stage,
        fraction=fraction,
        created_at=0.0,
    )
    return JobEvent(id=number, at=0.0, type="succeeded" if ended else "progress", job=job)


@pytest.mark.parametrize("as_json", [False, True])
def test_line_is_told_once_while_it_stays_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    told = [event(n, fraction) for n, fraction in enumerate((0.101, 0.102, 0.103, 0.25, 0.25))]
    told.append(event(9, 1.0, ended=True))
    monkeypatch.setattr(follow, "events", lambda _daemon: iter(told))
    follow.follow_all(None, as_json=as_json)  # type: ignore[arg-type]  # `events` stands in
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == (6 if as_json else 3)
    if as_json:
        assert [json.loads(line)["id"] for line in lines] == [0, 1, 2, 3, 4, 9]
    else:
        assert len(set(lines)) == 3


class WatchingDaemon:
    """Stands in for the client of a daemon that was started with `--watch`."""

    folder: Path

    def __init__(self, _settings: Settings) -> None:
        pass

    def __enter__(self) -> "WatchingDaemon":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def call(self, method: str, path: str) -> dict[str, Any]:
        assert (method, path) == ("GET", "/v2/system")
        return {"folders": [{"path": str(self.folder)}]}


def test_allow_lists_what_a_running_daemon_watches(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    WatchingDaemon.folder = tmp_path / "Rénders"
    assert str(WatchingDaemon.folder) not in CliRunner().invoke(allow, []).output
    monkeypatch.setattr("bridge.daemon_file.read_daemon", lambda _home: object())
    monkeypatch.setattr("bridge.client.DaemonClient", WatchingDaemon)
    lines = CliRunner().invoke(allow, [], catch_exceptions=False).output.splitlines()
    assert lines == [str(own_home.resolve()), str(WatchingDaemon.folder.resolve())]


@pytest.fixture
def spool(own_home: Path) -> Iterator[tuple[SpoolDoor, StandInJobs, Settings]]:
    settings, jobs = Settings(home=own_home), StandInJobs()
    door = SpoolDoor(settings, jobs, rescan_s=0.05)  # type: ignore[arg-type]  # stands in
    door.start()
    yield door, jobs, settings
    door.stop()


def test_job_from_the_command_line_says_so_and_keeps_its_status_file(
    spool: tuple[SpoolDoor, StandInJobs, Settings], tmp_path: Path
) -> None:
    _, jobs, settings = spool
    song = tmp_path / "a.wav"
    soundfile.write(song, np.zeros(4410, np.float32), 44100)
    job_id = hand_in(settings, parse_request({"action": "separate", "inputs": [{"path": str(song)}]}))
    assert wait_until_taken(settings, job_id).accepted
    assert jobs.asked[job_id]["door"] == "cli"
