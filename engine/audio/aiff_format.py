"""AIFF and AIFF-C on disk: whether the samples that the header promises are there.

Libsndfile decodes the samples; it clips a length that the file does not hold without a word, so the length is
compared here. Source: Apple AIFF 1.3 and AIFF-C (1991).
"""

import math
import struct
from pathlib import Path
from typing import BinaryIO

from engine.audio.refusals import cut_off, empty, lying, no_audio_begun


def check_length(path: Path, stream: BinaryIO, file_bytes: int) -> None:
    """Compare the sound chunk's size with the file's, and in plain AIFF with the number of frames.

    Raises:
        NrxError: `input.truncated` if the file ends inside or before the sound chunk or its header lies
            about its length, `input.empty` if it has no frames.
    """
    stream.seek(0)
    is_plain = stream.read(12)[8:12] == b"AIFF"
    position = 12
    frames, frame_bytes, rate = None, 1, 1.0
    sound: tuple[int, int] | None = None
    while position + 8 <= file_bytes:
        stream.seek(position)
        kind, size = struct.unpack(">4sI", stream.read(8))
        if kind == b"COMM" and size >= 18 and position + 26 <= file_bytes:
            channels, frames, bits, exponent, mantissa = struct.unpack(">HIHHQ", stream.read(18))
            frame_bytes = max(1, channels * -(-bits // 8))
            rate = max(1.0, math.ldexp(mantissa, min(900, (exponent & 0x7FFF) - 16383 - 63)))
        elif kind == b"SSND":
            sound = (size, file_bytes - position - 8)
        position += 8 + size + (size & 1)
    if frames == 0:
        raise empty(path)
    if frames is None or sound is None:
        raise no_audio_begun(path)
    claimed, held = sound
    if claimed - held > 1:
        raise cut_off(path, frames / rate, frames / rate * max(0, held - 8) / max(1, claimed - 8))
    held_frames = (claimed - 8) // frame_bytes
    if is_plain and held_frames != frames:
        raise (cut_off if held_frames < frames else lying)(path, frames / rate, held_frames / rate)
