"""The length tag in the first frame of an MP3: what a decoder must cut so that it lines up with the original.

An encoder puts `delay` samples before the music and `padding` after it to fill its last frame, and notes both
in the LAME extension of the Xing/Info frame; a decoder adds `DECODER_DELAY` of its own. Gapless decoders
(mpg123 in libsndfile, FFmpeg, DAWs) cut all three. Sources: ISO/IEC 11172-3 and 13818-3 frame headers; the
LAME tag specification rev 1; mpg123's GAPLESS_DELAY.
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO

DECODER_DELAY = 529
_SAMPLE_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_SEARCH_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Mp3Tag:
    """Length of an MP3 by its Xing/Info tag: coded frames, and what to cut at both ends."""

    sample_rate: int
    coded_frames: int
    samples_per_frame: int
    delay: int
    padding: int

    @property
    def coded_samples(self) -> int:
        """Samples per channel that a decoder which cuts nothing gives."""
        return self.coded_frames * self.samples_per_frame

    @property
    def frames(self) -> int:
        """Samples per channel of the music itself."""
        return max(0, self.coded_samples - self.delay - self.padding)


def read_tag(stream: BinaryIO) -> Mp3Tag | None:
    """Return the length tag of an MP3, or None if its first frame holds none."""
    stream.seek(_after_id3(stream))
    head = stream.read(_SEARCH_BYTES)
    first = _first_frame(head)
    if first is None:
        return None
    version, rate_index, is_mono = (
        (head[first + 1] >> 3) & 3,
        (head[first + 2] >> 2) & 3,
        head[first + 3] >> 6 == 3,
    )
    side_info = (17 if is_mono else 32) if version == 3 else (9 if is_mono else 17)
    at = first + 4 + side_info
    if head[at : at + 4] not in (b"Xing", b"Info") or len(head) < at + 160:
        return None
    flags, coded_frames = struct.unpack(">II", head[at + 4 : at + 12])
    if not flags & 1:
        return None
    at += 12 + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
    lame = head[at : at + 24]
    packed = int.from_bytes(lame[21:24], "big") if lame[:4].isalpha() else 0
    return Mp3Tag(
        _SAMPLE_RATES[version][rate_index],
        coded_frames,
        1152 if version == 3 else 576,
        packed >> 12,
        packed & 0xFFF,
    )


def _after_id3(stream: BinaryIO) -> int:
    """Return the position after all ID3v2 tags at the start."""
    position = 0
    while True:
        stream.seek(position)
        head = stream.read(10)
        if len(head) < 10 or head[:3] != b"ID3":
            return position
        size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        position += 10 + size + (10 if head[5] & 0x10 else 0)


def _first_frame(head: bytes) -> int | None:
    """Return where the first Layer III frame header is."""
    at = head.find(b"\xff")
    while 0 <= at <= len(head) - 4:
        if is_layer_3(head[at : at + 4]):
            return at
        at = head.find(b"\xff", at + 1)
    return None


def is_layer_3(header: bytes) -> bool:
    """Whether four bytes are an MPEG audio Layer III frame header."""
    return (
        len(header) >= 4
        and header[0] == 0xFF
        and header[1] & 0xE6 == 0xE2
        and (header[1] >> 3) & 3 != 1
        and header[2] >> 4 not in (0, 15)
        and (header[2] >> 2) & 3 != 3
    )
