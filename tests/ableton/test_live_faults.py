"""What goes wrong between Live and the daemon, and what else the device can do: recording, Session, locators, MIDI."""

import json
import math
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.songs import song

pytest.importorskip("py_mini_racer")

from tests.ableton.daemon import Daemon
from tests.ableton.live import Live
from tests.ableton.sets import FAR_BEFORE, SetClip, write_set
from tests.ableton.test_live_flow import RATE, device, manifest_of, stage

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path_factory.mktemp("nrx-faults"))
    yield daemon
    daemon.end()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("songs") / "Fishin.wav"
    soundfile.write(path, song(bars=4, bpm=120.0), RATE, subtype="PCM_24")
    return path


def landed(live: Live) -> bool:
    return stage(live).startswith("Landed")


def new_clips(live: Live) -> list[dict[str, Any]]:
    return [clip for track in live.tracks()[1:] for clip in track["clips"]]


def test_recording_the_input_over_the_loop_brace(daemon: Daemon, recording: Path) -> None:
    live = device("12.0.5", daemon, recording)
    live.recorded_sound = song(bars=6, bpm=120.0)
    live.song(loop=1, loop_start=4, loop_length=16, last_event_time=100)
    live.js.eval("song_speed = 8")
    live.send("source", 2)
    live.send("separate")
    assert stage(live) == "Recording"
    live.run(lambda: landed(live))
    told = manifest_of(live)
    assert {track["start_frame"] for track in told["tracks"]} == {2 * RATE}
    assert {clip["start_time"] for clip in new_clips(live)} == {4}
    assert told["tracks"][0]["frames"] == pytest.approx(8 * RATE, abs=RATE // 100)
    assert live.js.eval("objects[Model.song].props.loop") == 1
    assert live.js.eval("objects[Model.song].props.is_playing") == 0
    assert live.errors == []


def test_selected_session_clip_with_loop_gain_and_warp_markers(daemon: Daemon, recording: Path) -> None:
    live = device("12.2.0", daemon, recording)
    markers = [{"sample_time": 0.5, "beat_time": 0}, {"sample_time": 1.5, "beat_time": 2}]
    live.js.eval("objects[Model.view].props.detail_clip = 0")
    number = live.add_clip(
        is_arrangement_clip=0, name='The "808" é', file_path=str(recording), warping=1, looping=1, start_marker=1,
        end_marker=9, loop_start=1, loop_end=5, gain_display_string="-6.0 dB",
        warp_markers=json.dumps({"warp_markers": [*markers, {"sample_time": 2.0, "beat_time": 3}]}),
    )  # fmt: skip
    live.js.eval(f"objects[Model.view].props.detail_clip = {number}")
    live.send("source", 1)
    live.send("separate")
    live.run(lambda: landed(live))
    told = manifest_of(live)
    source, _ = soundfile.read(recording)
    loop = source[RATE : 3 * RATE] * 10 ** (-6 / 20)
    total = sum(soundfile.read(Path(told["folder"]) / track["file"])[0] for track in told["tracks"])
    np.testing.assert_allclose(total, np.concatenate([loop, loop]), atol=2e-6)
    assert told["source"][0]["path"] == 'The "808" é.wav'
    assert {clip["start_time"] for clip in new_clips(live)} == {0}
    assert "selected clip" in live.face["used"]
    assert live.errors == []


@pytest.mark.parametrize("generation", [8, 9, 10, 11, 12])
def test_tempo_automation_of_a_set_of_every_generation_places_every_sample(
    daemon: Daemon, recording: Path, tmp_path: Path, generation: int
) -> None:
    tempo = ((FAR_BEFORE, 60.0), (4, 60.0), (8, 120.0))
    fades = {"Name": "Fishin", "FadeInLength": 0.5, "FadeOutLength": 1}
    file = tmp_path / "Fishin.wav"
    file.write_bytes(recording.read_bytes())
    clip = SetClip(file, 6, 20, extra=fades)
    saved = write_set(tmp_path / "Sét.als", generation, tempo=tempo, tracks={"Fishin Song": [clip]})
    live = Live("12.4.0", daemon.ports, set_path=str(saved))
    live.song(tempo=60)
    live.add_clip(name="Fishin", file_path=str(file), start_time=6, end_time=20, end_marker=8)
    live.load()
    live.run(lambda: live.face.get("light") == 1)
    live.send("separate")
    live.run(lambda: landed(live))
    told = manifest_of(live)
    ramp_s = [4 + 60 * 4 / 60 * math.log((60 + 15 * beat) / 60) for beat in (2, 2.5, 4)]
    start, full, at_8 = (round(at_s * RATE) for at_s in ramp_s)
    end, fading = at_8 + 12 * RATE // 2, at_8 + 11 * RATE // 2
    for track in told["tracks"]:
        assert (track["start_frame"], track["frames"]) == (start, end - start)
    assert {clip["start_time"] for clip in new_clips(live)} == {6}
    source, _ = soundfile.read(file)
    expected = np.zeros((end - start, *source.shape[1:]))
    expected[: len(source)] = source[: end - start]
    level = np.ones(end - start)
    level[: full - start] = (np.arange(full - start) + 0.5) / (full - start)
    level[fading - start :] = ((np.arange(end - fading) + 0.5) / (end - fading))[::-1]
    total = sum(soundfile.read(Path(told["folder"]) / track["file"])[0] for track in told["tracks"])
    np.testing.assert_allclose(total, expected * (level[:, None] if source.ndim > 1 else level), atol=2e-6)
    live.js.eval("objects[objects[Model.own].props.arrangement_clips[0]].props.start_time = 5")
    live.send("separate")
    live.run(lambda: "save the Set" in live.face["error"])
    assert "from beat 5 to 20" in live.face["error"]
    assert live.errors == []


def test_long_warped_track_is_accepted_at_once_and_can_be_cancelled(daemon: Daemon, tmp_path: Path) -> None:
    long = tmp_path / "long.wav"
    noise = np.random.default_rng(1).uniform(-0.1, 0.1, (600 * RATE, 1)).astype(np.float32)
    soundfile.write(long, noise, RATE, subtype="PCM_16")
    live = Live("12.4.0", daemon.ports)
    markers = [{"sample_time": 0, "beat_time": 0}, {"sample_time": 1, "beat_time": 1.9}]
    live.add_clip(
        file_path=str(long), end_time=1140, end_marker=1140, warping=1, warp_mode=4,
        warp_markers=json.dumps({"warp_markers": [*markers, {"sample_time": 1.1, "beat_time": 2.09}]}),
    )  # fmt: skip
    live.load()
    live.run(lambda: live.face.get("light") == 1 and "styles" in live.face)
    live.send("separate")
    live.run(lambda: stage(live) == "Rebuilding")
    live.send("cancel")
    live.run(lambda: stage(live) == "Cancelled")
    assert live.face["error"] == " "
    assert live.errors == []


def test_cancel_ends_the_job_and_lands_nothing(daemon: Daemon, recording: Path) -> None:
    live = device("12.2.0", daemon, recording)
    live.send("remix")
    live.run(lambda: stage(live) not in ("Sending", "Ready"))
    live.send("cancel")
    live.run(lambda: stage(live) == "Cancelled")
    assert new_clips(live) == []
    assert live.face["error"] == " "


def test_two_devices_at_once_each_land_their_own(daemon: Daemon, recording: Path) -> None:
    one = device("12.4.0", daemon, recording, start_beat=0.0)
    other = device("11.3.25", daemon, recording, start_beat=8.0)
    one.send("separate")
    other.send("master")
    one.run(lambda: landed(one) and landed(other), others=(other,))
    assert {clip["start_time"] for clip in new_clips(one)} == {0}
    assert {clip["start_time"] for clip in new_clips(other)} == {8}
    assert [track["name"] for track in other.tracks()][1] == "Master"
    assert one.errors + other.errors == []


def test_daemon_absent_then_late_then_killed_and_back(tmp_path: Path, recording: Path) -> None:
    ports: dict[int, int] = {}
    live = Live("12.2.0", ports)
    live.add_clip(file_path=str(recording), start_time=0, end_time=16, end_marker=8)
    live.load()
    live.run(lambda: "nrx serve" in live.face.get("error", ""))
    live.send("remix")
    assert "not running" in live.face["error"]
    late = Daemon(tmp_path / "home")
    ports[39104] = late.ports[39100]
    live.run(lambda: live.face["light"] == 1)
    live.send("separate")
    live.run(lambda: stage(live) in ("Queued", "Separating", "Starting"))
    late.end(signal.SIGKILL)
    live.run(lambda: live.face["light"] == 0)
    assert "does not answer" in live.face["error"]
    back = Daemon(tmp_path / "home")
    ports[39104] = back.ports[39100]
    live.run(lambda: landed(live) or stage(live).startswith("It had"), 90)
    assert len(new_clips(live)) == len(manifest_of(live)["tracks"])
    back.end()
    assert live.errors == []


def test_reply_port_that_is_taken_is_passed_over(daemon: Daemon, recording: Path) -> None:
    live = Live("12.2.0", daemon.ports)
    live.js.eval("Math.random = function () { return 0.5; }")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 39250))
        live.load()
        assert live.receiver is None
        live.run(lambda: live.face.get("light") == 1)


