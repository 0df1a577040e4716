"""The cache of stages: whole entries only, bounded, safe under two processes; progress that never goes backwards."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from engine.errors import Cancelled, NrxError
from engine.stages import StageCache, Stages, content_key, file_hash


def fill_with(data: bytes):  # type: ignore[no-untyped-def]
    return lambda folder: (folder / "data").write_bytes(data)


def test_key_depends_on_content_and_not_on_order() -> None:
    assert content_key({"a": 1, "b": [1, 2]}) == content_key({"b": [1, 2], "a": 1})
    assert content_key({"a": 1}) != content_key({"a": 2})


def test_file_hash_follows_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 5_000_000)
    (tmp_path / "b").write_bytes(b"x" * 4_999_999 + b"y")
    assert file_hash(tmp_path / "a") != file_hash(tmp_path / "b")


def test_second_run_uses_the_first_result(tmp_path: Path) -> None:
    stages = Stages(StageCache(tmp_path, 10**9), [("work", 1.0)])
    calls = []

    def fill(folder: Path) -> None:
        calls.append(1)
        (folder / "data").write_bytes(b"1")

    for _ in range(2):
        with stages.stage("work"):
            folder = stages.cached("work", {"input": "x"}, fill)
    assert (folder / "data").read_bytes() == b"1"
    assert len(calls) == 1
    assert [run.cached for run in stages.times] == [False, True]


def test_failed_entry_leaves_nothing(tmp_path: Path) -> None:
    cache = StageCache(tmp_path, 10**9)

    def fail(folder: Path) -> None:
        (folder / "half").write_bytes(b"half")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        cache.build("work", "key", fail)
    assert cache.find("work", "key") is None
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


def test_oldest_unused_entries_go_first_and_recent_ones_stay(tmp_path: Path) -> None:
    cache = StageCache(tmp_path, 2500)
    folders = [cache.build("work", f"k{index}", fill_with(b"x" * 1000)) for index in range(2)]
    old = time.time() - 7200
    os.utime(folders[0], (old, old))
    cache.build("work", "k2", fill_with(b"x" * 1000))
    assert cache.find("work", "k0") is None
    assert cache.find("work", "k1") is not None
    assert cache.find("work", "k2") is not None


def test_entry_used_within_the_hour_is_never_removed(tmp_path: Path) -> None:
    cache = StageCache(tmp_path, 10)
    cache.build("work", "a", fill_with(b"x" * 1000))
    cache.build("work", "b", fill_with(b"x" * 1000))
    assert cache.find("work", "a") is not None


def test_two_processes_building_the_same_entry_both_get_it_whole(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from engine.stages import StageCache\n"
        "def fill(folder):\n"
        "    for part in range(50):\n"
        "        (folder / str(part)).write_bytes(b'x' * 2000); time.sleep(0.002)\n"
        "cache = StageCache(Path(sys.argv[1]), 10**9)\n"
        "for key in range(4):\n"
        "    folder = cache.find('work', str(key)) or cache.build('work', str(key), fill)\n"
        "    assert len(list(folder.iterdir())) == 50\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert not list(tmp_path.glob(".building-*"))


def test_unwritable_cache_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NrxError) as raised:
        StageCache(tmp_path / "file" / "cache", 10**9).build("work", "key", fill_with(b""))
    assert raised.value.code == "output.not_writable"


def test_progress_never_goes_backwards_and_ends_at_one(tmp_path: Path) -> None:
    seen: list[tuple[str, float]] = []
    stages = Stages(
        StageCache(tmp_path, 1),
        [("a", 1.0), ("b", 3.0)],
        lambda stage, fraction: seen.append((stage, fraction)),
    )
    with stages.stage("a") as monitor:
        for fraction in (0.5, 0.2, 0.9):
            monitor.report(fraction)
    with stages.stage("b") as monitor:
        monitor.part(0.5, 1.0).report(0.5)
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert ("b", 0.25 + 0.75 * 0.75) in seen


def test_cancel_stops_at_the_next_report(tmp_path: Path) -> None:
    stop = threading.Event()
    stages = Stages(StageCache(tmp_path, 1), [("a", 1.0)], is_cancelled=stop.is_set)

    def work() -> None:
        with stages.stage("a") as monitor:
            monitor.report(0.1)
            stop.set()
            monitor.report(0.2)

    with pytest.raises(Cancelled):
        work()
    assert stages.times == []
