"""`NRX_HOME/daemon.json`: where the running daemon is, for clients and DAW scripts to read.

    {"pid": 4711, "http": "http://127.0.0.1:39180", "osc_port": 39100, "token_file": "/home/me/.nrx/token",
     "version": "0.1.0", "protocol": 1, "heartbeat": 1790000000.0}

It is rewritten every two seconds, whole, and removed at a clean end; a heartbeat older than ten seconds says that the
daemon is gone.
"""

import json
import logging
import os
import threading
import time
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

DAEMON_FILE = "daemon.json"
HEARTBEAT_S = 2.0
STALE_S = 10.0
log = logging.getLogger(__name__)


class DaemonInfo(BaseModel):
    """What `daemon.json` holds. `heartbeat` is in Unix seconds."""

    model_config = ConfigDict(frozen=True)

    pid: int
    http: str | None
    osc_port: int | None
    token_file: str
    version: str
    protocol: int
    heartbeat: float


def read_daemon(home: Path) -> DaemonInfo | None:
    """Return where the daemon of this NRX_HOME is, or None if none runs."""
    try:
        found = DaemonInfo.model_validate_json((home / DAEMON_FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    return found if abs(time.time() - found.heartbeat) <= STALE_S and _runs(found.pid) else None


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


class DaemonFile:
    """Keeps `daemon.json` up to date from a thread of its own, between `start` and `stop`."""

    def __init__(self, home: Path, info: DaemonInfo) -> None:
        self._file, self._info = home / DAEMON_FILE, info
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nrx-heartbeat", daemon=True)

    def start(self) -> None:
        """Write the file, and again every two seconds."""
        self._write()
        self._thread.start()

    def stop(self) -> None:
        """Remove the file."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._file.unlink(missing_ok=True)

    def _run(self) -> None:
        while not self._stopping.wait(HEARTBEAT_S):
            try:
                self._write()
            except OSError as error:  # a full disk, or on Windows a reader: the next beat tries again
                log.warning("%s could not be written: %s", self._file, error)

    def _write(self) -> None:
        info = self._info.model_copy(update={"heartbeat": time.time()})
        draft = self._file.with_name(f".{DAEMON_FILE}-{os.getpid()}")
        draft.write_text(json.dumps(info.model_dump(), indent=1), encoding="utf-8")
        draft.replace(self._file)
