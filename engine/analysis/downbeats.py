"""Metre and downbeats: which beats start a bar, and whether bars have three beats or four.

Each beat gets cues (chord change, kick, bass note, accent, change of sound from bar to bar, and snare). A bar template
says how each cue is spread over the bar; the metre and phase that fit best win, and Viterbi through the song lets the
phase change where the evidence for an odd bar is strong. The snare argues by its antiphase: in 4/4 it marks beats 2 and 4,
in 3/4 beats 2 and 3.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.features import CHROMA_HOP_S, HOP_S, Features, Floats

Array = NDArray[np.float64]

METRES = (4, 3)
CUE_WEIGHTS = {"chord": 1.0, "bar_change": 0.6, "kick": 0.5, "bass": 0.3, "accent": 0.3, "snare": 0.6}
JUMP_COST = 14.0


@dataclass(frozen=True, slots=True, eq=False)
class Metre:
    """`beats_per_bar`, the index of the beats that start bars, and how clearly the cues say so (0 and up)."""

    beats_per_bar: int
    downbeat_index: NDArray[np.intp]
    fit: float


def at_times(curve: Floats | Array, hop_s: float, times_s: Array, reach: int = 0) -> Array:
    """Return `curve` at `times_s`: its maximum within `reach` frames either side, or interpolated if that is 0."""
    if reach == 0:
        return np.interp(times_s, np.arange(len(curve)) * hop_s, curve)
    from scipy.ndimage import maximum_filter1d

    highest = maximum_filter1d(np.asarray(curve, dtype=np.float64), 2 * reach + 1)
    index = np.clip(np.round(times_s / hop_s).astype(int), 0, len(curve) - 1)
    chosen: Array = highest[index]
    return chosen


def harmonic_change(chroma: Floats, windows_s: tuple[float, ...] = (0.35, 0.7)) -> Array:
    """Return how different the pitch classes just after each chroma frame are from those just before, about 0 to 1."""
    level = np.sqrt(chroma.astype(np.float64))
    level /= level.sum(axis=0) + 1e-3 * level.sum() / max(1, level.shape[1]) + 1e-12
    summed = np.concatenate([np.zeros((12, 1)), np.cumsum(level, axis=1)], axis=1)
    here = np.arange(chroma.shape[1])
    change = np.zeros(len(here))
    for window_s in windows_s:
        reach = max(1, round(window_s / CHROMA_HOP_S))
        after = summed[:, np.minimum(here + reach, len(here))] - summed[:, here]
        before = summed[:, here] - summed[:, np.maximum(here - reach, 0)]
        change += _distance(before, after)
    change[: min(3, len(change))] = 0.0
    change[-3:] = 0.0
    return change / len(windows_s)


def _distance(a: Array, b: Array) -> Array:
    """One minus the correlation of the columns of `a` and `b`; 0 where either is flat."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    size = np.linalg.norm(a, axis=0) * np.linalg.norm(b, axis=0)
    return np.where(size > 1e-9, 1.0 - (a * b).sum(axis=0) / np.maximum(size, 1e-9), 0.0)


def beat_cues(features: Features, beats_s: Array) -> dict[str, Array]:
    """Return each cue of `CUE_WEIGHTS` at each beat, (beats,), as a z-score clipped at 3; all zero where it says nothing."""
    drums, bass = features.first_of("drums"), features.first_of("bass")
    drum_flux = features.flux(drums)
    chroma = features.chroma(features.first_of("other"))
    cues = {
        "chord": at_times(harmonic_change(chroma), CHROMA_HOP_S, beats_s),
        "bar_change": _bar_change(chroma, beats_s),
        "kick": at_times(drum_flux.bands[0], HOP_S, beats_s, 3),
        "bass": at_times(features.flux(bass).bands[:2].sum(axis=0), HOP_S, beats_s, 3),
        "accent": at_times(features.flux("mix").total, HOP_S, beats_s, 3),
        "snare": at_times(drum_flux.bands[1], HOP_S, beats_s, 3),
    }
    return {name: _z(value) for name, value in cues.items()}


