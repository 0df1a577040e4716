"""From floats to the grid of a file's bit depth, in place, with TPDF dither at 16 bits and, if asked for, at 24."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FRAMES_AT_ONCE = 1 << 17


def quantise(samples: NDArray[np.float32], bits: int, seed: int, *, dither_24: bool = False) -> None:
    """Put `samples` (channels, frames) on the grid of `bits` bits (16 or 24; 32 changes nothing), in place.

    Dither is triangular, 2 LSB wide, from `seed` alone, so that the same master is the same bytes. At 24 bits
    it is added in float64: float32 has no room for it.
    """
    if bits >= 32:
        return
    scale = np.float32(1 << (bits - 1))
    random = np.random.Generator(np.random.PCG64(seed))
    for start in range(0, samples.shape[1], FRAMES_AT_ONCE):
        # Exact in float32: scaling is by a power of two, and every value of 24 bits is a float32.
        block = samples[:, start : start + FRAMES_AT_ONCE]
        if dither_24 and bits == 24:
            fine = block * np.float64(scale)
            fine += random.random(block.shape, dtype=np.float32)
            fine -= random.random(block.shape, dtype=np.float32)
            np.rint(fine, out=fine)
            np.clip(fine, -scale, scale - np.float32(1.0), out=fine)
            block[:] = fine / np.float64(scale)
            continue
        block *= scale
        if bits <= 16:
            block += random.random(block.shape, dtype=np.float32)
            block -= random.random(block.shape, dtype=np.float32)
        np.rint(block, out=block)
        np.minimum(block, scale - np.float32(1.0), out=block)
        block /= scale
