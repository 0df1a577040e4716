"""From floats to the grid of a file's bit depth, in place, with TPDF dither at 16 bits and, if asked for, at 24."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.mastering.parallel import in_pieces

FRAMES_AT_ONCE = 1 << 19
CACHED_FRAMES = 1 << 14
DITHER_STEPS = 65536.0
"""Steps of the dither in one of the grid."""


def quantise(
    samples: NDArray[np.float32], bits: int, seed: int, *, dither_24: bool = False, gain: float = 1.0
) -> None:
    """Put `samples` (channels, frames) on the grid of `bits` bits (16 or 24; 32 changes nothing), in place.

    Dither is triangular, 2 LSB wide, from `seed` alone, so that the same master is the same bytes. At 24 bits
    it is added in float64: float32 has no room for it. `gain` (linear) is applied first.
    """
    if bits >= 32:
        if gain != 1.0:
            samples *= np.float32(gain)
        return
    scale = float(1 << (bits - 1))
    dithered = bits <= 16 or (dither_24 and bits == 24)

    def piece(start: int) -> None:
        random = np.random.SFC64((seed, start))
        end = min(start + FRAMES_AT_ONCE, samples.shape[1])
        room = np.empty((len(samples), min(CACHED_FRAMES, end - start)))
        for first in range(start, end, CACHED_FRAMES):
            block = samples[:, first : min(first + CACHED_FRAMES, end)]
            fine = room[:, : block.shape[1]]
            fine[:] = block
            fine *= gain * scale * DITHER_STEPS
            if dithered:
                uniform = random.random_raw(-(-block.size // 2)).view(np.uint16)
                noise = uniform[: block.size].astype(np.int32)
                noise -= uniform[block.size : 2 * block.size]
                fine += noise.reshape(block.shape)
            fine *= 1.0 / DITHER_STEPS
            np.rint(fine, out=fine)
            np.clip(fine, -scale, scale - 1.0, out=fine)
            np.multiply(fine, 1.0 / scale, out=block, casting="same_kind")

    in_pieces(piece, range(0, samples.shape[1], FRAMES_AT_ONCE))
