"""Beats: dynamic programming through the onset strength, then the exact times, then a grid where the tempo is constant.

`track` is Ellis's tracker ("Beat tracking by dynamic programming", JNMR 2007) with a period that may change
from moment to moment; it works block by block (no beat can depend on a later one less than half a period
away), so numpy does nearly all of it. `fit_line` is the robust line through beat times from which the
published tempo comes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.features import HOP_S, Floats
from engine.analysis.onsets import ATTACK_STEP_S, attack_profile

Array = NDArray[np.float64]

TIGHTNESS = 60.0
AT_ZERO_S, AT_END_S = 0.02, 0.02


def track(onsets: Floats, period_s: Array, tightness: float = TIGHTNESS) -> Array:
    """Return beat times in seconds through `onsets`, whose local period is `period_s` (one value a frame)."""
    frames = len(onsets)
    period = np.clip(period_s / HOP_S, 4.0, None)
    strength = _smooth(onsets, float(np.median(period)))
    score = np.zeros(frames)
    came_from = np.full(frames, -1, dtype=np.int64)
    position = 0
    while position < frames:
        here = float(period[position])
        shortest, longest = max(2, int(here / 2)), max(4, int(2 * here))
        stop = min(frames, position + shortest)
        t = np.arange(position, stop)
        lags = np.arange(shortest, longest + 1)
        before = t[:, None] - lags
        penalty = -tightness * np.log(lags / period[t][:, None]) ** 2
        options = np.where(before >= 0, score[np.maximum(before, 0)], 0.0) + penalty
        best = options.argmax(axis=1)
        rows = np.arange(len(t))
        value = options[rows, best]
        score[t] = strength[t] + np.maximum(value, 0.0)
        came_from[t] = np.where((value > 0) & (before[rows, best] >= 0), before[rows, best], -1)
        position = stop
    tail = max(1, int(period[-1] * 1.5))
    beat = int(frames - tail + score[-tail:].argmax()) if frames > tail else int(score.argmax())
    beats = []
    while beat >= 0:
        beats.append(beat)
        beat = int(came_from[beat])
    return np.array(beats[::-1], dtype=np.float64) * HOP_S


def _smooth(onsets: Floats, period: float) -> Array:
    from scipy.ndimage import gaussian_filter1d

    smoothed: Array = gaussian_filter1d(onsets.astype(np.float64), max(1.0, period / 32))
    spread = float(smoothed.std())
    return smoothed / spread if spread > 0 else smoothed


def sharpen(beats_s: Array, mono: Floats, reach_s: float = 0.035) -> tuple[Array, Array]:
    """Move each beat to the attack near it: (times in seconds, weight of each, 0 where nothing starts).

    First the offset common to all beats is removed, since the tracker's flux is early or late by a constant.
    """
    if len(beats_s) == 0:
        return beats_s, np.zeros(0)
    offset = common_offset(beats_s, mono, reach_s + 0.015)
    moved = beats_s + offset
    profiles = attack_profile(mono, moved, reach_s)
    offsets = (np.arange(profiles.shape[1]) - profiles.shape[1] // 2) * ATTACK_STEP_S
    preferred = profiles * np.exp(-0.5 * (offsets / (reach_s / 2)) ** 2)
    best = preferred.argmax(axis=1)
    weight = preferred.max(axis=1)
    return moved + np.where(weight > 0, offsets[best], 0.0), weight


def common_offset(beats_s: Array, mono: Floats, reach_s: float) -> float:
    """Return by how many seconds the attacks of `mono` come after `beats_s` (negative: before), as most of them do."""
    from scipy.ndimage import gaussian_filter1d

    if len(beats_s) == 0:
        return 0.0
    profiles = attack_profile(mono, beats_s, reach_s)
    profiles /= np.maximum(profiles.max(axis=1, keepdims=True), 1.0)
    together = gaussian_filter1d(profiles.mean(axis=0), 1.5)
    if together.max() <= 0:
        return 0.0
    return float((int(together.argmax()) - len(together) // 2) * ATTACK_STEP_S)


@dataclass(frozen=True, slots=True)
class Line:
    """Beat k falls on `start_s` + k * `period_s`; `spread_s` is the weighted median distance of the beats from it."""

    start_s: float
    period_s: float
    spread_s: float

    def grid(self, duration_s: float, every: float = 1.0) -> Array:
        """Return every `every`-th beat from just before 0 to just after `duration_s`."""
        step_s = self.period_s * every
        first = int(np.floor((-AT_ZERO_S - self.start_s) / step_s))
        last = int(np.ceil((duration_s - self.start_s) / step_s))
        return self.start_s + step_s * np.arange(first, last + 1, dtype=np.float64)


def fit_line(index: Array, beats_s: Array, weight: Array | None = None) -> Line:
    """Fit a line through beat times by iteratively reweighted least squares (Cauchy weights)."""
    base = np.ones(len(beats_s)) if weight is None or weight.sum() <= 0 else weight / weight.max()
    w = base.copy()
    start, period = float(beats_s[0]), float(np.median(np.diff(beats_s) / np.diff(index)))
    residual = beats_s - start - period * index
    start += float(np.median(residual))
    for _ in range(30):
        residual = beats_s - start - period * index
        scale = max(_weighted_median(np.abs(residual), base), 2e-4)
        w = base / (1.0 + (residual / (1.5 * scale)) ** 2)
        mean_k, mean_t = (w * index).sum() / w.sum(), (w * beats_s).sum() / w.sum()
        period = float((w * (index - mean_k) * (beats_s - mean_t)).sum() / (w * (index - mean_k) ** 2).sum())
        start = float(mean_t - period * mean_k)
    residual = np.abs(beats_s - start - period * index)
    return Line(start, period, _weighted_median(residual, base))


def _weighted_median(x: Array, w: Array) -> float:
    order = np.argsort(x)
    cumulated = np.cumsum(w[order])
    return float(x[order][int(np.searchsorted(cumulated, 0.5 * cumulated[-1]))])


def cover(beats_s: Array, duration_s: float) -> Array:
    """Return beats that go from 0 to the end: the first and last local periods are carried on to both ends."""
    edge = min(8, len(beats_s) - 1)
    first_period = float(np.median(np.diff(beats_s[: edge + 1])))
    last_period = float(np.median(np.diff(beats_s[-edge - 1 :])))
    before = int(np.floor((beats_s[0] + AT_ZERO_S) / first_period))
    after = max(0, int(np.ceil((duration_s - AT_END_S - beats_s[-1]) / last_period)) - 1)
    head = beats_s[0] - first_period * np.arange(before, 0, -1)
    tail = beats_s[-1] + last_period * np.arange(1, after + 1)
    return within(np.concatenate([head, beats_s, tail]), duration_s)


def within(beats_s: Array, duration_s: float) -> Array:
    """Return the beats of the file: from 0 (one up to 20 ms early is at 0) to 20 ms before its end."""
    kept = beats_s[(beats_s >= -AT_ZERO_S) & (beats_s < duration_s - AT_END_S)]
    return np.maximum(kept, 0.0)
