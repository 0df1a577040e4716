"""A stream worker whose process ends when it hears of its first stream, as often as `NRX_HOME/ends` says; for tests."""

import os
from multiprocessing.connection import Connection

from bridge.config import Settings
from bridge.streams import worker
from bridge.streams.messages import Ready

ENDS = "ends"


def main(pipe: Connection, settings: Settings) -> None:
    """Stand in for a stream worker."""
    file = settings.home / ENDS
    left = int(file.read_text())
    if left == 0:
        worker.main(pipe, settings)
        return
    pipe.send(Ready())
    pipe.recv()
    file.write_text(str(left - 1))
    os._exit(1)
