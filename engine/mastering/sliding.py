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
    power = _extended(values, size)
    sums = np.zeros_like(values)
    length, taken = 1, 0
    while True:  # `power` holds the sums of `length` values from each place on, a power of two
        if size & length:
            sums += power[taken : taken + len(values)]
            taken += length
        if taken == size:
            break
        power = power[:-length] + power[length:]
        length *= 2
    sums *= values.dtype.type(1.0 / size)
    return sums


def largest_of(values: NDArray[F], count: int) -> NDArray[F]:
    """Return the largest of every `count` values, the last of what is left."""
    whole = len(values) - len(values) % count
    largest = values[:whole:count].copy()
    for place in range(1, count):
        np.maximum(largest, values[place:whole:count], out=largest)
    return largest if whole == len(values) else np.append(largest, values[whole:].max())


def _extended(values: NDArray[F], size: int) -> NDArray[F]:
    before = size // 2
    extended = np.empty(len(values) + size - 1, values.dtype)
    extended[before : before + len(values)] = values
    extended[:before] = values[:1]
    extended[before + len(values) :] = values[-1:]
    return extended
