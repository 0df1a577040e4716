"""The device's script in a strict model of Live, with a daemon that the test plays: what it reads, what it lays."""

import json
from pathlib import Path
from typing import Any

import mido
import pytest

pytest.importorskip("py_mini_racer")

from tests.ableton.alone import Alone

VERSIONS = ["11.3.25", "12.0.5", "12.2.0", "12.4.0"]


@pytest.fixture
def source(tmp_path: Path) -> str:
    return str(tmp_path / "Fishin.wav")


def alone(folder: Path, source: str, version: str = "12.2.0", **options: Any) -> Alone:
    live = Alone(version, folder, **options)
    live.add_clip(name="Fishin", file_path=source, start_time=16, end_time=32, end_marker=8, loop_end=8)
    return live.ready()


def names(live: Alone) -> list[str]:
    return [track["name"] for track in live.tracks()]


def cues(live: Alone) -> list[dict[str, Any]]:
    said = (
        "JSON.stringify(objects[Model.song].props.cue_points.map(function (c) { return objects[c].props; }))"
    )
    found: list[dict[str, Any]] = json.loads(str(live.js.eval(said)))
    return sorted(found, key=lambda cue: float(cue["time"]))


# -- where the device sits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("racks", [0, 1, 2, 4])
def test_device_in_nested_racks_finds_its_track(tmp_path: Path, source: str, racks: int) -> None:
    live = alone(tmp_path, source, racks=racks)
    job = live.press("separate")
    assert live.request()["project"]["name"] == "Fishin Song"
    live.ends(job, [{"name": "Drums"}, {"name": "Bass"}])
    live.until_landed()
    assert names(live) == ["Fishin Song", "Drums", "Bass", "Keys", "Vox"]
    assert live.errors == []


@pytest.mark.parametrize(
    ("track", "words"),
    [
        ("Model.main", "return or the main track"),
        ("Model.return_track", "return or the main track"),
        ("objects[Model.song].props.tracks[1]", "no audio track"),
    ],
)
def test_track_without_audio_clips_is_told_in_words(tmp_path: Path, track: str, words: str) -> None:
    live = Alone("12.4.0", tmp_path, track=track).ready()
    live.send("remix")
    assert words in live.face["error"]
    assert live.errors == []


def test_group_track_is_told_and_recorded_stems_land_at_the_end(tmp_path: Path, source: str) -> None:
    live = alone(tmp_path, source)
    live.js.eval("objects[Model.own].props.is_foldable = 1")
    live.send("separate")
    assert "group track" in live.face["error"]
    live.js.eval("objects[Model.own].props.is_foldable = 0")
    job = live.press("separate")
    live.js.eval("objects[Model.own].props.is_foldable = 1")
    live.ends(job, [{"name": "Drums"}])
    live.until_landed()
    assert names(live)[-1] == "Drums"
    assert live.errors == []


@pytest.mark.parametrize("version", VERSIONS)
def test_muted_frozen_and_take_lanes_are_said(tmp_path: Path, source: str, version: str) -> None:
    live = alone(tmp_path, source, version)
    live.add_clip(file_path=source, start_time=40, end_time=48, muted=1)
    live.add_clip(file_path="", start_time=50, end_time=52, is_audio_clip=0)
    live.js.eval(
        "objects[Model.own].props.is_frozen = 1; objects[Model.own].props.take_lanes = [Model.make('TakeLane')]"
    )
    live.press("separate")
    project = live.request()["project"]
    assert len(project["clips"]) == 1
    assert project["whole"] is True
    said = " ".join(project["notes"])
    assert "1 muted clip is left out" in said
    assert "frozen" in said
    assert ("Take lanes" in said) == (version >= "12.2")
    assert all(note in live.face["used"] for note in project["notes"])
    assert live.errors == []


# -- what it asks for ------------------------------------------------------------------------------------------------


def test_styles_of_ones_own_come_after_those_that_ship(tmp_path: Path, source: str) -> None:
    live = alone(tmp_path, source, styles=("acoustic", "afro", "edm", "jazz", "zouk"))
    assert live.face["styles"] == ["Acoustic", "Edm", "Jazz", "Afro", "Zouk"]
    live.send("style", 2)
    live.press("remix")
    assert live.request()["style"] == "jazz"
    assert live.errors == []


