"""The message that tells a script which cannot listen that its job has ended."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bridge.config import Settings
from bridge.doors.osc.packet import decode
from bridge.doors.spool import SpoolDoor
from bridge.doors.spool.wakes import wake
from bridge.protocol import parse_request
from tests.bridge.doors.standin_jobs import StandInJobs


@pytest.fixture(name="listener")
def _listener() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(60)
        yield listening


def named(folder: Path, client: str, **fields: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{client}.json").write_text(json.dumps(fields))
    return folder


def test_the_client_is_told_by_its_own_message(tmp_path: Path, listener: socket.socket) -> None:
    folder = named(tmp_path, "reaper", port=listener.getsockname()[1], address="/action/_RS12ab")
    wake(folder, "reaper-20261121-1")
    assert decode(listener.recv(200)) == [("/action/_RS12ab", [])]


def test_the_door_sends_it_once_the_job_has_ended(
    own_home: Path, tmp_path: Path, listener: socket.socket
) -> None:
    song = tmp_path / "song.wav"
    soundfile.write(song, np.zeros((4410, 2), np.float32), 44100)
    jobs = StandInJobs()
    door = SpoolDoor(Settings(home=own_home), jobs, rescan_s=0.05)  # type: ignore[arg-type]  # stands in
    door.start()
    try:
        named(own_home / "spool" / "wake", "reaper", port=listener.getsockname()[1], address="/action/_RS1")
        jobs.submit(
            parse_request({"action": "separate", "inputs": [{"path": str(song)}]}),
            door="spool",
            job_id="reaper-1",
        )
        jobs.run("reaper-1", "separate", 0.5)
        jobs.fail("reaper-1", "input.silent", "There is no sound in it.")
        assert decode(listener.recv(200)) == [("/action/_RS1", [])]
        listener.settimeout(0.1)
        with pytest.raises(TimeoutError):
            listener.recv(200)
    finally:
        door.stop()


@pytest.mark.parametrize(
    "fields",
    [
        {"port": 80, "address": "/a"},
        {"port": True, "address": "/a"},
        {"port": 9000, "address": "a"},
        {"port": 9000, "address": "/a b"},
        {"port": "9000", "address": "/a"},
        {"address": "/a"},
    ],
)
def test_a_file_that_is_not_like_that_is_passed_over(
    tmp_path: Path, fields: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", None)
    wake(named(tmp_path, "reaper", **fields), "reaper-1")


def test_nothing_is_sent_for_others_or_for_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", None)
    wake(named(tmp_path, "reaper", port=9000, address="/a"), "live-1")
    (tmp_path / "broken.json").write_text("{")
    wake(tmp_path, "broken-1")