def _bar_change(chroma: Floats, beats_s: Array, reach: int = 3) -> Array:
    """Difference between the `reach` beats from each beat on and as many before it."""
    edges = np.append(beats_s, beats_s[-1] + (beats_s[-1] - beats_s[-2] if len(beats_s) > 1 else 0.5))
    index = np.clip(np.round(edges / CHROMA_HOP_S).astype(int), 0, chroma.shape[1])
    level = np.sqrt(chroma.astype(np.float64))
    summed = np.concatenate([np.zeros((12, 1)), np.cumsum(level, axis=1)], axis=1)
    k = np.arange(len(beats_s))
    after = summed[:, index[np.minimum(k + reach, len(beats_s))]] - summed[:, index[k]]
    before = summed[:, index[k]] - summed[:, index[np.maximum(k - reach, 0)]]
    change = _distance(before, after)
    change[:reach] = 0.0
    return change


def _z(x: Array) -> Array:
    spread = float(x.std())
    return np.clip((x - x.mean()) / spread, -3.0, 3.0) if spread > 1e-9 else np.zeros_like(x)


def _template(name: str, beats_per_bar: int) -> Array:
    """How a cue is spread over a bar: zero mean over the bar, first against the others averaging one apart."""
    shape = np.zeros(beats_per_bar)
    if name == "snare":
        shape[1::2] = 1.0
        if beats_per_bar == 3:
            shape[1:] = 1.0
        shape -= shape.mean()
        return shape / np.abs(shape).sum() * 2
    shape[0] = 1.0
    shape -= 1.0 / beats_per_bar
    return shape / np.abs(shape).sum() * 2


def bar_evidence(cues: dict[str, Array], beats_per_bar: int) -> Array:
    """Return how well each beat (rows) suits each position in a bar (columns), (beats, beats_per_bar)."""
    evidence = sum(
        (
            weight * cues[name][:, None] * _template(name, beats_per_bar)
            for name, weight in CUE_WEIGHTS.items()
        ),
        start=np.zeros((1, beats_per_bar)),
    )
    return np.asarray(evidence) * (beats_per_bar / 2)


def find_metre(cues: dict[str, Array], metres: tuple[int, ...] = METRES) -> Metre:
    """Return the metre whose bars fit the cues of the beats best; four beats from the first if nothing speaks."""
    count = len(next(iter(cues.values())))
    best: tuple[float, int, Array] | None = None
    for beats_per_bar in metres:
        if count < 2 * beats_per_bar:
            continue
        evidence = bar_evidence(cues, beats_per_bar)
        fit = max(_phase_fit(evidence, phase) for phase in range(beats_per_bar))
        if best is None or fit > best[0] + 1e-9:
            best = (fit, beats_per_bar, evidence)
    if best is None:
        return Metre(metres[0], np.arange(0, count, metres[0]), 0.0)
    fit, beats_per_bar, evidence = best
    positions = _bar_positions(evidence)
    return Metre(beats_per_bar, np.flatnonzero(positions == 0), fit)


def _phase_fit(evidence: Array, phase: int) -> float:
    count, bar = evidence.shape
    return float(evidence[np.arange(count), (np.arange(count) - phase) % bar].mean())


def _bar_positions(evidence: Array) -> NDArray[np.intp]:
    """Viterbi: the position of each beat in its bar; leaving the regular count costs `JUMP_COST`."""
    count, bar = evidence.shape
    best = evidence[0].copy()
    came_from = np.zeros((count, bar), dtype=np.intp)
    regular = (np.arange(bar) - 1) % bar
    for k in range(1, count):
        jump = int(best.argmax())
        jumped = best[jump] - JUMP_COST > best[regular]
        came_from[k] = np.where(jumped, jump, regular)
        best = evidence[k] + np.where(jumped, best[jump] - JUMP_COST, best[regular])
    positions = np.empty(count, dtype=np.intp)
    positions[-1] = int(best.argmax())
    for k in range(count - 1, 0, -1):
        positions[k - 1] = came_from[k, positions[k]]
    return positions
