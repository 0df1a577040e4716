"""How well the onsets of fitted audio lie where the time map sends them, measured on the audio itself.

For each clear onset of the input, the course of level around it (80 ms before, 120 ms after) is bent by the
time map and slid over the output's; the shift of best agreement is that onset's residual. Onsets that are
not found again (correlation under 0.8) say nothing and are left out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.sync.phrases import hop_power
from engine.sync.time_map import Floats, TimeMap

HOP_S = 0.001
SMOOTH_HOPS = 7
RISE_HOPS = 20
RISE_DB = 9.0
FLOOR_BELOW_PEAK_DB = 50.0
BEFORE_S, AFTER_S = 0.08, 0.12
FARTHEST_S = 0.05
AGREEMENT = 0.8
MOST_ONSETS = 400


@dataclass(frozen=True, slots=True)
class Residual:
    """Size of the onsets' residuals in milliseconds, over `onsets` of them; None where there were none."""

    median_ms: float | None
    worst_ms: float | None
    onsets: int


def residual(
    source: NDArray[np.float32], fitted: NDArray[np.float32], sample_rate: int, time_map: TimeMap
) -> Residual:
    """Return how far onsets of `source` (channels, frames) lie from where `time_map` puts them, in `fitted`."""
    if min(source.shape[1], fitted.shape[1]) < sample_rate * (BEFORE_S + AFTER_S):
        return Residual(None, None, 0)
    old, new = level_db(source, sample_rate), level_db(fitted, sample_rate)
    hop_s = max(1, round(HOP_S * sample_rate)) / sample_rate
    around = np.arange(-BEFORE_S, AFTER_S, hop_s)
    shifts = np.arange(-FARTHEST_S, FARTHEST_S + hop_s, hop_s)
    found: list[float] = []
    for at_s in onsets_s(old, hop_s):
        shape = np.interp(at_s + around, np.arange(old.size) * hop_s, old)
        places = time_map.target(at_s + around)
        if places[0] < 0 or places[-1] > new.size * hop_s:
            continue
        slid = np.interp(places[None, :] + shifts[:, None], np.arange(new.size) * hop_s, new)
        shift_s = _best_shift(shape, slid, shifts, hop_s)
        if shift_s is not None:
            found.append(1000.0 * abs(shift_s))
    if not found:
        return Residual(None, None, 0)
    return Residual(float(np.median(found)), float(np.max(found)), len(found))


def level_db(samples: NDArray[np.float32], sample_rate: int) -> Floats:
    """Level in dB each millisecond (7 ms Hann), not below 50 dB under the loudest."""
    power = hop_power(samples, max(1, round(HOP_S * sample_rate)))
    window = np.hanning(SMOOTH_HOPS + 2)[1:-1]
    smooth = np.convolve(power, window / window.sum(), mode="same")
    floor = max(float(smooth.max(initial=0.0)) * 10.0 ** (-FLOOR_BELOW_PEAK_DB / 10.0), 1e-12)
    level: Floats = 10.0 * np.log10(np.maximum(smooth, floor))
    return level


def onsets_s(level: Floats, hop_s: float) -> Floats:
    """Times of steepest rise of at least 9 dB in 20 ms, at least 100 ms apart, the clearest first, then in order."""
    if level.size <= 2 * RISE_HOPS:
        return np.empty(0)
    rise = level[RISE_HOPS:] - level[:-RISE_HOPS]
    apart = round(0.1 / hop_s)
    chosen: list[int] = []
    blocked = np.zeros(rise.size, dtype=np.bool_)
    candidates = np.flatnonzero(rise >= RISE_DB)
    for at in candidates[np.argsort(-rise[candidates], kind="stable")].tolist():
        if not blocked[at] and len(chosen) < MOST_ONSETS:
            chosen.append(at)
            blocked[max(at - apart, 0) : at + apart] = True
    times: Floats = (np.array(sorted(chosen)) + RISE_HOPS / 2.0) * hop_s
    return times


def _best_shift(shape: Floats, slid: Floats, shifts: Floats, hop_s: float) -> float | None:
    """The shift at which `slid` (shifts, points) follows `shape` best, by a parabola; None if none does."""
    shape = shape - shape.mean()
    slid = slid - slid.mean(axis=1, keepdims=True)
    norms = np.sqrt(np.sum(slid**2, axis=1) * np.sum(shape**2))
    likeness = slid @ shape / np.maximum(norms, 1e-12)
    best = int(np.argmax(likeness))
    if likeness[best] < AGREEMENT or best in (0, shifts.size - 1):
        return None
    left, middle, right = likeness[best - 1 : best + 2]
    bend = left - 2.0 * middle + right
    return float(shifts[best] + (0.5 * (left - right) / bend * hop_s if bend < 0 else 0.0))
