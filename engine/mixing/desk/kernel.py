"""A strip's linear filters as one kernel: low cut, equaliser bands and, where it is ducked, the band of the dip.

Bands are the second-order sections of the audio EQ cookbook (Bristow-Johnson): bell, low shelf, high shelf. The
cascade's impulse response, 0.15 s of it, is what `engine.mixing.filters` convolves with: however many bands a strip
has, it costs the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import cos, pi, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from engine.audio.recursive import butterworth
from engine.mixing.filters import StripFilters, filters_of
from engine.mixing.session.strips import EqBand

HIGHEST_OF_NYQUIST = 0.9


def band_sections(band: EqBand, sample_rate: int) -> NDArray[np.float64]:
    """Return a band as a second-order section, shape (1, 6)."""
    frequency = min(band.hz, HIGHEST_OF_NYQUIST * sample_rate / 2.0)
    angle = 2.0 * pi * frequency / sample_rate
    level = 10.0 ** (band.db / 40.0)
    alpha, turn = sin(angle) / (2.0 * band.q), cos(angle)
    if band.kind == "bell":
        b = (1.0 + alpha * level, -2.0 * turn, 1.0 - alpha * level)
        a = (1.0 + alpha / level, -2.0 * turn, 1.0 - alpha / level)
    else:
        sign = 1.0 if band.kind == "low_shelf" else -1.0
        root = 2.0 * sqrt(level) * alpha
        up, down = level + 1.0, level - 1.0
        b = (
            level * (up - sign * down * turn + root),
            sign * 2.0 * level * (down - sign * up * turn),
            level * (up - sign * down * turn - root),
        )
        a = (
            up + sign * down * turn + root,
            -sign * 2.0 * (down + sign * up * turn),
            up + sign * down * turn - root,
        )
    return np.array([[*(value / a[0] for value in b), 1.0, a[1] / a[0], a[2] / a[0]]])


def sections_of(
    low_cut_hz: float, bands: Sequence[EqBand], sample_rate: int, *, slope_db: int = 12
) -> NDArray[np.float64]:
    """Return low cut (Butterworth, 12 or 24 dB an octave; 0 Hz for none) and bands as sections, shape (n, 6)."""
    parts = [band_sections(band, sample_rate) for band in bands if band.db]
    if 0.0 < low_cut_hz < 0.45 * sample_rate:
        parts.insert(0, butterworth(slope_db // 6, low_cut_hz, "highpass", sample_rate))
    return np.concatenate(parts) if parts else np.zeros((0, 6))


def strip_kernel(sections: NDArray[np.float64], sample_rate: int) -> StripFilters:
    """Return the filters of a strip with these sections; they also hold the dip's band behind them."""
    return _kernel(sections.tobytes(), len(sections), sample_rate)


@lru_cache(maxsize=64)
def _kernel(packed: bytes, count: int, sample_rate: int) -> StripFilters:
    return filters_of(np.frombuffer(packed).reshape(count, 6).copy() if count else None, sample_rate)