def test_daemon_of_another_protocol_is_asked_for_nothing(tmp_path: Path, source: str) -> None:
    live = alone(tmp_path, source, protocol=2)
    assert "protocol 2" in live.face["error"]
    live.send("remix")
    assert "nrx install ableton" in live.face["error"]
    assert not any(atoms[0] == "/nrx/submit" for atoms in live.asked)


def test_daemon_of_another_version_is_told_and_used(tmp_path: Path, source: str) -> None:
    live = alone(tmp_path, source, daemon_version="0.9.2")
    assert "NRX Bridge is 0.9.2, this device 0.1.0" in live.face["error"]
    live.press("remix")


@pytest.mark.parametrize(
    ("shown", "gain_db"), [("-6.0 dB", -6), ("−6,5 dB", -6.5), ("-inf dB", -144), ("3.2 dB", 3.2)]
)
def test_gain_is_read_as_live_writes_it(tmp_path: Path, shown: str, gain_db: float) -> None:
    live = Alone("12.4.0", tmp_path)
    live.add_clip(file_path=str(tmp_path / "a.wav"), end_time=4, end_marker=2, gain_display_string=shown)
    live.ready().press("separate")
    assert live.request()["project"]["clips"][0]["gain_db"] == gain_db


def test_text_of_every_alphabet_and_quote_arrives(tmp_path: Path) -> None:
    path = tmp_path / 'ärger "鼓" 🥁.wav'
    live = Alone("12.4.0", tmp_path)
    live.add_clip(name='a "b" 鼓', file_path=str(path), end_time=4, end_marker=2)
    live.ready().press("separate")
    assert live.request()["inputs"][0]["path"] == str(path)
    assert live.request()["project"]["clips"][0]["name"] == 'a "b" 鼓'
    assert live.errors == []


# -- landing ---------------------------------------------------------------------------------------------------------

MANY = [{"name": f"Stem {number}"} for number in range(12)]


@pytest.mark.parametrize("version", VERSIONS)
def test_landing_takes_few_turns_of_the_script(tmp_path: Path, source: str, version: str) -> None:
    live = alone(tmp_path, source, version)
    live.ends(live.press("separate"), [*MANY, {"name": "808"}])
    live.until_landed()
    landed = [clip for track in live.tracks()[1:] for clip in track["clips"]]
    assert len(landed) == 13
    assert {(clip["start_time"], clip["warping"], clip["looping"]) for clip in landed} == {(16, 0, 0)}
    assert live.turns() <= 4
    assert live.errors == []


@pytest.mark.parametrize("place", [0, 1])
def test_nothing_is_laid_twice(tmp_path: Path, source: str, place: int) -> None:
    live = alone(tmp_path, source)
    live.send("place", place)
    folder = live.ends(live.press("separate"), MANY[:3])
    live.until_landed()
    count = len(live.tracks())
    live.face["stage"] = ""
    live.send("land")
    live.run(lambda: live.face["stage"] == "It had landed already")
    assert len(live.tracks()) == count
    assert str(folder) in json.dumps(live.tracks(), ensure_ascii=False)
    assert live.errors == []


def test_path_with_accents_taken_apart_is_the_same(tmp_path: Path, source: str) -> None:
    live = alone(tmp_path, source)
    job = live.press("separate")
    folder = tmp_path / "returns" / "é 1"
    apart = str(folder / "Stem 0.wav").replace("é", "e\u0301")
    live.add_clip(2, file_path=apart, start_time=16, end_time=32)
    live.add_clip(2, file_path=str(folder / "Stem 1.wav").replace("é", "鼓"), start_time=40, end_time=48)
    live.ends(job, MANY[:2])
    live.until_landed()
    assert names(live) == ["Fishin Song", "Stem 1", "Keys", "Vox"]


def test_landing_can_be_repeated_after_it_was_undone(tmp_path: Path, source: str) -> None:
    live = alone(tmp_path, source)
    live.ends(live.press("separate"), MANY[:2])
    live.until_landed()
    live.js.eval("objects[Model.song].props.tracks.splice(1, 2)")
    live.face["stage"] = ""
    live.send("land")
    live.until_landed()
    assert names(live) == ["Fishin Song", "Stem 0", "Stem 1", "Keys", "Vox"]


