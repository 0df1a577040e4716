"""Sending a selection: what is explained before anything starts, how it is rendered, and what the request says."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from bridge.protocol import parse_request
from engine.tempo import map_and_report
from tests.reaper.conftest import Desk
from tests.reaper.model import Fx, Note, Project, RenderOptions, Track
from tests.reaper.studio import samples_of, song_file

REMIX = "Remix selected track"


def sentence_of(desk: Desk, title: str = REMIX) -> str:
    """Run an action that is to be refused; the sentence it says."""
    desk.studio.reaper.answer("MB", 1)
    script = desk.studio.run(title)
    desk.play(0.5)
    assert script.ended
    assert not desk.studio.records()
    assert not script.window.opened
    return desk.studio.reaper.dialogs[-1].text


def test_nothing_selected(desk: Desk) -> None:
    assert "Select one or more tracks first" in sentence_of(desk)
    assert "Select a track first" in sentence_of(desk, "Separate selected track into stems")


def test_more_tracks_than_an_action_takes(desk7: Desk) -> None:
    desk7.source("a")
    desk7.source("b")
    assert "2 tracks are selected" in sentence_of(desk7, "Separate selected track into stems")


def test_a_muted_track_and_a_muted_folder(desk7: Desk) -> None:
    folder = desk7.studio.project.add_track("Band", folder_depth=1)
    track = desk7.source("Guitar", muted=True, folder_depth=-1)
    assert "“Guitar” is muted" in sentence_of(desk7)
    track.muted, folder.muted = False, True
    assert "“Band” is muted" in sentence_of(desk7)


def test_another_track_is_soloed(desk7: Desk) -> None:
    desk7.source("Guitar")
    other = desk7.studio.project.add_track("Click", solo=1)
    assert "“Guitar” would render as silence" in sentence_of(desk7)
    other.solo = 0


def test_a_folder_whose_child_is_soloed_is_heard(desk7: Desk) -> None:
    project = desk7.studio.project
    project.add_track("Band", folder_depth=1, selected=True)
    child = project.add_track("Guitar", folder_depth=-1, solo=1)
    project.add_audio(child, desk7.song, 0.0)
    desk7.go(REMIX)
    assert desk7.studio.records()[0]["state"] == "imported"


def test_recording(desk7: Desk) -> None:
    desk7.source()
    desk7.studio.project.play_state = 5
    assert "recording" in sentence_of(desk7)


def test_an_empty_track(desk7: Desk) -> None:
    desk7.studio.project.add_track("Empty", selected=True)
    assert "“Empty” holds nothing" in sentence_of(desk7)


def test_less_than_a_second(desk7: Desk) -> None:
    desk7.source()
    desk7.studio.project.select_time(2.0, 2.4)
    assert "at least one second" in sentence_of(desk7)


def test_media_that_is_gone(desk7: Desk, tmp_path: Path) -> None:
    gone = song_file(tmp_path / "gone.wav", bars=1)
    track = desk7.studio.project.add_track("Old", selected=True)
    desk7.studio.project.add_audio(track, gone, 0.0)
    gone.unlink()
    assert "gone.wav" in sentence_of(desk7)


def test_a_folder_and_a_track_in_it(desk7: Desk) -> None:
    desk7.studio.project.add_track("Band", folder_depth=1, selected=True)
    desk7.source("Guitar", folder_depth=-1)
    assert "lies in the folder “Band”" in sentence_of(desk7)


def test_an_unsaved_project_is_told_where_files_would_go(desk: Desk) -> None:
    desk.studio.reaper.new_project()
    desk.source()
    assert "has not been saved yet" in sentence_of_cancelled(desk)
    desk.studio.reaper.answer("MB", 1)
    desk.go(REMIX)
    assert desk.studio.records()[0]["state"] == "imported"


def sentence_of_cancelled(desk: Desk) -> str:
    desk.studio.reaper.answer("MB", 2)
    script = desk.studio.run(REMIX)
    desk.play(0.5)
    assert script.ended
    assert not desk.studio.records()
    return desk.studio.reaper.dialogs[-1].text


def test_a_missing_installation_is_explained_with_one_command(desk: Desk) -> None:
    (desk.studio.reaper.resource_path / "Scripts" / "NRX" / "nrx_paths.json").write_text(
        '{"home": "/nowhere"}'
    )
    desk.source()
    assert "nrx install reaper" in sentence_of(desk)


@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_the_stem_is_what_the_track_plays_to_the_frame(
    desk7: Desk, rate: int, background: bool, tmp_path: Path
) -> None:
    desk7.studio.reaper.render_options = RenderOptions(background=background)
    project = desk7.studio.reaper.new_project("rates", sample_rate=rate)
    song = song_file(tmp_path / "song.wav", bars=1, rate=rate)
    track = project.add_track("Song", selected=True, volume=0.5)
    project.add_audio(track, song, 1.0)
    project.select_time(1.25, 2.75)
    desk7.go(REMIX)
    record = desk7.studio.records()[0]
    path = record["request"]["inputs"][0]["path"]
    samples, found_rate = soundfile.read(path, always_2d=True)
    wanted = 0.5 * soundfile.read(song, always_2d=True)[0][round(0.25 * rate) : round(1.75 * rate)]
    assert found_rate == rate
    assert samples.shape == wanted.shape
    assert abs(samples - wanted).max() < 1e-6
    assert soundfile.info(path).subtype == "FLOAT"
    assert record["state"] == "imported"


def test_an_instrument_track_works_because_it_is_rendered(desk7: Desk) -> None:
    import numpy as np

    def play(samples: Any, rate: int) -> Any:
        return samples + 0.1 * np.sin(np.arange(len(samples)) * 440 * 2 * np.pi / rate)[:, None]

    track = desk7.studio.project.add_track("Synth", selected=True, fx=[Fx("Synth", play, instrument=True)])
    desk7.studio.project.add_midi(track, [Note(0.0, 4.0, 60)], 1.0, 3.0)
    desk7.go(REMIX)
    assert desk7.studio.records()[0]["state"] == "imported"


FAULTS = {
    "cancel": "rendered nothing",
    "disk_full": "rendered nothing",
    "silent": "silent",
    "short": "instead of",
    "empty": "rendered nothing",
}


@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_render_that_failed_is_told_and_nothing_is_sent(desk7: Desk, fault: Any, background: bool) -> None:
    desk7.source()
    desk7.studio.reaper.render_options = RenderOptions(fault=fault, background=background)
    desk7.studio.reaper.answer("MB", 1)
    script = desk7.go(REMIX, seconds=12.0)
    assert script.ended
    assert FAULTS[fault] in desk7.studio.reaper.dialogs[-1].text
    assert not desk7.studio.records()
    assert not desk7.bridge.requests


def test_a_render_that_never_ends_is_given_up(desk7: Desk) -> None:
    desk7.source()
    desk7.studio.reaper.render_options = RenderOptions(fault="stuck", background=True)
    desk7.studio.reaper.answer("MB", 1)
    script = desk7.go(REMIX, seconds=70.0)
    assert script.ended
    assert "stood still" in desk7.studio.reaper.dialogs[-1].text


def test_a_render_can_be_cancelled_and_settings_come_back(desk: Desk) -> None:
    desk.source()
    desk.studio.reaper.render_options = RenderOptions(background=True, cycles=200)
    before = {**desk.studio.project.render, **desk.studio.project.render_strings}
    script = desk.go(REMIX, seconds=0.5)
    assert script.window.shows("Rendering")
    desk.studio.press(script, "escape")
    desk.play(8.0)
    assert script.ended
    assert {**desk.studio.project.render, **desk.studio.project.render_strings} == before
    assert not desk.studio.records()


def test_ending_the_script_while_it_renders_puts_the_settings_back(desk7: Desk) -> None:
    desk7.source()
    desk7.studio.reaper.render_options = RenderOptions(background=True, cycles=200)
    before = {**desk7.studio.project.render, **desk7.studio.project.render_strings}
    script = desk7.go(REMIX, seconds=0.5)
    script.terminate()
    assert {**desk7.studio.project.render, **desk7.studio.project.render_strings} == before


@pytest.mark.parametrize(
    "options", [RenderOptions(sidecar=True), RenderOptions(suffix="-001", background=True)]
)
def test_sidecars_and_other_names_of_stems_do_not_confuse(desk7: Desk, options: RenderOptions) -> None:
    desk7.source("one")
    desk7.source("two")
    desk7.studio.reaper.render_options = options
    desk7.go(REMIX)
    assert desk7.studio.records()[0]["state"] == "imported"
    assert len(desk7.studio.records()[0]["request"]["inputs"]) == 2


def test_several_tracks_are_one_job_with_roles_that_can_be_corrected(desk: Desk) -> None:
    desk.source("Lead Vox", 1.0)
    desk.source("Kick", 2.0)
    script = desk.studio.run(REMIX)
    assert script.window.shows("vocals")
    assert script.window.shows("kick")
    desk.studio.press(script, "tab", "right", "enter")
    desk.play()
    request = parse_request(desk.request())
    assert [item.role for item in request.inputs] == ["vocals", "snare"]
    assert [item.name for item in request.inputs] == ["Lead Vox.wav", "Kick.wav"]
    lengths = {soundfile.info(item.path).frames for item in request.inputs}
    assert len(lengths) == 1, "inputs of one job lie on one range"


def test_without_a_time_selection_the_items_extent_is_sent(desk7: Desk) -> None:
    track = desk7.source(position_s=1.5)
    desk7.studio.project.add_audio(track, desk7.song, 7.0)
    desk7.go(REMIX)
    timeline = desk7.request()["timeline"]
    assert isinstance(timeline, dict)
    assert (timeline["start_s"], timeline["end_s"]) == (1.5, 9.0)


def project_with_ramps(project: Project) -> None:
    project.add_tempo_marker(0.0, 120.0, 4, 4)
    project.add_tempo_marker(2.0, 100.0, 7, 8, linear=True)
    project.add_tempo_marker(6.0, 140.0)
    project.add_tempo_marker(9.0, 90.0, 3, 4)


def test_ramps_and_odd_metres_arrive_as_reaper_has_them(desk: Desk) -> None:
    project = desk.studio.project
    project_with_ramps(project)
    track = desk.source(position_s=2.6)
    desk.studio.project.add_audio(track, desk.song, 8.0)
    desk.go(REMIX)
    request = desk.request()
    timeline, document = request["timeline"], request["tempo_map"]
    assert isinstance(timeline, dict)
    assert isinstance(document, dict)
    tempo_map, report = map_and_report(document)
    assert report is not None
    assert report.worst_ms < 1.0
    own = project.tempo_map()
    start_s = timeline["start_s"]
    origin_qn = own.qn_at(start_s) - float(tempo_map.beats(0.0))
    for at_s in (0.0, 0.7, 1.9, 3.3, 4.1, 6.6):
        assert float(tempo_map.beats(at_s)) + origin_qn == pytest.approx(own.qn_at(start_s + at_s), abs=1e-3)
    metres = {(row["numerator"], row["denominator"]) for row in document["bars"]}
    assert metres == {(7, 8), (1, 4), (3, 4)}, "the bar that the last marker cuts short has one quarter left"


def test_a_ruler_that_starts_elsewhere_changes_no_positions(desk7: Desk) -> None:
    desk7.studio.project.offset_s = -4.0
    desk7.source(position_s=1.5)
    desk7.go(REMIX)
    timeline = desk7.request()["timeline"]
    assert isinstance(timeline, dict)
    assert (timeline["start_s"], timeline["offset_s"]) == (1.5, -4.0)
    assert {item.position_s for track in desk7.studio.folder_of("NRX Remix") for item in track.items} == {1.5}


def test_a_vocals_own_bars_begin_with_the_first_bar_of_the_project_in_it(desk7: Desk) -> None:
    desk7.source("Vocal", position_s=1.5)
    desk7.go("Sync selected vocal to project tempo")
    document = desk7.request()["tempo_map"]
    assert isinstance(document, dict)
    assert document["bars"][0]["start_s"] == pytest.approx(0.5)
    assert parse_request(desk7.request()).inputs[0].role == "vocals"


def test_options_are_remembered_and_used_again_without_asking(desk: Desk) -> None:
    desk.source()
    desk.go(REMIX, "down", "tab", "right", "right")
    first = parse_request(desk.request())
    assert first.energy == 1.1
    again = desk.studio.run("Remix again with last settings")
    desk.play()
    assert again.ended
    second = parse_request(desk.request())
    assert (second.style, second.energy) == (first.style, first.energy)
    assert len(desk.studio.records()) == 2
    script = desk.studio.run(REMIX)
    assert script.window.shows("1.1")
    desk.studio.press(script, "escape")
    desk.play(0.5)
    assert script.ended


def test_every_option_can_be_reached_by_the_keyboard(desk7: Desk) -> None:
    desk7.source()
    script = desk7.studio.run(REMIX)
    rows = ["style", "energy", "brightness"]
    desk7.studio.press(script, *["tab"] * len(rows), "right")
    assert script.window.shows("the style's own")
    desk7.studio.press(script, "tab", "space", "tab", "right", "space", "tab", "right", "right", "enter")
    desk7.play()
    request = parse_request(desk7.request())
    assert request.tempo == "style"
    assert request.keep == ("vocals", "drums")
    options = desk7.studio.records()[0]["options"]
    assert options["set_tempo"] is True
    assert options["returns"] == "mix"


def test_the_mouse_works_too(desk7: Desk) -> None:
    desk7.source()
    script = desk7.studio.run(REMIX)
    script.window.click_text("drums")
    desk7.play(0.3)
    script.window.click_text("MIDI of the parts on muted tracks")
    desk7.play(0.3)
    desk7.studio.reaper.answer("gfx.showmenu", "the mix alone")
    script.window.click_text("a track for each part")
    desk7.play(0.3)
    script.window.click_text("Remix")
    desk7.play(0.3)
    if not desk7.studio.records():
        script.window.press("enter")
    desk7.play()
    options = desk7.studio.records()[0]["options"]
    assert options["keep"] == {"vocals": True, "drums": True}
    assert options["midi"] is True
    assert options["returns"] == "mix"


def test_on_a_fine_screen_everything_is_drawn_larger_and_found_by_the_mouse(desk7: Desk) -> None:
    desk7.source()
    plain = desk7.studio.run(REMIX).window
    sizes = {text: plain.place_of(text) for text in ("Energy", "Cancel", "drums")}
    desk7.studio.press(plain.script, "escape")
    desk7.play(0.5)
    desk7.studio.reaper.retina = 1.5
    script = desk7.studio.run(REMIX)
    window = script.window
    assert (window.width, window.height) == (int(plain.width * 1.5), int(plain.height * 1.5))
    for text, (x, y) in sizes.items():
        assert window.place_of(text) == (pytest.approx(1.5 * x, abs=4), pytest.approx(1.5 * y, abs=4))
    window.click_text("drums")
    desk7.play(0.5)
    window.click_text("Jazz")
    desk7.play(0.5)
    window.click_text(REMIX.split()[0])
    desk7.play(0.5)
    desk7.studio.press(script, "enter")
    desk7.play()
    request = desk7.request()
    assert (request["style"], request["keep"]) == ("jazz", ["vocals", "drums"])


def test_a_window_that_is_closed_sends_nothing(desk7: Desk) -> None:
    desk7.source()
    script = desk7.studio.run(REMIX)
    script.window.close_by_user()
    desk7.play(0.5)
    assert script.ended
    assert not desk7.studio.records()


def test_master_takes_the_project_where_no_track_is_selected(desk: Desk) -> None:
    track: Track = desk.source()
    track.selected = False
    desk.go("Master selected track or project")
    record = desk.studio.records()[0]
    assert record["request"]["action"] == "master"
    assert record["state"] == "imported"
    assert record["source_name"] == "söng"


def test_a_model_that_is_not_for_sale_is_shown_before_and_after(desk7: Desk) -> None:
    licence = {"name": "musicgen", "licence": "CC BY-NC 4.0", "commercial_use": False}

    def licensed(manifest: dict[str, Any]) -> None:
        manifest["backends"] = [{**licence, "stage": "generate"}]

    free = {"name": "htdemucs", "licence": "MIT", "commercial_use": True}
    (desk7.studio.home / "models.json").write_text(json.dumps({"generate": licence, "separate": free}))
    desk7.bridge.change = licensed
    desk7.source()
    script = desk7.studio.run(REMIX)
    assert script.window.shows("musicgen: CC BY-NC 4.0, not for commercial use.")
    assert not script.window.shows("htdemucs")
    desk7.studio.press(script, "enter")
    desk7.play()
    assert script.window.shows("came back.")
    assert script.window.shows("not for commercial use")
    desk7.studio.press(script, "enter")
    desk7.play(0.5)
    assert script.ended
    script = desk7.studio.run("Separate selected track into stems")
    assert not script.window.shows("commercial")
    desk7.studio.press(script, "escape")
    desk7.play(0.5)


def test_a_frozen_track_is_sent_as_it_is_frozen(desk7: Desk) -> None:
    source = desk7.source()
    source.frozen = True
    source.fx.append(Fx("Doubler", process=lambda samples, _rate: samples * 2))
    desk7.go(REMIX)
    record = desk7.studio.records()[0]
    assert record["state"] == "imported"
    sent = samples_of(Path(record["request"]["inputs"][0]["path"]))
    assert np.max(np.abs(sent)) == pytest.approx(np.max(np.abs(samples_of(desk7.song))), abs=1e-6)


def test_what_was_picked_is_sent_whatever_is_selected_meanwhile(desk7: Desk) -> None:
    project = desk7.studio.project
    desk7.source("Wanted", volume=0.5)
    other = desk7.source("Other")
    project.select(project.track("Wanted"))
    script = desk7.studio.run(REMIX)
    project.select(other)
    away = desk7.studio.reaper.new_project("another tab")
    desk7.studio.press(script, "enter")
    desk7.play()
    [item] = desk7.studio.records()[0]["request"]["inputs"]
    assert item["name"] == "Wanted.wav"
    peak = np.max(np.abs(samples_of(desk7.song)))
    assert np.max(np.abs(samples_of(Path(item["path"])))) == pytest.approx(0.5 * peak, abs=1e-6)
    assert [track.name for track in project.tracks if track.selected] == ["Other"]
    assert desk7.studio.project is away


@pytest.mark.parametrize("what", ["deleted", "muted", "closed"])
def test_what_changes_while_the_window_is_open_is_told(desk7: Desk, what: str) -> None:
    project = desk7.studio.project
    source = desk7.source()
    script = desk7.studio.run(REMIX)
    if what == "deleted":
        project.delete_track(source)
    elif what == "muted":
        source.muted = True
    else:
        desk7.studio.reaper.close_project(project)
    desk7.studio.reaper.answer("MB", 1)
    desk7.studio.press(script, "enter")
    desk7.play(1)
    assert what in desk7.studio.reaper.dialogs[-1].text
    assert script.ended
    assert desk7.studio.records() == []


def test_a_window_with_many_tracks_fits_a_screen(desk7: Desk) -> None:
    for number in range(1, 31):
        track = desk7.studio.project.add_track(f"Bass {number}", selected=True)
        desk7.studio.project.add_audio(track, desk7.song, 0.0)
    script = desk7.studio.run("Mix selected tracks")
    assert script.window.height < 600
    assert not script.window.shows("Bass 8:")
    desk7.studio.press(script, *["down"] * 9, "tab", "right", "enter")
    desk7.play()
    roles = [item["role"] for item in desk7.studio.records()[0]["request"]["inputs"]]
    assert roles == ["bass"] * 9 + ["guitar"] + ["bass"] * 20


def test_twelve_tracks_keep_their_order_whatever_their_names_sort_like(desk7: Desk) -> None:
    for number in range(1, 13):
        track = desk7.studio.project.add_track(f"T{number}", selected=True, volume=number / 12)
        desk7.studio.project.add_audio(track, desk7.song, 0.0)
    desk7.studio.reaper.render_options = RenderOptions(suffix="-x")
    desk7.go("Mix selected tracks")
    inputs = desk7.studio.records()[0]["request"]["inputs"]
    peaks = [np.max(np.abs(samples_of(Path(item["path"])))) for item in inputs]
    assert [item["name"] for item in inputs] == [f"T{number}.wav" for number in range(1, 13)]
    assert np.allclose(np.array(peaks) / peaks[-1], np.arange(1, 13) / 12, atol=1e-4)
