"""Whether a file's header agrees with the file: DAWs write a render's length last.

While a WAV is being written its sizes are 0, 0xFFFFFFFF, or what was there at the last flush; an AIFF, FLAC or M4A
cannot be opened, or claims another length. None of that says that the file is bad, only that it is not finished *yet*.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

from engine.audio import probe
from engine.errors import NrxError

UNKNOWN_SIZES = (0, 0xFFFFFFFF)
_MAX_CHUNKS = 64


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What stands against taking a file now; `opens` if it could be read all the same."""

    error: NrxError
    opens: bool


def judge_header(path: Path) -> Unfinished | None:
    """Return what stands against taking the file now, or None if its header is complete and it opens.

    Raises:
        FileNotFoundError: if it is gone.
    """
    try:
        probe(path)
    except NrxError as error:
        if error.code == "input.not_found":
            raise FileNotFoundError(path) from None
        return Unfinished(error, opens=False)
    if has_open_sizes(path):
        sentence = f'"{path.name}" has no length in its header yet, as if it were still being written.'
        return Unfinished(NrxError("input.truncated", sentence), opens=True)
    return None


def has_open_sizes(path: Path) -> bool:
    """Whether a RIFF header still has the sizes with which a writer begins; False for other files."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
            if head[:4] != b"RIFF" or head[8:] != b"WAVE":
                return False
            if struct.unpack("<I", head[4:8])[0] in UNKNOWN_SIZES:
                return True
            for _ in range(_MAX_CHUNKS):
                chunk = file.read(8)
                if len(chunk) < 8:
                    return False
                kind, size = struct.unpack("<4sI", chunk)
                if kind == b"data":
                    return size in UNKNOWN_SIZES
                file.seek(size + (size & 1), 1)
    except OSError:
        return True
    return False
