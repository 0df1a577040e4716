"""Tabs, undo, saving, restarting, extension state, commands, files, programs."""

import sys
from pathlib import Path

import pytest

from tests.reaper.model import Fx, Note, Reaper
from tests.reaper.model.rpp import load_project, parse_rpp
from tests.reaper.model_kit import LUAS, failures_of, passes, refuses, value_of, write_sound


@pytest.fixture(params=LUAS)
def reaper(tmp_path: Path, request: pytest.FixtureRequest) -> Reaper:
    return Reaper(tmp_path, lua=request.param)


def test_tabs_are_projects_of_their_own(reaper: Reaper, tmp_path: Path) -> None:
    first = reaper.project
    first.add_track("One")
    second = reaper.new_project("Second")
    assert value_of(reaper, "reaper.CountTracks(0), select(2, reaper.EnumProjects(-1))") == f"0 {second.path}"
    passes(
        reaper,
        """
        local one, two = reaper.EnumProjects(0), reaper.EnumProjects(1)
        assert(one ~= two and reaper.EnumProjects(2) == nil and two == reaper.EnumProjects(-1))
        assert(reaper.CountTracks(one) == 1 and reaper.GetProjectName(two) == 'Second.rpp')
        local track = reaper.GetTrack(one, 0)
        assert(reaper.ValidatePtr2(one, track, 'MediaTrack*') and not reaper.ValidatePtr2(two, track, 'MediaTrack*'))
        """,
    )
    assert first.path is None
    assert second.media_folder == tmp_path / "Second" / "Media"


def test_closed_project_takes_its_handles_with_it(reaper: Reaper) -> None:
    reaper.new_project("Second").add_track("Vocals")
    reaper.run_lua(
        """
        local project, track = reaper.EnumProjects(-1), reaper.GetTrack(0, 0)
        reaper.defer(function()
          reaper.ShowConsoleMsg(tostring(reaper.ValidatePtr2(0, project, 'ReaProject*')))
          pcall(reaper.GetTrackName, track)
          pcall(reaper.CountTracks, project)
        end)
        """
    )
    reaper.close_project(reaper.project)
    reaper.step()
    assert reaper.console == "false"
    assert "MediaTrack* that is gone" in reaper.failures[0]
    assert "ReaProject* that is gone" in reaper.failures[1]


