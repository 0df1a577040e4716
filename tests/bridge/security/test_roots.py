"""Which paths requests may name."""

import json
import os
from pathlib import Path

import pytest

from bridge.config import Settings, WatchSettings
from bridge.security.roots import Roots, add_root, remove_root
from engine.errors import NrxError

needs_links = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("home", "music", "watched", "outside"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "song.wav").write_bytes(b"RIFF")
    return tmp_path


@pytest.fixture
def roots(place: Path) -> Roots:
    return Roots(
        Settings(
            home=place / "home", roots=(place / "music",), watch=(WatchSettings(path=place / "watched"),)
        )
    )


def refused(roots: Roots, path: Path | str) -> None:
    with pytest.raises(NrxError) as told:
        roots.allows(path)
    assert told.value.code == "request.forbidden"


@pytest.mark.parametrize("folder", ["home", "music", "watched"])
def test_files_below_a_root_may_be_named(roots: Roots, place: Path, folder: str) -> None:
    assert roots.allows(place / folder / "song.wav") == (place / folder / "song.wav").resolve()
    with roots.open(place / folder / "song.wav") as stream:
        assert stream.read() == b"RIFF"


def test_files_elsewhere_may_not(roots: Roots, place: Path) -> None:
    refused(roots, place / "outside" / "song.wav")
    refused(roots, place / "musical" / "song.wav")
    refused(roots, "/etc/passwd")


def test_dots_are_refused_even_where_they_come_back(roots: Roots, place: Path) -> None:
    refused(roots, f"{place}/music/../outside/song.wav")
    refused(roots, f"{place}/music/../music/song.wav")
    refused(roots, f"{place}/music/x\\..\\..\\outside\\song.wav")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "song.wav",
        "./song.wav",
        "~nobody/song.wav",
        "\\\\server\\share\\song.wav",
        "//server/share/song.wav",
        "\\\\?\\C:\\song.wav",
        "\\\\.\\COM1",
        "C:song.wav",
        "file:///etc/passwd",
        "http://evil.example/song.wav",
        "/a\x00b",
        "/a\nb",
        "/a\ud800b",
        "/" + "a" * 5000,
    ],
)
def test_what_no_honest_client_sends_is_refused(roots: Roots, path: str) -> None:
    refused(roots, path)


@pytest.mark.parametrize(
    "name", ["song.wav:stream", "song.wav::$DATA", "CON", "nul.wav", "COM1.wav", "lpt9", "aux "]
)
def test_streams_and_devices_are_refused(roots: Roots, place: Path, name: str) -> None:
    refused(roots, f"{place}/music/{name}")


@pytest.mark.skipif(os.name == "nt", reason="no file is called so there")
def test_a_real_file_with_a_colon_may_be_named(roots: Roots, place: Path) -> None:
    (place / "music" / "Take 12:30.wav").write_bytes(b"RIFF")
    with roots.open(place / "music" / "Take 12:30.wav") as stream:
        assert stream.read() == b"RIFF"


@needs_links
def test_a_link_that_leads_out_is_refused(roots: Roots, place: Path) -> None:
    (place / "music" / "link.wav").symlink_to(place / "outside" / "song.wav")
    (place / "music" / "folder").symlink_to(place / "outside", target_is_directory=True)
    refused(roots, place / "music" / "link.wav")
    refused(roots, place / "music" / "folder" / "song.wav")


@needs_links
def test_a_loop_of_links_is_refused(roots: Roots, place: Path) -> None:
    (place / "music" / "a").symlink_to(place / "music" / "b")
    (place / "music" / "b").symlink_to(place / "music" / "a")
    with pytest.raises(NrxError):
        roots.open(place / "music" / "a")


@needs_links
def test_a_root_that_is_a_link_itself_works(place: Path) -> None:
    (place / "linked").symlink_to(place / "music", target_is_directory=True)
    roots = Roots(Settings(home=place / "home", roots=(place / "linked",)))
    assert roots.allows(place / "linked" / "song.wav") == (place / "music" / "song.wav").resolve()


@needs_links
def test_a_file_swapped_for_a_link_while_it_is_opened_is_refused(
    roots: Roots, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    song, secret = place / "music" / "song.wav", place / "outside" / "song.wav"
    allows = Roots.allows

    def swapped(self: Roots, path: Path | str) -> Path:
        found = allows(self, path)
        song.unlink()
        song.symlink_to(secret)
        return found

    monkeypatch.setattr(Roots, "allows", swapped)
    with pytest.raises(NrxError):
        roots.open(song)


@needs_links
def test_a_folder_swapped_for_a_link_while_a_file_is_opened_is_refused(
    roots: Roots, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = place / "music" / "inner"
    inner.mkdir()
    (inner / "song.wav").write_bytes(b"RIFF")
    allows = Roots.allows

    def swapped(self: Roots, path: Path | str) -> Path:
        found = allows(self, path)
        inner.rename(place / "music" / "moved")
        inner.symlink_to(place / "outside", target_is_directory=True)
        return found

    monkeypatch.setattr(Roots, "allows", swapped)
    with pytest.raises(NrxError) as told:
        roots.open(inner / "song.wav")
    assert told.value.code == "request.forbidden"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_refused_without_waiting(roots: Roots, place: Path) -> None:
    os.mkfifo(place / "music" / "pipe.wav")
    with pytest.raises(NrxError) as told:
        roots.open(place / "music" / "pipe.wav")
    assert told.value.code == "input.unreadable"


def test_missing_files_and_folders_are_told_apart(roots: Roots, place: Path) -> None:
    for path, code in (
        (place / "music" / "none.wav", "input.not_found"),
        (place / "music", "input.is_folder"),
    ):
        with pytest.raises(NrxError) as told:
            roots.open(path)
        assert told.value.code == code


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "TOKEN",
        "jobs.sqlite3",
        "jobs.sqlite3-wal",
        "nrx.toml",
        "daemon.json",
        "roots.json",
        "nrx.log",
    ],
)
def test_the_daemons_own_files_may_not_be_named(roots: Roots, place: Path, name: str) -> None:
    refused(roots, place / "home" / name)


def test_added_folders_count_at_once_and_until_removed(roots: Roots, place: Path) -> None:
    refused(roots, place / "outside" / "song.wav")
    add_root(place / "home", place / "outside")
    assert roots.allows(place / "outside" / "song.wav")
    add_root(place / "home", place / "outside")
    assert json.loads((place / "home" / "roots.json").read_text()) == [str((place / "outside").resolve())]
    remove_root(place / "home", place / "outside")
    refused(roots, place / "outside" / "song.wav")
    with pytest.raises(NrxError):
        remove_root(place / "home", place / "outside")


def test_a_whole_disk_is_no_root(place: Path) -> None:
    with pytest.raises(NrxError):
        add_root(place / "home", Path(place.anchor))
    roots = Roots(Settings(home=place / "home", roots=(Path(place.anchor),)))
    refused(roots, place / "outside" / "song.wav")


@pytest.mark.parametrize("content", ["{}", "[1]", "not json", '["relative/folder"]', '[""]'])
def test_a_broken_list_of_roots_adds_nothing(roots: Roots, place: Path, content: str) -> None:
    (place / "home" / "roots.json").write_text(content)
    refused(roots, place / "outside" / "song.wav")
    assert roots.allows(place / "music" / "song.wav")
