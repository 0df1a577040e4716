"""`read_audio`: a file's samples in memory, float32, decoded in blocks within stated bounds.

Timing is what a DAW decodes: MP3 without encoder delay and padding (by its LAME tag), AAC without priming (by
its edit list), Opus without pre-skip. WAV of plain PCM and float is read here, exactly as its header was
checked; other files of libsndfile's by libsndfile; AAC, ALAC, Opus and WMA by FFmpeg through PyAV. Opus does
not go through libsndfile because version 1.2.2 starts 312 samples late unless it seeks first, and clicks
where it seeks.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from engine.audio import containers, mp3_tag, wav_format
from engine.audio.buffer import Audio, Samples
from engine.audio.info import AudioInfo, Limits
from engine.audio.probing import identify, open_container, open_input, probe
from engine.audio.refusals import corrupt, cut_off, empty, lying, not_finite
from engine.progress import SILENT, Monitor

if TYPE_CHECKING:
    import av

BLOCK_FRAMES = 1 << 18
_MAX_PEAK = 1e4
_LOSSY_SHORTFALL_S = 0.5

_VORBIS_ORDER = {
    3: (0, 2, 1),
    5: (0, 2, 1, 3, 4),
    6: (0, 2, 1, 5, 3, 4),
    7: (0, 2, 1, 6, 5, 3, 4),
    8: (0, 2, 1, 7, 5, 6, 3, 4),
}
"""By channel count: which Vorbis channel stands at each place of WAV's order (Vorbis I, section 4.3.9)."""


def read_audio(path: Path | str, *, limits: Limits | None = None, monitor: Monitor = SILENT) -> Audio:
    """Decode a whole file to float32 of shape (channels, frames), channels in WAV's order.

    Args:
        path: WAV, RF64, AIFF, FLAC, OGG (Vorbis, Opus), MP3 or M4A (AAC, ALAC), known by content, not by
            name.
        limits: bounds on size, rate, channels and length, checked before decoding (default `Limits()`).
        monitor: gets the fraction decoded, and stops the decoding when the job is cancelled.

    Raises:
        NrxError: what `probe` and `Limits.check` raise; `input.truncated` or `input.corrupt` while decoding;
            `input.not_finite` if a sample is NaN or infinite.
    """
    limits = limits or Limits()
    path = Path(path)
    with open_input(path) as stream:
        limits.check_size(path, stream.seek(0, 2))
    info = probe(path)
    limits.check(info)
    collector = _Collector(info, limits)
    try:
        with open_input(path) as stream:
            for block in _blocks(info, stream):
                collector.add(block)
                monitor.report(collector.fraction)
        audio = Audio(collector.finish(), info.sample_rate)
    except MemoryError:
        raise limits.too_long(info, collector.frames) from None
    monitor.report(1.0)
    return audio


def read_blocks(path: Path | str, *, limits: Limits | None = None) -> Iterator[Samples]:
    """Decode a file block by block: float32 of shape (frames, channels), checked as `read_audio` checks them.

    For work that needs no more than a few seconds of a long file in memory. Blocks have any length.

    Raises:
        NrxError: what `read_audio` raises, but for a file that ends early, which just ends.
    """
    limits = limits or Limits()
    path = Path(path)
    info = probe(path)
    limits.check(info)
    with open_input(path) as stream:
        for block in _blocks(info, stream):
            if block.shape[1] != info.channels:
                raise corrupt(
                    path, f"it changes from {info.channels} to {block.shape[1]} channels on its way"
                )
            _check_values(path, block)
            yield block


def _blocks(info: AudioInfo, stream: BinaryIO) -> Iterator[Samples]:
    """Yield float32 blocks of shape (frames, channels)."""
    container = identify(info.path, stream, info.file_bytes)
    if container is containers.WAV and (container_subtype := info.subtype) in _SAMPLE_READERS:
        return _wav_blocks(info, stream, container_subtype)
    if container.demuxer is not None:
        return _ffmpeg_blocks(info, stream, container)
    if container is containers.FLAC and info.frames is None:
        return _ffmpeg_blocks(info, stream, containers.Container("FLAC", "flac"))
    if container is containers.MP3:
        return _mp3_blocks(info, stream)
    return _libsndfile_blocks(info, stream)


