"""`nrx install reaper`: what it writes, what it leaves alone, and that taking it out leaves no trace."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.config import load_settings
from bridge.doors.cli.app import nrx
from bridge.install import reaper
from bridge.install.reaper_osc import with_surface, without_surface
from engine.errors import NrxError

KB_LINES = (
    'SCR 4 0 RS0123456789abcdef0123456789abcdef01234567 "Custom: other.lua" "Cockos/other.lua"',
    "KEY 1 71 _RS0123456789abcdef0123456789abcdef01234567 0",
    'ACT 0 0 "5f3" "Custom: two things" 40001 40002',
    "KEY 5 82 40364 0",
)


def nobody() -> list[str]:
    return []


def somebody() -> list[str]:
    return ["/opt/REAPER/reaper"]


@pytest.fixture(name="resources")
def _resources(tmp_path: Path) -> Path:
    folder = tmp_path / "a REAPER ü"
    (folder / "Scripts").mkdir(parents=True)
    (folder / "reaper.ini").write_text("[REAPER]\n")
    return folder


def put(resources: Path, *, dry_run: bool = False, running: bool = False) -> list[str]:
    return reaper.install(
        load_settings(), resources, dry_run=dry_run, running=somebody if running else nobody
    )


def take(resources: Path, *, dry_run: bool = False, running: bool = False) -> list[str]:
    return reaper.remove(load_settings(), resources, dry_run=dry_run, running=somebody if running else nobody)


def everything_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def kb(newline: str, *, ends: bool = True) -> bytes:
    return (newline.join(KB_LINES) + (newline if ends else "")).encode()


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_list_of_actions_gains_lines_and_loses_none(resources: Path, newline: str) -> None:
    (resources / "reaper-kb.ini").write_bytes(kb(newline))
    put(resources)
    text = (resources / "reaper-kb.ini").read_bytes()
    assert text.startswith(kb(newline))
    added = text.removeprefix(kb(newline)).decode().split(newline)
    assert len(added) == len(reaper.titles()) + 1
    assert added[-1] == ""
    assert any(
        line.endswith('"NRX: Remix selected track" "NRX/NRX_Remix selected track.lua"') for line in added
    )


def test_a_list_that_ends_without_a_newline_is_not_glued_to_ours(resources: Path) -> None:
    (resources / "reaper-kb.ini").write_bytes(kb("\n", ends=False))
    put(resources)
    lines = (resources / "reaper-kb.ini").read_text().splitlines()
    assert lines[: len(KB_LINES)] == list(KB_LINES)


def test_installing_again_changes_nothing(resources: Path) -> None:
    put(resources)
    before = everything_in(resources)
    assert "current" in put(resources)[0]
    assert everything_in(resources) == before


def test_a_dry_run_tells_and_does_nothing(resources: Path) -> None:
    before = everything_in(resources)
    told = put(resources, dry_run=True)
    assert everything_in(resources) == before
    assert any("NRX_Remix selected track.lua would be written" in line for line in told)


def test_removing_leaves_the_folder_as_it_was(resources: Path) -> None:
    (resources / "reaper-kb.ini").write_bytes(kb("\r\n"))
    (resources / "Scripts" / "__startup.lua").write_bytes(b"-- mine\r\nreaper.ClearConsole()\r\n")
    before = everything_in(resources)
    put(resources)
    assert everything_in(resources) != before
    take(resources)
    assert everything_in(resources) == before
    assert not (resources / "Scripts" / "NRX").exists()


def test_keys_that_were_bound_to_our_actions_go_with_them(resources: Path) -> None:
    put(resources)
    own = reaper.action_id("NRX: Remix selected track")
    with (resources / "reaper-kb.ini").open("a") as file:
        file.write(f"KEY 9 82 _{own} 0\nKEY 5 82 40364 0\n")
    take(resources)
    assert (resources / "reaper-kb.ini").read_text() == "KEY 5 82 40364 0\n"


def test_files_of_the_users_in_our_folder_stay(resources: Path) -> None:
    put(resources)
    mine = resources / "Scripts" / "NRX" / "mine.lua"
    mine.write_text("-- mine")
    take(resources)
    assert mine.read_text() == "-- mine"


def test_a_folder_of_that_name_that_is_not_ours_is_left_alone(resources: Path) -> None:
    theirs = resources / "Scripts" / "NRX" / "NRX_Remix selected track.lua"
    theirs.parent.mkdir()
    theirs.write_text("-- theirs")
    with pytest.raises(NrxError, match="rename the folder"):
        put(resources)
    take(resources)
    assert theirs.read_text() == "-- theirs"


def test_while_reaper_runs_its_list_of_actions_is_not_touched(resources: Path) -> None:
    (resources / "reaper-kb.ini").write_bytes(kb("\n"))
    told = put(resources, running=True)
    assert (resources / "reaper-kb.ini").read_bytes() == kb("\n")
    assert (resources / "Scripts" / "NRX" / "NRX_Remix selected track.lua").is_file()
    assert any("Load ReaScript" in line for line in told)


def test_an_action_that_reaper_has_registered_itself_is_not_doubled(resources: Path) -> None:
    own = 'SCR 4 0 RSfeed "Custom: NRX_Remix selected track.lua" "NRX\\NRX_Remix selected track.lua"\n'
    (resources / "reaper-kb.ini").write_text(own)
    put(resources)
    assert (resources / "reaper-kb.ini").read_text().count("NRX_Remix selected track.lua") == 2
    take(resources)
    assert (resources / "reaper-kb.ini").read_text() == ""


def test_files_that_an_older_version_had_are_removed(resources: Path) -> None:
    put(resources)
    own = resources / "Scripts" / "NRX"
    note = json.loads((own / reaper.NOTE).read_text())
    (own / "lib" / "gone.lua").write_text("-- old")
    outside = resources / "Scripts" / "outside.lua"
    outside.write_text("-- mine")
    note["files"] += ["lib/gone.lua", "../outside.lua"]
    (own / reaper.NOTE).write_text(json.dumps(note))
    put(resources)
    assert not (own / "lib" / "gone.lua").exists()
    assert outside.exists()


def test_the_scripts_learn_where_everything_is(resources: Path) -> None:
    settings = load_settings()
    put(resources)
    note = json.loads((resources / "Scripts" / "NRX" / reaper.NOTE).read_text())
    assert note["home"] == str(settings.home)
    assert Path(note["python"]).is_file()
    assert json.loads((settings.home / "styles.json").read_text())


def test_a_reaper_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NrxError, match="--path"):
        put(tmp_path / "nowhere")


def test_usual_and_portable_folders_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual, portable = tmp_path / "config" / "REAPER", tmp_path / "opt" / "REAPER7"
    for folder in (usual, portable, tmp_path / "opt" / "REAPER-without-ini"):
        folder.mkdir(parents=True)
    for folder in (usual, portable):
        (folder / "reaper.ini").touch()
    monkeypatch.setattr(reaper.sys, "platform", "linux")
    monkeypatch.setattr(reaper, "reapers_running", nobody)
    monkeypatch.setattr(reaper.Path, "home", lambda: tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert reaper.resource_folders() == [usual, portable]


def test_the_command_installs_and_removes(resources: Path) -> None:
    from bridge.doors.cli.commands.install import command

    done = CliRunner().invoke(command, ["reaper", "--path", str(resources)])
    assert done.exit_code == 0, done.output
    assert "NRX: Remix selected track" in done.output
    done = CliRunner().invoke(command, ["reaper", "--path", str(resources), "--remove"])
    assert done.exit_code == 0, done.output
    assert not (resources / "Scripts" / "NRX").exists()


INI = b"[Recent]\r\nrecent01=C:\\a.rpp\r\n[REAPER]\r\nlastx=1\r\n{}sdf=2\r\n[other]\r\ncsurf_0=not a surface\r\n"
OSC_OF_OTHERS = (
    b'csurf_0=MCU 0 0 1 2\r\ncsurf_1=OSC "Pad" 3 8000 "10.0.0.2" 9000 1024 10 ""\r\ncsurf_cnt=2\r\n'
)


@pytest.mark.parametrize("others", [b"", b"csurf_cnt=0\r\n", OSC_OF_OTHERS])
def test_the_surface_is_added_behind_those_of_others_and_goes_again(others: bytes) -> None:
    before = INI.replace(b"{}", others)
    after = with_surface(before)
    count = others.count(b"=OSC") + others.count(b"=MCU")
    assert f'csurf_{count}=OSC "NRX Bridge" 3 39190 "127.0.0.1"'.encode() in after
    assert f"csurf_cnt={count + 1}\r\n".encode() in after
    assert [
        line for line in before.splitlines() if b"cnt" not in line and line not in after.splitlines()
    ] == []
    assert with_surface(after) == after
    gone = without_surface(after)
    assert gone == before if others else gone.replace(b"csurf_cnt=0\r\n", b"") == before
    assert without_surface(gone) == gone


def test_surfaces_behind_ours_move_up() -> None:
    ours = with_surface(INI.replace(b"{}", OSC_OF_OTHERS))
    later = ours.replace(b"csurf_cnt=3", b"csurf_3=HTTP 0 8080 '' 'index.html' 0 ''\r\ncsurf_cnt=4")
    gone = without_surface(later)
    assert b"csurf_2=HTTP" in gone
    assert b"csurf_cnt=3" in gone
    assert b"NRX Bridge" not in gone


@pytest.mark.parametrize("text", [b"", b"[other]\nx=1", b"[REAPER]"])
def test_settings_without_surfaces_get_the_first(text: bytes) -> None:
    after = with_surface(text)
    lines = after.splitlines()
    assert lines[lines.index(b"[REAPER]") + 1].startswith(b'csurf_0=OSC "NRX Bridge"')
    assert lines[lines.index(b"[REAPER]") + 2] == b"csurf_cnt=1"
    assert after.startswith(text)


def test_with_osc_the_end_of_a_job_starts_an_action(resources: Path, own_home: Path) -> None:
    reaper.install(load_settings(), resources, dry_run=False, osc=True, running=nobody)
    message = json.loads((own_home / "spool" / "wake" / "reaper.json").read_bytes())
    assert message["port"] == 39190
    assert message["address"].removeprefix("/action/_").encode() in (resources / "reaper-kb.ini").read_bytes()
    assert b"NRX Bridge" in (resources / "reaper.ini").read_bytes()
    take(resources)
    assert not (own_home / "spool" / "wake" / "reaper.json").exists()
    assert b"NRX Bridge" not in (resources / "reaper.ini").read_bytes()


def test_while_reaper_runs_the_surface_is_explained(resources: Path) -> None:
    said = reaper.install(load_settings(), resources, dry_run=False, osc=True, running=somebody)
    assert any("Control/OSC/web" in line and "39190" in line for line in said)
    assert (resources / "reaper.ini").read_text() == "[REAPER]\n"


def test_osc_is_for_reaper_alone(tmp_path: Path) -> None:
    done = CliRunner().invoke(nrx, ["install", "ardour", "--osc", "--path", str(tmp_path)])
    assert done.exit_code == 2
    assert "reaper" in done.output
