"""One process at a time does a piece of work on a folder: a lock that the system lets go of when the process ends."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import NrxError


@contextmanager
def only_one(file: Path, sentence: str) -> Iterator[None]:
    """Hold the lock on `file` while the body runs.

    Raises:
        NrxError: `request.conflict` with `sentence` if another process holds it.
    """
    with file.open("a+b") as held:
        try:
            _lock(held.fileno())
        except OSError as error:
            raise NrxError("request.conflict", sentence) from error
        yield


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
