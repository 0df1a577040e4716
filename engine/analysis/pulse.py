"""Whether there is anything to follow: a pulse, and music at all.

A pulse shows as onsets that stand out and repeat. Steady noise is told from music by two facts that hold for
Gaussian noise of any colour and for nothing that people play: within narrow bands the ratio of geometric to
arithmetic mean of its power spectrum is exp(-Euler's gamma) = 0.56 in every frame, and its level does not
move, not even within a tenth of a second (a shaker's does).
"""

import numpy as np
from numpy.typing import NDArray

from engine.analysis.features import RATE, Features, Floats, magnitudes
from engine.analysis.tempo import Tempogram, global_strength

Array = NDArray[np.float64]

CLEAR_STRENGTH = 0.09
AUDIBLE_RISE = 1.0
NOISE_FLATNESS, TONAL_FLATNESS, TONAL_SHARE = 0.50, 0.34, 0.02
STILL_DB = 3.0
_FINE_WINDOW, _COARSE_WINDOW = 1024, 4096
_BANDS, _NARROWEST_BINS = 24, 8
_MOST_FRAMES, _FEWEST_FRAMES = 4000, 40
_EDGE_FRAMES = 10


def has_pulse(gram: Tempogram, features: Features) -> bool:
    """Whether onsets can be heard and repeat clearly enough, over the song or for moments, to be tapped to."""
    rise = features.flux("mix").total[_EDGE_FRAMES:-_EDGE_FRAMES]
    if len(rise) == 0 or float(np.percentile(rise, 99.5)) < AUDIBLE_RISE:
        return False
    local = float(np.percentile(gram.strength.max(axis=1), 60))
    return float(global_strength(gram).max()) >= CLEAR_STRENGTH or local >= 1.7 * CLEAR_STRENGTH


def is_noise(features: Features) -> bool:
    """Whether the whole mix is nothing but steady noise (hiss, rain, a detuned radio)."""
    mono = features.mono("mix")
    if len(mono) < 2 * _COARSE_WINDOW:
        return False
    highest_hz = 0.44 * min(RATE, features.sources["mix"].sample_rate)
    flatness, _ = noise_measures(mono, _COARSE_WINDOW, highest_hz)
    if flatness.size == 0 or np.median(flatness, axis=0).min() < TONAL_FLATNESS:
        return False
    each = flatness.mean(axis=1)
    if float(np.median(each)) < NOISE_FLATNESS or float((each < TONAL_FLATNESS).mean()) > TONAL_SHARE:
        return False
    _, level_db = noise_measures(mono, _FINE_WINDOW, highest_hz)
    return float(np.percentile(level_db, 98) - np.percentile(level_db, 2)) < STILL_DB


def noise_measures(mono: Floats, window: int, highest_hz: float) -> tuple[Array, Array]:
    """Return (flatness within narrow bands, (frames, bands); mean level of the bands in dB, (frames,)) within `mono`.

    At most 4000 frames are looked at, up to `highest_hz`. Bands without sound are left out.
    """
    hop = int(np.clip(len(mono) // _FEWEST_FRAMES, window // 4, window))
    hop = max(hop, len(mono) // _MOST_FRAMES)
    edges = np.unique(np.geomspace(_NARROWEST_BINS, window * highest_hz / RATE, _BANDS + 1).astype(int))
    edges = edges[np.concatenate([[True], np.diff(edges) >= _NARROWEST_BINS])]
    width = np.diff(edges)
    logs: list[Array] = []
    means: list[Array] = []

    def consume(_first: int, spectra: Floats) -> None:
        power = spectra[:, : edges[-1]].astype(np.float64) ** 2 + 1e-20
        logs.append(np.add.reduceat(np.log(power), edges[:-1], axis=1) / width)
        means.append(np.add.reduceat(power, edges[:-1], axis=1) / width)

    magnitudes(mono, window, hop, consume)
    edge = window // hop
    log, mean = (np.concatenate(x)[edge : -edge - 1] for x in (logs, means))
    sounding = mean.mean(axis=0) > 1e-7 * mean.mean(axis=0).max()
    log, mean = log[:, sounding], np.log(mean[:, sounding])
    flatness: Array = np.exp(log - mean)
    level_db: Array = 10.0 / np.log(10.0) * mean.mean(axis=1)
    return flatness, level_db
