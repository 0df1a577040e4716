"""What must be in order at the end of each turn and each script: redrawing, undo, render settings, windows, sources."""

from pathlib import Path

import pytest

from tests.reaper.model import Reaper
from tests.reaper.model_kit import LUAS, failures_of, passes, refuses, value_of, write_sound


@pytest.fixture(params=LUAS)
def reaper(tmp_path: Path, request: pytest.FixtureRequest) -> Reaper:
    model = Reaper(tmp_path, lua=request.param)
    model.project.add_track("Vocals", selected=True)
    return model


def in_defer(code: str) -> str:
    return f"reaper.defer(function() {code} end)"


def test_redrawing_must_be_allowed_again_in_the_same_turn(reaper: Reaper) -> None:
    refuses(reaper, "reaper.PreventUIRefresh(1)", "PreventUIRefresh is left at 1")
    refuses(reaper, in_defer("reaper.PreventUIRefresh(1)"), "PreventUIRefresh is left at 1")
    refuses(reaper, "reaper.PreventUIRefresh(-1)", "more redrawing than was prevented")
    passes(reaper, "reaper.PreventUIRefresh(1) reaper.PreventUIRefresh(-1)")
    reaper.run_lua("reaper.PreventUIRefresh(1) error('half-way')")
    assert any("PreventUIRefresh" in failure for failure in reaper.failures)


def test_undo_block_must_be_closed_in_the_same_turn(reaper: Reaper) -> None:
    refuses(reaper, "reaper.Undo_BeginBlock2(0)", "undo block is left open")
    refuses(
        reaper,
        "reaper.Undo_BeginBlock() " + in_defer("reaper.Undo_EndBlock('x', -1)"),
        "left open",
        "no open",
    )
    refuses(reaper, "reaper.Undo_EndBlock2(0, 'x', -1)", "no open undo block")


def test_deferred_change_outside_an_undo_block_is_refused(reaper: Reaper) -> None:
    refuses(reaper, in_defer("reaper.InsertTrackAtIndex(0, false)"), "outside an undo block", "tracks")
    refuses(
        reaper, in_defer("reaper.AddProjectMarker(0, false, 1, 0, 'A', -1)"), "outside an undo block", "misc"
    )
    passes(
        reaper,
        in_defer(
            "reaper.Undo_BeginBlock2(0) reaper.InsertTrackAtIndex(0, false) reaper.Undo_EndBlock2(0, 'new track', -1)"
        ),
    )
    assert reaper.project.undo_names[-1] == "new track"


def test_selection_cursor_and_extension_state_need_no_undo_block(reaper: Reaper) -> None:
    passes(
        reaper,
        in_defer(
            "reaper.SetOnlyTrackSelected(reaper.GetTrack(0, 0)) reaper.SetEditCurPos(1, false, false) "
            "reaper.SetProjExtState(0, 'NRX', 'job', '1') reaper.GetSet_LoopTimeRange2(0, true, false, 1, 2, false)"
        ),
    )


def test_undo_flags_must_cover_what_changed(reaper: Reaper) -> None:
    block = "reaper.Undo_BeginBlock2(0) reaper.InsertTrackAtIndex(0, false) reaper.Undo_EndBlock2(0, 'x', {})"
    refuses(reaper, block.format(4), "leave out tracks")
    passes(reaper, block.format(-1))


def test_script_without_undo_point_gets_one_unless_it_defers(reaper: Reaper) -> None:
    passes(reaper, "reaper.CountTracks(0)")
    assert reaper.project.undo_names[-1].startswith("ReaScript: snippet")
    before = len(reaper.project.undo_names)
    passes(reaper, "reaper.CountTracks(0) reaper.defer(function() end)")
    assert len(reaper.project.undo_names) == before


def test_render_settings_must_be_restored_when_the_script_ends(reaper: Reaper) -> None:
    number = "reaper.GetSetProjectInfo(0, 'RENDER_SRATE', {}, true)"
    assert "did not restore RENDER_SRATE" in failures_of(reaper, number.format(96000))[0]
    assert failures_of(reaper, number.format(0))
    assert (
        "RENDER_FILE"
        in failures_of(reaper, "reaper.GetSetProjectInfo_String(0, 'RENDER_FILE', '/x', true)")[0]
    )
    passes(reaper, number.format(96000) + in_defer(number.format(0)))
    passes(reaper, number.format(96000) + f" reaper.atexit(function() {number.format(0)} end)")
    found = failures_of(reaper, number.format(96000) + " error('half-way')")
    assert any("did not restore" in failure for failure in found)


def test_window_that_nobody_answers_is_refused(reaper: Reaper) -> None:
    refuses(reaper, "reaper.MB('Really?', 'NRX', 4)", "nobody answers", "Really?")
    refuses(reaper, "reaper.GetUserInputs('NRX', 1, 'Style', 'jazz')", "nobody answers")
    refuses(reaper, "reaper.GetUserFileNameForRead('', 'NRX', 'wav')", "nobody answers")
    refuses(reaper, "gfx.showmenu('A|B')", "nobody answers")