def test_one_undo_takes_back_the_whole_block_and_redo_brings_it_again(reaper: Reaper, tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", 0.5)
    project = reaper.project
    vocals = project.add_track("Vocals", selected=True)
    drums = project.add_track("Drums")
    item = project.add_audio(vocals, tmp_path / "a.wav")
    passes(
        reaper,
        f"""
        reaper.Undo_BeginBlock2(0)
        reaper.InsertTrackAtIndex(1, false)
        reaper.GetSetMediaTrackInfo_String(reaper.GetTrack(0, 1), 'P_NAME', 'Remix', true)
        reaper.SetMediaTrackInfo_Value(reaper.GetTrack(0, 0), 'B_MUTE', 1)
        reaper.DeleteTrackMediaItem(reaper.GetTrack(0, 0), reaper.GetTrackMediaItem(reaper.GetTrack(0, 0), 0))
        local take = reaper.AddTakeToMediaItem(reaper.AddMediaItemToTrack(reaper.GetTrack(0, 1)))
        reaper.SetMediaItemTake_Source(take, reaper.PCM_Source_CreateFromFile('{tmp_path / "a.wav"}'))
        reaper.AddProjectMarker(0, true, 0, 4, 'verse', -1)
        reaper.SetTempoTimeSigMarker(0, -1, 0, -1, -1, 97, 4, 4, false)
        reaper.SetProjExtState(0, 'NRX', 'job', 'a1')
        reaper.Undo_EndBlock2(0, 'NRX: Remix', -1)
        """,
    )
    assert project.undo_names == ["(user)", "NRX: Remix"]
    assert project.tree() == [(0, "Vocals"), (0, "Remix"), (0, "Drums")]
    assert project.undo() == "NRX: Remix"
    assert project.tree() == [(0, "Vocals"), (0, "Drums")]
    assert project.tracks[0] is vocals
    assert project.tracks[1] is drums
    assert vocals.items == [item]
    assert (vocals.muted, project.markers, project.content.tempo_markers, project.content.ext) == (
        False,
        [],
        [],
        {},
    )
    assert project.redo() == "NRX: Remix"
    assert project.tree() == [(0, "Vocals"), (0, "Remix"), (0, "Drums")]
    assert (vocals.muted, vocals.items, project.markers[0].name) == (True, [], "verse")


def test_undo_leaves_render_settings_and_cursor(reaper: Reaper) -> None:
    project = reaper.project
    project.add_track("A")
    project.render["RENDER_SRATE"], project.cursor_s = 96000, 3.0
    project.undo()
    assert (project.tree(), project.render["RENDER_SRATE"], project.cursor_s) == ([], 96000, 3.0)


def test_nested_blocks_are_one_point(reaper: Reaper) -> None:
    passes(
        reaper,
        "reaper.Undo_BeginBlock2(0) reaper.Undo_BeginBlock2(0) reaper.InsertTrackAtIndex(0, false) "
        "reaper.Undo_EndBlock2(0, 'inner', -1) reaper.Undo_EndBlock2(0, 'outer', -1)",
    )
    assert reaper.project.undo_names == ["outer"]


def test_saved_project_opens_as_it_was(reaper: Reaper, tmp_path: Path) -> None:
    write_sound(tmp_path / "Gesang ü.wav", 0.5)
    project = reaper.new_project("Sông", sample_rate=96000)
    folder = project.add_track("Folder 'a' \"b\"", folder_depth=1, colour=0x1336699, volume=0.3, pan=-0.25)
    child = project.add_track(
        "",
        folder_depth=-1,
        muted=True,
        selected=True,
        frozen=True,
        fx=[Fx("EQ"), Fx("Piano", instrument=True)],
    )
    audio = project.add_audio(
        child, tmp_path / "Gesang ü.wav", 1.0 / 3, offset_s=0.1, timebase=0, loop_source=False
    )
    audio.takes[0].ext["P_EXT:a"] = "x"
    child.ext["P_EXT:nrx_job"] = "job 1"
    audio.ext["P_EXT:nrx"] = "part"
    project.add_midi(folder, [Note(0, 1, 60), Note(1.5, 2, 64, 80, 9)], 2.0, 2.0)
    project.add_tempo_marker(0, 120, 7, 8, linear=True)
    project.add_tempo_marker(8, 97.25)
    project.add_marker(1.0, "A:min7")
    project.add_marker(2.0, "verse", 4.0)
    project.offset_s, project.timebase = -4.0, 0
    project.content.ext["NRX", "last"] = "jazz"
    project.select_time(1, 2)
    loaded = load_project(reaper.save(project))
    assert loaded.tree() == project.tree()
    for before, after in zip(project.tracks, loaded.tracks, strict=True):
        for name in (
            "name",
            "guid",
            "colour",
            "volume",
            "pan",
            "muted",
            "selected",
            "frozen",
            "ext",
            "folder_depth",
        ):
            assert getattr(after, name) == getattr(before, name), name
        assert [(fx.name, fx.instrument) for fx in after.fx] == [(fx.name, fx.instrument) for fx in before.fx]
    again = loaded.tracks[1].items[0]
    for name in ("position_s", "length_s", "timebase", "loop_source", "guid", "ext", "fade_in_s"):
        assert getattr(again, name) == getattr(audio, name), name
    source = again.takes[0].source
    assert source is not None
    assert (again.takes[0].offset_s, source.path, source.sample_rate) == (
        0.1,
        tmp_path / "Gesang ü.wav",
        48000,
    )
    midi = loaded.tracks[0].items[0].takes[0].source
    assert midi is not None
    assert midi.notes == [Note(0, 1, 60), Note(1.5, 2, 64, 80, 9)]
    assert loaded.content.tempo_markers == project.content.tempo_markers
    assert [(entry.name, entry.position_s, entry.end_s) for entry in loaded.markers] == [
        ("A:min7", 1.0, None),
        ("verse", 2.0, 4.0),
    ]
    assert (loaded.offset_s, loaded.timebase, loaded.sample_rate) == (-4.0, 0, 96000)
    assert loaded.content.ext == {("NRX", "last"): "jazz"}
    assert loaded.content.time_selection == (1, 2)


def test_broken_project_file_is_refused() -> None:
    for text in ("<REAPER_PROJECT 0.1\n<TRACK\n>\n", "<A\n>\n>\n", ""):
        with pytest.raises(ValueError, match=r"block|too many"):
            parse_rpp(text)


def test_restart_keeps_what_is_on_disk_and_nothing_else(reaper: Reaper, tmp_path: Path) -> None:
    project = reaper.new_project("Song")
    project.add_track("Saved")
    path = reaper.save(project)
    project.add_track("Not saved")
    script = reaper.resource_path / "Scripts" / "a.lua"
    script.write_text("", encoding="utf-8")
    passes(
        reaper,
        f"""
        reaper.SetExtState('NRX', 'kept', 'a=ü b', true) reaper.SetExtState('NRX', 'lost', 'b', false)
        assert(reaper.AddRemoveReaScript(true, 0, '{script}', true) > 0)
        """,
    )
    name = value_of(
        reaper, f"reaper.ReverseNamedCommandLookup(reaper.AddRemoveReaScript(true, 0, '{script}', true))"
    )
    (reaper.resource_path / "Scripts" / "__startup.lua").write_text(
        "reaper.ShowConsoleMsg('up ')", encoding="utf-8"
    )
    reaper.run_lua("reaper.atexit(function() reaper.SetExtState('NRX', 'bye', '1', true) end) "
                   "local function again() reaper.defer(again) end again()")  # fmt: skip
    again = reaper.restart(path)
    assert again.console == "up "
    assert again.project.tree() == [(0, "Saved")]
    keys = "reaper.GetExtState('NRX', 'kept'), reaper.HasExtState('NRX', 'lost'), reaper.GetExtState('NRX', 'bye')"
    assert value_of(again, keys) == "a=ü b false 1"
    assert value_of(again, f"reaper.NamedCommandLookup('_{name}') > 0") == "true"
    passes(again, "reaper.DeleteExtState('NRX', 'kept', true)")
    assert value_of(again.restart(), "reaper.HasExtState('NRX', 'kept')") == "false"


def test_registered_action_runs_its_script(reaper: Reaper) -> None:
    script = reaper.resource_path / "Scripts" / "sub" / "hello.lua"
    script.parent.mkdir()
    script.write_text("reaper.ShowConsoleMsg('hello')", encoding="utf-8")
    kb = reaper.resource_path / "reaper-kb.ini"
    kb.write_text('SCR 4 0 NRX_HELLO "Custom: hello.lua" "sub/hello.lua"\n', encoding="utf-8")
    again = reaper.restart()
    again.run_action("_NRX_HELLO")
    passes(again, "reaper.Main_OnCommand(reaper.NamedCommandLookup('_NRX_HELLO'), 0)")
    assert again.console == "hellohello"
    assert value_of(again, "reaper.NamedCommandLookup('_NONE')") == "0"


def test_listings_are_cached_until_they_are_dropped(reaper: Reaper, tmp_path: Path) -> None:
    folder = tmp_path / "liste"
    passes(reaper, f"assert(reaper.RecursiveCreateDirectory('{folder}/a/b', 0) > 0)")
    (folder / "1.json").write_text("", encoding="utf-8")
    first, second = f"reaper.EnumerateFiles('{folder}', 0)", f"reaper.EnumerateFiles('{folder}', 1)"
    assert (
        value_of(reaper, f"{first}, {second}, reaper.EnumerateSubdirectories('{folder}', 0)")
        == "1.json nil a"
    )
    (folder / "2.json").write_text("", encoding="utf-8")
    assert value_of(reaper, second) == "nil"
    assert value_of(reaper, f"reaper.EnumerateFiles('{folder}', -1), {second}") == "nil 2.json"
    assert (
        value_of(reaper, f"reaper.file_exists('{folder}'), reaper.file_exists('{folder}/3')") == "true false"
    )
    assert value_of(reaper, f"reaper.RecursiveCreateDirectory('{folder}/1.json/x', 0)") == "0"


def test_programs_run_only_where_the_test_lets_them(reaper: Reaper) -> None:
    refuses(reaper, "reaper.ExecProcess('anything', 0)", "does not expect")
    reaper.on_process = lambda command, timeout_ms: f"3\n{command} {timeout_ms}"
    assert value_of(reaper, "reaper.ExecProcess('nrx --version', 500)") == "3\nnrx --version 500"
    assert value_of(reaper, "os.execute('nrx')") == "nil exit 3"
    reaper.on_process = None
    reaper.processes.real = True
    python = sys.executable.replace("\\", "/")
    call = f"""reaper.ExecProcess([["{python}" -c "print('ja')"]], 10000)"""
    assert value_of(reaper, call).split() == ["0", "ja"]
    assert value_of(reaper, "reaper.ExecProcess('/no/such/program', 1000)") == "nil"
    assert reaper.processes.started[-1] == "/no/such/program"


def test_markers_and_regions_have_numbers_and_colours(reaper: Reaper) -> None:
    passes(
        reaper,
        """
        local colour = reaper.ColorToNative(10, 20, 30) | 0x1000000
        assert(reaper.AddProjectMarker2(0, false, 3, 0, 'C', -1, colour) == 1)
        assert(reaper.AddProjectMarker2(0, false, 1, 0, 'A:min', -1, 0) == 2)
        assert(reaper.AddProjectMarker2(0, true, 1, 4, 'verse', 7, 0) == 7)
        local all, markers, regions = reaper.CountProjectMarkers(0)
        assert(all == 3 and markers == 2 and regions == 1)
        local next_index, is_region, at, stop, name, number, native = reaper.EnumProjectMarkers3(0, 2)
        assert(next_index == 3 and not is_region and at == 3 and name == 'C' and number == 1)
        local r, g, b = reaper.ColorFromNative(native & 0xffffff)
        assert(r == 10 and g == 20 and b == 30)
        assert(reaper.EnumProjectMarkers3(0, 3) == 0)
        assert(reaper.SetProjectMarker3(0, 7, true, 2, 5, '', 0))
        assert(reaper.DeleteProjectMarker(0, 1, false) and not reaper.DeleteProjectMarker(0, 1, false))
        """,
    )
    assert [(entry.name, entry.position_s, entry.end_s) for entry in reaper.project.markers] == [
        ("A:min", 1.0, None),
        ("verse", 2.0, 5.0),
    ]


def test_defaults_of_new_tracks_and_items_are_the_users(reaper: Reaper) -> None:
    passes(
        reaper,
        """
        reaper.InsertTrackAtIndex(0, true)
        reaper.InsertTrackAtIndex(1, false)
        assert(reaper.TrackFX_GetCount(reaper.GetTrack(0, 0)) == 1)
        assert(reaper.TrackFX_GetCount(reaper.GetTrack(0, 1)) == 0)
        local item = reaper.AddMediaItemToTrack(reaper.GetTrack(0, 1))
        assert(reaper.GetMediaItemInfo_Value(item, 'B_LOOPSRC') == 1)
        assert(reaper.GetMediaItemInfo_Value(item, 'D_FADEINLEN') > 0)
        assert(reaper.GetMediaItemInfo_Value(item, 'C_BEATATTACHMODE') == -1)
        """,
    )


def test_folders_and_their_ends(reaper: Reaper) -> None:
    project = reaper.project
    outer = project.add_track("outer", folder_depth=1)
    project.add_track("inner", folder_depth=1)
    last = project.add_track("leaf", folder_depth=-2)
    project.add_track("after")
    assert project.tree() == [(0, "outer"), (1, "inner"), (2, "leaf"), (0, "after")]
    assert project.parent_of(last) is project.track("inner")
    assert project.children_of(outer) == [project.track("inner")]
    passes(
        reaper,
        "local t = reaper.GetTrack(0, 2) assert(reaper.GetTrackDepth(t) == 2) "
        "local _, name = reaper.GetTrackName(reaper.GetParentTrack(t)) assert(name == 'inner')",
    )
    project.delete_track(last)
    assert project.tree() == [(0, "outer"), (1, "inner"), (0, "after")]


def test_midi_items_know_their_notes_in_ticks(reaper: Reaper) -> None:
    reaper.project.set_tempo(120)
    reaper.project.add_track("Keys")
    passes(
        reaper,
        """
        local item = reaper.CreateNewMIDIItemInProj(reaper.GetTrack(0, 0), 1, 3)
        local take = reaper.GetActiveTake(item)
        assert(reaper.TakeIsMIDI(take))
        assert(reaper.MIDI_InsertNote(take, false, false, 960, 1920, 0, 64, 90))
        assert(reaper.MIDI_InsertNote(take, false, false, reaper.MIDI_GetPPQPosFromProjTime(take, 1), 480, 9, 36, 100))
        local _, notes = reaper.MIDI_CountEvts(take)
        assert(notes == 2)
        local ok, _, _, first, last, channel, pitch, velocity = reaper.MIDI_GetNote(take, 1)
        assert(ok and first == 960 and last == 1920 and channel == 0 and pitch == 64 and velocity == 90)
        assert(reaper.MIDI_GetProjTimeFromPPQPos(take, 960) == 1.5)
        """,
    )
    found = failures_of(
        reaper,
        "reaper.MIDI_InsertNote(reaper.GetActiveTake(reaper.GetMediaItem(0, 0)), false, false, 0, 0, 0, 64, 90)",
    )
    assert "no note" in found[0]


@pytest.mark.parametrize("system", ["Win64", "Other"])
def test_colours_are_native_to_the_system(tmp_path: Path, system: str) -> None:
    reaper = Reaper(tmp_path, system=system)
    assert value_of(reaper, "reaper.ColorToNative(1, 2, 3)") == str(
        0x030201 if system == "Win64" else 0x010203
    )
    assert value_of(reaper, "reaper.ColorFromNative(reaper.ColorToNative(1, 2, 3))") == "1 2 3"
