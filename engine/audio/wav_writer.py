"""WAV files that a DAW can place: PCM or float samples with a Broadcast Wave start on the timeline.

The file opens with RIFF, a JUNK chunk that becomes `ds64` when the file outgrows 4 GB (RF64), `bext`, `fmt `,
for floats `fact`, and `data`. The same samples and parameters give the same bytes: nothing of the clock or
the machine goes in.
Sources: EBU Tech 3285 v2 (bext), EBU Tech 3306 v1.1 (RF64), Microsoft's WAVE_FORMAT_EXTENSIBLE; TPDF dither
as in Lipshitz, Wannamaker and Vanderkooy, "Quantization and dither", JAES 40 (1992).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio, Samples
from engine.audio.publish import NewFile
from engine.audio.wav_format import EXTENSIBLE, GUID_TAIL, IEEE_FLOAT, PCM, UNKNOWN_SIZE
from engine.progress import SILENT, Monitor

BLOCK_FRAMES = 1 << 16
CACHED_FRAMES = 1 << 13
"""Frames of a channel that are encoded at once."""
RF64_ABOVE_BYTES = UNKNOWN_SIZE - 1
"""The largest size that the 32-bit fields of RIFF hold; beyond it a file becomes RF64."""

_BITS = {"PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32}
SUBTYPES = tuple(_BITS)
_SPEAKERS = {1: 0x4, 2: 0x3, 3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}
"""Channel masks by channel count, in the order in which `Audio` holds them."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """What `bext` version 2 tells of loudness: LUFS, LU and dBTP; each is stored in hundredths."""

    integrated_lufs: float
    range_lu: float
    true_peak_dbtp: float
    momentary_max_lufs: float
    short_term_max_lufs: float


@dataclass(frozen=True, slots=True)
class Description:
    """What `bext` tells of a file. Texts are ASCII on disk, cut to the field: other characters become "?"."""

    description: str = ""
    originator: str = "NRX Bridge"
    originator_reference: str = ""
    origination_date: str = ""
    origination_time: str = ""
    loudness: Loudness | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What was written. `clipped_samples` counts values that an integer subtype could not hold."""

    path: Path
    subtype: str
    sample_rate: int
    channels: int
    frames: int
    clipped_samples: int
    is_rf64: bool


