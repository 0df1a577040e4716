"""`nrx serve` as a process: found by its file, alone in its NRX_HOME, ended or killed, and taken up again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.daemon_file import read_daemon
from bridge.daemon_lock import DaemonLock
from engine.errors import NrxError
from tests.queue_kit import returns_in, until
from tests.serve_kit import ENDING_S, SERVE, Served, is_gone


@pytest.fixture
def serve(own_home: Path) -> Iterator[Any]:
    started: list[Served] = []

    def start(*arguments: str) -> Served:
        started.append(Served(own_home, *arguments))
        return started[-1]

    yield start
    for served in started:
        served.__exit__()


def test_second_lock_is_refused_and_free_again_after_the_first(tmp_path: Path) -> None:
    first, second = DaemonLock(tmp_path), DaemonLock(tmp_path)
    first.take()
    with pytest.raises(NrxError) as raised:
        second.take()
    assert raised.value.code == "daemon.running"
    first.release()
    second.take()
    second.release()


@pytest.mark.parametrize("stale", ["old", "dead", "broken", "absent"])
def test_daemon_file_of_a_daemon_that_is_gone_is_no_daemon(tmp_path: Path, stale: str) -> None:
    info = {
        "pid": os.getpid(),
        "http": "http://127.0.0.1:1",
        "osc_port": 1,
        "token_file": "token",
        "version": "0",
        "protocol": 1,
        "heartbeat": time.time(),
    }
    file = tmp_path / "daemon.json"
    file.write_text(json.dumps(info))
    assert read_daemon(tmp_path) is not None
    match stale:
        case "old":
            file.write_text(json.dumps({**info, "heartbeat": time.time() - 11}))
        case "dead":
            ended = subprocess.Popen([sys.executable, "-c", ""])
            ended.wait()
            file.write_text(json.dumps({**info, "pid": ended.pid}))
        case "broken":
            file.write_text(json.dumps(info)[:40])
        case "absent":
            file.unlink()
    assert read_daemon(tmp_path) is None


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_daemon_beats_is_alone_and_ends_cleanly_in_the_middle_of_a_job(serve: Any, own_home: Path) -> None:
    first = serve()
    heartbeat = first.info.heartbeat
    until(lambda: (found := read_daemon(own_home)) is not None and found.heartbeat > heartbeat)
    second = subprocess.run(
        SERVE,
        env={**os.environ, "NRX_HOME": str(own_home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 2
    assert "daemon.running" in second.stderr

    job_id = first.submit(stem=None, duration_s=25)
    until(lambda: first.job(job_id)["fraction"] > 0.02)
    workers = first.workers()
    said = first.end(signal.SIGINT)
    assert first.process.returncode == 0, said
    assert not (own_home / "daemon.json").exists()
    assert not any(worker.is_running() for worker in workers)
    token = (own_home / "token").read_text().strip()
    log = (own_home / "logs" / "daemon.log").read_text()
    assert job_id in log
    assert token not in log
    assert said.partition("#code=")[2].partition("\n")[0] not in log

    again = serve()
    until(lambda: again.job(job_id)["state"] == "succeeded", 120)
    assert again.job(job_id)["attempt"] == 1
    again.end()
    assert set(returns_in(own_home / "returns").values()) == {1}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_to_the_whole_terminal_ends_everything_without_a_word_too_much(
    serve: Any, number: signal.Signals
) -> None:
    """As Ctrl-C does: worker processes get it too, here while they still import."""
    daemon = serve()
    processes = daemon.tree()
    os.killpg(daemon.process.pid, number)
    said = daemon.process.communicate(timeout=ENDING_S)[0]
    daemon.http.close()
    assert daemon.process.returncode == 0, said
    assert said.splitlines()[-1] == "Ending; running jobs go back to the queue."
    assert "Traceback" not in said
    until(lambda: all(map(is_gone, processes)))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_killed_daemon_leaves_no_process_and_its_job_is_taken_up(serve: Any, own_home: Path) -> None:
    first = serve()
    job_id = first.submit(stem=None, duration_s=25)
    until(lambda: first.job(job_id)["fraction"] > 0.02)
    workers = first.workers()
    assert workers
    first.end(signal.SIGKILL)
    until(lambda: all(map(is_gone, workers)))
    assert [path.name for path in (own_home / "returns").iterdir() if not path.name.startswith(".nrx-")] == []

    again = serve()
    until(lambda: again.job(job_id)["state"] == "succeeded", 120)
    again.end()
    assert returns_in(own_home / "returns") == {job_id: 1}
