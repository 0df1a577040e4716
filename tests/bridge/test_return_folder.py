"""Returns are published whole by one rename, under names that every platform takes, and never over anything."""

import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.returns.folder import Staging, safe_name, writing_to
from engine.errors import NrxError


@given(st.text(max_size=400))
def test_safe_name_is_a_file_name_everywhere(name: str) -> None:
    safe = safe_name(name)
    assert 0 < len(safe.encode()) <= 181
    assert not set(safe) & set('<>:"/\\|?*\0\n')
    assert safe == safe.strip()
    assert not safe.endswith(".")


@pytest.mark.parametrize("name", ["My song", 'd\'Été "2" 🎹'])
def test_safe_name_keeps_what_people_wrote(name: str) -> None:
    assert safe_name(name) == name.replace('"', "_")


@pytest.mark.parametrize("name", ["CON", "nul", "com1.wav"])
def test_reserved_names_are_avoided(name: str) -> None:
    assert safe_name(name) != name


def test_published_return_is_whole_and_staging_is_gone(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "out")
    (staging.path / "a").write_bytes(b"1")
    target = staging.publish(staging.free_name("song - jazz"))
    assert target == tmp_path / "out" / "song - jazz"
    assert [file.name for file in target.iterdir()] == ["a"]
    assert [folder.name for folder in (tmp_path / "out").iterdir()] == ["song - jazz"]


def test_existing_return_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "song").mkdir()
    (tmp_path / "song" / "mine").write_bytes(b"mine")
    (tmp_path / "song (2)").write_bytes(b"a file of that name")
    staging = Staging(tmp_path)
    (staging.path / "a").write_bytes(b"1")
    assert staging.publish(staging.free_name("song")) == tmp_path / "song (3)"
    assert (tmp_path / "song" / "mine").read_bytes() == b"mine"
    assert (tmp_path / "song (2)").read_bytes() == b"a file of that name"


def test_name_taken_meanwhile_is_reported_and_not_overwritten(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    (staging.path / "a").write_bytes(b"1")
    target = staging.free_name("song")
    target.mkdir()
    (target / "b").write_bytes(b"2")
    assert staging.publish(target) is None
    assert (target / "b").read_bytes() == b"2"
    assert staging.path.is_dir()


def test_discarded_staging_leaves_nothing(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "out")
    (staging.path / "a").write_bytes(b"1")
    staging.discard()
    assert list((tmp_path / "out").iterdir()) == []


def test_folder_below_a_file_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NrxError) as raised:
        Staging(tmp_path / "file" / "out")
    assert raised.value.code == "output.not_writable"


def test_too_little_space_is_refused_before_work(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    with pytest.raises(NrxError) as raised:
        staging.require_space(10**18)
    assert raised.value.code == "output.disk_full"


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "output.disk_full"), (errno.EFBIG, "output.disk_full"), (errno.EACCES, "output.not_writable"),
     (errno.EROFS, "output.not_writable")],
)  # fmt: skip
def test_what_the_system_says_becomes_a_code(tmp_path: Path, number: int, code: str) -> None:
    with pytest.raises(NrxError) as raised, writing_to(tmp_path):
        raise OSError(number, "no")
    assert raised.value.code == code
