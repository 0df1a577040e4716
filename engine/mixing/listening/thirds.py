"""Third-octave bands from 20 Hz to 20 kHz (IEC 61260-1 nominal centres), as sums over the bins of a short FFT.

Frames are 4096 samples under a Hann window (93 ms at 44.1 kHz), one after the other. A bin that lies across two
bands counts in both by its share; below 50 Hz bands are narrower than bins, and share them.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.audio.fourier import rfft
from engine.loudness.weighting import k_weighting_sos
from engine.mixing.filters import response_db

BANDS = 31
CENTRES_HZ: NDArray[np.float64] = 1000.0 * 10.0 ** ((np.arange(BANDS) - 17) / 10.0)
EDGE = 10.0**0.05
FRAME = 4096
FRAMES_AT_ONCE = 4
"""So few that their product with the weights stays on one thread (OpenBLAS's own would wait for each other), and as
many as the FFT transforms side by side: of a number that is no multiple of it, the rest takes twice as long."""


@lru_cache(maxsize=8)
def _weights(sample_rate: int) -> NDArray[np.float32]:
    """Return each bin's share in each band, shape (bins, BANDS)."""
    width = sample_rate / FRAME
    bins = np.arange(FRAME // 2 + 1)[:, None] * width
    low, high = CENTRES_HZ / EDGE, CENTRES_HZ * EDGE
    overlap = np.minimum(bins + width / 2, high) - np.maximum(bins - width / 2, low)
    return np.asarray(np.clip(overlap, 0.0, None) / width, dtype=np.float32)


@lru_cache(maxsize=2)
def _window() -> NDArray[np.float32]:
    window = np.hanning(FRAME + 1)[:-1]
    return np.asarray(window / np.sqrt(np.square(window).sum() * FRAME / 2), dtype=np.float32)


def frame_spectra(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the power of each bin (channels added up) of frames (channels, count, FRAME), which are overwritten."""
    frames *= _window()
    parts = rfft(frames).view(np.float32)  # real and imaginary parts in turn
    np.square(parts, out=parts)
    both = parts[0]
    for channel in parts[1:]:
        both += channel
    power: NDArray[np.float32] = both[:, 0::2] + both[:, 1::2]
    return power


def band_energies(spectra: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """Return mean-square power in each third-octave band, shape (frames, BANDS), from `frame_spectra`."""
    weights = _weights(sample_rate)
    energies = np.empty((len(spectra), BANDS), np.float32)
    whole = len(spectra) // FRAMES_AT_ONCE * FRAMES_AT_ONCE
    np.matmul(
        spectra[:whole].reshape(-1, FRAMES_AT_ONCE, spectra.shape[1]),
        weights,
        out=energies[:whole].reshape(-1, FRAMES_AT_ONCE, BANDS),
    )
    np.matmul(spectra[whole:], weights, out=energies[whole:])
    return energies


@lru_cache(maxsize=8)
def loudness_weights_db(sample_rate: int) -> NDArray[np.float64]:
    """Return the gain of K-weighting at each band's centre in dB."""
    return response_db(k_weighting_sos(sample_rate), CENTRES_HZ, sample_rate)


def in_db(energies: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return energies in dB, silence at -200."""
    return np.asarray(10.0 * np.log10(np.maximum(np.asarray(energies, dtype=np.float64), 1e-20)))
