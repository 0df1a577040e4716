"""K-weighting and channel weights of ITU-R BS.1770-4.

The standard prints coefficients for 48 kHz only. Here both second-order sections are derived from their
analogue prototypes by the bilinear transform at any rate, with the parameters that reproduce the printed
coefficients; the second section's numerator is (1, -2, 1) at every rate, as printed.
"""

from functools import lru_cache
from math import pi, tan

import numpy as np
from numpy.typing import NDArray

SHELF_HZ, SHELF_DB, SHELF_Q, SHELF_BAND_EXPONENT = (
    1681.974450955533,
    3.999843853973347,
    0.7071752369554196,
    0.4996667741545416,
)
HIGH_PASS_HZ, HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773

SURROUND = 1.41
CHANNEL_WEIGHTS: dict[int, tuple[float, ...]] = {
    1: (1.0,),
    2: (1.0, 1.0),
    3: (1.0, 1.0, 1.0),
    4: (1.0, 1.0, SURROUND, SURROUND),
    5: (1.0, 1.0, 1.0, SURROUND, SURROUND),
    6: (1.0, 1.0, 1.0, 0.0, SURROUND, SURROUND),
}
"""Weight of each channel by channel count: L R, L R C, L R Ls Rs, L R C Ls Rs, L R C LFE Ls Rs."""


@lru_cache(maxsize=32)
def _sections(sample_rate: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    k = tan(pi * SHELF_HZ / sample_rate)
    high = 10.0 ** (SHELF_DB / 20.0)
    band = high**SHELF_BAND_EXPONENT
    a0 = 1.0 + k / SHELF_Q + k * k
    shelf = (
        (high + band * k / SHELF_Q + k * k) / a0,
        2.0 * (k * k - high) / a0,
        (high - band * k / SHELF_Q + k * k) / a0,
        1.0,
        2.0 * (k * k - 1.0) / a0,
        (1.0 - k / SHELF_Q + k * k) / a0,
    )
    k = tan(pi * HIGH_PASS_HZ / sample_rate)
    a0 = 1.0 + k / HIGH_PASS_Q + k * k
    high_pass = (1.0, -2.0, 1.0, 1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / HIGH_PASS_Q + k * k) / a0)
    return shelf, high_pass


def k_weighting_sos(sample_rate: int) -> NDArray[np.float64]:
    """Return the K-weighting filter at `sample_rate` Hz as second-order sections, shape (2, 6)."""
    return np.array(_sections(sample_rate))


def channel_weights(channels: int) -> NDArray[np.float64]:
    """Return the weight of each channel, shape (channels,); channels beyond the sixth do not count."""
    weights = np.zeros(channels)
    known = CHANNEL_WEIGHTS[min(channels, 6)]
    weights[: len(known)] = known
    return weights
