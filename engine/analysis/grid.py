"""From tracked beats to published beats: a grid where one tempo fits the whole song, a smooth curve elsewhere.

A production made to a click has its attacks within a few milliseconds of a straight line; then every beat is
put on that line, exact to about a millisecond, through silence and to both ends. Otherwise beats stay where
the attacks are, smoothed by local lines as far as the song itself is smooth (tempo automation), and are
carried on at both ends.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.beats import Line, cover, fit_line, within

Array = NDArray[np.float64]

ON_GRID_S = 0.012
GRID_REACH_S = 0.035
STEADY_SHARE = 0.6
DRIFT_S = 0.018
SMOOTH_BEATS = 4
WINDOW_BEATS, EVEN_S, OTHER_TEMPO, ELSEWHERE_SHARE = 12, 0.008, 0.012, 0.15


@dataclass(frozen=True, slots=True, eq=False)
class BeatTimes:
    """The beats of a whole song, their tempo, whether one tempo fits all, and how far attacks lie off them."""

    beats_s: Array
    bpm: float
    steady: bool
    spread_s: float


def settle(beats_s: Array, weight: Array, duration_s: float) -> BeatTimes:
    """Return the published beats of a song from sharpened ones with their weights (see `beats.sharpen`)."""
    line = steady_line(beats_s, weight)
    if line is not None:
        line = _rounded(line, duration_s)
        return BeatTimes(within(line.grid(duration_s), duration_s), 60.0 / line.period_s, True, line.spread_s)
    smooth, spread_s = _smoothed(beats_s, weight)
    covered = cover(smooth, duration_s)
    return BeatTimes(covered, 60.0 / float(np.median(np.diff(smooth))), False, spread_s)


def steady_line(beats_s: Array, weight: Array, ticks: int = 1) -> Line | None:
    """Return the line that fits all beats of a song at one tempo, or None if its tempo moves.

    With `ticks` 2 the line ticks twice a beat, which a tracker that slipped to the off-beats here and there
    still fits. The period is first found as the strongest line in the spectrum of the beat times, which a
    skipped or doubled beat cannot derail; beats are then numbered by it and fitted robustly.
    """
    if len(beats_s) < 4:
        return None
    w = np.minimum(weight, np.median(weight[weight > 0])) if (weight > 0).any() else np.ones(len(beats_s))
    middle = float(np.median(np.diff(beats_s))) / ticks
    period = _spectral_period(beats_s, w, middle)
    start = _circular_start(beats_s, w, period)
    index = np.round((beats_s - start) / period)
    near = np.abs(beats_s - start - index * period) < min(GRID_REACH_S, 0.2 * period)
    if (w * near).sum() < STEADY_SHARE * w.sum() or len(np.unique(index[near])) < 4:
        return None
    line = fit_line(index[near], beats_s[near], w[near])
    index = np.round((beats_s - line.start_s) / line.period_s)
    off = beats_s - line.start_s - index * line.period_s
    on_grid = (w * (np.abs(off) < ON_GRID_S)).sum() / w.sum()
    drift_s = float(np.percentile(np.abs(_running_median(off[np.abs(off) < 0.25 * middle])), 95))
    if (
        on_grid < STEADY_SHARE
        or drift_s > DRIFT_S
        or _share_elsewhere(beats_s, line.period_s * ticks) > ELSEWHERE_SHARE
    ):
        return None
    return line


def _share_elsewhere(beats_s: Array, period_s: float) -> float:
    """Return in how large a share of the song beats run evenly at a tempo other than `period_s`."""
    if len(beats_s) < 2 * WINDOW_BEATS:
        return 0.0
    windows = np.lib.stride_tricks.sliding_window_view(beats_s, WINDOW_BEATS)
    index = np.arange(WINDOW_BEATS) - (WINDOW_BEATS - 1) / 2
    local = windows @ index / (index**2).sum()
    off = windows - windows.mean(axis=1, keepdims=True) - local[:, None] * index
    even = np.median(np.abs(off), axis=1) < EVEN_S
    return float((even & (np.abs(local / period_s - 1) > OTHER_TEMPO)).mean())


def _spectral_period(beats_s: Array, w: Array, middle: float) -> float:
    span = float(beats_s[-1] - beats_s[0])
    resolution = middle**2 / (8.0 * span)
    period = middle
    for reach, step in ((0.03 * middle, resolution), (2 * resolution, resolution / 20)):
        tried = period + np.arange(-reach, reach + step, step)
        strength = np.concatenate(
            [
                np.abs(np.exp(-2j * np.pi * (beats_s - beats_s[0]) / some[:, None]) @ w)
                for some in np.array_split(tried, max(1, len(tried) * len(beats_s) // 2_000_000))
            ]
        )
        period = float(tried[int(strength.argmax())])
    return period


def _circular_start(beats_s: Array, w: Array, period: float) -> float:
    angle = float(np.angle((w * np.exp(2j * np.pi * beats_s / period)).sum()))
    return angle / (2 * np.pi) * period


def _running_median(x: Array, length: int = 17) -> Array:
    if len(x) < length:
        return np.array([np.median(x)]) if len(x) else np.zeros(1)
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(x, length), axis=1))


def _rounded(line: Line, duration_s: float) -> Line:
    """Take the roundest tempo, and a start at 0, that the beats cannot tell from the fitted ones."""
    middle_beat = np.round((duration_s / 2 - line.start_s) / line.period_s)
    middle_s = line.start_s + middle_beat * line.period_s
    allowed_s = min(0.004, max(0.0015, line.spread_s))
    bpm = 60.0 / line.period_s
    period = line.period_s
    for decimals in (0, 1, 2):
        rounded = 60.0 / round(bpm, decimals)
        if abs(rounded - line.period_s) * (duration_s / 2 / line.period_s) <= allowed_s:
            period = rounded
            break
    start = middle_s - middle_beat * period
    first = start - np.round(start / period) * period
    if abs(first) <= allowed_s + 0.001:
        start = 0.0
    return Line(float(start), float(period), line.spread_s)


def _smoothed(beats_s: Array, weight: Array) -> tuple[Array, float]:
    """Pull each beat to a local parabola through its neighbours: fully where the song follows it within a few ms."""
    count = len(beats_s)
    if count < 2 * SMOOTH_BEATS + 1:
        return beats_s, 0.0
    fitted, spread = np.empty(count), np.empty(count)
    w_all = np.maximum(weight, 0.05 * max(float(weight.max()), 1e-9))
    for k in range(count):
        first = min(max(0, k - SMOOTH_BEATS), count - 2 * SMOOTH_BEATS - 1)
        around = np.arange(first, first + 2 * SMOOTH_BEATS + 1)
        x = (around - k).astype(np.float64)
        basis = np.stack([np.ones_like(x), x, x**2], axis=1)
        w = np.sqrt(w_all[around])
        for _ in range(3):
            solution, *_ = np.linalg.lstsq(basis * w[:, None], beats_s[around] * w, rcond=None)
            off = np.abs(beats_s[around] - basis @ solution)
            w = np.sqrt(w_all[around]) / np.sqrt(1.0 + (off / max(2 * float(np.median(off)), 1e-3)) ** 2)
        fitted[k], spread[k] = solution[0], np.sqrt(float(np.mean(off**2)))
    trust = 1.0 / (1.0 + (spread / EVEN_S) ** 4)
    return np.maximum.accumulate(trust * fitted + (1 - trust) * beats_s), float(np.median(spread))
