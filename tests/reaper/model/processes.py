"""Programs that scripts start: scripted by the test, or really run where the test allows it."""

import contextlib
import shlex
import subprocess
import sys
from collections.abc import Callable

from tests.reaper.model.failures import Refused

OnProcess = Callable[[str, int], str | None]


class Processes:
    """`on_process(command line, timeout ms)` answers instead of the system; `real` lets commands really run."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.on_process: OnProcess | None = None
        self.real = False
        self._running: list[subprocess.Popen[bytes]] = []

    def execute(self, command: str, timeout_ms: int) -> str | None:
        """Answer ExecProcess: exit code, newline, output; None if the program cannot be started."""
        self.started.append(command)
        if self.on_process is not None:
            return self.on_process(command, timeout_ms)
        if not self.real:
            raise Refused(f"starts a program that the test does not expect: {command}")
        words = command if sys.platform == "win32" else shlex.split(command)
        try:
            if timeout_ms < 0:
                quiet = subprocess.DEVNULL
                self._running.append(subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=quiet))
                return "259" if sys.platform == "win32" else "0\n"
            done = subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=timeout_ms / 1000 or None,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return f"{done.returncode}\n{done.stdout.decode('utf-8', 'replace')}"

    def shell(self, command: str) -> tuple[int, str]:
        """Answer os.execute and io.popen: exit code and output."""
        self.started.append(command)
        if self.on_process is not None:
            answer = self.on_process(command, 0)
            code, _, output = (answer or "1\n").partition("\n")
            return int(code), output
        if not self.real:
            raise Refused(f"starts a program that the test does not expect: {command}")
        done = subprocess.run(
            command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False
        )
        return done.returncode, done.stdout

    def end_all(self) -> None:
        """End what is still running."""
        for process in self._running:
            with contextlib.suppress(OSError):
                process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()
