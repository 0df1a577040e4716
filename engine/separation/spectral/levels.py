"""Magnitudes kept as one byte each: 0.4 dB steps over 102 dB below a reference, 0 for anything quieter.

A song's whole spectrum is kept this way, so that an hour fits. An error of 0.2 dB is nothing to a mask, and ranks of
bytes are the ranks of what they stand for.
"""

import numpy as np
from numpy.typing import NDArray

STEP_DB = 0.4
_SCALE = np.float32(20 / STEP_DB)

BytePlane = NDArray[np.uint8]

MAGNITUDES = np.concatenate([[0.0], 10 ** ((np.arange(1, 256) - 255) * STEP_DB / 20)]).astype(np.float32)
"""The magnitude that each byte stands for, relative to the reference."""


def encode(magnitude: NDArray[np.float32]) -> BytePlane:
    """Return the bytes nearest to magnitudes that are relative to the reference (at most 1)."""
    with np.errstate(divide="ignore"):
        steps = np.rint(np.log10(magnitude) * _SCALE) + 255
    levels: BytePlane = np.clip(steps, 0, 255).astype(np.uint8)
    return levels


def decode(levels: BytePlane) -> NDArray[np.float32]:
    """Return the magnitudes that bytes stand for, relative to the reference."""
    magnitude: NDArray[np.float32] = MAGNITUDES[levels]
    return magnitude
