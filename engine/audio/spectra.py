"""Spectra of what is shorter than its transform: silence behind it, and lengths that transform fast."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.audio.fourier import rfft


def padded_rfft(values: NDArray[np.floating], length: int) -> NDArray[np.complexfloating]:
    """Return the spectra of values along the last axis, with silence behind them up to `length`."""
    line = np.zeros((*values.shape[:-1], length), values.dtype)
    line[..., : values.shape[-1]] = values
    return rfft(line)


@lru_cache(maxsize=1024)
def fast_length(least: int) -> int:
    """Return the smallest number that is at least `least` and has no prime factor above 5."""
    best = 1 << max(0, least - 1).bit_length()
    five = 1
    while five < best:
        odd = five
        while odd < best:
            best = min(best, odd << max(0, -(-least // odd) - 1).bit_length())
            odd *= 3
        five *= 5
    return best


@lru_cache(maxsize=1024)
def fast_length_within(most: int) -> int:
    """Return the largest number that is at most `most` and has no prime factor above 5."""
    best = five = 1
    while five <= most:
        odd = five
        while odd <= most:
            best = max(best, odd << (most // odd).bit_length() - 1)
            odd *= 3
        five *= 5
    return best
