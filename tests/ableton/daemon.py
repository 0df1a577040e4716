"""A real daemon for the device's tests: `nrx serve` in a process of its own, on OSC ports that are free."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

from bridge.daemon_file import DaemonInfo, read_daemon
from tests.queue_kit import until


class Daemon:
    """`nrx serve` with its own NRX_HOME. `end` may be called twice; `running` are those that have not ended."""

    running: ClassVar[list["Daemon"]] = []

    def __init__(self, home: Path) -> None:
        self.home = home
        Daemon.running.append(self)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bridge.doors.cli", "serve", "--http-port", "0", "--osc-port", "0"],
            env={**os.environ, "NRX_HOME": str(home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.info: DaemonInfo = until(self._found, what="daemon.json")

    @property
    def ports(self) -> dict[int, int]:
        """What stands for the first of the well-known ports."""
        assert self.info.osc_port is not None
        return {39100: self.info.osc_port}

    def _found(self) -> DaemonInfo | None:
        assert self.process.poll() is None
        found = read_daemon(self.home)
        return found if found is not None and found.pid == self.process.pid else None

    def told(self) -> str:
        """Return its log's last lines, its jobs, and what its request files came to: for a test that failed."""
        lines = [f"{self.home}, process {self.process.pid}, ended with {self.process.poll()}"]
        for file in sorted((*self.home.glob("logs/*"), *self.home.glob("spool/*/*"))):
            lines += [f"-- {file.name}", *file.read_text(errors="replace").splitlines()[-40:]]
        return "\n".join(lines)

    def end(self, number: int = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(timeout=60)
        if self in Daemon.running:
            Daemon.running.remove(self)
