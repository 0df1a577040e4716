"""AIFF and AIFF-C on disk: whether the samples that the header promises are there.

Libsndfile decodes the samples; it clips a length that the file does not hold without a word, so the length is compared
here. Source: Apple AIFF 1.3 and AIFF-C (1991).
"""

import struct
from pathlib import Path
from typing import BinaryIO

from engine.errors import NrxError


def check_length(path: Path, stream: BinaryIO, file_bytes: int) -> None:
    """Compare the sound chunk's size with the file's.

    Raises:
        NrxError: `input.truncated` if the file ends inside or before the sound chunk, `input.empty` if it has no frames.
    """
    position = 12
    frames: int | None = None
    while position + 8 <= file_bytes:
        stream.seek(position)
        kind, size = struct.unpack(">4sI", stream.read(8))
        if kind == b"COMM" and size >= 18:
            frames = int(struct.unpack(">I", stream.read(6)[2:6].ljust(4, b"\0"))[0])
        if kind == b"SSND" and frames != 0:
            missing = position + 8 + size - file_bytes
            if missing > 1:
                raise NrxError(
                    "input.truncated",
                    f'"{path.name}" is cut off: {missing} of {size} bytes of its audio are missing;'
                    " copy or export it again.",
                )
            return
        position += 8 + size + (size & 1)
    if frames == 0:
        raise NrxError(
            "input.empty", f'"{path.name}" holds no audio: its length is zero frames; export it again.'
        )
    raise NrxError("input.truncated", f'"{path.name}" ends before its audio begins; copy or export it again.')
