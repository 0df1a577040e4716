"""Inputs are snapshotted by content before a job is accepted, whatever happens to the file then."""

import hashlib
import io
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.inputs import snapshots as module
from bridge.inputs.snapshots import Snapshots
from engine.errors import NrxError


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    return Snapshots(tmp_path / "inputs")


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "絆ふぉーえばー.WAV"
    path.write_bytes(os.urandom(100_000))
    return path


def code_of(call: object) -> str:
    with pytest.raises(NrxError) as raised:
        call()  # type: ignore[operator]
    return raised.value.code


def test_snapshot_is_named_by_its_content_and_outlives_a_new_render(snapshots: Snapshots, song: Path) -> None:
    before = song.read_bytes()
    taken = snapshots.take(song)
    song.write_bytes(b"another render")
    assert taken.path == snapshots.root / f"{hashlib.sha256(before).hexdigest()}.wav"
    assert taken.path.read_bytes() == before
    assert (taken.name, taken.bytes, taken.sha256) == (song.name, len(before), taken.path.stem)


@pytest.mark.parametrize("cloned", [True, False])
def test_cloned_and_copied_snapshots_are_equal(
    snapshots: Snapshots, song: Path, monkeypatch: pytest.MonkeyPatch, cloned: bool
) -> None:
    def clone(source: Path, target: Path) -> bool:
        if cloned:
            target.write_bytes(source.read_bytes())
        return cloned

    monkeypatch.setattr(module, "reflink", clone)
    assert snapshots.take(song).path.read_bytes() == song.read_bytes()
    assert [entry.name for entry in snapshots.root.iterdir()] == [snapshots.take(song).path.name]


def test_same_bytes_are_kept_once(snapshots: Snapshots, song: Path, tmp_path: Path) -> None:
    other = tmp_path / "copy.wav"
    other.write_bytes(song.read_bytes())
    assert snapshots.take(song).path == snapshots.take(other).path
    assert snapshots.receive(io.BytesIO(song.read_bytes()), "up.wav", 10**6).path == snapshots.take(song).path
    assert len(list(snapshots.root.iterdir())) == 1


def test_snapshot_that_is_named_is_not_copied_again(snapshots: Snapshots, song: Path) -> None:
    taken = snapshots.take(song)
    os.utime(taken.path, (0, 0))
    again = snapshots.take(taken.path, "name.wav")
    assert (again.path, again.sha256, again.name) == (taken.path, taken.sha256, "name.wav")
    assert taken.path.stat().st_mtime > time.time() - 60


def grow(song: Path, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Have the file grow while it is read, so often."""
    inner = module._blocks
    left = [times]

    def growing(source: Path) -> Iterator[bytes]:
        yield from inner(source)
        if left[0] > 0:
            left[0] -= 1
            with source.open("ab") as file:
                file.write(b"more")

    monkeypatch.setattr(module, "reflink", lambda _source, _target: False)
    monkeypatch.setattr(module, "_blocks", growing)


def test_file_that_changes_while_it_is_copied_is_copied_again(
    snapshots: Snapshots, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(song, monkeypatch, 2)
    assert snapshots.take(song).path.read_bytes() == song.read_bytes()


def test_file_that_does_not_come_to_rest_is_refused_and_leaves_nothing(
    snapshots: Snapshots, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(song, monkeypatch, 100)
    assert code_of(lambda: snapshots.take(song)) == "input.changing"
    assert list(snapshots.root.iterdir()) == []


def test_what_is_no_file_is_refused(snapshots: Snapshots, tmp_path: Path) -> None:
    assert code_of(lambda: snapshots.take(tmp_path / "nothing.wav")) == "input.not_found"
    assert code_of(lambda: snapshots.take(tmp_path)) == "input.is_folder"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipe_is_refused_and_not_waited_for(snapshots: Snapshots, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    assert code_of(lambda: snapshots.take(tmp_path / "pipe.wav")) == "input.unreadable"


def test_stream_above_the_limit_is_refused_and_leaves_nothing(snapshots: Snapshots) -> None:
    assert code_of(lambda: snapshots.receive(io.BytesIO(bytes(3000)), "a.wav", 2999)) == "input.too_large"
    assert list(snapshots.root.iterdir()) == []


def test_sweep_takes_only_what_is_unused_and_long_untouched(snapshots: Snapshots) -> None:
    kept = snapshots.receive(io.BytesIO(b"kept"), "a.wav", 100)
    fresh = snapshots.receive(io.BytesIO(b"fresh"), "a.wav", 100)
    old = snapshots.receive(io.BytesIO(b"old!!"), "a.wav", 100)
    for taken in (kept, old):
        os.utime(taken.path, (0, 0))
    assert snapshots.sweep({kept.path.name}) == 5
    assert {entry.name for entry in snapshots.root.iterdir()} == {kept.path.name, fresh.path.name}
