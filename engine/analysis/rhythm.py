"""Rhythm of a song: tempo, candidates, beats, downbeats and metre, heard or from the project's own tempo map."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.analysis.beats import cover, sharpen, track
from engine.analysis.downbeats import METRES, beat_cues, find_metre
from engine.analysis.features import HOP_S, Features, Floats
from engine.analysis.grid import BeatTimes, settle, steady_line
from engine.analysis.level import Level, rank_levels
from engine.analysis.model import TempoCandidate
from engine.analysis.onsets import onset_strength
from engine.analysis.pulse import has_pulse
from engine.analysis.tempo import Tempogram, global_strength, log_prior, tempo_curve, tempogram
from engine.progress import SILENT, Monitor
from engine.tempo import TempoMap

Array = NDArray[np.float64]

CONVENIENT_BPM = 120.0
LEAST_BEATS = 4
CANDIDATES = 6
SAME_TEMPO = 0.03


@dataclass(frozen=True, slots=True, eq=False)
class Rhythm:
    """What `Analysis` says of rhythm; see there."""

    bpm: float
    candidates: tuple[TempoCandidate, ...]
    source: str
    steady: bool
    has_beat: bool
    beats_s: Array
    downbeats_s: Array
    beats_per_bar: int


def find_rhythm(
    features: Features, tempo_range_bpm: tuple[float, float] | None = None, monitor: Monitor = SILENT
) -> Rhythm:
    """Find the rhythm of a song. A range decides between the levels that it can be felt at."""
    source = "user range" if tempo_range_bpm else "estimated"
    onsets = onset_strength(features)
    monitor.report(0.4)
    gram = tempogram(onsets)
    if not has_pulse(gram, features):
        return _convenient(features.duration_s, source, tempo_range_bpm)
    levels: list[Level] = []
    for within_bpm in (None, tempo_range_bpm):
        if not levels:
            clock_s = _clock(features, onsets, tempo_curve(gram, within_bpm), gram)
            levels = rank_levels(features, onsets, clock_s, gram, tempo_range_bpm, monitor.part(0.5, 0.9))
    if not levels:
        return _convenient(features.duration_s, source, tempo_range_bpm)
    times = _settled(features, levels[0])
    if len(times.beats_s) < LEAST_BEATS:
        return _convenient(features.duration_s, source, tempo_range_bpm)
    features.heartbeat.check()
    metre = find_metre(beat_cues(features, times.beats_s), starts_bar=levels[0].is_loop)
    monitor.report(1.0)
    return Rhythm(
        bpm=times.bpm,
        candidates=_candidates(levels, times, gram),
        source=source,
        steady=times.steady,
        has_beat=True,
        beats_s=times.beats_s,
        downbeats_s=times.beats_s[metre.downbeat_index],
        beats_per_bar=metre.beats_per_bar,
    )


def _settled(features: Features, level: Level) -> BeatTimes:
    if level.is_loop:
        return BeatTimes(level.beats_s, level.bpm, True, 0.0)
    mono = features.mono(features.first_of("drums"))
    return settle(*sharpen(level.beats_s, mono), features.duration_s)


def _clock(features: Features, onsets: Floats, curve_bpm: Array, gram: Tempogram) -> Array:
    """Return the ticks of the song's pulse from 0 to its end: a regular grid if it is steady."""
    period_s = np.interp(np.arange(len(onsets)) * HOP_S, gram.times_s, 60.0 / curve_bpm)
    mono = features.mono(features.first_of("drums"))
    tracked: dict[int, Array] = {}
    for factor in (1, 2):
        features.heartbeat.check()
        tracked[factor] = track(onsets, period_s / factor)
    for factor, ticks in ((1, 1), (2, 1), (1, 2), (2, 2)):
        features.heartbeat.check()
        beats_s = tracked[factor]
        line = steady_line(*sharpen(beats_s, mono), ticks) if len(beats_s) >= LEAST_BEATS else None
        if line is not None:
            return line.grid(features.duration_s, every=factor * ticks)
    return cover(tracked[1], features.duration_s) if len(tracked[1]) >= LEAST_BEATS else tracked[1]