class WavWriter:
    """Writes a WAV in blocks; use it in a `with` statement.

    The file appears at `path` when the block is left (or at `close`), whole; after an error nothing is left
    behind.

    Args:
        path: where the file shall appear. It is never overwritten.
        sample_rate: Hz.
        channels: 1 to 8, in WAV's order.
        subtype: one of `SUBTYPES`. Integer subtypes clip at full scale.
        time_reference_frames: the first frame's place on the project's timeline, counted from its zero.
        about: the texts of `bext`.
        dither: with PCM_16, add triangular dither of two least significant bits' width, the same for every
            run.
        rf64_above_bytes: the size from which the file becomes RF64; lower it in tests only.
        unread: nobody here will read it soon; see `NewFile`.
        synced: whether `close` waits until the file is on the disk; see `NewFile`.

    Raises:
        NrxError: `output.exists` or `output.not_writable`.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        sample_rate: int,
        channels: int,
        subtype: str = "PCM_24",
        time_reference_frames: int = 0,
        about: Description | None = None,
        dither: bool = False,
        rf64_above_bytes: int = RF64_ABOVE_BYTES,
        unread: bool = False,
        synced: bool = True,
    ) -> None:
        if subtype not in _BITS:
            raise ValueError(f"subtype must be one of {', '.join(SUBTYPES)}, got {subtype!r}.")
        if not 1 <= channels <= 8 or sample_rate <= 0:
            raise ValueError(f"cannot write {channels} channels at {sample_rate} Hz.")
        if not 0 <= time_reference_frames < 1 << 64:
            raise ValueError(f"time_reference_frames must be 0 or more, got {time_reference_frames}.")
        self._subtype, self._sample_rate, self._channels = subtype, sample_rate, channels
        self._frames = self._clipped = 0
        self._rf64_above_bytes = rf64_above_bytes
        self._encode = _encoder(subtype, dither)
        body = bytearray(_chunk(b"JUNK", bytes(28)))
        body += _chunk(b"bext", _bext(about or Description(), time_reference_frames, self._history()))
        body += _chunk(b"fmt ", _fmt(subtype, sample_rate, channels))
        self._fact_at: int | None = None
        if subtype == "FLOAT":
            self._fact_at = 12 + len(body) + 8
            body += _chunk(b"fact", bytes(4))
        header = struct.pack("<4sI4s", b"RIFF", 0, b"WAVE") + bytes(body) + struct.pack("<4sI", b"data", 0)
        self._data_start = len(header)
        self._file = NewFile(Path(path), unread=unread, synced=synced)
        self._written: Written | None = None
        try:
            self._file.write(header)
        except BaseException:
            self._file.discard()
            raise

    def __enter__(self) -> "WavWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def write(self, samples: NDArray[np.floating]) -> None:
        """Append samples of shape (channels, frames).

        Raises:
            NrxError: `output.disk_full` or `output.not_writable`.
            ValueError: for another shape, or samples that are not finite.
        """
        if samples.ndim != 2 or samples.shape[0] != self._channels:
            raise ValueError(
                f"this file takes samples of shape ({self._channels}, frames), got {samples.shape}."
            )
        for start in range(0, samples.shape[1], BLOCK_FRAMES):
            block = samples[:, start : start + BLOCK_FRAMES].astype(np.float32, copy=False)
            data, clipped = self._encode(block)
            self._file.write(data)
            self._frames += block.shape[1]
            self._clipped += clipped

    def close(self) -> Written:
        """Finish the header, sync, and let the file appear at its path.

        Raises:
            NrxError: `output.exists`, `output.disk_full` or `output.not_writable`.
        """
        if self._written is not None:
            return self._written
        try:
            is_rf64 = self._finish()
            self._file.publish()
        except BaseException:
            self._file.discard()
            raise
        self._written = Written(
            self._file.path,
            self._subtype,
            self._sample_rate,
            self._channels,
            self._frames,
            self._clipped,
            is_rf64,
        )
        return self._written

    def discard(self) -> None:
        """Give up: nothing is left behind."""
        if self._written is None:
            self._file.discard()

    def _finish(self) -> bool:
        data_bytes = self._frames * self._channels * _BITS[self._subtype] // 8
        if data_bytes % 2:
            self._file.write(b"\0")
        for position, patch in size_patches(
            data_bytes, self._frames, self._data_start, self._fact_at, self._rf64_above_bytes
        ):
            self._file.write(patch, position)
        return self._data_start - 8 + data_bytes + data_bytes % 2 > self._rf64_above_bytes

    def _history(self) -> str:
        mode = {1: "mono", 2: "stereo"}.get(self._channels, "multichannel")
        return f"A=PCM,F={self._sample_rate},W={_BITS[self._subtype]},M={mode},T=NRX Bridge\r\n"


def write_wav(
    path: Path | str,
    audio: Audio,
    subtype: str = "PCM_24",
    *,
    time_reference_frames: int = 0,
    description: str = "",
    about: Description | None = None,
    dither: bool = False,
    unread: bool = False,
    monitor: Monitor = SILENT,
) -> Written:
    """Write audio to a new WAV; see `WavWriter` for the arguments.

    Args:
        description: short for `about=Description(description)`.

    Raises:
        NrxError: `output.exists`, `output.not_writable`, `output.disk_full`, or `cancelled`; nothing is left
            behind.
    """
    with WavWriter(
        path,
        sample_rate=audio.sample_rate,
        channels=audio.channels,
        subtype=subtype,
        time_reference_frames=time_reference_frames,
        about=about or Description(description),
        dither=dither,
        unread=unread,
    ) as writer:
        step = 16 * BLOCK_FRAMES
        for start in range(0, audio.frames, step):
            monitor.report(start / audio.frames)
            writer.write(audio.samples[:, start : start + step])
        monitor.check()
        written = writer.close()
    monitor.report(1.0)
    return written


def growing_header(sample_rate: int, channels: int, subtype: str) -> tuple[bytes, int | None]:
    """Return the header of a file without samples, for one that grows, and where the body of `fact` is.

    The samples follow it; `size_patches` tells what to write where as they come.
    """
    body = _chunk(b"JUNK", bytes(28)) + _chunk(b"fmt ", _fmt(subtype, sample_rate, channels))
    fact_at = 12 + len(body) + 8 if subtype == "FLOAT" else None
    body += _chunk(b"fact", bytes(4)) if subtype == "FLOAT" else b""
    riff = struct.pack("<4sI4s", b"RIFF", 4 + len(body) + 8, b"WAVE")
    return riff + body + struct.pack("<4sI", b"data", 0), fact_at


def size_patches(
    data_bytes: int,
    frames: int,
    data_start: int,
    fact_at: int | None,
    rf64_above_bytes: int = RF64_ABOVE_BYTES,
) -> list[tuple[int, bytes]]:
    """Return (position, bytes) of every size field of a finished file, as RIFF or as RF64.

    Args:
        data_bytes: bytes of samples, without the padding byte.
        frames: samples per channel.
        data_start: where the samples start.
        fact_at: where the body of `fact` is, if there is one.
        rf64_above_bytes: the largest RIFF size that still makes a RIFF file.
    """
    riff_bytes = data_start - 8 + data_bytes + data_bytes % 2
    size_at = data_start - 4
    if riff_bytes <= rf64_above_bytes:
        patches = [(4, struct.pack("<I", riff_bytes)), (size_at, struct.pack("<I", data_bytes))]
    else:
        unknown = struct.pack("<I", UNKNOWN_SIZE)
        ds64 = struct.pack("<4sIQQQI", b"ds64", 28, riff_bytes, data_bytes, frames, 0)
        patches = [(0, b"RF64" + unknown), (12, ds64), (size_at, unknown)]
    if fact_at is not None:
        patches.append((fact_at, struct.pack("<I", min(frames, UNKNOWN_SIZE))))
    return patches


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", kind, len(body)) + body + b"\0" * (len(body) % 2)


def _fmt(subtype: str, sample_rate: int, channels: int) -> bytes:
    bits = _BITS[subtype]
    tag = IEEE_FLOAT if subtype == "FLOAT" else PCM
    block_bytes = channels * bits // 8
    outer = EXTENSIBLE if channels > 2 else tag
    fmt = struct.pack("<HHIIHH", outer, channels, sample_rate, sample_rate * block_bytes, block_bytes, bits)
    if outer == EXTENSIBLE:
        return fmt + struct.pack("<HHIH", 22, bits, _SPEAKERS[channels], tag) + GUID_TAIL
    return fmt + (struct.pack("<H", 0) if tag == IEEE_FLOAT else b"")


def _bext(about: Description, time_reference_frames: int, history: str) -> bytes:
    loudness = about.loudness
    levels = (
        (0,) * 5
        if loudness is None
        else tuple(
            _hundredths(value)
            for value in (
                loudness.integrated_lufs,
                loudness.range_lu,
                loudness.true_peak_dbtp,
                loudness.momentary_max_lufs,
                loudness.short_term_max_lufs,
            )
        )
    )
    return struct.pack(
        "<256s32s32s10s8sQH64s5h180s",
        _text(about.description),
        _text(about.originator),
        _text(about.originator_reference),
        _text(about.origination_date),
        _text(about.origination_time),
        time_reference_frames,
        1 if loudness is None else 2,
        b"",
        *levels,
        b"",
    ) + _even(_text(history))


def _even(data: bytes) -> bytes:
    """Return a text of even length: libsndfile 1.2.2 loses its way in RF64 behind an odd `bext`."""
    return data + b"\0" * (len(data) % 2)


def _text(text: str) -> bytes:
    return text.encode("ascii", "replace")


def _hundredths(value: float) -> int:
    """Return a level in hundredths, or 0x7FFF where there is none (EBU Tech 3285 v2, section 2.4)."""
    return round(100 * value) if -327.0 < value < 327.0 else 0x7FFF


Encoder = Callable[[Samples], tuple[bytes | memoryview, int]]
"""Turns float32 (channels, frames) into bytes and a count of clipped samples; ValueError for what is not finite."""


def _encoder(subtype: str, dither: bool) -> Encoder:
    """Return the encoder of a subtype."""
    if subtype == "PCM_24":
        return _encode_24_bit
    bits = _BITS[subtype]
    noise = _triangular_noise() if dither and bits == 16 else None
    # float32 has no room for dither, nor for 32-bit integers
    kind: type[np.floating] = np.float32 if bits <= 24 and noise is None else np.float64
    scale, lowest, highest = kind(2.0 ** (bits - 1)), kind(-(2.0 ** (bits - 1))), kind(2.0 ** (bits - 1) - 1)

    def encode(block: Samples) -> tuple[bytes, int]:
        frames = np.ascontiguousarray(block.T)
        _refuse_not_finite(frames)
        if subtype == "FLOAT":
            return frames.astype("<f4", copy=False).tobytes(), 0
        values = frames.astype(kind, copy=False) * scale
        if noise is not None:
            values += noise(frames.shape)
        np.rint(values, out=values)
        clipped = _clip(values, lowest, highest)
        return values.astype(f"<i{bits // 8}").tobytes(), clipped

    return encode


def _encode_24_bit(block: Samples) -> tuple[memoryview, int]:
    """Encode in pieces that stay in the cache; float32 holds every 24-bit integer.

    Words of 32 bits are stored 3 bytes apart, in order: each writes over the upper byte of the one before.
    """
    channels, frames = block.shape
    packed = np.empty(3 * channels * frames + 1, np.uint8)
    most = min(frames, CACHED_FRAMES)
    values, words, clipped = np.empty(most, np.float32), np.empty((most, channels), "<i4"), 0
    scale, lowest, highest = np.float32(2.0**23), np.float32(-(2.0**23)), np.float32(2.0**23 - 1)
    for start in range(0, frames, CACHED_FRAMES):
        count = min(CACHED_FRAMES, frames - start)
        value, word = values[:count], words[:count]
        for channel in range(channels):
            samples = block[channel, start : start + count]
            np.multiply(samples, scale, out=value)
            np.rint(value, out=value)
            if not (value.max() <= highest and value.min() >= lowest):  # or not a number
                _refuse_not_finite(samples)
                clipped += _clip(value, lowest, highest)
            word[:, channel] = value
        places: NDArray[np.int32] = np.ndarray((word.size,), "<i4", packed.data, 3 * channels * start, (3,))
        places[:] = word.reshape(-1)
    return packed[:-1].data, clipped


def _refuse_not_finite(values: NDArray[np.floating]) -> None:
    if not np.isfinite(values).all():
        raise ValueError("samples that are not finite cannot be written.")


def _clip(values: NDArray[np.floating], lowest: np.floating, highest: np.floating) -> int:
    """Clip values in place, and return how many were beyond."""
    if not values.size or (values.max() <= highest and values.min() >= lowest):
        return 0
    clipped = int(np.count_nonzero((values > highest) | (values < lowest)))
    np.clip(values, lowest, highest, out=values)
    return clipped


def _triangular_noise() -> Callable[[tuple[int, ...]], NDArray[np.float64]]:
    """Return a source of TPDF noise, ±1 LSB, that does not depend on how a file is divided into blocks."""
    first, second = (np.random.default_rng(seed) for seed in np.random.SeedSequence(16).spawn(2))
    return lambda shape: first.random(shape) - second.random(shape)
