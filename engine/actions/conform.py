"""Fit what a generator played to the timeline, by the beats that it really played.

A generator is asked for a tempo and plays another, and drifts. So the take is listened to: its beats and bars are
measured, matched with those of the timeline, and every beat is moved to its place by the smart sync. The result is
listened to again, and how far its beats then lie from the timeline's is the residual. What has no beat, plays too far
from the tempo, or does not lie on the beats afterwards, is handed back as it is with the reason.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.rhythm import Rhythm
from engine.audio import Audio
from engine.errors import NrxError
from engine.progress import SILENT, Monitor
from engine.sync import SyncReport, conform
from engine.tempo import TempoMap

Array = NDArray[np.float64]

NEAR_TEMPO = 1.4
"""A take is counted at the level within this ratio of the tempo that was asked for: half and double time are one."""
LEAST_STRETCH, MOST_STRETCH = 0.8, 1.25
MOST_LOCAL_STRETCH = 1.8
LEAST_BEATS = 6
OPENING_BEATS = 16
BAR_MATTERS_BEATS = 1.5
"""Bars are matched, rather than the nearest beats, if that moves the take by less than this."""
SOUNDS_BELOW_PEAK_DB = 45.0
MOST_MISSING_BEATS = 1.0
MOST_MEDIAN_MS, NEAR_MS, LEAST_NEAR = 25.0, 70.0, 0.8
CLEAR_ATTACK = 0.1
EDGE_S = 0.008


@dataclass(frozen=True, slots=True)
class Fit:
    """A take on the timeline, and how it got there; or as it was, and why it could not be fitted (`why_not`).

    `residual_*_ms` tell how far the attacks on the beats of the result lie from the timeline's beats; `worst` is the
    95th percentile.
    """

    audio: Audio
    measured_bpm: float | None = None
    target_bpm: float | None = None
    report: SyncReport | None = None
    residual_median_ms: float | None = None
    residual_worst_ms: float | None = None
    why_not: str | None = None

    @property
    def is_fitted(self) -> bool:
        """Whether it lies on the timeline."""
        return self.why_not is None


def listen(audio: Audio, near_bpm: float | None, monitor: Monitor = SILENT) -> Rhythm:
    """Return the rhythm of a take, counted near a tempo if one was asked for."""
    from engine.analysis.features import Features
    from engine.analysis.rhythm import find_rhythm

    within = None
    if near_bpm is not None:
        within = (max(20.0, near_bpm / NEAR_TEMPO), min(400.0, near_bpm * NEAR_TEMPO))
    return find_rhythm(Features(None, audio, monitor), within, monitor)


def own_timeline(rhythm: Rhythm) -> TempoMap:
    """Return a steady timeline at the tempo that a take really plays."""
    return TempoMap.constant(round(rhythm.bpm, 2), numerator=rhythm.beats_per_bar)


def fit_take(
    take: Audio,
    target_map: TempoMap,
    length_frames: int,
    *,
    from_first_bar: bool,
    pitch_semitones: float = 0.0,
    rhythm: Rhythm | None = None,
    monitor: Monitor = SILENT,
) -> Fit:
    """Return a take on `target_map`, `length_frames` long at its own rate.

    With `from_first_bar` its first bar goes to the start of the timeline, whatever comes before is cut off; else beats
    go to the nearest place where bars meet bars, as suits a take that followed the song's melody.
    """
    length_s = length_frames / take.sample_rate
    target_bpm = target_map.average_bpm(0.0, length_s)
    heard = rhythm or listen(take, target_bpm, monitor.part(0.0, 0.25))

    def refused(why: str) -> Fit:
        monitor.report(1.0)
        return Fit(_cut(take, length_frames), heard.bpm if heard.has_beat else None, target_bpm, why_not=why)

    if not heard.has_beat or len(heard.beats_s) < LEAST_BEATS:
        return refused("no beat was heard in it")
    stretch = heard.bpm / target_bpm
    if not LEAST_STRETCH <= stretch <= MOST_STRETCH:
        return refused(f"it plays at {heard.bpm:.1f} BPM, too far from {target_bpm:.1f}")
    offset = _first_bar(take, heard, target_map) if from_first_bar else _offset(heard, target_map)
    target_s = np.asarray(target_map.seconds(np.arange(len(heard.beats_s)) + float(offset)))
    slopes = np.diff(target_s) / np.diff(heard.beats_s)
    if slopes.max() > MOST_LOCAL_STRETCH or slopes.min() < 1.0 / MOST_LOCAL_STRETCH:
        return refused("its beat stumbles")
    missing_s = length_s - (target_s[-1] + slopes[-1] * (take.duration_s - heard.beats_s[-1]))
    if missing_s > MOST_MISSING_BEATS * 60.0 / target_bpm:
        return refused(f"it ends {missing_s:.1f} s before the timeline does")
    try:
        fitted, report = conform(
            take,
            heard.beats_s,
            target_s,
            pitch_semitones=pitch_semitones,
            length_frames=length_frames,
            preserve_formants=False,
            monitor=monitor.part(0.25, 0.75),
        )
    except NrxError as error:
        if error.code != "request.invalid":
            raise
        return refused(error.sentence.rstrip("."))
    again = listen(fitted, target_bpm, monitor.part(0.75, 0.98))
    off_ms = beats_off_ms(again, target_map, length_s)
    if off_ms.size == 0:
        return refused("no beat was heard in it any more once it was fitted")
    if float(np.mean(off_ms <= NEAR_MS)) < LEAST_NEAR:
        return refused(
            f"fitted, every other beat still lies {np.median(off_ms):.0f} ms or more from the timeline's"
        )
    attacks_ms = attacks_off_ms(fitted, target_map, length_s)
    off_ms = attacks_ms if attacks_ms.size >= LEAST_BEATS else off_ms
    median = float(np.median(off_ms))
    if median > MOST_MEDIAN_MS:
        return refused(f"fitted, every other attack still lies {median:.0f} ms or more from its beat")
    monitor.report(1.0)
    return Fit(
        _smooth_edges(fitted),
        measured_bpm=heard.bpm,
        target_bpm=target_bpm,
        report=report,
        residual_median_ms=round(median, 2),
        residual_worst_ms=round(float(np.percentile(off_ms, 95)), 2),
    )


def beats_off_ms(rhythm: Rhythm, target_map: TempoMap, length_s: float) -> Array:
    """Return how far each beat that was heard lies from the nearest beat of the timeline, in milliseconds."""
    if not rhythm.has_beat:
        return np.empty(0)
    beats_s = rhythm.beats_s[(rhythm.beats_s >= 0.0) & (rhythm.beats_s < length_s)]
    nearest = np.rint(np.asarray(target_map.beats(beats_s)))
    off: Array = 1000.0 * np.abs(np.asarray(target_map.seconds(nearest)) - beats_s)
    return off


def attacks_off_ms(audio: Audio, target_map: TempoMap, length_s: float) -> Array:
    """Return how far the attack at each beat of the timeline lies from it, in milliseconds; not all beats have one."""
    from engine.analysis.beats import sharpen
    from engine.analysis.features import mono_22k

    beats_s = np.asarray(target_map.beat_times_s(0.0, length_s))
    found_s, weight = sharpen(beats_s, mono_22k(audio))
    clear = weight > CLEAR_ATTACK * weight.max(initial=0.0)
    off: Array = 1000.0 * np.abs(found_s - beats_s)[clear]
    return off


def _offset(heard: Rhythm, target_map: TempoMap) -> int:
    """Return which beat of the timeline the first beat is: the nearest, unless bars meet bars not far from there."""
    opening = heard.beats_s[:OPENING_BEATS]
    nearest = float(np.median(np.asarray(target_map.beats(opening)) - np.arange(len(opening))))
    candidates = np.arange(np.floor(nearest) - 2, np.ceil(nearest) + 3)
    downbeats = np.searchsorted(heard.beats_s, heard.downbeats_s)

    def cost(offset: float) -> float:
        if downbeats.size == 0:
            return abs(offset - nearest)
        bars = np.asarray(target_map.bar_of_beat(downbeats + offset))
        wrong = float(np.mean(np.abs(bars - np.rint(bars)) > 1e-3))
        return abs(offset - nearest) + BAR_MATTERS_BEATS * wrong

    return int(min(candidates.tolist(), key=cost))


def _first_bar(take: Audio, heard: Rhythm, target_map: TempoMap) -> int:
    """Return the number that the first beat gets on the timeline, if the first bar that sounds is to start there."""
    start_beat = round(float(target_map.beats(0.0)))
    mono = np.abs(take.mono())
    loud = np.flatnonzero(mono > mono.max(initial=0.0) * 10.0 ** (-SOUNDS_BELOW_PEAK_DB / 20.0))
    sounds_s = float(loud[0]) / take.sample_rate if loud.size else 0.0
    beat_s = 60.0 / heard.bpm
    after = heard.downbeats_s[heard.downbeats_s >= sounds_s - 0.25 * beat_s]
    first = int(np.searchsorted(heard.beats_s, after[0])) if after.size else 0
    return start_beat - first


def _cut(take: Audio, length_frames: int) -> Audio:
    samples = np.zeros((take.channels, length_frames), np.float32)
    there = min(length_frames, take.frames)
    samples[:, :there] = take.samples[:, :there]
    return _smooth_edges(Audio(samples, take.sample_rate))


def _smooth_edges(audio: Audio) -> Audio:
    """Fade the very ends, where music in full flow is cut."""
    edge = min(round(EDGE_S * audio.sample_rate), audio.frames // 2)
    rise = np.linspace(0.0, 1.0, edge, dtype=np.float32)
    samples = audio.samples.copy()
    samples[:, audio.frames - edge :] *= rise[::-1]
    return Audio(samples, audio.sample_rate)