def _candidates(levels: list[Level], times: BeatTimes, gram: Tempogram) -> tuple[TempoCandidate, ...]:
    """The chosen tempo, its half and double, and what else the levels and the tempogram speak for, best first."""
    top = levels[0].score
    found = [(times.bpm, 1.0)]
    found += [(level.bpm * (times.bpm / levels[0].bpm), np.exp(level.score - top)) for level in levels]
    strength = global_strength(gram) * np.exp(log_prior(gram.bpm))
    inner = strength[1:-1]
    peaks = 1 + np.flatnonzero((inner > strength[:-2]) & (inner >= strength[2:]))
    peaks = peaks[np.argsort(-strength[peaks])][:4]
    found += [(float(gram.bpm[p]), 0.4 * float(strength[p] / max(strength.max(), 1e-9))) for p in peaks]
    octaves = [(times.bpm * factor, 0.02) for factor in (0.5, 2.0)]
    kept: list[tuple[float, float]] = []
    for bpm, weight in sorted(found, key=lambda c: -c[1]) + octaves:
        if all(abs(bpm / other - 1) > SAME_TEMPO for other, _ in kept):
            kept.append((bpm, max(float(weight), 0.01)))
    must = {round(bpm, 6) for bpm, _ in octaves}
    best = kept[:CANDIDATES]
    best += [c for c in kept[CANDIDATES:] if round(c[0], 6) in must]
    total = sum(weight for _, weight in best)
    return tuple(TempoCandidate(round(bpm, 3), round(weight / total, 4)) for bpm, weight in best)


def _convenient(duration_s: float, source: str, tempo_range_bpm: tuple[float, float] | None) -> Rhythm:
    """A regular grid where no pulse was found: 120 BPM, or the tempo nearest to it in the user's range."""
    low, high = tempo_range_bpm or (CONVENIENT_BPM, CONVENIENT_BPM)
    bpm = min(max(CONVENIENT_BPM, low), high)
    beats_s = np.arange(0.0, max(duration_s - 1e-3, 1e-3), 60.0 / bpm)
    candidate = TempoCandidate(bpm, 0.0)
    return Rhythm(bpm, (candidate,), source, True, False, beats_s, beats_s[:: METRES[0]], METRES[0])


def rhythm_of_map(tempo_map: TempoMap, duration_s: float) -> Rhythm:
    """Return the rhythm that a project's tempo map gives: beats are the quarter notes of each bar from its start."""
    first_bar = int(np.floor(float(tempo_map.bar_of_beat(float(tempo_map.beats(0.0)))) + 1e-6))
    last_bar = int(np.ceil(float(tempo_map.bar_of_beat(float(tempo_map.beats(duration_s)))) - 1e-6))
    bars = np.arange(first_bar, max(last_bar, first_bar + 1) + 1, dtype=np.float64)
    starts = np.asarray(tempo_map.beat_of_bar(bars))
    beats = np.concatenate([np.arange(a, b - 1e-6) for a, b in pairwise(starts)])
    beats_s, downbeats_s = (_inside(np.asarray(tempo_map.seconds(b)), duration_s) for b in (beats, starts))
    lengths = np.round(np.diff(starts)).astype(int)
    per_bar = max(1, int(np.bincount(lengths).argmax())) if len(lengths) else 4
    periods = np.diff(beats_s)
    steady = len(periods) < 2 or float(np.ptp(periods)) < 1e-6
    bpm = float(tempo_map.bpm_at(float(tempo_map.beats(0.0)))) if steady else 60.0 / float(np.median(periods))
    candidates = (TempoCandidate(round(bpm, 6), 1.0),)
    return Rhythm(bpm, candidates, "tempo map", steady, True, beats_s, downbeats_s, per_bar)


def _inside(times_s: Array, duration_s: float) -> Array:
    inside = times_s[(times_s >= -1e-6) & (times_s < duration_s - 1e-6)]
    return np.maximum(inside, 0.0)
