"""The whole way: the device's script in a model of Live, real UDP, a real daemon, real files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tests.songs import song

pytest.importorskip("py_mini_racer")

from tests.ableton.daemon import Daemon
from tests.ableton.live import Live

pytestmark = pytest.mark.slow
RATE = 44100


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path_factory.mktemp("nrx-live"))
    yield daemon
    daemon.end()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("söngs") / "Fishin é song.wav"
    soundfile.write(path, song(bars=4, bpm=120.0), RATE, subtype="PCM_24")
    return path


def device(version: str, daemon: Daemon, recording: Path, *, start_beat: float = 16.0) -> Live:
    live = Live(version, daemon.ports)
    live.add_clip(
        name="Fishin",
        file_path=str(recording),
        start_time=start_beat,
        end_time=start_beat + 16.0,
        end_marker=8.0,
        loop_end=8.0,
    )
    live.load()
    live.run(lambda: live.face.get("light") == 1 and "styles" in live.face)
    return live


def stage(live: Live) -> str:
    return str(live.face.get("stage", ""))


def manifest_of(live: Live) -> dict[str, Any]:
    path = next(values[1] for address, values in reversed(live.osc) if address == "/nrx/done")
    told: dict[str, Any] = json.loads(Path(path).read_bytes())
    return told


@pytest.mark.parametrize("version", ["11.3.25", "12.4.0"])
def test_remix_lands_beside_the_track_at_its_bar(daemon: Daemon, recording: Path, version: str) -> None:
    live = device(version, daemon, recording)
    live.send("remix")
    live.run(lambda: stage(live).startswith("Landed"))
    told = manifest_of(live)
    tracks = live.tracks()
    landed = tracks[1 : 1 + len(told["tracks"])]
    assert [track["name"] for track in landed] == [track["name"] for track in told["tracks"]]
    assert [track["name"] for track in tracks[1 + len(landed) :]] == ["Keys", "Vox"]
    for track, said in zip(landed, told["tracks"], strict=True):
        (clip,) = track["clips"]
        assert clip["start_time"] == 16.0
        assert (clip["warping"], clip["looping"]) == (0, 0)
        assert (clip["end_time"] - 16.0) * 0.5 == pytest.approx(
            said["frames"] / said["sample_rate"], abs=1e-9
        )
        assert bool(track["mute"]) == said["muted"]
        assert (track["volume"] - 0.85) * 40 == pytest.approx(said["gain_db"], abs=0.06)
        assert said["start_frame"] == 16 * RATE // 2
        assert said["frames"] == 8 * RATE
    percents = [value for name, value in live.faces if name == "percent"]
    assert percents[-1] == 100
    assert percents == sorted(percents)
    assert told["timeline"]["tempo_map"]["segments"][0]["bpm"] == 120.0
    assert live.errors == []


@pytest.mark.parametrize("button", ["separate", "sync", "master", "variation"])
def test_every_button_brings_its_return_to_the_set(daemon: Daemon, recording: Path, button: str) -> None:
    live = device("12.2.0", daemon, recording, start_beat=0.0)
    live.send(button)
    live.run(lambda: stage(live).startswith("Landed"))
    told = manifest_of(live)
    assert told["action"] == {"variation": "remix"}.get(button, button)
    assert told["request"]["seed"] == (1 if button == "variation" else 0)
    assert sum(len(track["clips"]) for track in live.tracks()) == 1 + len(told["tracks"])
    assert live.errors == []
