"""Bands far below half the sampling rate, made at a quarter of it and raised back: less to transform.

A block's spectrum cut off at an eighth of the rate is that of the band at a quarter of the rate, exactly. To raise it
again is a sinc under a Kaiser window of 16 samples at the lower rate, which passes what the two lower bands of
`engine.mastering.bands` hold within 0.0003 and lets images through 90 dB down.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engine.audio.fourier import irfft

FACTOR = 4
REACH = 8
KAISER_BETA = 9.0
GROUP = 8
"""Samples at the lower rate that are raised together."""
GROUPS_AT_ONCE = 256
"""So few that the product stays on one thread."""
LOW_BANDS = 2
LOWEST_RATE = 40_000
"""Below this the two lower bands fill too much of a quarter of the rate."""


def at_low_rate(spectra: NDArray[np.complex64], length: int) -> NDArray[np.float32]:
    """Return the samples at a quarter of the rate of spectra cut off at `length // 8 + 1` bins."""
    low: NDArray[np.float32] = irfft(spectra, length // FACTOR)
    low *= np.float32(1.0 / FACTOR)
    return low


def raised(low: NDArray[np.float32], first: int, frames: int) -> NDArray[np.float32]:
    """Return `frames` frames at the full rate, from the sample `first` at the lower rate on.

    `low` has shape (channels, samples), with at least 8 samples before, and 16 behind what is asked for.
    """
    groups = -(-frames // (FACTOR * GROUP))
    padded = -(-groups // GROUPS_AT_ONCE) * GROUPS_AT_ONCE
    width = GROUP + 2 * REACH - 1
    heard = np.zeros((len(low), padded, width), np.float32)
    heard[:, :groups] = sliding_window_view(low[:, first - REACH + 1 :], width, axis=1)[
        :, : groups * GROUP : GROUP
    ]
    made: NDArray[np.float32] = heard.reshape(-1, GROUPS_AT_ONCE, width) @ _interpolation()
    return made.reshape(len(low), -1)[:, :frames]


@lru_cache(maxsize=1)
def _interpolation() -> NDArray[np.float32]:
    """Return what each of a group's samples and their neighbours add to each frame: (width, GROUP * FACTOR)."""
    frame = np.arange(GROUP * FACTOR)[None, :] / FACTOR
    away = frame - (np.arange(GROUP + 2 * REACH - 1) - REACH + 1)[:, None]
    inside = np.abs(away) < REACH
    window = np.i0(KAISER_BETA * np.sqrt(np.where(inside, 1.0 - np.square(away / REACH), 0.0)))
    shares = np.where(inside, np.sinc(away) * window, 0.0)
    shares /= shares.sum(axis=0)
    return shares.astype(np.float32)