def test_end_that_was_lost_on_the_way_is_asked_for(tmp_path: Path, source: str) -> None:
    live = alone(tmp_path, source)
    job = live.press("separate")
    live.send("/nrx/progress", job, "running", "", 0.0, -1.0)
    before = len(live.asked)
    live.run(lambda: ["/nrx/status", job] in live.asked[before:])
    live.send("/nrx/error", job, "cancelled", "The job was cancelled.")
    assert live.face["stage"] == "Cancelled"
    before = len(live.asked)
    live.run(lambda: any(atoms[0] == "/nrx/hello" for atoms in live.asked[before:]))
    assert not any(atoms[0] == "/nrx/status" for atoms in live.asked[before:])


def test_second_return_waits_until_the_first_has_landed(tmp_path: Path, source: str) -> None:
    live = alone(tmp_path, source)
    first = live.press("separate")
    live.song(record_mode=1)
    live.ends(first, [{"name": "One"}])
    live.run(lambda: "Waiting" in live.face["stage"])
    live.ends(live.press("master"), [{"name": "Two"}])
    live.tick()
    assert len(live.tracks()) == 3
    live.song(record_mode=0)
    live.run(lambda: len(live.tracks()) == 5)
    live.run(lambda: live.face["stage"] == "Landed on 1 tracks")
    assert {"One", "Two"} < set(names(live))
    assert live.errors == []


def test_clip_that_live_refuses_leaves_no_empty_track(tmp_path: Path, source: str) -> None:
    live = alone(tmp_path, source)
    job = live.press("separate")
    live.js.eval("Model.refuse = 'Stem 2'")
    live.ends(job, MANY[:4])
    live.until_landed()
    assert "did not take" in live.face["error"]
    assert names(live) == ["Fishin Song", "Stem 0", "Stem 1", "Keys", "Vox"]
    assert {clip["warping"] for track in live.tracks()[1:3] for clip in track["clips"]} == {0}
    live.js.eval("Model.refuse = ''; console_errors = []")
    live.send("land")
    live.run(lambda: len(live.tracks()) == 7)
    live.until_landed()
    assert live.face["error"] == " "
    assert live.errors == []


@pytest.mark.parametrize("version", VERSIONS)
def test_warping_follows_where_live_hears_the_tempo(tmp_path: Path, source: str, version: str) -> None:
    live = alone(tmp_path, source, version)
    live.send("warp", 1)
    live.ends(live.press("separate"), MANY[:2])
    live.until_landed()
    clips = [clip for track in live.tracks()[1:3] for clip in track["clips"]]
    assert {(clip["warping"], clip["warp_mode"]) for clip in clips} == {(1, 4)}
    live.js.eval("Model.heard_bpm = 60")
    live.ends(live.press("master"), [{"name": "Master"}])
    live.until_landed()
    live.run(lambda: "Master" in names(live))
    live.run(lambda: "another tempo" in live.face["used"])
    assert next(t for t in live.tracks() if t["name"] == "Master")["clips"][0]["warping"] == 0
    assert live.errors == []


def test_style_tempo_says_what_to_set(tmp_path: Path, source: str) -> None:
    live = alone(tmp_path, source)
    live.send("tempo", 1)
    job = live.press("remix")
    assert live.request()["tempo"] == "style"
    live.ends(job, MANY[:1], request={"tempo": "style"}, timeline={"tempo_bpm": 104.5})
    live.until_landed()
    assert "Set the tempo to 104.5" in live.face["used"]


# -- locators and MIDI -----------------------------------------------------------------------------------------------

SECTIONS = {
    "sections": [
        {"start_s": 0.0, "label": "A"},
        {"start_s": 2.0, "label": "8"},
        {"start_s": 4.0, "label": "B"},
    ]
}


def test_locators_wait_for_the_playhead_and_delete_none(tmp_path: Path, source: str) -> None:
    live = alone(tmp_path, source)
    live.js.eval(
        "objects[Model.song].props.cue_points = [Model.make('CuePoint', {time: 3, name: 'mine'}),"
        " Model.make('CuePoint', {time: 20, name: 'there'})]; objects[Model.song].props.current_song_time = 3"
    )
    live.send("locators", 1)
    live.ends(live.press("separate"), MANY[:1], timeline=SECTIONS)
    live.until_landed()
    live.run(lambda: len(cues(live)) == 4)
    assert [(cue["time"], cue["name"]) for cue in cues(live)] == [
        (3, "mine"), (16, "A"), (20, "there"), (24, "B"),
    ]  # fmt: skip
    live.run(lambda: live.position() == 3)
    assert live.errors == []


