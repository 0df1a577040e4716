"""The model refuses calls that REAPER refuses, and keeps them even where a script catches the error."""

import json
from pathlib import Path

import pytest

from tests.reaper.model import Reaper, ReaperFailureError
from tests.reaper.model.registry import IMPLEMENTATIONS
from tests.reaper.model.signatures import signatures
from tests.reaper.model_kit import LUAS, failures_of, passes, refuses, value_of

API = Path(__file__).parents[3] / "shared" / "reference" / "reascript_api.json"
KINDS = {
    "ReaProject": "proj",
    "MediaTrack": "track",
    "MediaItem": "item",
    "MediaItem_Take": "take",
    "PCM_source": "source",
    "TrackEnvelope": "envelope",
    "HWND": "hwnd",
    "identifier": "any",
    "integer": "int",
    "number": "num",
    "string": "str",
    "boolean": "bool",
    "function": "func",
}


@pytest.fixture(params=LUAS)
def reaper(tmp_path: Path, request: pytest.FixtureRequest) -> Reaper:
    model = Reaper(tmp_path, lua=request.param)
    model.project.add_track("Vocals", selected=True)
    model.project.add_track("Drums")
    return model


def test_every_function_of_the_table_is_there_and_no_other(tmp_path: Path) -> None:
    Reaper(tmp_path)
    assert set(signatures()) == set(IMPLEMENTATIONS)


if API.is_file():

    def test_table_agrees_with_the_list_of_reapers_functions() -> None:
        known = json.loads(API.read_text(encoding="utf-8"))["reaper"]
        for name, signature in signatures().items():
            if signature.needs:
                assert name not in known
                continue
            taken = [(kind.removeprefix("optional ").rstrip("?"), "optional" in kind or "?" in kind)
                     for _, kind in known[name]["params"]]  # fmt: skip
            assert [(KINDS[kind], optional) for kind, optional in taken] == [
                (parameter.kind, parameter.optional) for parameter in signature.parameters
            ], name
            given = [KINDS[kind.removeprefix("optional ").rstrip("?")] for _, kind in known[name]["returns"]]
            assert given == list(signature.returns), name


def test_unknown_function_is_refused(reaper: Reaper) -> None:
    refuses(reaper, "return reaper.CountTrakcs(0)", "CountTrakcs", "not offered")
    refuses(reaper, "local there = reaper.GetAllTheTracks ~= nil", "GetAllTheTracks")


def test_the_tables_of_reaper_cannot_be_changed(reaper: Reaper) -> None:
    assert failures_of(reaper, "reaper.CountTracks = 1")
    assert failures_of(reaper, "reaper.mine = 1")


