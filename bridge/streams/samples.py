"""Samples as they leave: interleaved and little-endian, 16-bit integers or 32-bit floats."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.streams.request import Format
    from engine.audio.buffer import Samples

FULL_SCALE = 32767.0


def encoded(samples: "Samples", kind: "Format") -> bytes:
    """Return float32 samples (channels, frames) as bytes; what exceeds full scale is cut off in 16 bits."""
    import numpy as np

    if kind == "f32":
        return bytes(samples.T.astype("<f4").tobytes())
    whole = np.clip(np.rint(samples.T * np.float32(FULL_SCALE)), -FULL_SCALE - 1, FULL_SCALE)
    return bytes(whole.astype("<i2").tobytes())
