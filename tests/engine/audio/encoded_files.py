"""Signals and files for the tests of engine.audio: bursts whose place in time is known, in any coding."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def bursts(sample_rate: int, frames: int, channels: int = 2, seed: int = 0) -> NDArray[np.float32]:
    """Return short bursts of noise in near silence, shape (channels, frames), for finding a lag exactly."""
    rng = np.random.default_rng(seed)
    samples = np.zeros((channels, frames), np.float32)
    length = min(400, frames // 5)
    for start in (frames // 50, frames // 3, 2 * frames // 3, frames - 2 * length):
        burst = rng.standard_normal((channels, length)) * np.hanning(length)
        samples[:, start : start + length] += 0.2 * burst.astype(np.float32)
    return samples


def encode(path: Path, samples: NDArray[np.float32], sample_rate: int, codec: str, **options: str) -> Path:
    """Encode samples of shape (channels, frames) with FFmpeg, as an encoder that knows its own delay does."""
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[samples.shape[0]]
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=sample_rate)
        stream.layout = layout
        stream.bit_rate = 192_000
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = sample_rate, 0, Fraction(1, sample_rate)
        resampler = av.AudioResampler(
            format=stream.codec_context.format.name, layout=layout, rate=sample_rate
        )
        for piece in (*resampler.resample(frame), *resampler.resample(None), None):
            container.mux(stream.encode(piece))
    return path


def lag(decoded: NDArray[np.float32], original: NDArray[np.float32]) -> int:
    """Return by how many samples the decoded signal is late."""
    size = 1 << int(np.ceil(np.log2(len(decoded) + len(original))))
    correlation = np.fft.irfft(np.fft.rfft(decoded, size) * np.conj(np.fft.rfft(original, size)), size)
    best = int(np.argmax(correlation))
    return best if best < size // 2 else best - size
