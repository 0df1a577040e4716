"""What comes back: where tracks lie, what stays as it was, and what happens when the world changes half-way."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.reaper.conftest import Desk
from tests.reaper.model import Project, Track
from tests.reaper.studio import samples_of

REMIX = "Remix selected track"
SEPARATE = "Separate selected track into stems"
RATE = 48000


def state_of(desk: Desk) -> str:
    return str(desk.studio.records()[0]["state"])


def files_of(track: Track) -> list[Path]:
    sources = [take.source for item in track.items for take in item.takes]
    return [source.path for source in sources if source is not None and source.path is not None]


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_tracks_come_back_to_the_frame(desk: Desk, rate: int) -> None:
    project = desk.studio.reaper.new_project("rate", sample_rate=rate)
    desk.source(position_s=1.2345678)
    desk.go(SEPARATE)
    record = desk.studio.records()[0]
    [track] = desk.studio.folder_of("NRX Stems")
    [item] = track.items
    assert item.position_s == record["start_s"]
    assert item.position_s * rate == pytest.approx(round(1.2345678 * rate), abs=1e-6)
    sent = samples_of(Path(record["request"]["inputs"][0]["path"]))
    [file] = files_of(track)
    assert samples_of(file).shape == sent.shape
    assert abs(samples_of(file) - sent).max() < 1e-6
    assert file.is_relative_to(project.media_folder)


def test_a_track_is_as_the_manifest_says(desk: Desk) -> None:
    desk.source()
    desk.go(REMIX)
    made, kept = desk.studio.folder_of("NRX Remix")
    assert (made.name, kept.name) == ("generated ü", "fitted ü")
    assert made.volume == 1.0
    assert kept.volume == pytest.approx(10 ** (-3 / 20))
    assert made.pan == 0.25
    assert not made.muted
    assert made.colour & 0x1000000
    [item] = made.items
    assert (item.timebase, item.loop_source) == (0, False)
    assert (item.fade_in_s, item.fade_out_s, item.auto_fade_in_s, item.auto_fade_out_s) == (0, 0, -1, -1)


def test_it_is_one_undo_step_and_selection_stays(desk: Desk) -> None:
    source = desk.source()
    other = desk.studio.project.add_track("Other")
    tree = desk.studio.project.tree()
    desk.go(REMIX)
    project = desk.studio.project
    assert project.undo_names[-1] == "NRX: Remix of Song ü"
    assert [track.name for track in project.tracks if track.selected] == [source.name]
    assert len(project.tree()) == len(tree) + 3
    assert project.undo() == "NRX: Remix of Song ü"
    assert project.tree() == tree
    assert other.name in dict.fromkeys(name for _, name in tree)
    project.redo()
    assert len(project.tree()) == len(tree) + 3


def test_folders_of_the_users_stay_as_they_are(desk: Desk) -> None:
    project = desk.studio.project
    project.add_track("Band", folder_depth=1)
    project.add_track("Guitar")
    desk.source("Singer", folder_depth=-1)
    project.add_track("Click")
    desk.go(REMIX)
    assert project.tree() == [
        (0, "Band"),
        (1, "Guitar"),
        (1, "Singer"),
        (1, "NRX Remix Singer"),
        (2, "generated ü"),
        (2, "fitted ü"),
        (0, "Click"),
    ]


def test_a_returned_folder_comes_after_a_source_that_is_a_folder(desk7: Desk) -> None:
    project = desk7.studio.project
    project.add_track("All", folder_depth=1)
    project.add_track("Band", folder_depth=1, selected=True)
    child = project.add_track("Guitar", folder_depth=-2)
    project.add_audio(child, desk7.song, 0.0)
    project.add_track("Click")
    desk7.go(REMIX)
    assert project.tree() == [
        (0, "All"),
        (1, "Band"),
        (2, "Guitar"),
        (1, "NRX Remix Band"),
        (2, "generated ü"),
        (2, "fitted ü"),
        (0, "Click"),
    ]


def test_a_second_run_leaves_the_first_alone(desk: Desk) -> None:
    desk.source()
    desk.go(REMIX)
    first = {
        file: file.read_bytes() for track in desk.studio.folder_of("NRX Remix") for file in files_of(track)
    }
    desk.go(REMIX)
    names = [name for _, name in desk.studio.project.tree()]
    assert names.count("NRX Remix Song ü") == 2
    assert {file: file.read_bytes() for file in first} == first
    every = [file for track in desk.studio.project.tracks for file in files_of(track)]
    assert len(every) == len(set(every))


def test_a_source_track_that_is_deleted_meanwhile(desk: Desk) -> None:
    project = desk.studio.project
    project.add_track("Band", folder_depth=1)
    source = desk.source("Singer", folder_depth=-1)
    desk.bridge.hold = True
    desk.go(REMIX, seconds=2.0)
    project.delete_track(source)
    desk.bridge.hold = False
    desk.play()
    assert state_of(desk) == "imported"
    assert project.tree()[-3:] == [(0, "NRX Remix Singer"), (1, "generated ü"), (1, "fitted ü")]


def test_the_source_can_be_muted_afterwards(desk7: Desk) -> None:
    source = desk7.source()
    desk7.go(SEPARATE, "tab", "space")
    assert source.muted
    desk7.studio.project.undo()
    assert not desk7.studio.project.tracks[0].muted


def test_another_tab_in_front_stays_there_and_gets_nothing(desk: Desk) -> None:
    first = desk.studio.project
    desk.source()
    desk.bridge.hold = True
    desk.go(REMIX, seconds=2.0)
    second = desk.studio.reaper.new_project("other")
    desk.bridge.hold = False
    desk.play()
    assert state_of(desk) == "imported"
    assert desk.studio.project is second
    assert not second.tracks
    assert [name for _, name in first.tree()][1] == "NRX Remix Song ü"


def reopened(desk: Desk, path: Path) -> Project:
    return desk.studio.reaper.open(path)


def test_a_project_that_was_closed_gets_its_return_when_it_is_open_again(desk: Desk) -> None:
    project = desk.studio.project
    desk.source()
    desk.bridge.hold = True
    script = desk.go(REMIX, seconds=2.0)
    path = desk.studio.reaper.save(project)
    desk.studio.reaper.close_project(project)
    desk.bridge.hold = False
    desk.play(3.0)
    assert state_of(desk) == "sent"
    assert not script.ended
    again = reopened(desk, path)
    desk.play()
    assert state_of(desk) == "imported"
    assert "NRX Remix Song ü" in [name for _, name in again.tree()]


def test_after_a_restart_of_reaper_the_jobs_come_up_and_the_return_comes_in(desk: Desk) -> None:
    project = desk.studio.project
    desk.source()
    desk.bridge.hold = True
    desk.go(REMIX, seconds=2.0)
    path = desk.studio.reaper.save(project)
    reaper = desk.studio.reaper = desk.studio.reaper.restart(path)
    reaper.each_cycle(desk.bridge.cycle)
    desk.play(1.0)
    [script] = reaper.running_scripts()
    assert script.window.title == "NRX jobs"
    assert script.window.shows("Remix: Song ü")
    desk.bridge.hold = False
    desk.play()
    assert state_of(desk) == "imported"
    assert "NRX Remix Song ü" in [name for _, name in reaper.project.tree()]
    desk.studio.press(script, "escape")
    desk.play(0.5)
    reaper.quit()
    reaper.check()


def test_a_start_of_reaper_without_open_jobs_shows_nothing(desk7: Desk) -> None:
    reaper = desk7.studio.reaper = desk7.studio.reaper.restart()
    desk7.play(1.0)
    assert not reaper.running_scripts()
    assert not any(script.window.opened for script in reaper.scripts)
    reaper.quit()
    reaper.check()


def test_closing_the_window_lets_the_job_go_on_and_its_tracks_come(desk: Desk) -> None:
    desk.source()
    desk.bridge.hold = True
    script = desk.go(REMIX, seconds=2.0)
    script.window.close_by_user()
    desk.play(1.0)
    assert not script.ended
    desk.bridge.hold = False
    desk.play()
    assert state_of(desk) == "imported"
    assert script.ended


def test_a_job_can_be_cancelled_while_it_runs(desk: Desk) -> None:
    desk.source()
    desk.bridge.hold = True
    script = desk.go(REMIX, seconds=2.0)
    assert script.window.shows("Generating: 10%.")
    desk.studio.press(script, "tab", "enter")
    desk.play(3.0)
    assert state_of(desk) == "cancelled"
    assert script.ended
    assert len(desk.studio.project.tracks) == 1


def test_what_the_engine_refuses_is_said_in_its_words(desk: Desk) -> None:
    desk.bridge.fails = "The input is silent; send something that sounds."
    desk.source()
    script = desk.go(REMIX)
    assert script.window.shows("The input is silent")
    desk.studio.press(script, "enter")
    desk.play(0.5)
    assert script.ended
    assert state_of(desk) == "failed"


def test_a_return_waits_until_recording_has_ended(desk7: Desk) -> None:
    desk7.source()
    desk7.bridge.hold = True
    desk7.go(REMIX, seconds=2.0)
    desk7.studio.project.play_state = 5
    desk7.bridge.hold = False
    desk7.play(3.0)
    assert state_of(desk7) == "sent"
    desk7.studio.project.play_state = 0
    desk7.play()
    assert state_of(desk7) == "imported"


def test_a_media_folder_that_cannot_be_written_loses_nothing(desk: Desk) -> None:
    desk.source()
    desk.bridge.hold = True
    script = desk.go(REMIX, seconds=2.0)
    media = desk.studio.project.media_folder
    shutil.rmtree(media)
    media.write_text("no folder")
    desk.bridge.hold = False
    desk.play()
    assert state_of(desk) == "stuck"
    assert script.window.shows("cannot be written")
    assert len(desk.studio.project.tracks) == 1
    desk.studio.press(script, "enter")
    desk.play(0.5)
    media.unlink()
    jobs = desk.studio.run("Show NRX jobs")
    desk.studio.press(jobs, "tab", "tab", "enter")
    desk.play()
    assert state_of(desk) == "imported"
    desk.studio.press(jobs, "escape")
    desk.play(0.5)


def test_a_disk_that_fills_up_while_copying_leaves_no_half_files(desk7: Desk, tmp_path: Path) -> None:
    def missing(manifest: dict[str, Any]) -> None:
        Path(manifest["folder"], manifest["tracks"][1]["file"]).unlink()

    desk7.bridge.change = missing
    desk7.source()
    script = desk7.go(REMIX)
    assert state_of(desk7) == "stuck"
    assert len(desk7.studio.project.tracks) == 1
    assert not list(tmp_path.rglob("*.part"))
    desk7.studio.press(script, "enter")
    desk7.play(0.5)


def test_a_broken_file_in_a_return_is_taken_back_whole(desk7: Desk) -> None:
    def broken(manifest: dict[str, Any]) -> None:
        Path(manifest["folder"], manifest["tracks"][1]["file"]).write_bytes(b"RIFF no sound")

    desk7.bridge.change = broken
    desk7.source()
    tree = desk7.studio.project.tree()
    script = desk7.go(REMIX)
    assert state_of(desk7) == "stuck"
    assert desk7.studio.project.tree() == tree
    assert script.window.shows("cannot read")
    desk7.studio.press(script, "enter")
    desk7.play(0.5)


def test_two_scripts_import_a_return_once(desk7: Desk) -> None:
    desk7.source()
    desk7.bridge.hold = True
    desk7.go(REMIX, seconds=2.0)
    jobs = desk7.studio.run("Show NRX jobs")
    desk7.play(3.0)
    desk7.bridge.hold = False
    desk7.play()
    names = [name for _, name in desk7.studio.project.tree()]
    assert names.count("NRX Remix Song ü") == 1
    desk7.studio.press(jobs, "escape")
    desk7.play(0.5)


def test_running_an_action_again_lets_the_first_job_go_on(desk7: Desk) -> None:
    desk7.source()
    desk7.bridge.hold = True
    first = desk7.go(REMIX, seconds=2.0)
    second = desk7.studio.run(REMIX)
    assert first.ended
    desk7.bridge.hold = False
    desk7.play(4.0)
    assert state_of(desk7) == "imported"
    assert second.window.shows("Brightness")
    desk7.studio.press(second, "escape")
    desk7.play(0.5)


def test_a_job_that_nobody_knows_any_more_is_not_waited_for(
    desk7: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk7.source()
    desk7.bridge.hold = True
    script = desk7.go(REMIX, seconds=2.0)
    record = desk7.studio.records()[0]
    for path in (desk7.studio.home / "spool" / "status").iterdir():
        path.unlink()
    file = desk7.studio.home / "reaper" / "jobs" / record["id"] / "job.json"
    file.write_text(file.read_text().replace(f'"created":{record["created"]}', '"created":1000'))
    desk7.play(3.0)
    assert state_of(desk7) == "failed"
    assert script.window.shows("no longer knows")
    desk7.studio.press(script, "enter")
    desk7.play(0.5)


def test_a_dead_daemon_is_started_and_the_job_goes_on(desk: Desk) -> None:
    def start(command: str, _timeout_ms: int) -> str:
        assert "bridge.doors.cli serve --home" in command
        assert str(desk.studio.home) in command
        desk.bridge.dead = False
        return "0\n"

    desk.studio.reaper.on_process = start
    desk.bridge.dead = True
    desk.source()
    desk.go(REMIX)
    assert state_of(desk) == "imported"
    assert len(desk.studio.reaper.processes.started) == 1


def test_a_daemon_that_cannot_be_started_is_explained(desk7: Desk) -> None:
    desk7.studio.reaper.on_process = lambda _command, _timeout_ms: "1\n"
    desk7.bridge.dead = True
    desk7.source()
    script = desk7.go(REMIX, seconds=40.0)
    assert script.window.shows("nrx serve")
    desk7.studio.press(script, "escape")
    desk7.play(0.5)


def test_windows_starts_the_daemon_without_a_console(tmp_path: Path, desk7: Desk) -> None:
    desk7.studio.reaper.system = "Win64"
    commands: list[tuple[str, int]] = []

    def start(command: str, timeout_ms: int) -> str:
        commands.append((command, timeout_ms))
        desk7.bridge.dead = False
        return "259"

    desk7.studio.reaper.on_process = start
    desk7.bridge.dead = True
    desk7.source()
    desk7.go(REMIX)
    [(command, timeout_ms)] = commands
    assert timeout_ms < 0
    assert command.startswith('"')
    assert state_of(desk7) == "imported"


def test_markers_and_regions_on_request(desk7: Desk) -> None:
    desk7.source(position_s=2.0)
    desk7.go(REMIX, *["tab"] * 6, "right")
    found = [(marker.name, marker.position_s, marker.end_s) for marker in desk7.studio.project.markers]
    assert found == [("verse", 2.0, 6.0), ("Am", 2.0, None)]


def test_analysing_writes_tempo_and_markers_and_adds_no_track(desk: Desk) -> None:
    desk.source(position_s=2.0)
    desk.studio.project.add_track("Later")
    desk.studio.project.add_audio(desk.studio.project.track("Later"), desk.song, 20.0, timebase=0)
    desk.go("Analyse selected track (write tempo, chord and section markers)")
    project = desk.studio.project
    assert len(project.tracks) == 2
    assert {marker.name for marker in project.markers} == {"verse", "Am"}
    tempo = [(marker.time_s, marker.bpm, marker.numerator) for marker in project.content.tempo_markers]
    assert tempo[0] == (2.0, 97.0, 4)
    assert tempo[-1][:2] == (pytest.approx(4.0), 120.0), "after the song the tempo is what it was"
    project.undo()
    assert not project.content.tempo_markers


def test_audio_on_a_beat_timebase_stays_where_it_was_heard(desk7: Desk) -> None:
    project = desk7.studio.project
    project.timebase = 1
    source = desk7.source(position_s=2.0)
    other = project.add_track("Other microphone")
    project.add_audio(other, desk7.song, 3.5)
    before = [(item.position_s, item.length_s, item.take.playrate) for item in (*source.items, *other.items)]
    desk7.go("Analyse selected track (write tempo, chord and section markers)")
    assert project.content.tempo_markers
    assert [
        (item.position_s, item.length_s, item.take.playrate) for item in (*source.items, *other.items)
    ] == before


def channel(number: int, **changes: Any) -> dict[str, Any]:
    plain = {
        "input": number, "name": f"T{number}", "gain_db": 0.0, "pan": 0.0, "mute": False, "inverted": False,
        "low_cut_hz": 0.0, "eq": [], "compressor": None, "plugins": [], "left_out": [],
    }  # fmt: skip
    return {**plain, **changes}


def mixed_as(desk: Desk, *channels: dict[str, Any]) -> None:
    """Have the stand-in return a mix whose mix.json says this."""

    def change(manifest: dict[str, Any]) -> None:
        text = json.dumps({"version": 1, "channels": list(channels)})
        (Path(manifest["folder"]) / "mix.json").write_text(text)
        manifest["files"] = {"mix.json": "mix.json"}

    desk.bridge.change = change


AS_SETTINGS = [*["tab"] * 3, "left"]
"""Keys in the window of Mix with two tracks: after two roles and the preset comes Return as; its last choice."""


def test_a_mix_can_come_back_as_faders_pans_and_effects(desk: Desk) -> None:
    first = desk.source("Kick", volume=0.5, pan=0.25)
    second = desk.source("Vox", volume=1.0)
    eq = [
        {"kind": "bell", "hz": 300.0, "db": -3.0, "q": 1.0},
        {"kind": "high_shelf", "hz": 9000.0, "db": 2.0, "q": 0.7},
    ]
    squeeze = {
        "threshold_db": -20.0,
        "ratio": 3.0,
        "attack_ms": 10.0,
        "release_ms": 120.0,
        "knee_db": 6.0,
        "makeup_db": 2.0,
    }
    mixed_as(
        desk,
        channel(0, gain_db=-6.0206, pan=0.5, inverted=True, compressor=squeeze),
        channel(1, gain_db=3.0, low_cut_hz=90.0, eq=eq),
    )
    project = desk.studio.project
    tree, undo = project.tree(), len(project.undo_names)
    desk.go("Mix selected tracks", *AS_SETTINGS)
    assert state_of(desk) == "imported", desk.studio.records()[0]
    assert project.tree() == tree
    assert first.volume == pytest.approx(0.25, abs=1e-5)
    assert (first.pan, first.values["B_PHASE"]) == (0.75, 1)
    [comp] = first.fx
    assert not comp.enabled
    assert "-14.0 dB, 3.0:1" in comp.title
    [equaliser] = second.fx
    assert equaliser.bands[0, 0] == {"Hz": 90.0, "on": 1.0}
    assert equaliser.bands[2, 0]["linear gain"] == pytest.approx(10 ** (-3 / 20))
    assert equaliser.bands[2, 0]["octaves"] == pytest.approx(1.3885, abs=1e-3)
    assert equaliser.bands[4, 0]["Hz"] == 9000.0
    assert project.undo_names[undo:] == ["(user)", "NRX: Mix of Kick and 1 more"]
    project.undo()
    assert (project.track("Kick").volume, project.track("Kick").fx) == (0.5, [])


def test_what_reaper_has_not_is_said(desk7: Desk) -> None:
    desk7.source("Kick")
    gone = desk7.source("Vox")
    bells = [{"kind": "bell", "hz": 100.0 * at, "db": 1.5, "q": 1.0} for at in range(1, 4)]
    mixed_as(desk7, channel(0, plugins=["Warm Tube"], eq=bells), channel(1, gain_db=2.0))
    desk7.bridge.hold = True
    script = desk7.go("Mix selected tracks", *AS_SETTINGS)
    desk7.studio.project.delete_track(gone)
    desk7.bridge.hold = False
    desk7.play()
    assert script.window.shows("REAPER has not +1.5 dB at 300 Hz, Warm Tube.")
    assert script.window.shows("“T1” is no longer there.")
    desk7.studio.press(script, "enter")
    desk7.play(0.5)


def test_a_return_without_settings_is_told_and_can_be_tried_again(desk7: Desk) -> None:
    desk7.source("Kick")
    desk7.source("Vox")
    script = desk7.go("Mix selected tracks", *AS_SETTINGS)
    assert script.window.shows("not in the return")
    assert state_of(desk7) == "stuck"
    desk7.studio.press(script, "enter")
    desk7.play(0.5)


def test_finished_jobs_are_imported_without_a_window(desk: Desk) -> None:
    desk.source()
    desk.bridge.hold = True
    script = desk.go(REMIX)
    script.terminate()
    waiting = desk.studio.run("Import finished NRX jobs")
    desk.play(2)
    assert waiting.ended, "it does not stay for what is still being worked on"
    assert state_of(desk) == "sent"
    desk.bridge.hold = False
    desk.play(0.2)
    script = desk.studio.run("Import finished NRX jobs")
    desk.play(3)
    assert script.ended
    assert state_of(desk) == "imported"
    assert not script.window.opened
    desk.studio.reaper.answer("MB", 1)
    desk.studio.run("Import finished NRX jobs")
    desk.play(2)
    assert "no open job" in desk.studio.reaper.dialogs[-1].text


def test_the_tempo_of_a_style_is_set_only_if_asked(desk7: Desk) -> None:
    desk7.source(position_s=2.0)
    desk7.go(REMIX, *["tab"] * 3, "right")
    assert not desk7.studio.project.content.tempo_markers
    desk7.go(REMIX, *["tab"] * 4, "space")
    assert desk7.studio.project.content.tempo_markers[0].bpm == 97.0
    items = [item for track in desk7.studio.folder_of("NRX Remix") for item in track.items]
    assert {item.position_s for item in items} == {2.0}


def test_a_part_is_played_anew_as_a_further_take(desk: Desk) -> None:
    desk.source()
    desk.go(REMIX)
    project = desk.studio.project
    part = project.track("generated ü")
    before = files_of(part)
    project.select(part)
    script = desk.studio.run("Re-roll this part")
    desk.play()
    assert script.ended
    request = desk.request()
    seeds = request["part_seeds"]
    assert isinstance(seeds, dict)
    assert list(seeds) == ["generated ü"]
    [item] = project.track("generated ü").items
    assert len(item.takes) == 2
    assert item.active == 1
    assert files_of(part)[0] == before[0]
    assert len(project.tree()) == 4
    desk.studio.run("Re-roll this part")
    desk.play()
    assert len(project.track("generated ü").items[0].takes) == 3


@pytest.mark.parametrize("which", ["Song ü", "fitted ü"])
def test_only_a_part_can_be_played_anew(desk7: Desk, which: str) -> None:
    desk7.source()
    desk7.go(REMIX)
    project = desk7.studio.project
    project.select(project.track(which))
    desk7.studio.reaper.answer("MB", 1)
    desk7.studio.run("Re-roll this part")
    desk7.play(0.5)
    assert "is not a part that NRX Bridge played" in desk7.studio.reaper.dialogs[-1].text


def test_each_variation_has_another_seed(desk7: Desk) -> None:
    desk7.source()
    for _ in range(2):
        desk7.go("Generate variation of selected track")
    seeds = [record["request"]["seed"] for record in desk7.studio.records()]
    assert len(set(seeds)) == 2


def test_the_list_of_jobs_cancels_and_removes(desk7: Desk) -> None:
    desk7.source()
    desk7.bridge.hold = True
    first = desk7.go(REMIX, seconds=2.0)
    first.window.close_by_user()
    jobs = desk7.studio.run("Show NRX jobs")
    desk7.play(1.0)
    desk7.studio.press(jobs, "tab", "tab", "tab", "enter")
    desk7.play(3.0)
    assert state_of(desk7) == "cancelled"
    desk7.studio.press(jobs, "tab", "enter")
    desk7.play(1.0)
    assert not desk7.studio.records()
    assert jobs.window.shows("There are no jobs yet.")
    desk7.studio.press(jobs, "escape")
    desk7.play(0.5)


def test_the_list_says_what_cannot_be_done(desk7: Desk) -> None:
    desk7.source()
    desk7.bridge.hold = True
    desk7.go(REMIX, seconds=2.0)
    jobs = desk7.studio.run("Show NRX jobs")
    desk7.play(1.0)
    desk7.studio.press(jobs, "tab", "tab", "enter")
    assert jobs.window.shows("has not finished")
    desk7.studio.press(jobs, "tab", "tab", "enter")
    assert jobs.window.shows("cancel it first")
    desk7.bridge.hold = False
    desk7.play()
    desk7.studio.press(jobs, "tab", "tab", "tab", "tab", "enter")
    assert jobs.window.shows("has ended already")
    desk7.studio.press(jobs, "escape")
    desk7.play(0.5)


def test_a_job_whose_project_never_comes_back_can_be_taken_off_the_list(desk7: Desk) -> None:
    desk7.source()
    desk7.bridge.hold = True
    script = desk7.go(REMIX, seconds=2.0)
    desk7.studio.reaper.close_project(desk7.studio.project)
    desk7.bridge.hold = False
    desk7.play(2.0)
    script.terminate()
    jobs = desk7.studio.run("Show NRX jobs")
    desk7.play(1.0)
    assert jobs.window.shows("finished; open söng")
    desk7.studio.press(jobs, *["tab"] * 4, "enter")
    desk7.play(1.0)
    assert jobs.window.shows("There are no jobs yet.")
    desk7.studio.press(jobs, "escape")
    desk7.play(3.0)
    assert jobs.ended


def test_settings_show_where_everything_is(desk7: Desk) -> None:
    script = desk7.studio.run("Settings")
    desk7.play(0.5)
    shown = " ".join(script.window.texts())
    assert "NRX Bridge 0 runs" in shown
    assert desk7.studio.home.name.split()[0] in shown
    desk7.studio.press(script, "enter")
    desk7.play(0.5)
    assert script.ended
