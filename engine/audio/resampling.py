"""Sample-rate conversion by soxr at its very high quality: linear phase, no delay, in blocks."""

import numpy as np

from engine.audio.buffer import Audio
from engine.progress import SILENT, Monitor

_BLOCK_FRAMES = 1 << 18


def resample(audio: Audio, rate: int, *, monitor: Monitor = SILENT) -> Audio:
    """Return audio at another rate, of exactly round(frames * rate / sample_rate) frames.

    Raises:
        ValueError: if `rate` is not positive.
    """
    if rate <= 0:
        raise ValueError(f"rate must be positive, got {rate}.")
    if rate == audio.sample_rate:
        return audio
    import soxr

    frames = (2 * audio.frames * rate + audio.sample_rate) // (2 * audio.sample_rate)
    out = np.zeros((audio.channels, frames), np.float32)
    stream = soxr.ResampleStream(audio.sample_rate, rate, audio.channels, dtype="float32", quality="VHQ")
    done = 0
    for start in range(0, max(1, audio.frames), _BLOCK_FRAMES):
        end = min(audio.frames, start + _BLOCK_FRAMES)
        block = stream.resample_chunk(
            np.ascontiguousarray(audio.samples[:, start:end].T), last=end == audio.frames
        )
        count = min(len(block), frames - done)
        out[:, done : done + count] = block[:count].T
        done += count
        monitor.report(end / max(1, audio.frames))
    return Audio(out, rate)