def test_failure_tells_where_in_the_script(reaper: Reaper) -> None:
    found = failures_of(reaper, "\n\nreaper.GetTrack(0)")
    assert ".lua:3:" in found[0]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("reaper.CountTracks()", ("takes 1 arguments and got 0",)),
        ("reaper.CountTracks(0, 0)", ("takes 1 arguments and got 2",)),
        ("reaper.TimeMap2_beatsToTime(0)", ("takes 2 to 3",)),
        ("reaper.GetTrack(0, '0')", ("argument 2 must be a integer",)),
        ("reaper.GetTrack(0, 0.5)", ("argument 2 must be a integer",)),
        ("reaper.GetTrack(0, 0/0)", ("argument 2 must be a integer",)),
        ("reaper.GetTrack(0, true)", ("argument 2 must be a integer",)),
        ("reaper.GetTrack('', 0)", ("argument 1 must be a ReaProject*",)),
        ("reaper.GetTrack(1, 0)", ("argument 1 must be a ReaProject*",)),
        ("reaper.GetTrack(reaper.GetTrack(0, 0), 0)", ("argument 1 must be a ReaProject*", "a MediaTrack*")),
        ("reaper.GetTrackName(nil)", ("argument 1 must be a MediaTrack*", "nil")),
        ("reaper.GetTrackName({})", ("argument 1 must be a MediaTrack*", "a table")),
        ("reaper.SetEditCurPos('1', true, true)", ("argument 1 must be a number",)),
        ("reaper.SetEditCurPos(1, 1, true)", ("argument 2 must be a boolean",)),
        ("reaper.SetEditCurPos(0/0, true, true)", ("nan",)),
        ("reaper.ShowConsoleMsg(5)", ("argument 1 must be a string",)),
        ("reaper.ShowConsoleMsg(nil)", ("argument 1 must be a string",)),
        ("reaper.defer('tick')", ("argument 1 must be a function",)),
        ("reaper.GetMediaTrackInfo_Value(reaper.GetTrack(0, 0), 'D_VOLUME')", ("no key 'D_VOLUME'",)),
        ("reaper.SetMediaTrackInfo_Value(reaper.GetTrack(0, 0), 'D_VOL', -1)", ("D_VOL cannot be -1",)),
        ("reaper.SetMediaTrackInfo_Value(reaper.GetTrack(0, 0), 'IP_TRACKNUMBER', 1)", ("only be read",)),
        ("reaper.GetSetMediaTrackInfo_String(reaper.GetTrack(0, 0), 'NAME', '', false)", ("no key 'NAME'",)),
        ("reaper.GetSetMediaTrackInfo_String(reaper.GetTrack(0, 0), 'P_EXT:', '', false)", ("no key",)),
        ("reaper.GetSetProjectInfo(0, 'RENDER_BOUNDS', 0, false)", ("no key 'RENDER_BOUNDS'",)),
        ("reaper.GetSetProjectInfo_String(0, 'RENDER_STATS', '', false)", ("can open a window",)),
        ("reaper.GetSetProjectInfo_String(0, 'RENDER_TARGETS', 'x', true)", ("only be read",)),
        ("reaper.ValidatePtr(reaper.GetTrack(0, 0), 'MediaTrack')", ("no pointer type",)),
        ("reaper.AddProjectMarker2(0, false, 1, 0, 'A', -1, 255)", ("0x1000000",)),
        ("reaper.AddProjectMarker2(0, true, 2, 1, 'A', -1, 0)", ("before it starts",)),
        ("reaper.SetTempoTimeSigMarker(0, -1, 0, -1, -1, 5000, 4, 4, false)", ("5000",)),
        ("reaper.SetTempoTimeSigMarker(0, -1, 0, -1, -1, 120, 4, 0, false)", ("half a signature",)),
        ("reaper.Main_OnCommand(12345, 0)", ("does not know the action 12345",)),
        ("reaper.SetExtState('NRX', 'last', 'a\\nb', true)", ("line breaks",)),
        ("reaper.GetSetMediaTrackInfo_String(reaper.GetTrack(0, 0), 'P_NAME', 'a\\nb', true)", ("line break",)),
        ("reaper.GetSetMediaTrackInfo_String(reaper.GetTrack(0, 0), 'GUID', 'mine', true)", ("no GUID",)),
        ("reaper.SetProjExtState(0, 'NRX', 'job', 'a\\nb')", ("line break",)),
        ("reaper.AddProjectMarker(0, false, 1, 0, 'a\\nb', -1)", ("line break",)),
        ("reaper.GetSetProjectInfo(0, 'RENDER_BOUNDSFLAG', 9, true)", ("RENDER_BOUNDSFLAG cannot be 9",)),
        ("os.exit()", ("would end REAPER",)),
        ("os.execute('true')", ("does not expect",)),
        ("io.popen('true')", ("does not expect",)),
        ("reaper.ExecProcess('true', 0)", ("does not expect",)),
        ("reaper.PCM_Source_Destroy(reaper.GetTrack(0, 0))", ("argument 1 must be a PCM_source*",)),
        ("local x = reaper.GetTrack(0, 0).name", ("has no fields",)),
    ],
)  # fmt: skip
def test_wrong_call_is_refused(tmp_path: Path, code: str, words: tuple[str, ...]) -> None:
    model = Reaper(tmp_path)
    model.project.add_track("Vocals", selected=True)
    if "has no fields" in words:  # an error of Lua's own, which a script may catch
        assert "has no fields" in "".join(failures_of(model, code))
        return
    refuses(model, code, *words)


def test_whole_floats_are_integers(reaper: Reaper) -> None:
    assert value_of(reaper, "reaper.GetTrackName(reaper.GetTrack(0, 1.0))") == "true Drums"


def test_project_is_nil_zero_or_a_handle(reaper: Reaper) -> None:
    count = "reaper.CountTracks(nil), reaper.CountTracks(0), reaper.CountTracks((reaper.EnumProjects(-1)))"
    assert value_of(reaper, count) == "2 2 2"
    refuses(reaper, "reaper.CountTracks(reaper.EnumProjects(-1))", "takes 1 arguments and got 2")


def test_handles_compare_serve_as_keys_and_are_userdata(reaper: Reaper) -> None:
    passes(
        reaper,
        """
        local one, same, other = reaper.GetTrack(0, 0), reaper.GetSelectedTrack(0, 0), reaper.GetTrack(0, 1)
        assert(one == same and one ~= other and type(one) == 'userdata')
        local keyed = {[one] = 'a', [other] = 'b'}
        assert(keyed[same] == 'a' and tostring(one) == tostring(same))
        assert(reaper.GetTrack(0, 2) == nil and select('#', reaper.GetTrack(0, 2)) == 1)
        """,
    )