@pytest.mark.parametrize("version", ["11.3.21", "12.0.0"])
def test_live_that_cannot_be_given_clips_shows_the_folder(
    daemon: Daemon, recording: Path, version: str
) -> None:
    live = device(version, daemon, recording)
    live.send("separate")
    live.run(lambda: "Drag the stems from" in live.face["error"])
    assert len(live.tracks()) == 3
    assert json.loads(str(live.js.eval("JSON.stringify(named)")))[0][:2] == ["max", "launchbrowser"]
    assert live.errors == []


def test_job_that_ends_while_the_set_is_closed_is_landed_on_request(daemon: Daemon, recording: Path) -> None:
    live = device("12.2.0", daemon, recording)
    live.send("separate")
    live.run(lambda: stage(live) not in ("Sending", "Ready"))
    stored = live.stored
    live.close()
    again = Live("12.2.0", daemon.ports)
    again.load(stored)
    again.run(lambda: stage(again).startswith("Finished while away"))
    assert new_clips(again) == []
    again.send("land")
    again.run(lambda: landed(again))
    assert {clip["start_time"] for clip in new_clips(again)} == {16}
    assert again.stored == "nrx:0:"
    count = len(again.tracks())
    path = next(values[1] for address, values in again.osc if address == "/nrx/done")
    again.send("/nrx/done", stored.split(":")[2].split(",")[0], path)
    time.sleep(0.1)
    again.tick()
    assert len(again.tracks()) == count
    assert again.errors == []


