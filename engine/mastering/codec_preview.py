"""Codec preview: what lossy encoding does to a master's true peak.

The file is encoded by FFmpeg (through PyAV) as services do, decoded again and measured. A codec that this FFmpeg was
built without is told as such and is no error.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.audio import Audio, read_audio, resample
from engine.loudness import integrated_lufs, true_peak_dbtp
from engine.progress import SILENT, Monitor


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec: its name for people, FFmpeg's encoder and container, bits a second, and a rate that it insists on."""

    name: str
    encoder: str
    container: str
    bit_rate: int
    rate: int | None = None
    sample_format: str = "fltp"


CODECS: tuple[Codec, ...] = (
    Codec("AAC 256 kbit/s", "aac", "adts", 256_000),
    Codec("AAC 128 kbit/s", "aac", "adts", 128_000),
    Codec("MP3 320 kbit/s", "libmp3lame", "mp3", 320_000),
    Codec("MP3 128 kbit/s", "libmp3lame", "mp3", 128_000),
    Codec("Opus 160 kbit/s", "libopus", "ogg", 160_000, 48_000, "flt"),
    Codec("Opus 96 kbit/s", "libopus", "ogg", 96_000, 48_000, "flt"),
)
RATES = (32_000, 44_100, 48_000)
BLOCK_FRAMES = 1 << 15
TOLERANCE_DB = 0.05


@dataclass(frozen=True, slots=True)
class Preview:
    """What a codec makes of a master; `available` is false where FFmpeg has no such encoder."""

    codec: str
    available: bool
    true_peak_dbtp: float
    integrated_lufs: float
    over_db: float
    said: str


def preview_codecs(path: Path, ceiling_dbtp: float, monitor: Monitor = SILENT) -> tuple[Preview, ...]:
    """Encode and decode the file at `path` with every codec of `CODECS`, and measure what comes out.

    Raises:
        NrxError: `input.*` for a file that can't be read.
    """
    audio = read_audio(path)
    if audio.sample_rate not in RATES:
        audio = resample(audio, 48_000)
    previews = []
    for index, codec in enumerate(CODECS):
        previews.append(_preview(audio, codec, ceiling_dbtp))
        monitor.report((index + 1) / len(CODECS))
    return tuple(previews)


def _preview(audio: Audio, codec: Codec, ceiling_dbtp: float) -> Preview:
    import av

    source = audio if codec.rate in (None, audio.sample_rate) else resample(audio, codec.rate or 0)
    try:
        decoded = decoded_again(source, codec)
    except (av.error.FFmpegError, ValueError) as error:
        return Preview(
            codec.name, False, 0.0, 0.0, 0.0, f"{codec.name}: not available in this FFmpeg ({error})."
        )
    peak, loudness = true_peak_dbtp(decoded), integrated_lufs(decoded)
    over = peak - ceiling_dbtp
    if peak > 0.0:
        said = (
            f"{codec.name}: peaks at {peak:+.1f} dBTP and may clip in players; a ceiling of "
            f"{ceiling_dbtp - peak - 0.1:.1f} dBTP would keep it under full scale."
        )
    elif over > TOLERANCE_DB:
        said = f"{codec.name}: peaks at {peak:.1f} dBTP, {over:.1f} dB over the ceiling and under full scale."
    else:
        said = f"{codec.name}: stays under the ceiling, at {peak:.1f} dBTP."
    return Preview(codec.name, True, peak, loudness, over, said)


def decoded_again(audio: Audio, codec: Codec) -> Audio:
    """Return `audio` (mono or stereo) after encoding and decoding.

    Raises:
        av.error.FFmpegError, ValueError: this FFmpeg has no such encoder.
    """
    import av

    file = io.BytesIO()
    layout = "mono" if audio.channels == 1 else "stereo"
    with av.open(file, "w", format=codec.container) as container:
        stream: Any = container.add_stream(codec.encoder, rate=audio.sample_rate)
        stream.bit_rate = codec.bit_rate
        stream.layout = layout
        stream.format = codec.sample_format
        for start in range(0, audio.frames, BLOCK_FRAMES):
            block = audio.samples[:, start : start + BLOCK_FRAMES]
            frame = _frame(block, codec.sample_format, layout)
            frame.sample_rate, frame.pts = audio.sample_rate, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r", format="aac" if codec.container == "adts" else codec.container) as container:
        resampler = av.AudioResampler(format="fltp", layout=layout)
        blocks = [
            made.to_ndarray() for frame in container.decode(audio=0) for made in resampler.resample(frame)
        ]
        rate = int(container.streams.audio[0].rate)
    samples = np.concatenate(blocks, axis=1) if blocks else np.zeros((audio.channels, 0), np.float32)
    return Audio(np.ascontiguousarray(samples, np.float32), rate)


def _frame(block: NDArray[np.float32], sample_format: str, layout: str) -> Any:
    import av

    packed = block.T.reshape(1, -1) if sample_format == "flt" else block
    return av.AudioFrame.from_ndarray(np.ascontiguousarray(packed), format=sample_format, layout=layout)
