"""Concert pitch: how far a recording's A lies from 440 Hz.

Spectral peaks are placed exactly by parabolic interpolation (Smith, "Spectral Audio Signal Processing", ch.
"Quadratic interpolation"); their distances from the nearest semitone are angles on a circle whose weighted
mean is the tuning, and the length of that mean says how well the peaks agree. The answer lies
in ±50 cents (427 to 453 Hz).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.pitch_spectrum import RATE, WINDOW_FRAMES, magnitude_blocks
from engine.progress import SILENT, Monitor

_LOW_HZ, _HIGH_HZ = 180.0, 2500.0  # below: peaks too broad to place; above: inharmonic partials
_PEAK_FLOOR = 0.05  # of the frame's strongest peak
_MAX_FRAMES = 1500  # enough for any length of music


@dataclass(frozen=True, slots=True)
class Tuning:
    """Deviation from A = 440 Hz in cents (-50 to 50), and how well the peaks agree on it (0 to 1)."""

    cents: float
    agreement: float

    @property
    def a4_hz(self) -> float:
        """The frequency of A4."""
        return float(440.0 * 2.0 ** (self.cents / 1200.0))


STANDARD = Tuning(0.0, 0.0)
_TRUSTED_AGREEMENT = 0.1  # uniform random peaks agree by less than this


def estimate_tuning(mono: NDArray[np.float32], *, monitor: Monitor = SILENT) -> Tuning:
    """Return the tuning of a waveform at `pitch_spectrum.RATE`; `STANDARD` where no clear tones are found."""
    hop = max(WINDOW_FRAMES // 2, len(mono) // _MAX_FRAMES)
    low, high = (int(f * WINDOW_FRAMES / RATE) for f in (_LOW_HZ, _HIGH_HZ))
    total, weight_sum = 0.0 + 0.0j, 0.0
    for _, magnitude in magnitude_blocks(mono, hop, monitor=monitor):
        left, mid, right = (magnitude[:, low + d : high + d].astype(np.float64) for d in (-1, 0, 1))
        floor = _PEAK_FLOOR * mid.max(axis=1, keepdims=True) + 1e-7
        rows, columns = np.nonzero((mid > left) & (mid >= right) & (mid > floor))
        a, b, c = (np.log(x[rows, columns] + 1e-12) for x in (left, mid, right))
        offset = 0.5 * (a - c) / np.minimum(a - 2 * b + c, -1e-9)
        hz = (low + columns + offset) * RATE / WINDOW_FRAMES
        semitones = 12 * np.log2(hz / 440.0)
        weight = np.sqrt(mid[rows, columns])
        total += complex((weight * np.exp(2j * np.pi * semitones)).sum())
        weight_sum += float(weight.sum())
    agreement = abs(total) / weight_sum if weight_sum > 0 else 0.0
    if agreement < _TRUSTED_AGREEMENT:
        return STANDARD
    return Tuning(float(100 * np.angle(total) / (2 * np.pi)), agreement)
