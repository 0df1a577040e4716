"""One daemon for one NRX_HOME: a lock that the system holds for the process, and lets go however the process ends."""

import os
import sys
from pathlib import Path

from engine.errors import NrxError

LOCK_FILE = "daemon.lock"


class DaemonLock:
    """The lock on `NRX_HOME/daemon.lock`. The file stays; only the lock on it counts."""

    def __init__(self, home: Path) -> None:
        self._file = home / LOCK_FILE
        self._descriptor: int | None = None

    def take(self) -> None:
        """Take the lock.

        Raises:
            NrxError: `daemon.running` if another process has it; `output.not_writable` if NRX_HOME cannot be written.
        """
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise NrxError(
                "output.not_writable",
                f"{self._file.parent} cannot be written ({error.strerror}); set NRX_HOME to a folder that can.",
            ) from error
        try:
            _lock(descriptor)
        except OSError:
            os.close(descriptor)
            raise NrxError(
                "daemon.running",
                f"A daemon already runs for {self._file.parent}; use that one, end it, or set another NRX_HOME.",
            ) from None
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the lock go, if it is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _lock(descriptor: int) -> None:
    """Lock a file without waiting; OSError if another process has it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
