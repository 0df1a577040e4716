"""Processes, told apart by id and start time: ids are used again, the pair is not."""

import contextlib
import os
import sys

import psutil

NICENESS = 5
"""By how much a process gives way (POSIX): beside one that does not, it gets a quarter of a processor."""

SAME_START_S = 0.05
"""Start times of one process, asked twice, differ by less than this."""


def started_at(pid: int) -> float | None:
    """Return when a process started in Unix seconds, or None if there is none of that id (a zombie counts as none)."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return None


def is_alive(pid: int, started: float) -> bool:
    """Return whether the process that had this id and start time still runs."""
    found = started_at(pid)
    return found is not None and abs(found - started) < SAME_START_S


def kill(pid: int, started: float, patience_s: float = 5.0) -> bool:
    """End a process at once, and wait until it is gone; False if it is still there after `patience_s`."""
    if not is_alive(pid, started):
        return True
    try:
        process = psutil.Process(pid)
        process.kill()
        process.wait(patience_s)
    except psutil.TimeoutExpired:
        return False
    except psutil.Error:
        return not is_alive(pid, started)
    return True


def cpu_seconds(pid: int) -> float | None:
    """Return the processor time that a process has used, in seconds; None if it is gone."""
    with contextlib.suppress(psutil.Error):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    return None


def resident_bytes(pid: int) -> int | None:
    """Return the resident memory of a process in bytes; None if it is gone."""
    with contextlib.suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return None


def give_way() -> None:
    """Have this process give way to others, as to a DAW that plays and to the doors that answer.

    A system that refuses it, as in some containers, runs it as any other.
    """
    with contextlib.suppress(psutil.Error, OSError):
        if sys.platform == "win32":
            psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            os.nice(NICENESS)
