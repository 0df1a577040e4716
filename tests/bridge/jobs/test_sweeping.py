"""At its start a daemon removes what dead processes of this machine have half-made, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from bridge.config import load_settings
from bridge.jobs.settling import settle
from bridge.jobs.sweep import sweep_leftovers
from bridge.returns.folder import Staging, machine_tag, staging_path, take_away


@pytest.fixture
def dead_pid() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_only_folders_of_dead_processes_of_this_machine_go(
    own_home: Path, tmp_path: Path, dead_pid: int
) -> None:
    returns = own_home / "returns"
    alive = staging_path(returns)
    dead = returns / f".nrx-staging-{machine_tag()}-{dead_pid}-0123456789ab"
    doomed = returns / f".nrx-doomed-{machine_tag()}-{dead_pid}-0123456789ab"
    elsewhere = returns / f".nrx-staging-00000000-{dead_pid}-0123456789ab"
    mine = returns / ".nrx-staging-of-my-own"
    far = tmp_path / "out" / f".nrx-staging-{machine_tag()}-{dead_pid}-0123456789ab"
    building = own_home / "cache" / f".building-{dead_pid}-abc"
    incoming = own_home / "inputs" / f".incoming-{dead_pid}-abc"
    for folder in (alive, dead, doomed, elsewhere, mine, far, building, incoming.parent):
        folder.mkdir(parents=True)
    incoming.write_bytes(b"half")
    sweep_leftovers(load_settings(), [tmp_path / "out", tmp_path / "gone"])
    assert set(returns.iterdir()) == {alive, elsewhere, mine}
    assert not far.exists()
    assert not building.exists()
    assert not incoming.exists()


def test_staging_that_was_taken_away_cannot_be_published(tmp_path: Path) -> None:
    """The rename decides: a worker that was given up finds nothing to publish."""
    staging = Staging(tmp_path)
    (staging.path / "manifest.json").write_text('{"id": "a"}')
    assert settle("a", staging.path, tmp_path / "song", keep=True) is None
    with pytest.raises(Exception, match=r"No such file|cannot be written"):
        staging.publish(tmp_path / "song")
    assert list(tmp_path.iterdir()) == []


def test_return_that_was_published_first_is_kept_and_not_made_twice(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    (staging.path / "manifest.json").write_text('{"id": "a"}')
    target = staging.publish(tmp_path / "song")
    found = settle("a", staging.path, target, keep=True)
    assert found is not None
    assert (found.folder, found.manifest) == (tmp_path / "song", tmp_path / "song" / "manifest.json")


def test_return_of_a_cancelled_job_goes_and_that_of_another_stays(tmp_path: Path) -> None:
    for job_id in "ab":
        (tmp_path / job_id).mkdir()
        (tmp_path / job_id / "manifest.json").write_text(f'{{"id": "{job_id}"}}')
    assert settle("a", None, tmp_path / "a", keep=False) is None
    assert settle("a", None, tmp_path / "b", keep=False) is None
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_staging_folder_is_told_before_it_is_there(tmp_path: Path) -> None:
    told: list[tuple[Path, bool]] = []
    staging = Staging(tmp_path, lambda path: told.append((path, path.exists())))
    assert told == [(staging.path, False)]
    assert staging.path.is_dir()


def test_taking_away_what_is_gone_says_so(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert take_away(tmp_path / "a")
    assert not take_away(tmp_path / "a")
