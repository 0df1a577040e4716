"""What a file's header says of its audio, and the bounds that it must keep before anything is decoded."""

from dataclasses import dataclass
from pathlib import Path

from engine.audio.refusals import empty
from engine.errors import NrxError

INTEGER_BITS = {
    "PCM_S8": 8,
    "PCM_U8": 8,
    "PCM_16": 16,
    "PCM_24": 24,
    "PCM_32": 32,
    "ALAC_16": 16,
    "ALAC_20": 20,
    "ALAC_24": 24,
    "ALAC_32": 32,
    "DPCM_8": 8,
    "DPCM_16": 16,
}
"""Bits of each lossless integer subtype (names are libsndfile's)."""

MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 4_000, 384_000
"""Hz, the rates that are supported: below there is no music, above there is no converter."""

FLOAT_SUBTYPES = frozenset({"FLOAT", "DOUBLE"})


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """A file's audio by its header: nothing was decoded.

    `format` is "WAV", "AIFF", "FLAC", "OGG", "MP3", "M4A", …; `subtype` is libsndfile's name ("PCM_24",
    "FLOAT", "VORBIS", "MPEG_LAYER_III") or "AAC", "ALAC_24". `frames` is None where the header does not say;
    `frames_are_exact` is False where it is an estimate (an MP3 without a length tag). `time_reference_frames`
    is the BWF start on the timeline.
    """

    path: Path
    format: str
    subtype: str
    sample_rate: int
    channels: int
    frames: int | None
    file_bytes: int
    frames_are_exact: bool = True
    time_reference_frames: int = 0

    @property
    def duration_s(self) -> float | None:
        """Length in seconds, or None where the header does not say."""
        return None if self.frames is None else self.frames / self.sample_rate

    @property
    def lossy(self) -> bool:
        """Whether the coding loses information (MP3, AAC, Vorbis, Opus, ADPCM, A-law …)."""
        return self.subtype not in INTEGER_BITS and not self.is_float

    @property
    def is_float(self) -> bool:
        """Whether samples are stored as floating point."""
        return self.subtype in FLOAT_SUBTYPES


def best_subtype(info: AudioInfo) -> str:
    """Return the WAV subtype that keeps all of the input: "PCM_24", "PCM_32" or "FLOAT".

    Integer input up to 24 bits gets PCM_24 and 32-bit integer PCM_32; float input, and lossy input (its
    decoder gives floats that may exceed full scale), get FLOAT.
    """
    bits = INTEGER_BITS.get(info.subtype)
    if bits is None:
        return "FLOAT"
    return "PCM_24" if bits <= 24 else "PCM_32"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on an input, checked from its header before decoding and again while decoding.

    `max_decoded_bytes` bounds the float32 samples in memory, whatever the header makes of rate, channels and
    length.
    """

    max_bytes: int = 16 << 30
    min_sample_rate: int = MIN_SAMPLE_RATE
    max_sample_rate: int = MAX_SAMPLE_RATE
    max_channels: int = 8
    max_duration_s: float = 3 * 3600.0
    max_decoded_bytes: int = 4 << 30

    def max_frames(self, sample_rate: int, channels: int) -> int:
        """Return how many frames of this rate and channel count are allowed."""
        return min(int(self.max_duration_s * sample_rate), self.max_decoded_bytes // (4 * channels))

    def check_size(self, path: Path, file_bytes: int) -> None:
        """Refuse a file of too many bytes.

        Raises:
            NrxError: `input.too_large`.
        """
        if file_bytes > self.max_bytes:
            raise NrxError(
                "input.too_large",
                f'"{path.name}" is {file_bytes / 2**30:.1f} GiB large and the limit is'
                f" {self.max_bytes / 2**30:.1f} GiB; cut it into shorter files.",
            )

    def check(self, info: AudioInfo) -> None:
        """Refuse rates, channel counts and lengths outside the bounds.

        Raises:
            NrxError: `input.sample_rate`, `input.channels`, `input.empty` or `input.too_long`.
        """
        name = info.path.name
        self.check_size(info.path, info.file_bytes)
        if not self.min_sample_rate <= info.sample_rate <= self.max_sample_rate:
            raise NrxError(
                "input.sample_rate",
                f'"{name}" says that its sample rate is {info.sample_rate} Hz, and {self.min_sample_rate} to'
                f" {self.max_sample_rate} Hz can be used; export it at 44100 or 48000 Hz.",
            )
        if not 1 <= info.channels <= self.max_channels:
            raise NrxError(
                "input.channels",
                f'"{name}" has {info.channels} channels, and 1 to {self.max_channels} can be used;'
                " export it in stereo.",
            )
        if info.frames == 0:
            raise empty(info.path)
        if info.frames is not None and info.frames > self.max_frames(info.sample_rate, info.channels):
            raise self.too_long(info, info.frames)

    def too_long(self, info: AudioInfo, frames: int) -> NrxError:
        """Return the error for audio of `frames` frames or more."""
        most_s = self.max_frames(info.sample_rate, info.channels) / info.sample_rate
        return NrxError(
            "input.too_long",
            f'"{info.path.name}" says that it is {frames / info.sample_rate / 60:.1f} minutes long at'
            f" {info.sample_rate} Hz with {info.channels} channels, and at most {most_s / 60:.1f} minutes of"
            " that can be worked on; cut it into shorter files.",
        )