def test_landing_waits_for_recording_and_skips_what_is_there(daemon: Daemon, recording: Path) -> None:
    live = device("12.2.0", daemon, recording)
    live.song(record_mode=1)
    live.send("separate")
    live.run(lambda: stage(live) == "Waiting until recording ends")
    assert len(live.tracks()) == 3
    told = manifest_of(live)
    first = str(Path(told["folder"]) / told["tracks"][0]["file"])
    live.add_clip(2, file_path=first, start_time=16, end_time=32)
    live.song(record_mode=0)
    live.run(lambda: landed(live))
    assert [track["name"] for track in live.tracks()][1:-2] == [track["name"] for track in told["tracks"][1:]]
    assert live.errors == []


def test_edition_without_more_tracks_is_told(daemon: Daemon, recording: Path) -> None:
    live = device("12.2.0", daemon, recording)
    live.js.eval("Model.most_tracks = 4")
    live.send("separate")
    live.run(lambda: "no further track" in live.face["error"])
    live.js.eval("Model.most_tracks = 100")
    live.send("land")
    live.run(lambda: landed(live))
    assert len(new_clips(live)) == len(manifest_of(live)["tracks"])


def test_session_slots_locators_and_midi_on_request(daemon: Daemon, recording: Path) -> None:
    live = device("12.2.0", daemon, recording)
    for name in ("locators", "midi", "warp"):
        live.send(name, 1)
    live.send("remix")
    live.run(lambda: landed(live))
    told = manifest_of(live)
    tracks = live.tracks()
    assert {clip["warping"] for clip in new_clips(live) if clip["is_audio_clip"]} == {1}
    midi = [clip for track in tracks for clip in track["clips"] if not clip["is_audio_clip"]]
    assert len(midi) == sum(bool(track["midi"]) for track in told["tracks"]) > 0
    assert all(clip["notes"] and clip["start_time"] == 16 for clip in midi)
    cues = json.loads(
        str(
            live.js.eval(
                "JSON.stringify(objects[Model.song].props.cue_points.map(function (c) {return objects[c].props;}))"
            )
        )
    )
    sections = told["timeline"]["sections"]
    assert [cue["name"] for cue in cues] == [section["label"] for section in sections]
    assert [cue["time"] for cue in cues] == pytest.approx([16 + 2 * s["start_s"] for s in sections], abs=2e-3)
    live.js.eval("Model.heard_bpm = 60")
    live.send("place", 1)
    live.send("midi", 0)
    live.send("separate")
    live.run(lambda: [address for address, _ in live.osc].count("/nrx/done") == 2 and landed(live))
    slots = [track["slot"] for track in live.tracks() if track["slot"]]
    assert len(slots) == len(manifest_of(live)["tracks"])
    assert {slot["warping"] for slot in slots} == {0}
    assert live.errors == []


def test_nothing_to_work_on_is_said_in_words(daemon: Daemon) -> None:
    live = Live("12.2.0", daemon.ports)
    live.load()
    live.run(lambda: live.face.get("light") == 1 and "styles" in live.face)
    for source, words in ((0, "no audio clip"), (1, "No audio clip is selected"), (2, "nothing to record")):
        live.send("source", source)
        live.send("remix")
        assert words in live.face["error"]
