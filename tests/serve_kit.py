"""What tests of the whole daemon share: `nrx serve` as a process of its own, spoken to over HTTP, ended or killed."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import httpx
import psutil

from bridge.daemon_file import DaemonInfo, read_daemon
from tests.queue_kit import tiny, until

SERVE = (sys.executable, "-m", "bridge.doors.cli", "serve", "--http-port", "0", "--osc-port", "0")
ENDING_S = 60.0


class Served:
    """A running `nrx serve`; as a context manager it is killed at the end if it still runs then."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [*SERVE, *arguments],
            env={**os.environ, "NRX_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # a process group of its own, as a terminal gives
        )
        self.info: DaemonInfo = until(self._found, what="daemon.json")
        token = Path(self.info.token_file).read_text().strip()
        assert self.info.http is not None
        self.http = httpx.Client(
            base_url=self.info.http, headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False
        )

    def _found(self) -> DaemonInfo | None:
        assert self.process.poll() is None, self.process.communicate()[0]
        found = read_daemon(self.home)
        return found if found is not None and found.pid == self.process.pid else None

    def submit(self, **fields: Any) -> str:
        """Submit a tiny job with these changes; return its id."""
        return self.submit_request(tiny(**fields))

    def submit_request(self, request: dict[str, Any]) -> str:
        """Submit a request; return the job's id."""
        answer = self.http.post("/v2/jobs", json=request)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """Return a job's status."""
        found: dict[str, Any] = self.http.get(f"/v2/jobs/{job_id}").json()
        return found

    def jobs(self) -> list[dict[str, Any]]:
        """Return every job's status, newest first."""
        found: list[dict[str, Any]] = self.http.get("/v2/jobs?limit=500").json()["jobs"]
        return found

    def workers(self) -> list[psutil.Process]:
        """Return the worker processes."""
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]

    def tree(self) -> list[psutil.Process]:
        """Return the daemon and every process below it."""
        daemon = psutil.Process(self.process.pid)
        return [daemon, *daemon.children(recursive=True)]

    def end(self, number: int = signal.SIGTERM) -> str:
        """Send a signal to the daemon alone and wait for its end; return what it has said."""
        self.http.close()
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        return self.process.communicate(timeout=ENDING_S)[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill_everything()

    def kill_everything(self) -> None:
        """Kill the daemon and all its processes, as `kill -9` of the whole tree does."""
        for process in self.tree():
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.http.close()
        self.process.communicate(timeout=ENDING_S)


def is_gone(process: psutil.Process) -> bool:
    """Return whether a process has ended."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