class _Collector:
    """Gathers blocks into one array of shape (channels, frames), never beyond the limits."""

    def __init__(self, info: AudioInfo, limits: Limits) -> None:
        self._info = info
        self._limits = limits
        self._most = limits.max_frames(info.sample_rate, info.channels)
        capacity = info.frames if info.frames is not None else min(self._most, 60 * info.sample_rate)
        self._samples: Samples = np.empty((info.channels, capacity), np.float32)
        self.frames = 0

    @property
    def fraction(self) -> float:
        """How much of the expected length is there, 0 to 1."""
        return self.frames / max(1, self._info.frames or self.frames * 2)

    def add(self, block: Samples) -> None:
        info = self._info
        count, channels = block.shape
        if channels != info.channels:
            raise corrupt(info.path, f"it changes from {info.channels} to {channels} channels on its way")
        _check_values(info.path, block)
        if self.frames + count > self._samples.shape[1]:
            if info.frames is not None and info.frames_are_exact and not info.lossy:
                held_s = (self.frames + count) / info.sample_rate
                raise lying(info.path, info.frames / info.sample_rate, held_s)
            if info.frames is not None and info.frames_are_exact:
                count = self._samples.shape[1] - self.frames  # codec padding beyond the music
            else:
                self._grow(self.frames + count)
        self._samples[:, self.frames : self.frames + count] = block[:count].T
        self.frames += count

    def _grow(self, needed: int) -> None:
        if needed > self._most:
            raise self._limits.too_long(self._info, needed)
        larger = np.empty(
            (self._samples.shape[0], min(self._most, max(needed, self._samples.shape[1] * 3 // 2))),
            np.float32,
        )
        larger[:, : self.frames] = self._samples[:, : self.frames]
        self._samples = larger

    def finish(self) -> Samples:
        info = self._info
        if self.frames == 0:
            raise empty(info.path)
        missing = (info.frames or 0) - self.frames if info.frames_are_exact else 0
        if missing > (_LOSSY_SHORTFALL_S * info.sample_rate if info.lossy else 0):
            rate = info.sample_rate
            raise cut_off(info.path, (info.frames or 0) / rate, self.frames / rate)
        if self.frames == self._samples.shape[1]:
            return self._samples
        return np.ascontiguousarray(self._samples[:, : self.frames])


def _check_values(path: Path, block: Samples) -> None:
    flat = block.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        energy = float(np.dot(flat, flat))
    if energy < _MAX_PEAK**2:
        return  # the energy bounds the peak; only loud or broken blocks are looked at closely
    if not np.isfinite(flat).all():
        raise not_finite(f'"{path.name}"')
    peak = float(np.abs(flat).max())
    if peak > _MAX_PEAK:
        raise corrupt(path, f"its samples reach {20 * np.log10(peak):.0f} dB above full scale")


def _unpack_24_bit(raw: NDArray[np.uint8]) -> Samples:
    """Return 24-bit words as floats: each is the lower part of a word of 32 bits, whose upper byte is shifted out."""
    count = raw.size // 3
    samples = np.empty(count, np.float32)
    if count:
        words: NDArray[np.int32] = np.ndarray((count - 1,), "<i4", raw.data, 0, (3,))
        samples[:-1] = words << 8
        samples[-1] = int.from_bytes(raw[-3:].tobytes(), "little", signed=True) << 8
        samples *= np.float32(2.0**-31)
    return samples


_SAMPLE_READERS: dict[str, Callable[[NDArray[np.uint8]], Samples]] = {
    "PCM_U8": lambda raw: (raw.astype(np.float32) - np.float32(128)) * np.float32(2.0**-7),
    "PCM_16": lambda raw: raw.view("<i2").astype(np.float32) * np.float32(2.0**-15),
    "PCM_24": _unpack_24_bit,
    "PCM_32": lambda raw: raw.view("<i4").astype(np.float32) * np.float32(2.0**-31),
    "FLOAT": lambda raw: raw.view("<f4").astype(np.float32),
    "DOUBLE": lambda raw: raw.view("<f8").astype(np.float32),
}


def _wav_blocks(info: AudioInfo, stream: BinaryIO, subtype: str) -> Iterator[Samples]:
    layout = wav_format.find_layout(info.path, stream, info.file_bytes)
    stream.seek(layout.data_start)
    left = layout.frames
    while left > 0:
        raw = np.frombuffer(stream.read(min(left, BLOCK_FRAMES) * layout.block_bytes), np.uint8)
        count = raw.size // layout.block_bytes
        if count == 0:
            return  # the file shrank while it was read: the collector says that it is cut off
        with np.errstate(over="ignore", invalid="ignore"):  # what float32 cannot hold becomes inf: refused
            block = _SAMPLE_READERS[subtype](raw[: count * layout.block_bytes])
        yield block.reshape(count, info.channels)
        left -= count


def _libsndfile_blocks(info: AudioInfo, stream: BinaryIO) -> Iterator[Samples]:
    import soundfile

    class Forward(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
        """Reads on without the seek that soundfile makes after every block: it costs half the time."""

        def seekable(self) -> bool:
            return False

    order = list(_VORBIS_ORDER.get(info.channels, ())) if info.subtype == "VORBIS" else []
    stream.seek(0)
    try:
        with Forward(stream) as file:
            while True:
                block: Samples = file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)
                if block.shape[0] == 0:
                    return
                yield np.ascontiguousarray(block[:, order]) if order else block
    except soundfile.LibsndfileError as error:
        raise corrupt(info.path, error.error_string) from None


def _mp3_blocks(info: AudioInfo, stream: BinaryIO) -> Iterator[Samples]:
    """Yield an MP3's music. The length tag decides: what a decoder did not cut by itself is cut here."""
    tag = mp3_tag.read_tag(stream)
    if tag is None or tag.delay == 0:
        yield from _libsndfile_blocks(info, stream)
        return
    skip = tag.delay + mp3_tag.DECODER_DELAY if _leaves_delay(stream, tag) else 0
    for block in _libsndfile_blocks(info, stream):
        cut = min(skip, len(block))
        skip -= cut
        if cut < len(block):
            yield block[cut:]


def _leaves_delay(stream: BinaryIO, tag: mp3_tag.Mp3Tag) -> bool:
    """Whether this build of libsndfile does not honour the tag: it then counts all that is coded."""
    import soundfile

    stream.seek(0)
    with soundfile.SoundFile(stream) as file:
        return bool(file.frames >= tag.coded_samples)


_FFMPEG_SCALES = {
    "u8": (128.0, 2.0**-7),
    "s16": (0.0, 2.0**-15),
    "s32": (0.0, 2.0**-31),
    "flt": (0.0, 1.0),
    "dbl": (0.0, 1.0),
}
"""For each of FFmpeg's sample formats: the value of silence, and the factor to full scale at 1."""


def _ffmpeg_blocks(info: AudioInfo, stream: BinaryIO, container: containers.Container) -> Iterator[Samples]:
    import av

    pending: list[Samples] = []
    pending_frames = 0
    with open_container(info.path, stream, container) as opened:
        try:
            for frame in opened.decode(opened.streams.audio[0]):
                if frame.sample_rate != info.sample_rate:
                    raise corrupt(
                        info.path, f"it changes from {info.sample_rate} to {frame.sample_rate} Hz on its way"
                    )
                block = _frame_samples(frame)
                if frame.pts is not None and frame.time_base is not None and frame.pts < 0:
                    block = block[round(-frame.pts * frame.time_base * info.sample_rate) :]
                pending.append(block)
                pending_frames += len(block)
                if pending_frames >= BLOCK_FRAMES // 4:
                    yield np.concatenate(pending)
                    pending, pending_frames = [], 0
        except av.error.FFmpegError as error:
            raise corrupt(info.path, error.strerror) from None
    if pending:
        yield np.concatenate(pending)


def _frame_samples(frame: "av.AudioFrame") -> Samples:
    """Return a decoded frame's samples as float32 of shape (frames, channels)."""
    array = frame.to_ndarray()
    silence, scale = _FFMPEG_SCALES[frame.format.name.removesuffix("p")]
    samples = array.T if frame.format.is_planar else array.reshape(-1, len(frame.layout.channels))
    return np.ascontiguousarray((samples.astype(np.float32) - np.float32(silence)) * np.float32(scale))
