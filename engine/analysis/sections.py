"""Sections: the form of a song in parts that start on downbeats, named by likeness, with their energy.

Every bar is described by the levels of stems, density of onsets and harmony (over four bars, so that a
progression is one thing). The best cut into parts is found by dynamic programming: parts should be even
inside, and it costs something to start one, less after a multiple of four bars (songs are built of fours).
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.analysis.curves import CURVE_HOP_S
from engine.analysis.features import CHROMA_HOP_S, HOP_S, Features
from engine.analysis.model import Section

Array = NDArray[np.float64]

SHORTEST_BARS, LONGEST_BARS = 4, 32
START_COST, ALIKE = 2.0, 0.7
UNEVEN_COST = {0: 0.0, 2: 1.2, 1: 2.0, 3: 2.0}
LEAST_VARIANCE = 0.3
LEVEL_FLOOR_DB = -45.0
ENERGY_SPAN_LU = 6.0


def find_sections(
    features: Features, downbeats_s: Array, duration_s: float, loudness: Array
) -> tuple[Section, ...]:
    """Return sections that cover 0 to `duration_s` without gaps; `loudness` is the short-term curve."""
    edges = _bar_edges(downbeats_s, duration_s)
    described = describe_bars(features, edges)
    starts = best_cut(described)
    bounds = [*starts, len(edges) - 1]
    spans = list(pairwise(bounds))
    labels = _labels(described, spans)
    energies = _energies(features, edges, spans, loudness)
    return tuple(
        Section(round(float(edges[a]), 6), round(float(edges[b]), 6), label, round(energy, 3))
        for (a, b), label, energy in zip(spans, labels, energies, strict=True)
    )


def _bar_edges(downbeats_s: Array, duration_s: float) -> Array:
    """Bars from 0 to the end; what lies before the first downbeat joins the first bar, a short rest the last one."""
    inside = downbeats_s[(downbeats_s > 0) & (downbeats_s < duration_s)]
    edges = np.concatenate([[0.0], inside, [duration_s]])
    if len(edges) > 3:
        usual = float(np.median(np.diff(edges)))
        if edges[1] - edges[0] < 0.9 * usual:
            edges = np.delete(edges, 1)
        if edges[-1] - edges[-2] < 0.9 * usual:
            edges = np.delete(edges, -2)
    return edges


def describe_bars(features: Features, edges: Array) -> Array:
    """Return one row for each bar: levels and onset densities of each stem, and harmony, of comparable weight."""
    roles = [role for role in ("vocals", "drums", "bass", "other") if features.has(role)] or ["mix"]
    columns: list[Array] = []
    loudest = np.log10(max(float(np.percentile(features.flux("mix").level, 95)), 1e-12))
    for role in roles:
        flux = features.flux(role)
        level = 10.0 * (np.log10(np.maximum(_bar_means(flux.level, HOP_S, edges), 1e-12)) - loudest)
        columns.append(np.maximum(level, LEVEL_FLOOR_DB) / 6.0)
        for band in flux.bands:
            density = _bar_means(band, HOP_S, edges)
            columns.append(density / max(float(density.max()), 1e-9) * 2.0)
    chroma = features.chroma(features.first_of("other"))
    harmony = np.stack([_bar_means(row, CHROMA_HOP_S, edges) for row in np.sqrt(chroma)], axis=1)
    harmony /= np.linalg.norm(harmony, axis=1, keepdims=True) + 1e-9
    kernel = np.ones(min(4, len(harmony)))
    smooth = np.stack([np.convolve(h, kernel / kernel.sum(), mode="same") for h in harmony.T], axis=1)[
        : len(harmony)
    ]
    return np.concatenate([np.stack(columns, axis=1), 2.0 * smooth], axis=1)


def _bar_means(x: NDArray[np.float32], hop_s: float, edges: Array) -> Array:
    summed = np.concatenate([[0.0], np.cumsum(x, dtype=np.float64)])
    index = np.clip(np.round(edges / hop_s).astype(int), 0, len(x))
    return np.asarray(np.diff(summed[index]) / np.maximum(np.diff(index), 1))


def usual_variance(bars: Array) -> float:
    """Return how much bars differ within four neighbouring ones, as the median over the song: the unit of costs."""
    if len(bars) < SHORTEST_BARS:
        return LEAST_VARIANCE
    windows = np.lib.stride_tricks.sliding_window_view(bars, SHORTEST_BARS, axis=0)
    variance = windows.var(axis=-1, ddof=1).sum(axis=1)
    return max(LEAST_VARIANCE, float(np.median(variance)))


def best_cut(bars: Array) -> list[int]:
    """Return the first bar of each section: the cut of `bars` (bars, features) of least cost."""
    count = len(bars)
    if count < 2 * SHORTEST_BARS:
        return [0]
    unit = usual_variance(bars)
    sums = np.concatenate([np.zeros((1, bars.shape[1])), np.cumsum(bars, axis=0)])
    squares = np.concatenate([[0.0], np.cumsum((bars**2).sum(axis=1))])
    best = np.full(count + 1, np.inf)
    best[0] = 0.0
    came_from = np.zeros(count + 1, dtype=int)
    for end in range(SHORTEST_BARS, count + 1):
        start = np.arange(max(0, end - LONGEST_BARS), end - SHORTEST_BARS + 1)
        length = end - start
        uneven = squares[end] - squares[start] - ((sums[end] - sums[start]) ** 2).sum(axis=1) / length
        rest = np.array([UNEVEN_COST[int(n) % 4] for n in length])
        rest[(length % 4 != 0) & ((start == 0) | (end == count))] *= 0.5
        cost = best[start] + uneven / unit + START_COST + rest
        best[end] = cost.min()
        came_from[end] = int(start[int(cost.argmin())])
    starts, end = [], count
    while end > 0:
        end = int(came_from[end])
        starts.append(end)
    return starts[::-1]


def _labels(bars: Array, spans: list[tuple[int, int]]) -> list[str]:
    """Name sections A, B, … by first appearance; alike are those whose means differ less than bars usually do."""
    limit = ALIKE * float(np.sqrt(usual_variance(bars)))
    means = np.stack([bars[a:b].mean(axis=0) for a, b in spans])
    groups: list[list[int]] = []
    names = []
    for k, mean in enumerate(means):
        gaps = [float(np.sqrt(((mean - means[g].mean(axis=0)) ** 2).sum())) for g in groups]
        if gaps and min(gaps) < limit:
            chosen = int(np.argmin(gaps))
            groups[chosen].append(k)
        else:
            chosen = len(groups)
            groups.append([k])
        names.append(_name(chosen))
    return names


def _name(number: int) -> str:
    letter = chr(ord("A") + number % 26)
    return letter if number < 26 else f"{letter}{number // 26}"


def _energies(features: Features, edges: Array, spans: list[tuple[int, int]], loudness: Array) -> list[float]:
    """Energy of each section, 0 to 1: loudness against the loudest, a third of it onset density against the densest."""
    onsets = features.flux("mix").total
    bounds = np.array([edges[a] for a, _ in spans] + [edges[spans[-1][1]]])
    density = _bar_means(onsets, HOP_S, bounds)
    power = 10.0 ** (loudness / 10.0)
    level = 10.0 * np.log10(np.maximum(_bar_means(power.astype(np.float32), CURVE_HOP_S, bounds), 1e-9))
    span = max(ENERGY_SPAN_LU, float(level.max() - level.min()))
    loud = 1.0 - (level.max() - level) / span
    dense = density / max(float(density.max()), 1e-9)
    return [float(v) for v in np.clip(0.7 * loud + 0.3 * dense, 0.0, 1.0)]
