"""One song through three doors to three returns, with real jobs: a watched folder, OSC, and the spool."""

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer
from pythonosc.udp_client import SimpleUDPClient

from bridge.config import Settings, WatchSettings
from bridge.doors.folder import FolderDoor
from bridge.doors.osc import OscDoor
from bridge.doors.spool import SpoolDoor
from bridge.jobs import Jobs
from bridge.security.roots import Roots
from tests.bridge.doors.standin_jobs import wait_until
from tests.songs import song, song_stems

pytestmark = pytest.mark.slow


class House:
    """Jobs and three doors, as the daemon wires them."""

    def __init__(self, settings: Settings) -> None:
        self.jobs = Jobs(settings)
        self.spool = SpoolDoor(settings, self.jobs)
        self.folders = FolderDoor(settings, self.jobs, settings.watch)
        self.osc = OscDoor(settings, self.jobs, Roots(settings), 0)

    def start(self) -> None:
        self.jobs.start()
        for door in (self.spool, self.folders, self.osc):
            door.start()

    def stop(self) -> None:
        for door in (self.osc, self.folders, self.spool):
            door.stop()
        self.jobs.close()


@pytest.fixture
def renders(tmp_path: Path) -> Path:
    folder = tmp_path / "Rénders"
    (folder / "lofi_chill").mkdir(parents=True)
    (folder / "jazz").mkdir()
    return folder


@pytest.fixture
def settings(own_home: Path, renders: Path) -> Settings:
    watch = WatchSettings(path=renders, settle_s=0.3, returns=renders / "Returns")
    return Settings(home=own_home, watch=(watch,))


@pytest.fixture
def house(settings: Settings) -> Iterator[House]:
    house = House(settings)
    house.start()
    wait_until(lambda: (settings.home / "folders.sqlite").exists())
    yield house
    house.stop()


def return_in(folder: Path, name: str) -> dict[str, Any]:
    """Wait for a return and give back its manifest, having looked that every track is there."""
    manifest = folder / name / "manifest.json"
    wait_until(manifest.exists, 120)
    told: dict[str, Any] = json.loads(manifest.read_bytes())
    assert told["tracks"]
    for track in told["tracks"]:
        assert (manifest.parent / track["file"]).is_file()
    return told


def test_one_song_comes_back_through_every_door(
    house: House, settings: Settings, renders: Path, tmp_path: Path
) -> None:
    original = tmp_path / "fishin.wav"
    soundfile.write(original, song(bars=4), 44100, subtype="PCM_24")

    # A watched folder: the style's sub-folder chooses the style.
    shutil.copy(original, renders / "lofi_chill" / "Fishin.wav")
    told = return_in(renders / "Returns", "Fishin - lofi_chill")
    assert told["style"] == "lofi_chill"

    # OSC: a client of a few lines, in the simple form.
    heard: list[tuple[Any, ...]] = []
    dispatcher = Dispatcher()
    dispatcher.set_default_handler(lambda *message: heard.append(message))
    answers = BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher)
    thread = threading.Thread(target=answers.serve_forever, daemon=True)
    thread.start()
    client = SimpleUDPClient("127.0.0.1", house.osc.port)
    client.send_message("/nrx/hello", ["test", "1.0", answers.server_address[1]])
    allowed = renders / "Fishin osc.part"
    shutil.copy(original, allowed)
    client.send_message("/nrx/submit", ["by-osc", str(allowed), "jazz", 1.2, 0.9])
    wait_until(lambda: any(message[0] == "/nrx/done" for message in heard), 120)
    answers.shutdown()
    answers.server_close()
    thread.join()
    client._sock.close()
    assert [message[0] for message in heard[:3]] == ["/nrx/welcome", "/nrx/received", "/nrx/accepted"]
    fractions = [message[4] for message in heard if message[0] == "/nrx/progress"]
    assert fractions == sorted(fractions)
    manifest = Path(heard[-1][2])
    assert json.loads(manifest.read_bytes())["style"] == "jazz"

    # The spool: a file in, a file out.
    request = {"protocol": 1, "action": "separate", "inputs": [{"path": str(original)}]}
    partial = house.spool.new / "by-spool.tmp"
    partial.write_text(json.dumps(request))
    partial.rename(house.spool.new / "by-spool.json")
    status = house.spool.status / "by-spool.json"
    wait_until(lambda: status.exists() and json.loads(status.read_bytes())["state"] == "succeeded", 120)
    told = json.loads(status.read_bytes())
    assert Path(told["manifest"]).is_file()
    assert told["fraction"] == 1.0
    assert not list(house.spool.new.iterdir())
    assert json.loads((house.spool.status / "by-osc.json").read_bytes())["state"] == "succeeded"


def test_stems_rendered_together_come_back_as_one_return(house: House, renders: Path) -> None:
    for role, samples in song_stems(bars=4).items():
        soundfile.write(renders / "jazz" / f"Fishin - {role}.wav", samples.T, 44100, subtype="PCM_24")
    told = return_in(renders / "Returns", "Fishin - jazz")
    assert {source["role"] for source in told["source"]} == {"vocals", "drums", "bass", "other"}


def test_bad_audio_is_reported_and_the_next_song_comes_back(house: House, renders: Path) -> None:
    silence = renders / "jazz" / "silence.wav"
    soundfile.write(silence, song(bars=4) * 0, 44100)
    wait_until((renders / "Returns" / "jazz - silence.wav.error.txt").exists, 60)
    assert "input.silent" in (renders / "Returns" / "jazz - silence.wav.error.txt").read_text("utf-8")
    assert silence.exists()
    soundfile.write(silence, song(bars=4), 44100)
    return_in(renders / "Returns", "silence - jazz")
    wait_until(lambda: not (renders / "Returns" / "jazz - silence.wav.error.txt").exists())


def test_restart_takes_up_what_was_handed_in(settings: Settings, renders: Path, tmp_path: Path) -> None:
    original = tmp_path / "fishin.wav"
    soundfile.write(original, song(bars=4), 44100, subtype="PCM_24")
    first = House(settings)
    first.start()
    wait_until((settings.home / "folders.sqlite").exists)
    request = {"protocol": 1, "action": "separate", "inputs": [{"path": str(original)}]}
    (first.spool.new / "kept.json").write_text(json.dumps(request))
    wait_until(lambda: not list(first.spool.new.iterdir()))
    first.stop()
    original.unlink()
    second = House(settings)
    second.start()
    try:
        status = second.spool.status / "kept.json"
        wait_until(lambda: json.loads(status.read_bytes())["state"] == "succeeded", 120)
        assert len(second.jobs.list().jobs) == 1
    finally:
        second.stop()