def test_locators_are_left_out_while_live_plays(tmp_path: Path, source: str) -> None:
    live = alone(tmp_path, source)
    live.song(is_playing=1)
    live.send("locators", 1)
    live.ends(live.press("separate"), MANY[:1], timeline=SECTIONS)
    live.until_landed()
    assert cues(live) == []
    assert "Locators" in live.face["used"]
    live.song(is_playing=0)
    live.face["stage"] = ""
    live.send("land")
    live.until_landed()
    live.run(lambda: len(cues(live)) == 3)
    assert live.errors == []


def write_midi(path: Path, tempos: list[tuple[int, int]], notes: list[tuple[int, int, int]]) -> None:
    """Write a file of 480 ticks a beat: tempos as (tick, microseconds), notes as (tick, length, pitch)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    track = mido.MidiTrack()
    events: list[tuple[int, Any]] = [(at, mido.MetaMessage("set_tempo", tempo=us)) for at, us in tempos]
    events += [(at, mido.Message("note_on", note=pitch, velocity=90)) for at, _, pitch in notes]
    events += [(at + length, mido.Message("note_on", note=pitch, velocity=0)) for at, length, pitch in notes]
    before = 0
    for at, event in sorted(events, key=lambda pair: pair[0]):
        track.append(event.copy(time=at - before))
        before = at
    mido.MidiFile(ticks_per_beat=480, tracks=[track]).save(path)


@pytest.mark.parametrize("place", [0, 1])
def test_notes_lie_on_the_sets_beats_whatever_tempo_their_file_has(
    tmp_path: Path, source: str, place: int
) -> None:
    live = alone(tmp_path, source)
    for name, value in (("midi", 1), ("place", place)):
        live.send(name, value)
    steady = {
        "segments": [{"start_beat": 0.5, "start_s": 0.0, "bpm": 120.0, "end_bpm": 120.0, "law": "constant"}]
    }
    job = live.press("separate")
    folder = live.ends(job, [{"name": "Bass", "midi": "midi/bass.mid"}], timeline={"tempo_map": steady})
    write_midi(folder / "midi" / "bass.mid", [(0, 250_000), (960, 500_000)], [(0, 480, 40), (960, 240, 43)])
    live.lend_file(folder / "midi" / "bass.mid")
    live.until_landed()
    track = live.tracks()[-1]
    notes = track["clips"][0]["notes"] if place == 0 else live_notes(live)
    assert [(note["pitch"], note["start_time"], note["duration"]) for note in notes] == [
        (40, pytest.approx(0.0), pytest.approx(0.5)),
        (43, pytest.approx(1.0), pytest.approx(0.5)),
    ]
    assert track["name"] == "Bass MIDI"
    assert track["mute"] == 1
    if place == 0:
        assert track["clips"][0]["start_time"] == 16
    assert live.errors == []


def live_notes(live: Alone) -> list[dict[str, Any]]:
    said = (
        "JSON.stringify(objects[objects[objects[objects[Model.song].props.tracks.slice(-1)[0]]"
        ".props.clip_slots[0]].props.clip].notes)"
    )
    found: list[dict[str, Any]] = json.loads(str(live.js.eval(said)))
    return found


# -- recording -------------------------------------------------------------------------------------------------------


def test_live_that_records_is_not_disturbed(tmp_path: Path, source: str) -> None:
    live = alone(tmp_path, source)
    live.send("source", 2)
    live.song(record_mode=1, is_playing=1, last_event_time=32)
    live.send("separate")
    assert "Live is recording" in live.face["error"]
    assert live.js.eval("objects[Model.song].props.is_playing") == 1
    assert live.recording == {}


def test_live_that_does_not_start_to_play_is_told(tmp_path: Path, source: str) -> None:
    live = alone(tmp_path, source)
    live.js.eval("Model.calls['Song.continue_playing'] = function () {}")
    live.recorded_sound = [[0.0, 0.0]] * 100
    live.send("source", 2)
    live.song(last_event_time=32, loop=1, loop_length=8)
    live.send("separate")
    live.run(lambda: "did not start" in live.face["error"])
    assert live.js.eval("objects[Model.song].props.loop") == 1
    assert live.face["stage"] == "Ready"


def test_recording_has_a_sidecar_with_its_beat_and_rate(tmp_path: Path, source: str) -> None:
    live = alone(tmp_path, source)
    live.recorded_sound = [[0.0, 0.0]] * 44100 * 8
    live.js.eval("song_speed = 30")
    live.send("rate", 44100)
    live.send("source", 2)
    live.song(loop=1, loop_start=8, loop_length=4)
    live.send("separate")
    live.run(lambda: any(atoms[0] == "/nrx/submit" for atoms in live.asked))
    request = live.request()
    sidecar = json.loads(Path(request["inputs"][0]["path"]).with_suffix(".json").read_bytes())
    assert (sidecar["start_beat"], sidecar["end_beat"], sidecar["sample_rate"]) == (8, 12, 44100)
    assert sidecar["file"] == Path(request["inputs"][0]["path"]).name
    assert "whole" not in request["project"]
    assert live.errors == []


# -- several devices in one Set --------------------------------------------------------------------------------------


def test_devices_of_one_set_land_side_by_side(tmp_path: Path, source: str) -> None:
    one = alone(tmp_path / "a", source)
    other = Alone("12.2.0", tmp_path / "b", beside=one, track="objects[Model.song].props.tracks[2]", racks=1)
    other.add_clip(2, file_path=source, start_time=8, end_time=16, end_marker=4)
    other.ready()
    jobs = one.press("separate"), other.press("separate")
    assert jobs[0] != jobs[1]
    one.ends(jobs[0], [{"name": "Drums"}, {"name": "Bass"}])
    other.ends(jobs[1], [{"name": "Drums"}, {"name": "Bass"}])

    def both() -> bool:
        return all(str(live.face["stage"]).startswith("Landed") for live in (one, other))

    one.run(both, 30, others=(other,))
    assert names(one) == ["Fishin Song", "Drums", "Bass", "Keys", "Vox", "Drums", "Bass"]
    starts = [track["clips"][0]["start_time"] for track in one.tracks() if track["name"] in ("Drums", "Bass")]
    assert starts == [16, 16, 8, 8]
    assert one.errors == []


def test_copied_device_does_not_land_what_the_first_asked_for(tmp_path: Path, source: str) -> None:
    one = alone(tmp_path, source)
    job = one.press("separate")
    copy = Alone("12.2.0", tmp_path, beside=one, track="objects[Model.song].props.tracks[2]")
    copy.ready(stored=one.stored)
    assert ["/nrx/status", job] in copy.asked
    folder = one.ends(job, MANY[:2])
    copy.send("/nrx/done", job, str(folder / "manifest.json"))
    one.until_landed()
    assert copy.face["stage"] == "Finished while away: press Land"
    assert len(one.tracks()) == 5
    copy.send("land")
    copy.run(lambda: copy.face["stage"] == "It had landed already")
    assert len(one.tracks()) == 5


# -- systems ---------------------------------------------------------------------------------------------------------


def test_paths_are_those_of_windows_there(tmp_path: Path, source: str) -> None:
    live = alone(tmp_path, source)
    job = live.press("separate")
    manifest = {
        "tracks": [
            {
                "name": "A b",
                "kind": "mix",
                "file": "A b.wav",
                "colour": "#000000",
                "gain_db": 0,
                "muted": False,
            }
        ]
    }
    live.js.eval(f"files['C:/Users/é/r 1/manifest.json'] = {json.dumps(json.dumps(manifest))}")
    live.js.eval("sounds['C:\\\\Users\\\\é\\\\r 1\\\\A b.wav'] = {seconds: 1}")
    live.send("/nrx/done", job, "C:\\Users\\é\\r 1\\manifest.json")
    live.until_landed()
    assert live.tracks()[1]["clips"][0]["file_path"] == "C:\\Users\\é\\r 1\\A b.wav"
    assert live.errors == []


def test_mac_that_wants_its_volumes_named_gets_them(tmp_path: Path, source: str) -> None:
    live = alone(tmp_path, source)
    job = live.press("separate")
    live.js.eval("Model.renamed = '/Volumes/Macintosh HD'")
    live.ends(job, MANY[:1])
    live.until_landed()
    assert live.tracks()[1]["clips"][0]["file_path"].startswith("/Volumes/Macintosh HD/")
    assert live.face["error"] == " "


def test_folder_is_shown_where_clips_cannot_be_laid(tmp_path: Path, source: str) -> None:
    live = alone(tmp_path, source, "12.0.0")
    live.ends(live.press("separate"), MANY[:1])
    (shown,) = json.loads(str(live.js.eval("JSON.stringify(named)")))
    assert shown[:2] == ["max", "launchbrowser"]
    assert shown[2].endswith("/returns/%C3%A9%201")
    assert shown[2].startswith("file:///")
    assert live.errors == []
