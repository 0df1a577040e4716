"""Whether there is anything to follow: a pulse, and music at all.

A pulse shows as onsets that stand out and repeat. Steady noise is told from music by two facts that hold for Gaussian noise
of any colour and for nothing that people play: within narrow bands the ratio of geometric to arithmetic mean of its power
spectrum is exp(-Euler's gamma) = 0.56 in every frame, and its level does not move.
"""

import numpy as np
from numpy.typing import NDArray

from engine.analysis.features import Features, Floats, magnitudes
from engine.analysis.tempo import Tempogram, global_strength

Array = NDArray[np.float64]

CLEAR_STRENGTH = 0.09
NOISE_FLATNESS = 0.50
NOISE_TONAL_SHARE = 0.02
STEADY_LEVEL_DB = 2.5
_WINDOW, _HOP, _BANDS = 4096, 8192, 24


def has_pulse(gram: Tempogram, onsets: Floats) -> bool:
    """Whether the onsets repeat clearly enough, over the song or from moment to moment, to be tapped to."""
    if not onsets.any():
        return False
    local = float(np.percentile(gram.strength.max(axis=1), 60))
    return float(global_strength(gram).max()) >= CLEAR_STRENGTH or local >= 1.7 * CLEAR_STRENGTH


def is_noise(features: Features) -> bool:
    """Whether the whole mix is nothing but steady noise (hiss, rain, a detuned radio)."""
    flatness, level_db = _noise_measures(features.mono("mix"))
    if len(flatness) < 3:
        return False
    tonal = float((flatness < NOISE_FLATNESS - 0.12).mean())
    return (
        float(np.median(flatness)) > NOISE_FLATNESS
        and tonal < NOISE_TONAL_SHARE
        and float(np.percentile(level_db, 98) - np.percentile(level_db, 2)) < STEADY_LEVEL_DB
    )


def _noise_measures(mono: Floats) -> tuple[Array, Array]:
    """Return for each frame the mean flatness within narrow bands, and the level in dB; bands without sound are left out."""
    bins = _WINDOW // 2 + 1
    edges = np.unique(np.geomspace(8, bins - 1, _BANDS + 1).astype(int))
    frames = max(1, -(-len(mono) // _HOP))
    logs, means = (np.zeros((frames, len(edges) - 1)) for _ in range(2))

    def consume(first: int, spectra: Floats) -> None:
        power = spectra[:, : edges[-1]].astype(np.float64) ** 2 + 1e-20
        width = np.diff(edges)
        logs[first : first + len(power)] = np.add.reduceat(np.log(power), edges[:-1], axis=1) / width
        means[first : first + len(power)] = np.add.reduceat(power, edges[:-1], axis=1) / width

    magnitudes(mono, _WINDOW, _HOP, consume)
    inner = slice(1, frames - 1) if len(mono) > 4 * _WINDOW and frames > 4 else slice(0, frames)
    logs, means = logs[inner], means[inner]
    sounding = means.mean(axis=0) > 1e-7 * means.mean(axis=0).max()
    wide = np.diff(edges) >= 8
    used = sounding & wide
    flatness = np.exp(logs[:, used] - np.log(means[:, used])).mean(axis=1)
    return flatness, 10.0 * np.log10(means[:, used].sum(axis=1) + 1e-20)
