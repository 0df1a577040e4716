"""Keeps a terminal's signals from a process that is being started, until it has said itself what it does with them.

Ctrl-C reaches every process of the terminal. One that still imports would end with a traceback on the screen, in the
middle of the daemon's own words. A new process inherits which signals the starting thread has blocked (POSIX); Windows
knows nothing like it.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Signals that are for the daemon, which then stops its workers."""


@contextmanager
def signals_held_back() -> Iterator[None]:
    """Have processes that are started in the body hear no signals until they `ignore_signals`."""
    if sys.platform == "win32":
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # it lets signals through again whenever it has started its process
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _known())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignore_signals() -> None:
    """Ignore them for good, those too that were held back; to be called in the main thread."""
    for number in _known():
        signal.signal(number, signal.SIG_IGN)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _known())


def _known() -> set[signal.Signals]:
    """Return those of the signals that this system has."""
    return {getattr(signal, name) for name in SIGNALS if hasattr(signal, name)}
