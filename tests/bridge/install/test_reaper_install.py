"""`nrx install reaper`: what it writes, what it leaves alone, and that taking it out leaves no trace."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.config import load_settings
from bridge.install import reaper
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
