"""Tempo: how strongly each tempo is present at each moment, and the tempo curve that explains a whole song.

The tempogram is a windowed autocorrelation of the onset strength read at one to four periods; a log-normal
prior around 115 BPM (people tap there: van Noorden & Moelants, "Resonance in the perception of musical
pulse", 1999) says which level is felt; Viterbi over time gives a curve that may drift and rarely jumps. What
is found here is only where the beat tracker starts from: the published tempo is refitted from beat times.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.features import HOP_S, Floats

Array = NDArray[np.float64]

BINS_AN_OCTAVE = 60
LOWEST_BPM, HIGHEST_BPM = 40.0, 250.0
PRIOR_BPM, PRIOR_OCTAVES = 115.0, 0.75
WINDOW_S, STEP_S = 8.0, 0.5
_PERIODS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Tempogram:
    """`strength` of shape (moments, tempos): how well the onsets repeat at `bpm` around `times_s`, at most 1."""

    times_s: Array
    bpm: Array
    strength: Array


def tempogram(onsets: Floats) -> Tempogram:
    """Return the tempogram of onset strength with frames `HOP_S` apart."""
    from scipy.fft import irfft, next_fast_len, rfft

    window = min(int(WINDOW_S / HOP_S), max(16, len(onsets)))
    step = max(1, int(STEP_S / HOP_S))
    bpm: Array = LOWEST_BPM * 2.0 ** np.arange(0, np.log2(HIGHEST_BPM / LOWEST_BPM), 1 / BINS_AN_OCTAVE)
    centres = np.arange(0, max(1, len(onsets)), step)
    padded = np.pad(onsets.astype(np.float64), (window // 2, window))
    taper = np.hanning(window + 2)[1:-1]
    size = next_fast_len(2 * window)
    overlap = irfft(np.abs(rfft(taper, size)) ** 2, size)[:window]
    inside = np.pad(np.ones(len(onsets)), (window // 2, window))
    lags = 60.0 / bpm[:, None] * np.arange(1, _PERIODS + 1) / HOP_S
    reachable = lags < 0.75 * window
    strength = np.zeros((len(centres), len(bpm)))
    for first in range(0, len(centres), 256):
        some = centres[first : first + 256]
        index = some[:, None] + np.arange(window)
        weight = taper * inside[index]
        x = padded[index]
        mean = (x * weight).sum(axis=1, keepdims=True) / np.maximum(weight.sum(axis=1, keepdims=True), 1e-9)
        x = (x - mean) * weight
        repeats = irfft(np.abs(rfft(x, size, axis=1)) ** 2, size, axis=1)[:, :window]
        repeats = (
            repeats / np.maximum(repeats[:, :1], 1e-9) * (overlap[0] / np.maximum(overlap, 0.02 * overlap[0]))
        )
        strength[first : first + 256] = _comb(repeats, lags, reachable)
    times_s = np.asarray(centres * HOP_S, dtype=np.float64)
    return Tempogram(times_s, bpm, strength)


def _comb(repeats: Array, lags: Array, reachable: NDArray[np.bool_]) -> Array:
    """Mean of the autocorrelation at the multiples of each period, between frames by linear interpolation."""
    low = np.minimum(lags.astype(int), repeats.shape[1] - 2)
    part = np.clip(lags - low, 0.0, 1.0)
    values = repeats[:, low] * (1 - part) + repeats[:, low + 1] * part
    weight = reachable * np.array([1.0, 1.0, 0.6, 0.8])
    comb: Array = (values * weight).sum(axis=2) / np.maximum(weight.sum(axis=1), 1e-9)
    return comb


def log_prior(bpm: Array | float, centre_bpm: float = PRIOR_BPM) -> Array:
    """Log of how likely people are to tap at `bpm`, 0 at the centre."""
    return -0.5 * (np.log2(np.asarray(bpm, dtype=np.float64) / centre_bpm) / PRIOR_OCTAVES) ** 2


def global_strength(gram: Tempogram) -> Array:
    """Return the strength of each tempo over the whole song, (tempos,), moments with clear onsets counting more."""
    clear = np.maximum(gram.strength.max(axis=1), 0.0)
    total = clear.sum()
    weight = clear if total > 0 else np.ones_like(clear)
    strength: Array = (gram.strength * weight[:, None]).sum(axis=0) / weight.sum()
    return strength


def tempo_curve(gram: Tempogram, range_bpm: tuple[float, float] | None = None) -> Array:
    """Return the tempo in BPM at each moment of `gram`, by Viterbi; within a range only, if that is given.

    A step of one bin (1.2 %) in half a second is cheap, a jump of an octave costs about as much as three
    seconds of perfectly clear evidence.
    """
    octaves = np.log2(gram.bpm)
    score = 6.0 * gram.strength + log_prior(gram.bpm)
    if range_bpm is not None:
        inside = (gram.bpm >= range_bpm[0] * 0.98) & (gram.bpm <= range_bpm[1] * 1.02)
        score = np.where(inside, score, score - 1e6)
    distance = np.abs(octaves[:, None] - octaves[None, :]) * BINS_AN_OCTAVE
    cost = np.minimum(0.15 * distance**2, 0.4 * distance + 2.0)
    best = score[0]
    came_from = np.zeros(gram.strength.shape, dtype=np.int32)
    for k in range(1, len(score)):
        options = best[None, :] - cost
        came_from[k] = options.argmax(axis=1)
        best = score[k] + options.max(axis=1)
    path = np.empty(len(score), dtype=int)
    path[-1] = int(best.argmax())
    for k in range(len(score) - 1, 0, -1):
        path[k - 1] = came_from[k, path[k]]
    return _between_bins(gram, path)


def _between_bins(gram: Tempogram, path: NDArray[np.intp]) -> Array:
    """Refine each moment's tempo by a parabola through the strengths of its bin and both neighbours."""
    rows = np.arange(len(path))
    inner = np.clip(path, 1, len(gram.bpm) - 2)
    left, middle, right = (gram.strength[rows, inner + k] for k in (-1, 0, 1))
    bend = left - 2 * middle + right
    shift = np.where(bend < -1e-9, 0.5 * (left - right) / np.where(bend < -1e-9, bend, -1.0), 0.0)
    shift = np.where(inner == path, np.clip(shift, -0.5, 0.5), 0.0)
    refined: Array = gram.bpm[path] * 2.0 ** (shift / BINS_AN_OCTAVE)
    return refined