def test_stale_handle_is_refused_and_stays_stale(reaper: Reaper) -> None:
    refuses(
        reaper,
        "local t = reaper.GetTrack(0, reaper.CountTracks(0) - 1) reaper.DeleteTrack(t) reaper.GetTrackName(t)",
        "a MediaTrack* that is gone",
    )
    reaper.project.add_track("One more")
    passes(
        reaper,
        """
        local t = reaper.GetTrack(0, reaper.CountTracks(0) - 1)
        reaper.Undo_BeginBlock2(0) reaper.DeleteTrack(t) reaper.Undo_EndBlock2(0, 'away', -1)
        assert(not reaper.ValidatePtr2(0, t, 'MediaTrack*'))
        reaper.Undo_DoUndo2(0)
        assert(not reaper.ValidatePtr2(0, t, 'MediaTrack*'))
        assert(reaper.ValidatePtr2(0, reaper.GetTrack(0, reaper.CountTracks(0) - 1), 'MediaTrack*'))
        """,
    )


def test_user_deleting_a_track_between_turns_makes_its_handle_stale(reaper: Reaper) -> None:
    reaper.run_lua("local t = reaper.GetTrack(0, 0) reaper.defer(function() reaper.GetTrackName(t) end)")
    reaper.project.delete_track(reaper.project.track("Vocals"))
    reaper.step()
    assert "is gone" in reaper.failures[0]


def test_items_and_takes_of_a_deleted_track_are_gone(reaper: Reaper) -> None:
    refuses(
        reaper,
        """
        reaper.InsertTrackAtIndex(0, false)
        local track = reaper.GetTrack(0, 0)
        local item = reaper.AddMediaItemToTrack(track)
        local take = reaper.AddTakeToMediaItem(item)
        reaper.DeleteTrack(track)
        assert(not reaper.ValidatePtr2(0, item, 'MediaItem*'))
        reaper.GetTakeName(take)
        """,
        "a MediaItem_Take* that is gone",
    )


def test_what_a_version_lacks_is_nil(tmp_path: Path) -> None:
    old = Reaper(tmp_path / "old", lua="5.3", version="6.80")
    assert (
        value_of(old, "reaper.InsertTrackInProject, reaper.APIExists('InsertTrackInProject')") == "nil false"
    )
    assert value_of(old, "reaper.set_action_options, reaper.GetAppVersion()").startswith("nil 6.80/")
    new = Reaper(tmp_path / "new", version="7.30")
    assert (
        value_of(new, "type(reaper.InsertTrackInProject), reaper.APIExists('CountTracks')") == "function true"
    )


def test_extensions_are_nil_unless_they_are_there(tmp_path: Path) -> None:
    bare = Reaper(tmp_path / "bare")
    names = "reaper.SNM_GetIntConfigVar, reaper.ImGui_CreateContext, reaper.JS_Dialog_BrowseForSaveFile"
    assert value_of(bare, names) == "nil nil nil"
    rich = Reaper(tmp_path / "rich", extensions=("SWS",))
    assert value_of(rich, "reaper.SNM_GetIntConfigVar('renderclosewhendone', 7)") == "1"
    refuses(rich, "return reaper.BR_NoSuchThing", "not offered")


def test_lua_is_the_one_that_was_asked_for(reaper: Reaper) -> None:
    assert value_of(reaper, "_VERSION") == f"Lua {reaper.lua}"


def test_strings_pass_byte_by_byte(reaper: Reaper) -> None:
    reaper.project.add_track("Gesang – 歌")
    assert value_of(reaper, "select(2, reaper.GetTrackName(reaper.GetTrack(0, 2)))") == "Gesang – 歌"
    passes(
        reaper,
        r"""
        reaper.GetSetMediaTrackInfo_String(reaper.GetTrack(0, 0), 'P_EXT:raw', '\xff\xfe\x80', true)
        local _, raw = reaper.GetSetMediaTrackInfo_String(reaper.GetTrack(0, 0), 'P_EXT:raw', '', false)
        assert(raw == '\xff\xfe\x80')
        """,
    )


def test_leaving_the_model_raises_what_went_wrong(tmp_path: Path) -> None:
    with pytest.raises(ReaperFailureError, match="CountTracks"), Reaper(tmp_path) as reaper:
        reaper.run_lua("pcall(reaper.CountTracks)")


def test_error_of_a_script_is_a_failure_with_its_place(reaper: Reaper) -> None:
    script = reaper.run_lua("local x = nil\nx.y = 1")
    assert script.ended
    assert "attempt to index" in reaper.failures[0]
    assert ".lua:2:" in reaper.failures[0]
    assert "ended with an error" in failures_of(reaper, "this is no Lua")[0]


def test_script_that_never_comes_back_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.reaper.model.script.LONGEST_TURN_S", 0.05)
    found = failures_of(Reaper(tmp_path), "while true do end")
    assert "does not come back" in found[0]
