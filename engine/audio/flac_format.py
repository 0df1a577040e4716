"""FLAC on disk: whether the stream's frames agree with what its STREAMINFO block says of rate and length.

A decoder believes STREAMINFO, so a forged or broken one changes the pitch of a song or hides its end. The
first frame repeats the sample rate and the last one tells its position; both are compared. Source: RFC 9639,
sections 8.2 and 9.1.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.audio.refusals import cut_off, lying, no_audio_begun
from engine.errors import NrxError

_RATES = (0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)
_TAIL_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What STREAMINFO says. `frames` is None where the writer did not know the length."""

    sample_rate: int
    channels: int
    bits: int
    frames: int | None


@dataclass(frozen=True, slots=True)
class _FrameHeader:
    sample_rate: int  # 0: as in STREAMINFO
    first_sample: int
    block_size: int


def read_stream_info(path: Path, stream: BinaryIO) -> tuple[StreamInfo, int]:
    """Return STREAMINFO and the position of the first frame.

    Raises:
        NrxError: `input.truncated` if the metadata is cut off.
    """
    stream.seek(4)
    info: StreamInfo | None = None
    while True:
        head = stream.read(4)
        size = int.from_bytes(head[1:4], "big")
        if head[:1] and head[0] & 0x7F == 0 and info is None:
            body = stream.read(size)
            if len(body) < 18:
                break
            packed = int.from_bytes(body[10:18], "big")
            info = StreamInfo(
                packed >> 44,
                ((packed >> 41) & 7) + 1,
                ((packed >> 36) & 31) + 1,
                packed & (1 << 36) - 1 or None,
            )
        else:
            stream.seek(size, 1)
        if len(head) < 4:
            break
        if head[0] & 0x80 and info is not None:
            return info, stream.tell()
    raise no_audio_begun(path)


def check_frames(path: Path, stream: BinaryIO, info: StreamInfo, first_frame: int, file_bytes: int) -> None:
    """Compare STREAMINFO with the first and the last frame.

    Raises:
        NrxError: `input.corrupt` if the rates differ, `input.truncated` if the lengths do.
    """
    stream.seek(first_frame)
    head = stream.read(16)
    fixed = _parse_header(head, None)
    if fixed is None:
        raise NrxError(
            "input.corrupt", f'"{path.name}" has no audio where it should begin; copy or export it again.'
        )
    if fixed.sample_rate and fixed.sample_rate != info.sample_rate:
        raise NrxError(
            "input.corrupt",
            f'"{path.name}" says {info.sample_rate} Hz in its header and {fixed.sample_rate} Hz in its audio;'
            " export it again.",
        )
    if info.frames is None:
        return
    start = max(first_frame, file_bytes - _TAIL_BYTES)
    stream.seek(start)
    held = _last_sample(stream.read(file_bytes - start), head[:2], fixed.block_size)
    if held is not None and held != info.frames:
        refusal = cut_off if held < info.frames else lying
        raise refusal(path, info.frames / info.sample_rate, held / info.sample_rate)


def _last_sample(tail: bytes, sync: bytes, block_size: int) -> int | None:
    """Return where the last frame in `tail` ends, in samples from the start, or None if there is no frame.

    Bytes inside the samples look like a frame header once in a while; real frames follow each other, so the
    end of the longest chain is believed.
    """
    scale = 1 if sync[1] & 1 else block_size
    chain_lengths: dict[int, int] = {}
    best: int | None = None
    at = -1
    while (at := tail.find(sync, at + 1)) >= 0:
        frame = _parse_header(tail[at : at + 16], sync[1])
        if frame is None:
            continue
        first = frame.first_sample * scale
        end = first + frame.block_size
        chain_lengths[end] = chain_lengths.get(first, 0) + 1
        if best is None or chain_lengths[end] >= chain_lengths[best]:
            best = end
    return best


def _parse_header(data: bytes, second: int | None) -> _FrameHeader | None:
    """Return the frame header at the start of `data` if it is one (sync, reserved bits, CRC-8), or None.

    `first_sample` is in frames of the fixed block size where the stream's block size is fixed.
    """
    if (
        len(data) < 6
        or data[0] != 0xFF
        or data[1] & 0xFE != 0xF8
        or (second is not None and data[1] != second)
    ):
        return None
    size_code, rate_code = data[2] >> 4, data[2] & 15
    if size_code == 0 or rate_code == 15 or data[3] & 1 or data[3] >> 4 > 10:
        return None
    lead = data[4]
    extra = 0 if lead < 0x80 else 8 - (lead ^ 0xFF).bit_length() - 1
    if (extra and not 1 <= extra <= 6) or 0x80 <= lead < 0xC0:
        return None
    position = lead & (0x7F >> extra + 1 if extra else 0x7F)
    for byte in data[5 : 5 + extra]:
        position = position << 6 | byte & 0x3F
    at = 5 + extra
    size_bytes = {6: 1, 7: 2}.get(size_code, 0)
    rate_bytes = {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if len(data) <= at + size_bytes + rate_bytes:
        return None
    if size_bytes:
        block_size = int.from_bytes(data[at : at + size_bytes], "big") + 1
    else:
        block_size = (
            192 if size_code == 1 else 576 << size_code - 2 if size_code <= 5 else 256 << size_code - 8
        )
    at += size_bytes
    written = int.from_bytes(data[at : at + rate_bytes], "big")
    sample_rate = _RATES[rate_code] if rate_code < 12 else written * {12: 1000, 13: 1, 14: 10}[rate_code]
    at += rate_bytes
    return _FrameHeader(sample_rate, position, block_size) if _crc8(data[:at]) == data[at] else None


def _crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07 if crc & 0x80 else crc << 1) & 0xFF
    return crc
