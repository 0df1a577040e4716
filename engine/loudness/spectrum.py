"""Long-term spectrum in third octaves, of the mid and the side of a stereo sound.

Band edges are the base-two ones of IEC 61260-1: centre `1000 * 2 ** (n / 3)` Hz, edges a sixth of an octave away;
`THIRD_OCTAVES_HZ` are the nominal names. Power is that of Hann-windowed frames of about 0.37 s, so that the 25 Hz band
still spans several bins; they overlap by half, and not at all in what is longer than a minute and a half. Levels are
dB of mean square, a full-scale sine in both channels being -3.01 dB in mid; mono is all mid. A band without energy is
`FLOOR_DB`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.audio.fourier import rfft

THIRD_OCTAVES_HZ = (
    25.0, 31.5, 40.0, 50.0, 63.0, 80.0, 100.0, 125.0, 160.0, 200.0, 250.0, 315.0, 400.0, 500.0, 630.0,
    800.0, 1000.0, 1250.0, 1600.0, 2000.0, 2500.0, 3150.0, 4000.0, 5000.0, 6300.0, 8000.0, 10000.0,
    12500.0, 16000.0, 20000.0,
)  # fmt: skip
CENTRES_HZ: NDArray[np.float64] = 1000.0 * 2.0 ** (np.arange(-16, 14) / 3.0)
FLOOR_DB = -160.0
FRAME_S = 16384 / 44100
FRAMES_AT_ONCE = 16
SPARSE_ABOVE_FRAMES = 256
"""A sound of this many frames is long enough to be looked at without overlap."""


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Mean power of mid and side in each third octave of `THIRD_OCTAVES_HZ`; shape (30,) each."""

    mid: NDArray[np.float64]
    side: NDArray[np.float64]

    @property
    def total(self) -> NDArray[np.float64]:
        """Mean power of both channels together, per channel."""
        return self.mid + self.side

    def level_db(self) -> NDArray[np.float64]:
        """Return the level of every band in dB."""
        return decibels(self.total)


def decibels(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return powers in dB, never below `FLOOR_DB`."""
    level: NDArray[np.float64] = 10.0 * np.log10(np.maximum(power, 10.0 ** (FLOOR_DB / 10.0)))
    return level


@lru_cache(maxsize=8)
def band_matrix(length: int, sample_rate: int) -> NDArray[np.float32]:
    """Return which share of each bin of a real FFT lies in each third octave: shape (length // 2 + 1, 30)."""
    width = sample_rate / length
    bins = np.arange(length // 2 + 1) * width
    low, high = CENTRES_HZ * 2.0 ** (-1.0 / 6.0), CENTRES_HZ * 2.0 ** (1.0 / 6.0)
    overlap = np.minimum(bins[:, None] + width / 2.0, high) - np.maximum(bins[:, None] - width / 2.0, low)
    share: NDArray[np.float32] = (np.clip(overlap, 0.0, width) / width).astype(np.float32)
    return share


def mid_side(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return mid and side, shape (2, frames), of 1 or more channels (the first two count): L = M + S, R = M - S."""
    if samples.shape[0] == 1:
        return np.concatenate((samples, np.zeros_like(samples)))
    pair = np.empty((2, samples.shape[1]), np.float32)
    np.add(samples[0], samples[1], out=pair[0])
    np.subtract(samples[0], samples[1], out=pair[1])
    pair *= np.float32(0.5)
    return pair


def frame_length(sample_rate: int) -> int:
    """Return the analysis frame's length: the power of two next to `FRAME_S`."""
    return int(2 ** round(np.log2(FRAME_S * sample_rate)))


def spectrum(audio: Audio) -> Spectrum:
    """Return the long-term spectrum of `audio`; a sound shorter than one frame is padded with silence."""
    length = frame_length(audio.sample_rate)
    hop = length // 2 if audio.frames < SPARSE_ABOVE_FRAMES * length else length
    count = max(1, -(-(audio.frames - length + hop) // hop))
    window = np.hanning(length + 1)[:-1].astype(np.float32)
    bins_power = np.zeros((2, length // 2 + 1))
    for first in range(0, count, FRAMES_AT_ONCE):
        last = min(count, first + FRAMES_AT_ONCE)
        wanted = (last - first - 1) * hop + length
        piece = mid_side(audio.samples[:, first * hop : first * hop + wanted])
        if piece.shape[1] < wanted:
            piece = np.pad(piece, ((0, 0), (0, wanted - piece.shape[1])))
        frames = np.lib.stride_tricks.sliding_window_view(piece, length, axis=1)[:, ::hop]
        bins = rfft(frames * window)
        bins_power += (np.square(bins.real) + np.square(bins.imag)).sum(axis=1)
    total = np.stack(
        [(row[:, None] * band_matrix(length, audio.sample_rate)).sum(axis=0) for row in bins_power]
    )
    # Parseval, one-sided, and frames that come every `hop` under a window of energy `sum(window ** 2)`.
    seen = max(1, audio.frames) * float(np.square(window, dtype=np.float64).sum()) / hop
    total *= 2.0 / length / seen
    return Spectrum(total[0], total[1])
