"""Sliding windows over curves: the largest value, and the mean, around every place.

Both are odd-length windows centred on a place, or of even length with one more place behind it than ahead; beyond the
ends the last value goes on. They are what scipy.ndimage has, which takes longer to import than a song's curves to
filter.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

F = TypeVar("F", np.float32, np.float64)


def sliding_maximum(values: NDArray[F], size: int) -> NDArray[F]:
    """Return the largest of the `size` values around each."""
    held = _extended(values, size)
    reach = 1
    while reach < size:  # the largest of `reach` values from each place on
        step = min(reach, size - reach)
        held = np.maximum(held[:-step], held[step:])
        reach += step
    return held


def sliding_mean(values: NDArray[F], size: int) -> NDArray[F]:
    """Return the mean of the `size` values around each."""
    sums = np.empty(len(values) + size, np.float64)
    sums[0] = 0.0
    np.cumsum(_extended(values, size), dtype=np.float64, out=sums[1:])
    means = sums[size:] - sums[:-size]
    means *= 1.0 / size
    return means.astype(values.dtype, copy=False)


def _extended(values: NDArray[F], size: int) -> NDArray[F]:
    before = size // 2
    extended = np.empty(len(values) + size - 1, values.dtype)
    extended[before : before + len(values)] = values
    extended[:before] = values[:1]
    extended[before + len(values) :] = values[-1:]
    return extended
