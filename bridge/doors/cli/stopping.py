"""Hears that the process should end: SIGTERM, SIGINT, SIGHUP; on Windows Ctrl-C, Ctrl-Break and the closing console.

Windows ends a process five seconds after its console was closed, whatever it does, and calls the handler in a thread of
its own; so the handler waits there until the clean end is done.
"""

import ctypes
import os
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")
CONSOLE_CLOSES = (2, 5, 6)
"""CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT of the Windows API."""
WINDOWS_PATIENCE_S = 4.8
WAKES_S = 0.5
"""On Windows a wait without end hears no signal."""


class StopRequest:
    """Within it, the first signal ends `wait`; a second one ends the process at once (what was accepted is safe).

    A signal that was ignored before, as SIGHUP under `nohup`, stays ignored.
    """

    def __init__(self) -> None:
        self._asked, self._done = threading.Event(), threading.Event()
        self._before: dict[str, Any] = {}
        self._handler: Any = None

    def wait(self) -> None:
        """Wait until the process should end."""
        while not self._asked.wait(WAKES_S):
            pass

    def __enter__(self) -> Self:
        for name in SIGNALS:
            if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) != signal.SIG_IGN:
                self._before[name] = signal.signal(getattr(signal, name), self._on_signal)
        if sys.platform == "win32":
            self._hear_console()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._done.set()
        for name, before in self._before.items():
            signal.signal(getattr(signal, name), before)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked.is_set():
            os._exit(1)
        self._asked.set()

    def _hear_console(self) -> None:
        """Have Windows call us when the console is closed."""
        kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - there is no such attribute on other systems

        def on_console(kind: int) -> bool:
            if kind not in CONSOLE_CLOSES:
                return False
            self._asked.set()
            self._done.wait(WINDOWS_PATIENCE_S)
            return True

        prototype = getattr(ctypes, "WINFUNCTYPE")(ctypes.c_int, ctypes.c_uint)  # noqa: B009 - as above
        self._handler = prototype(on_console)  # kept, or it would be collected while Windows may call it
        kernel.SetConsoleCtrlHandler(self._handler, 1)
