"""Where something begins: peaks of the spectral flux of a short window.

Flux is the mean rise, over 32 bands on a log-frequency axis, of log-compressed magnitude over 23 ms. An onset is a
local peak above the mean of its surroundings and above a share of the song's strong peaks.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Samples
from engine.separation.spectral.stft import Framing, cut, transform

HOP_S = 256 / 44100
BANDS = 32
LOWEST_HZ, HIGHEST_HZ = 40.0, 16000.0
RISE_HOPS = 4
COMPRESSION = 1e4
NEAR_S = 0.03
AROUND_S = 0.3


def band_matrix(frequencies_hz: NDArray[np.float32], count: int, lowest_hz: float) -> NDArray[np.float32]:
    """Return (bins, count): the mean over each of `count` equal steps of log frequency up to 16 kHz."""
    highest_hz = min(HIGHEST_HZ, float(frequencies_hz[-1]))
    edges = np.geomspace(lowest_hz, highest_hz, count + 1)
    matrix = np.zeros((len(frequencies_hz), count), dtype=np.float32)
    for band, (low, high) in enumerate(pairwise(edges)):
        inside = (frequencies_hz >= low) & (frequencies_hz < high)
        if not inside.any():
            inside[np.argmin(np.abs(frequencies_hz - (low + high) / 2))] = True
        matrix[inside, band] = 1 / inside.sum()
    return matrix


class Flux:
    """Spectral flux of any stretch of a signal whose peak is `peak`."""

    def __init__(self, sample_rate: int, length_frames: int, peak: float) -> None:
        self.framing = Framing.of(sample_rate, length_frames, HOP_S)
        scale = COMPRESSION * 4 / (peak * self.framing.window_length)
        self.matrix = band_matrix(self.framing.frequencies_hz(), BANDS, LOWEST_HZ) * np.float32(scale)

    def between(self, samples: Samples, start: int, stop: int) -> NDArray[np.float32]:
        """Return the flux at its frames `start` to `stop`, of the mean of the channels of a signal."""
        reach = RISE_HOPS // 2
        mono = cut(samples, self.framing, start - reach, stop + reach).mean(axis=0, keepdims=True)
        magnitude = np.abs(transform(mono, self.framing)[0])
        loudness = np.log1p(magnitude @ self.matrix)
        rise: NDArray[np.float32] = np.maximum(0, loudness[RISE_HOPS:] - loudness[:-RISE_HOPS]).mean(axis=1)
        return rise

    def seconds(self, frames: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the times of the centres of frames."""
        return (frames - 1) * self.framing.hop / self.framing.sample_rate

    def onsets_s(self, flux: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the times of onsets, from the flux of the whole signal."""
        from scipy.ndimage import maximum_filter1d, uniform_filter1d

        rate = self.framing.frame_rate
        is_peak = maximum_filter1d(flux, 2 * round(NEAR_S * rate) + 1) == flux
        around = uniform_filter1d(flux, 2 * round(AROUND_S * rate) + 1)
        strong = float(np.quantile(flux, 0.98))
        return self.seconds(np.flatnonzero(is_peak & (flux > 1.3 * around + 0.15 * strong) & (flux > 1e-3)))