def test_scripted_answers_come_back_in_order(reaper: Reaper) -> None:
    reaper.answer("MB", 6)
    reaper.answer("MB", lambda text: 7 if "second" in text else 6)
    reaper.answer("GetUserInputs", ["edm", "1.3"])
    reaper.answer("gfx.showmenu", "Cancel job")
    assert value_of(reaper, "reaper.MB('first', '', 4), reaper.MB('second', '', 4)") == "6 7"
    assert value_of(reaper, "reaper.GetUserInputs('NRX', 2, 'Style,Energy', 'jazz,1')") == "true edm,1.3"
    assert value_of(reaper, "gfx.showmenu('>More|Open|<Show||!Cancel job')") == "3"
    assert [dialog.kind for dialog in reaper.dialogs] == ["MB", "MB", "GetUserInputs", "gfx.showmenu"]
    reaper.answer("MB", 1)
    reaper.expect_no_answers_left()
    assert "never came" in reaper.failures[-1]


def test_message_box_while_redrawing_is_prevented_is_refused(reaper: Reaper) -> None:
    reaper.answer("MB", 1)
    refuses(reaper, "reaper.PreventUIRefresh(1) reaper.MB('x', '', 0)", "while redrawing is prevented")


def test_atexit_runs_at_the_end_whatever_the_end_is(reaper: Reaper) -> None:
    leaves = "reaper.atexit(function() reaper.ShowConsoleMsg('bye') end) "
    for body in ("", in_defer(""), "error('x')", in_defer("error('x')")):
        reaper.console = ""
        failures_of(reaper, leaves + body)
        assert reaper.console == "bye"
    reaper.console = ""
    script = reaper.run_lua(leaves + "local function again() reaper.defer(again) end again()")
    reaper.step(0.5)
    assert reaper.console == ""
    script.terminate()
    assert reaper.console == "bye"
    refuses(reaper, "reaper.atexit(function() reaper.defer(function() end) end)", "has ended")


def test_deferred_calls_run_once_a_cycle_on_the_models_clock(reaper: Reaper) -> None:
    reaper.run_lua(
        "local began = reaper.time_precise() local n = 0 local function again() n = n + 1 local s = tostring(n) "
        "if reaper.time_precise() - began < 0.999 then reaper.defer(again) else reaper.ShowConsoleMsg(s) end end "
        "reaper.defer(again)"
    )
    reaper.step(2.0)
    assert reaper.console == "30"
    reaper.check()


def test_source_must_be_in_one_take_or_destroyed(reaper: Reaper, tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", 0.1)
    new = f"local s = reaper.PCM_Source_CreateFromFile('{tmp_path / 'a.wav'}') "
    take = (
        "local function take() local track = reaper.GetTrack(0, 0) "
        "return reaper.AddTakeToMediaItem(reaper.AddMediaItemToTrack(track)) end "
    )
    refuses(reaper, new, "was not destroyed")
    passes(reaper, new + "reaper.PCM_Source_Destroy(s)")
    passes(reaper, new + take + "reaper.SetMediaItemTake_Source(take(), s)")
    refuses(
        reaper,
        new + take + "reaper.SetMediaItemTake_Source(take(), s) reaper.SetMediaItemTake_Source(take(), s)",
        "two takes",
    )
    refuses(
        reaper,
        new + take + "reaper.SetMediaItemTake_Source(take(), s) reaper.PCM_Source_Destroy(s)",
        "crashes REAPER",
    )
    missing = f"reaper.PCM_Source_CreateFromFile('{tmp_path / 'none.wav'}')"
    assert value_of(reaper, missing) == "nil"


def test_second_start_of_a_running_script_asks_or_follows_its_options(tmp_path: Path) -> None:
    reaper = Reaper(tmp_path)
    path = tmp_path / "loop.lua"
    path.write_text("local function again() reaper.defer(again) end again()", encoding="utf-8")
    reaper.answer("relaunch", "cancel")
    first = reaper.run_script(path)
    assert reaper.run_script(path) is first
    path.write_text(
        "reaper.set_action_options(1 | 2) local function again() reaper.defer(again) end again()",
        encoding="utf-8",
    )
    first.terminate()
    second = reaper.run_script(path)
    third = reaper.run_script(path)
    assert second.ended
    assert not third.ended
    assert third is not second
    reaper.quit()
    reaper.check()


def test_context_tells_the_script_its_path_and_command(tmp_path: Path) -> None:
    reaper = Reaper(tmp_path)
    path = reaper.resource_path / "Scripts" / "context.lua"
    path.write_text(
        "local _, file, section, command = reaper.get_action_context() "
        "reaper.ShowConsoleMsg(file .. ' ' .. section .. ' ' .. command) "
        "assert(debug.getinfo(1, 'S').source == '@' .. file)",
        encoding="utf-8",
    )
    command = reaper.commands.add(path, commit=True)
    reaper.run_action(command)
    assert reaper.console == f"{path} 0 {command}"
    reaper.check()
