"""`nrx install ableton`: where the device goes, and what is left alone."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.config import load_settings
from bridge.doors.cli.commands.install import command
from bridge.install import ableton
from bridge.install.amxd import Device, pack
from engine.errors import NrxError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with a Live 12.4.0 that keeps its library elsewhere."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(sys, "platform", "darwin")
    library = tmp_path / "Disk" / "Usér & Library"
    library.mkdir(parents=True)
    folder = tmp_path / "Library" / "Preferences" / "Ableton" / "Live 12.4.0"
    folder.mkdir(parents=True)
    (folder.parent / "Live 9.7").mkdir()
    (folder.parent / "Live Reports").mkdir()
    (folder / "Library.cfg").write_text(
        '<Ableton><UserLibrary><LibraryProject><ProjectName Value="Usér &amp; Library" />'
        f'<ProjectPath Value="{library.parent}" /></LibraryProject></UserLibrary></Ableton>',
        encoding="utf-8",
    )
    return tmp_path


def test_device_goes_where_live_says_its_library_is(home: Path) -> None:
    target = home / "Disk" / "Usér & Library" / ableton.PLACE / ableton.FILE
    said = CliRunner().invoke(command, ["ableton", "--dry-run"], catch_exceptions=False)
    assert f"Would write {target}" in said.output
    assert not target.exists()
    said = CliRunner().invoke(command, ["ableton"], catch_exceptions=False)
    assert target.read_bytes() == ableton.device_file().read_bytes()
    assert "is written" in said.output
    assert "cannot be given clips" not in said.output
    assert "current" in CliRunner().invoke(command, ["ableton"], catch_exceptions=False).output
    CliRunner().invoke(command, ["ableton", "--remove"], catch_exceptions=False)
    assert not target.exists()
    assert "Nothing" in CliRunner().invoke(command, ["ableton", "--remove"], catch_exceptions=False).output


def test_named_folder_and_usual_folder(home: Path, tmp_path: Path) -> None:
    (home / "Library" / "Preferences" / "Ableton" / "Live 12.4.0" / "Library.cfg").unlink()
    with pytest.raises(NrxError, match="--path"):
        ableton.install(load_settings(), None, dry_run=False)
    usual = home / "Music" / "Ableton" / "User Library"
    usual.mkdir(parents=True)
    assert ableton.user_library() == usual
    ableton.install(load_settings(), usual, dry_run=False)
    assert (usual / ableton.PLACE / ableton.FILE).is_file()


def test_device_of_somebody_else_is_left_alone(home: Path) -> None:
    target = home / "Disk" / "Usér & Library" / ableton.PLACE / ableton.FILE
    target.parent.mkdir(parents=True)
    other = pack(Device(b"aaaa", patch=b"{}\n\0", meta=1))
    target.write_bytes(other)
    for act in (ableton.install, ableton.remove):
        with pytest.raises(NrxError, match="left alone"):
            act(load_settings(), None, dry_run=False)
    assert target.read_bytes() == other


@pytest.mark.parametrize(
    ("name", "is_old"),
    [
        ("Live 12.0.1", True),
        ("Live 11.3.21", True),
        ("Live 11.3.25", False),
        ("Live 10.1.43", True),
        ("Live 13.0", False),
    ],
)
def test_too_old_a_live_is_told(home: Path, name: str, is_old: bool) -> None:
    folder = home / "Library" / "Preferences" / "Ableton"
    (folder / "Live 12.4.0").rename(folder / name)
    lines = ableton.install(load_settings(), None, dry_run=True)
    assert any("cannot be given clips" in line for line in lines) is is_old
