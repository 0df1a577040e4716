"""`nrx install ardour`: only its own files, only in Ardour's own folder."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.config import load_settings
from bridge.doors.cli.commands.install import command
from bridge.install.ardour import NOTE, config_folders, install, remove, scripts_folder
from engine.errors import NrxError

SCRIPTS = sorted(file.name for file in scripts_folder().glob("nrx_*.lua"))


@pytest.fixture(name="ardour")
def _ardour(tmp_path: Path) -> Path:
    folder = tmp_path / "ärdour" / "ardour7"
    folder.mkdir(parents=True)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_the_scripts_and_a_note_are_put_into_the_scripts_folder(ardour: Path, own_home: Path) -> None:
    lines = install(load_settings(), ardour, dry_run=False)
    there = contents(ardour / "scripts")
    assert sorted(there) == sorted([NOTE, *SCRIPTS])
    assert len(SCRIPTS) == 4
    assert json.loads(there[NOTE])["home"] == str(own_home)
    assert any("Script Manager" in line for line in lines)


def test_installing_again_changes_nothing_and_removing_leaves_other_files(ardour: Path) -> None:
    (ardour / "scripts").mkdir()
    (ardour / "scripts" / "mine.lua").write_text("-- mine", encoding="utf-8")
    (ardour / "scripts" / "nrx_mine.lua").write_text("-- mine too", encoding="utf-8")
    before = contents(ardour)
    install(load_settings(), ardour, dry_run=False)
    installed = contents(ardour)
    assert "current" in install(load_settings(), ardour, dry_run=False)[0]
    assert contents(ardour) == installed
    assert len(remove(load_settings(), ardour, dry_run=False)) == len(SCRIPTS) + 1
    assert contents(ardour) == before
    assert remove(load_settings(), ardour, dry_run=False) == ["There was nothing to remove."]


def test_a_file_of_somebody_elses_is_never_replaced(ardour: Path) -> None:
    (ardour / "scripts").mkdir()
    (ardour / "scripts" / SCRIPTS[0]).write_text("-- somebody else's", encoding="utf-8")
    before = contents(ardour)
    with pytest.raises(NrxError) as refused:
        install(load_settings(), ardour, dry_run=False)
    assert refused.value.code == "output.exists"
    assert contents(ardour) == before


def test_a_dry_run_writes_nothing(ardour: Path) -> None:
    lines = install(load_settings(), ardour, dry_run=True)
    assert len(lines) == len(SCRIPTS) + 1
    assert contents(ardour) == {}


def test_each_ardour_from_7_on_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("ardour6", "ardour8", "ardour7", "ardour10", "ardourish"):
        (tmp_path / name).mkdir()
    assert [folder.name for folder in config_folders()] == ["ardour7", "ardour8", "ardour10"]


def test_the_command_says_what_to_do_where_there_is_no_ardour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    done = CliRunner().invoke(command, ["ardour"])
    assert isinstance(done.exception, NrxError)
    assert "start Ardour once" in done.exception.sentence
