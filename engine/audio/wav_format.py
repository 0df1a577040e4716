"""The WAV family on disk: where the format, the samples and the start on the timeline are.

Conventions: sizes and positions are bytes from the start of the file. Sources: RIFF (Microsoft/IBM 1991),
WAVE_FORMAT_EXTENSIBLE (Microsoft 2007), RF64 (EBU Tech 3306), BW64 (ITU-R BS.2088), Broadcast Wave `bext`
(EBU Tech 3285 v2). A header that contradicts the file is refused rather than guessed at: `find_layout` says
by how much.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.audio.refusals import cut_off, empty, impossible, lying, no_audio_begun

UNKNOWN_SIZE = 0xFFFFFFFF
PCM, IEEE_FLOAT, EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
"""The 14 bytes after the format tag in the sub-format GUIDs of WAVE_FORMAT_EXTENSIBLE."""

SUBTYPES = {
    (PCM, 1): "PCM_U8",
    (PCM, 2): "PCM_16",
    (PCM, 3): "PCM_24",
    (PCM, 4): "PCM_32",
    (IEEE_FLOAT, 4): "FLOAT",
    (IEEE_FLOAT, 8): "DOUBLE",
}
"""(format tag, bytes per sample) of the subtypes that are read here; others are left to libsndfile."""

_TRAILING_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")
_MAX_BEXT_BYTES = 1 << 20
_MAX_PADDING_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class WavLayout:
    """Where a WAV file keeps its samples. `subtype` is None for a coding that is left to libsndfile."""

    subtype: str | None
    sample_rate: int
    channels: int
    block_bytes: int
    data_start: int
    data_bytes: int
    time_reference_frames: int

    @property
    def frames(self) -> int:
        """Whole frames in the data chunk (of uncompressed subtypes)."""
        return self.data_bytes // self.block_bytes


@dataclass(frozen=True, slots=True)
class _Format:
    subtype: str | None
    sample_rate: int
    channels: int
    block_bytes: int
    bytes_per_s: int


@dataclass(frozen=True, slots=True)
class _Chunk:
    kind: bytes
    start: int
    size: int


def find_layout(path: Path, stream: BinaryIO, file_bytes: int) -> WavLayout:
    """Read the header of a RIFF, RF64 or BW64 WAVE file.

    Raises:
        NrxError: `input.truncated` if the samples end early or the header lies about their length,
            `input.empty` if there are none, `input.corrupt` if the format cannot be understood.
    """
    stream.seek(0)
    is_64_bit = stream.read(12)[:4] in (b"RF64", b"BW64")
    position = 12
    fmt: bytes | None = None
    data_size_64: int | None = None
    time_reference_frames = 0
    while True:
        chunk = _chunk_at(stream, position, file_bytes)
        if chunk is None:
            raise no_audio_begun(path)
        if chunk.kind == b"data":
            break
        if chunk.kind == b"fmt ":
            fmt = stream.read(min(chunk.size, 64))
        elif chunk.kind == b"ds64" and is_64_bit:
            data_size_64 = int(struct.unpack("<Q", stream.read(24)[8:16].ljust(8, b"\0"))[0])
        elif chunk.kind == b"bext" and 346 <= chunk.size <= _MAX_BEXT_BYTES:
            time_reference_frames = int(struct.unpack("<Q", stream.read(346)[338:346].ljust(8, b"\0"))[0])
        position = chunk.start + chunk.size + (chunk.size & 1)
    form = _parse_format(path, fmt)
    claimed = chunk.size
    if claimed == UNKNOWN_SIZE and is_64_bit and data_size_64 is not None:
        claimed = data_size_64
    data_bytes = _checked_size(path, stream, form, chunk.start, claimed, file_bytes)
    return WavLayout(
        form.subtype,
        form.sample_rate,
        form.channels,
        form.block_bytes,
        chunk.start,
        data_bytes,
        time_reference_frames,
    )


def _chunk_at(stream: BinaryIO, position: int, file_bytes: int) -> _Chunk | None:
    """Return the chunk whose header is at `position`, with the stream at its body, or None beyond the end."""
    if position + 8 > file_bytes:
        return None
    stream.seek(position)
    kind, size = struct.unpack("<4sI", stream.read(8))
    return _Chunk(kind, position + 8, size)


def _parse_format(path: Path, fmt: bytes | None) -> _Format:
    if fmt is None or len(fmt) < 16:
        raise impossible(path, "no format for its audio")
    tag, channels, sample_rate, bytes_per_s, block_bytes, bits = struct.unpack("<HHIIHH", fmt[:16])
    if tag == EXTENSIBLE and len(fmt) >= 40 and fmt[26:40] == GUID_TAIL:
        tag = struct.unpack("<H", fmt[24:26])[0]
    if channels == 0 or sample_rate == 0 or block_bytes == 0:
        raise impossible(path, f"{channels} channels at {sample_rate} Hz in blocks of {block_bytes} bytes")
    sample_bytes = block_bytes // channels if block_bytes % channels == 0 else 0
    subtype = SUBTYPES.get((tag, sample_bytes))
    if tag in (PCM, IEEE_FLOAT) and (subtype is None or bits > 8 * sample_bytes):
        raise impossible(path, f"{channels} channels of {bits} bits in blocks of {block_bytes} bytes")
    if subtype is not None:
        bytes_per_s = block_bytes * sample_rate
    return _Format(subtype, sample_rate, channels, block_bytes, max(1, bytes_per_s))


def _checked_size(
    path: Path, stream: BinaryIO, form: _Format, start: int, claimed: int, file_bytes: int
) -> int:
    """Return the data chunk's bytes after comparing what its header claims with what the file holds.

    0xFFFFFFFF without a ds64 chunk means "not known when the header was written" (a pipe): the samples run to
    the end.
    """
    available = file_bytes - start
    if claimed == UNKNOWN_SIZE and available < UNKNOWN_SIZE:
        claimed = available
    if claimed - available >= form.block_bytes:
        raise cut_off(path, claimed / form.bytes_per_s, available / form.bytes_per_s)
    claimed = min(claimed, available)
    if not _is_plausible_tail(stream, start + claimed, file_bytes):
        raise lying(path, claimed / form.bytes_per_s, available / form.bytes_per_s)
    if claimed < form.block_bytes:
        raise empty(path)
    return claimed


def _is_plausible_tail(stream: BinaryIO, position: int, file_bytes: int) -> bool:
    """Whether what follows the samples is chunks, a tag, or padding: anything but more samples."""
    for start in dict.fromkeys((position + (position & 1), position)):  # some writers forget the padding byte
        at = start
        while at + 8 <= file_bytes:
            chunk = _chunk_at(stream, at, file_bytes)
            if chunk is None or not all(32 <= byte < 127 for byte in chunk.kind):
                break
            at = chunk.start + chunk.size + (chunk.size & 1)
        if file_bytes - at < 8 and at <= file_bytes + 1:
            return True
    stream.seek(position)
    tail = stream.read(_MAX_PADDING_BYTES)
    is_padding = file_bytes - position <= _MAX_PADDING_BYTES and not tail.strip(b"\0")
    return is_padding or tail.lstrip(b"\0").startswith(_TRAILING_TAGS)
