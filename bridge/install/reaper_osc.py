"""The OSC surface in REAPER's settings by which NRX Bridge wakes it: lines of `reaper.ini`, edited byte by byte.

In the section `[REAPER]`, `csurf_cnt` counts the surfaces and `csurf_<n>` are they. A surface of OSC is

    csurf_0=OSC "name" flags port "device" device-port packet-bytes wait-ms "pattern file"

REAPER rewrites the file when it ends, so that it is only changed while no REAPER runs. Of other lines only the count
changes, and where our surface goes, the numbers of those after it.
"""

import json
import re
from itertools import pairwise

from bridge.install.line_ends import line_end

PORT, FEEDBACK_PORT = 39190, 39191
NAME = "NRX Bridge"
_SURFACE = re.compile(rb"(?i)csurf_(\d+)=(.*)", re.DOTALL)
_COUNT = re.compile(rb"(?i)(csurf_cnt=)\s*(\d*)(.*)", re.DOTALL)
_OURS = f'OSC "{NAME}" '.encode()


def with_surface(text: bytes) -> bytes:
    """Return `reaper.ini` with our surface as its last one; a file that has it is returned as it is."""
    lines, first, end = _opened(text)
    found = _surfaces(lines, first, end)
    if any(value.startswith(_OURS) for _, value in found.values()):
        return text
    number = max((number for number, _ in found.values()), default=-1) + 1
    surface = f'csurf_{number}=OSC "{NAME}" 3 {PORT} "127.0.0.1" {FEEDBACK_PORT} 1024 10 ""'.encode()
    newline = line_end(text)
    at = max(found, default=first - 1) + 1
    lines.insert(at, surface + newline)
    _count(lines, first, end + 1, number + 1, at + 1, newline)
    return b"".join(lines)


def without_surface(text: bytes) -> bytes:
    """Return `reaper.ini` without our surface."""
    lines, first, end = _opened(text)
    found = _surfaces(lines, first, end)
    ours = [(index, number) for index, (number, value) in found.items() if value.startswith(_OURS)]
    for index, number in ours:
        for other, (later, value) in found.items():
            if later > number:
                lines[other] = b"csurf_%d=" % (later - 1) + value
        _count(lines, first, end, max(later for later, _ in found.values()), index, line_end(text))
        del lines[index]
        return b"".join(lines)
    return text


def wake_message(action: str) -> bytes:
    """Return the spool's wake file that runs an action, by its id in REAPER."""
    return json.dumps({"port": PORT, "address": f"/action/_{action}"}).encode() + b"\n"


def _opened(text: bytes) -> tuple[list[bytes], int, int]:
    """Return the lines, the first after `[REAPER]`, and where its section ends; a missing section is added."""
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        lines[-1] += line_end(text)
    starts = [index for index, line in enumerate(lines) if line.startswith(b"[")]
    for start, end in pairwise([*starts, len(lines)]):
        if lines[start].strip().lower() == b"[reaper]":
            return lines, start + 1, end
    return [*lines, b"[REAPER]" + line_end(text)], len(lines) + 1, len(lines) + 1


def _surfaces(lines: list[bytes], first: int, end: int) -> dict[int, tuple[int, bytes]]:
    """Return line -> (number, what follows the =, with the end of the line) of every surface."""
    found = {index: _SURFACE.fullmatch(lines[index]) for index in range(first, end)}
    return {index: (int(match[1]), match[2]) for index, match in found.items() if match}


def _count(lines: list[bytes], first: int, end: int, count: int, at: int, newline: bytes) -> None:
    """Set the count where it stands, else write it at a line."""
    for index in range(first, end):
        match = _COUNT.fullmatch(lines[index])
        if match:
            lines[index] = match[1] + b"%d" % count + match[3]
            return
    lines.insert(at, b"csurf_cnt=%d" % count + newline)
