"""Metre and downbeats: which beats start a bar, and whether bars have three beats or four.

Each beat gets cues (chord change, kick, bass note, accent, change of sound from bar to bar, snare, and whether the song
begins on it). A bar
template says how each cue is spread over the bar; the metre and phase that fit best win, and Viterbi through
the song lets the phase change where the evidence for an odd bar is strong. The snare argues by its antiphase:
in 4/4 it marks beats 2 and 4, in 3/4 beats 2 and 3.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.features import CHROMA_HOP_S, HOP_S, Features, Floats, change_between

Array = NDArray[np.float64]

METRES = (4, 3)
BACKBEATS = {4: (1, 3), 3: (1, 2)}
CUE_WEIGHTS = {
    "chord": 1.0,
    "bar_change": 0.6,
    "kick": 0.5,
    "bass": 0.3,
    "accent": 0.3,
    "snare": 0.6,
    "start": 3.0,
}
JUMP_COST = 14.0
RARER, CHANCE = 0.05, 1.5
CHANGE_PROMINENCE, CHANGE_NEAR_S = 0.15, 0.08
START_LEVEL, START_NEAR_S = 1e-3, 0.08


@dataclass(frozen=True, slots=True, eq=False)
class Metre:
    """`beats_per_bar`, the index of the beats that start bars, and how clearly the cues say so (0 and up)."""

    beats_per_bar: int
    downbeat_index: NDArray[np.intp]
    fit: float


def chords_on_downbeats(change: Array, downbeats_s: Array) -> float:
    """Return how well chord changes and downbeats meet, 0 to 1: F-measure, changes weighted by their prominence.

    `change` is `Features.harmonic_change`. Downbeats without a change cost precision, changes elsewhere cost
    recall.
    """
    from scipy.signal import find_peaks

    peaks, found = find_peaks(change, prominence=CHANGE_PROMINENCE)
    weight = found["prominences"]
    if len(peaks) == 0 or len(downbeats_s) == 0:
        return 0.0
    after = np.searchsorted(downbeats_s, peaks * CHROMA_HOP_S).clip(1, max(1, len(downbeats_s) - 1))
    sides = np.stack([after - 1, after.clip(max=len(downbeats_s) - 1)])
    gaps = np.abs(downbeats_s[sides] - peaks * CHROMA_HOP_S)
    nearest = np.where(gaps[0] <= gaps[1], sides[0], sides[1])
    met = gaps.min(axis=0) <= CHANGE_NEAR_S
    recall = weight[met].sum() / weight.sum()
    usual = float(np.median(weight))
    held = np.bincount(nearest[met], weights=weight[met], minlength=len(downbeats_s))
    precision = np.minimum(held, usual).sum() / (len(downbeats_s) * usual)
    return float(2 * precision * recall / max(precision + recall, 1e-9))


def at_times(curve: Floats | Array, hop_s: float, times_s: Array, reach: int = 0) -> Array:
    """Return `curve` at `times_s`: its maximum within `reach` frames either side, or interpolated if that is 0."""
    if reach == 0:
        return np.interp(times_s, np.arange(len(curve)) * hop_s, curve)
    from scipy.ndimage import maximum_filter1d

    highest = maximum_filter1d(np.asarray(curve, dtype=np.float64), 2 * reach + 1)
    index = np.clip(np.round(times_s / hop_s).astype(int), 0, len(curve) - 1)
    chosen: Array = highest[index]
    return chosen


def beat_cues(features: Features, beats_s: Array) -> dict[str, Array]:
    """Return each cue of `CUE_WEIGHTS` at each beat, (beats,), as a z-score clipped at 3; zero if it says nothing."""
    drums, bass = features.first_of("drums"), features.first_of("bass")
    drum_flux = features.flux(drums)
    features.heartbeat.check()
    chroma = features.chroma(features.first_of("other"))
    cues = {
        "chord": at_times(features.harmonic_change, CHROMA_HOP_S, beats_s),
        "bar_change": _bar_change(chroma, beats_s),
        "kick": at_times(drum_flux.bands[0], HOP_S, beats_s, 3),
        "bass": at_times(features.flux(bass).bands[:2].sum(axis=0), HOP_S, beats_s, 3),
        "accent": at_times(features.flux("mix").total, HOP_S, beats_s, 3),
        "snare": at_times(drum_flux.bands[1:].sum(axis=0), HOP_S, beats_s, 3),
    }
    return {name: _z(value) for name, value in cues.items()} | {"start": _start(features, beats_s)}


def _start(features: Features, beats_s: Array) -> Array:
    """One at the beat on which the song begins, if it begins on one: most songs begin with a bar."""
    level = features.flux("mix").level
    sounding = np.flatnonzero(level > START_LEVEL * np.percentile(level, 95))
    marked = np.zeros(len(beats_s))
    if len(sounding):
        off_s = np.abs(beats_s - sounding[0] * HOP_S)
        if off_s.min() <= START_NEAR_S:
            marked[int(off_s.argmin())] = 1.0
    return marked


def _bar_change(chroma: Floats, beats_s: Array, reach: int = 3) -> Array:
    """Difference between the `reach` beats from each beat on and as many before it."""
    edges = np.append(beats_s, beats_s[-1] + (beats_s[-1] - beats_s[-2] if len(beats_s) > 1 else 0.5))
    index = np.clip(np.round(edges / CHROMA_HOP_S).astype(int), 0, chroma.shape[1])
    level = np.sqrt(chroma.astype(np.float64))
    summed = np.concatenate([np.zeros((12, 1)), np.cumsum(level, axis=1)], axis=1)
    k = np.arange(len(beats_s))
    after = summed[:, index[np.minimum(k + reach, len(beats_s))]] - summed[:, index[k]]
    before = summed[:, index[k]] - summed[:, index[np.maximum(k - reach, 0)]]
    change = change_between(before, after)
    change[:reach] = 0.0
    return change


def _z(x: Array) -> Array:
    spread = float(x.std())
    return np.clip((x - x.mean()) / spread, -3.0, 3.0) if spread > 1e-9 else np.zeros_like(x)


def _template(name: str, beats_per_bar: int) -> Array:
    """How a cue is spread over a bar: zero mean over the bar, first against the others averaging one apart."""
    marked = BACKBEATS[beats_per_bar] if name == "snare" else (0,)
    shape = np.zeros(beats_per_bar)
    shape[list(marked)] = 1.0
    shape -= shape.mean()
    return np.asarray(shape / np.abs(shape).sum() * 2.0)


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


def find_metre(
    cues: dict[str, Array], metres: tuple[int, ...] = METRES, *, starts_bar: bool = False
) -> Metre:
    """Return the metre whose bars fit the cues of the beats best; four beats from the first if nothing speaks.

    Three beats must fit better by more than chance would have it, since four are the rule. With `starts_bar`
    the first beat is known to start a bar, and the beats to make whole bars.
    """
    count = len(next(iter(cues.values())))
    best: tuple[float, int, Array] | None = None
    for beats_per_bar in metres:
        if count < 2 * beats_per_bar or (starts_bar and count % beats_per_bar):
            continue
        evidence = bar_evidence(cues, beats_per_bar)
        phases = [0] if starts_bar else range(beats_per_bar)
        fit = max(_phase_fit(evidence, phase) for phase in phases)
        if best is None or fit > best[0] + RARER + CHANCE / np.sqrt(count):
            best = (fit, beats_per_bar, evidence)
    if best is None:
        return Metre(metres[0], np.arange(0, count, metres[0]), 0.0)
    fit, beats_per_bar, evidence = best
    positions = np.arange(count) % beats_per_bar if starts_bar else _bar_positions(evidence)
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
