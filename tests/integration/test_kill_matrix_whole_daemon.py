"""`kill -9` to the whole of `nrx serve`, half-way, as a user would: what was handed in is done once after the restart.

    NRX_KILLS=50 python -m pytest tests/integration/test_kill_matrix_whole_daemon.py

kills that often; a few times otherwise. Between two kills a render appears in the watched folder, and a remix is asked
for over HTTP by a client that asks once more after the last restart, with the same key.
"""

import os
import random
import shutil
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest
import soundfile

from bridge.daemon_file import read_daemon
from tests.queue_kit import Observer, returns_in, until
from tests.serve_kit import Served, is_gone
from tests.songs import song

KILLS = int(os.environ.get("NRX_KILLS", "3"))
SETTLE_S = 0.3
LATEST_KILL_S = 6.0
"""The kill comes at a random moment up to so long after the hand-in: while it is settling, copied, run, or done."""
TIMEOUT_S = 120.0 + 60.0 * KILLS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's"),
    pytest.mark.timeout(TIMEOUT_S + 60),
]


def ask(daemon: Served, key: str, file: Path) -> str:
    """Ask for a remix, perhaps not for the first time; return the job's id."""
    request = {"action": "remix", "inputs": [{"path": str(file)}], "style": "edm", "key": key}
    answer = daemon.http.post("/v2/jobs", json=request)
    assert answer.status_code in (200, 202), answer.text
    return str(answer.json()["id"])


def test_killed_as_a_whole_at_random_moments_everything_is_done_exactly_once(
    own_home: Path, tmp_path: Path
) -> None:
    renders = tmp_path / "Renders"
    (renders / "lofi_chill").mkdir(parents=True)
    (own_home / "nrx.toml").write_text(
        f'roots = ["{tmp_path}"]\n[[watch]]\npath = "{renders}"\nsettle_s = {SETTLE_S}\n', encoding="utf-8"
    )
    chance = random.Random(KILLS)
    processes: list[psutil.Process] = []
    answered: dict[str, str] = {}
    for number in range(KILLS):
        source = tmp_path / f"source-{number}.wav"
        soundfile.write(source, song(bars=2, seed=number), 44100, subtype="PCM_24")
        with Served(own_home) as daemon:
            shutil.copy(source, renders / "lofi_chill" / f"render-{number}.wav")
            answered[f"key-{number}"] = ask(daemon, f"key-{number}", source)
            time.sleep(chance.uniform(0.0, LATEST_KILL_S))
            processes += daemon.tree()
    until(lambda: all(map(is_gone, processes)), what="the end of every process that was killed")

    with Served(own_home) as daemon:
        for number in range(KILLS):
            source = tmp_path / f"source-{number}.wav"
            assert ask(daemon, f"key-{number}", source) == answered[f"key-{number}"]

        def all_ended() -> list[dict[str, Any]]:
            jobs = daemon.jobs()
            ended = [job for job in jobs if job["state"] not in ("queued", "running")]
            return jobs if len(jobs) >= 2 * KILLS and len(ended) == len(jobs) else []

        jobs = until(all_ended, TIMEOUT_S, "the end of every job")
        assert not daemon.http.get("/v2/system").json()["waiting"], "a render is still waiting"
        daemon.end()
    assert daemon.process.returncode == 0
    assert [(job["title"], job["error"]) for job in jobs if job["state"] != "succeeded"] == []
    titles = Counter((job["door"], job["title"]) for job in jobs)
    assert titles == {
        **{("folder", f"render-{number}"): 1 for number in range(KILLS)},
        **{("http", f"source-{number}"): 1 for number in range(KILLS)},
    }
    assert returns_in(own_home / "returns") == {job["id"]: 1 for job in jobs}
    observer = Observer(own_home)
    assert observer.all_ended(2 * KILLS)
    assert set(observer.endings().values()) == {1}
    observer.close()
    assert not list((own_home / "cache").glob(".building-*"))
    assert not list((own_home / "inputs").glob(".incoming-*"))
    assert read_daemon(own_home) is None
