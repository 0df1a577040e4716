"""The windows drawn by ReaImGui, where that extension is installed: the same rows, the same answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reaper.conftest import REAPERS, Desk
from tests.reaper.studio import StandIn, Studio, song_file


@pytest.fixture(name="desk", params=list(REAPERS))
def _desk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    studio = Studio(tmp_path, tmp_path / "home", **REAPERS[request.param], extensions=("ReaImGui",))
    bridge = StandIn(tmp_path / "home")
    studio.reaper.each_cycle(bridge.cycle)
    studio.reaper.new_project("söng")
    with studio.reaper:
        yield Desk(studio, bridge, song_file(tmp_path / "song.wav", bars=1))


def test_a_remix_from_options_to_tracks(desk: Desk) -> None:
    desk.source("Vox")
    desk.source("Vox")
    script = desk.studio.run("Remix selected track")
    window = script.imgui
    assert not script.window.is_open
    desk.play(0.1)
    assert window.shows("What each track is:")
    window.choose("Tempo", "a number")
    desk.play(0.1)
    window.slide("BPM", 60)
    window.slide("Energy", 30)
    window.click("Jazz")
    window.click("drums")
    window.click("MIDI of the parts on muted tracks")
    desk.play(0.1)
    window.click("Remix")
    desk.play(8)
    request = desk.request()
    assert (request["style"], request["tempo"], request["energy"]) == ("jazz", 100, 2.0)
    assert request["keep"] == ["vocals", "drums"]
    assert desk.studio.records()[0]["state"] == "imported"
    assert desk.studio.folder_of("NRX Remix")


@pytest.mark.parametrize("how", ["escape", "cross", "button"])
def test_closing_sends_nothing(desk: Desk, how: str) -> None:
    desk.source()
    script = desk.studio.run("Remix selected track")
    desk.play(0.1)
    {
        "escape": script.imgui.press_escape,
        "cross": script.imgui.close_by_user,
        "button": lambda: script.imgui.click("Cancel"),
    }[how]()
    desk.play(1)
    assert script.ended
    assert desk.studio.records() == []


def test_a_job_is_cancelled_and_seen_in_the_list(desk: Desk) -> None:
    desk.source()
    desk.bridge.hold = True
    script = desk.studio.run("Separate selected track into stems")
    desk.play(0.1)
    script.imgui.click("Stems")
    desk.play(3)
    assert script.imgui.shows("Generating: 10%.")
    script.imgui.click("Cancel the job")
    desk.play(2)
    assert desk.studio.records()[0]["state"] == "cancelled"
    jobs = desk.studio.run("Show NRX jobs")
    desk.play(1)
    assert jobs.imgui.shows("cancelled")


def test_the_window_lives_on_while_a_return_is_imported(desk: Desk) -> None:
    desk.source()
    desk.bridge.hold = True
    script = desk.studio.run("Separate selected track into stems")
    desk.play(0.1)
    script.imgui.click("Stems")
    desk.play(2)
    desk.studio.reaper.new_project("another")
    desk.studio.reaper.close_project(desk.studio.reaper.projects[-2])
    desk.bridge.hold = False
    desk.play(2)
    script.terminate()
    jobs = desk.studio.run("Show NRX jobs")
    desk.play(1)
    jobs.imgui.click("Import into this project")
    desk.play(3)
    assert desk.studio.records()[0]["state"] == "imported"
    assert jobs.imgui.shows("in the project")
    jobs.imgui.click("Close")
    desk.play(1)
    assert jobs.ended


def test_one_that_is_too_old_leaves_it_to_gfx(tmp_path: Path) -> None:
    studio = Studio(tmp_path, tmp_path / "home", extensions=("ReaImGui",))
    shim = tmp_path / "ReaImGui" / "imgui.lua"
    with studio.reaper as reaper:
        reaper.run_lua("reaper.ImGui_GetBuiltinPath()")
        shim.write_text("error('this ReaImGui has no version 0.9')")
        shim.chmod(0o400)
        script = studio.run("Settings")
        assert script.window.is_open
        script.terminate()
