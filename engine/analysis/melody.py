"""The most prominent melody as notes: what a listener would hum.

Pitch salience (`salience`) of the voice, or of the other instruments where nobody sings, is read by a hidden
Markov chain over semitones and silence in which staying costs nothing: vibrato and glides stay within a note,
and what is not clearly one pitch is silence. Repeated notes are parted where the level dips between them,
short notes merged or dropped. The semitones are laid at the melody's own tuning, so that a singer without a
band may have any.

Pitches are MIDI numbers at that tuning. A note's confidence is the part of its sound that its harmonics
explain, between what noise or a full chord gives (0) and what a single clear voice gives (1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from engine.analysis.chroma import BASS_ROLES, DRUM_ROLES, VOICE_ROLES, to_analysis_rate
from engine.analysis.harte import pitch_class
from engine.analysis.key_model import SCALES
from engine.analysis.model import Key, MelodyNote
from engine.analysis.salience import HOP_S, LOWEST_PITCH, PITCHES, Salience, pitch_salience
from engine.audio import Audio
from engine.progress import SILENT, Monitor

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_CLEAR_VOICE, _UNCLEAR = (
    0.75,
    0.42,
)  # explained share of one clear voice; of one note of a chord, where none is a melody
_PITCH_SHARPNESS = 6.0  # log-odds a frame between the most salient pitch and one not heard at all
_VOICING_SHARPNESS = 6.0  # log-odds a frame per unit of explained share
_CHANGE_COST = 8.0  # log-odds of a new note: it must be better for about 60 ms
_RANGE_DB = 32.0  # a melody is not softer than this against its loud parts
_SOFTNESS_COST = 0.25  # log-odds a frame per dB below
_SHORTEST_S = 0.09
_MERGE_GAP_S = 0.06
_DIP_DB, _DIP_WIDTH_S = 6.0, 0.06  # a dip that parts two notes on one pitch
_LOWEST_CONFIDENCE = 0.25
_FOREIGN_COST = (
    0.15  # log-odds a frame for a pitch outside the key: decides only where the pitch lies in between
)
_LOWEST_INSTRUMENTAL = (
    52  # E3: what lies lower in a band is bass and left hand, where a singer's is the melody
)
_MISSING_DB = -28.0  # a voice this far below the mix is not there
_LEAST_COVERAGE = 0.06  # of the song, to count as a melody


@dataclass(frozen=True, slots=True)
class _Span:
    first: int
    last: int  # exclusive
    pitch: int


def estimate_melody(
    stems: Mapping[str, Audio] | None,
    mix: Audio,
    beats_s: NDArray[np.floating],
    key: Key,
    *,
    monitor: Monitor = SILENT,
) -> tuple[MelodyNote, ...]:
    """Return the notes of the most prominent melody, in order and without overlap; empty if there is none.

    Args:
        stems: separated stems by role, or None.
        mix: the whole song.
        beats_s: beat times; two notes of one pitch that meet on a beat stay one note.
        key: decides between neighbours where a pitch lies between two semitones.
        monitor: progress.
    """
    candidates = _candidates(stems, mix)
    for k, (audio, lowest) in enumerate(candidates):
        part = monitor.part(k / len(candidates), (k + 1) / len(candidates))
        mono = to_analysis_rate(audio, monitor=part.part(0.0, 0.3))
        notes = notes_of(mono, key, lowest_pitch=lowest, monitor=part.part(0.3, 1.0))
        if sum(n.end_s - n.start_s for n in notes) >= _LEAST_COVERAGE * mix.duration_s:
            monitor.report(1.0)
            return notes
    monitor.report(1.0)
    return ()


def notes_of(
    mono: NDArray[np.float32], key: Key, *, lowest_pitch: int = LOWEST_PITCH, monitor: Monitor = SILENT
) -> tuple[MelodyNote, ...]:
    """Return the melody of one waveform at `pitch_spectrum.RATE` from `lowest_pitch` up (see `estimate_melody`)."""
    heard = pitch_salience(mono, monitor=monitor.part(0.0, 0.3))
    tuning = _own_tuning(heard)
    if abs(tuning) > 5:
        heard = pitch_salience(mono, tuning, monitor=monitor.part(0.3, 0.6))
    states = _track(heard, key, lowest_pitch, monitor=monitor.part(0.6, 0.95))
    spans = [part for span in _spans(states) for part in _split_repeated(span, heard.level_db)]
    notes = []
    for span in _tidy(spans):
        explained = float(heard.explained[span.first : span.last, span.pitch].mean())
        confidence = min(1.0, max(0.0, (explained - _UNCLEAR) / (_CLEAR_VOICE - _UNCLEAR)))
        if confidence >= _LOWEST_CONFIDENCE:
            notes.append(
                MelodyNote(
                    round(span.first * HOP_S, 4),
                    round(span.last * HOP_S, 4),
                    LOWEST_PITCH + span.pitch,
                    round(confidence, 3),
                )
            )
    return tuple(notes)


def _candidates(stems: Mapping[str, Audio] | None, mix: Audio) -> list[tuple[Audio, int]]:
    """Return the sources to look for a melody in and the lowest pitch to look for, most likely first."""
    if not stems:
        return [(mix, _LOWEST_INSTRUMENTAL)]
    floor = _rms(mix) * 10 ** (_MISSING_DB / 20)
    voices = [(a, LOWEST_PITCH) for r, a in stems.items() if r in VOICE_ROLES and _rms(a) > floor]
    rest = VOICE_ROLES | DRUM_ROLES | BASS_ROLES
    others = [(a, _LOWEST_INSTRUMENTAL) for r, a in stems.items() if r not in rest and _rms(a) > floor]
    return voices + others


def _rms(audio: Audio) -> float:
    flat = audio.samples.reshape(-1)
    return float(np.sqrt(np.dot(flat, flat) / max(1, flat.size)))


def _own_tuning(heard: Salience) -> float:
    """Return the tuning in cents of what is clearly pitched."""
    best = heard.salience.argmax(axis=1)
    frames = np.arange(len(best))
    weight = np.maximum(0.0, heard.explained[frames, best] - _UNCLEAR) * heard.salience[frames, best]
    total = complex((weight * np.exp(2j * np.pi * heard.cents[frames, best] / 100)).sum())
    return float(100 * np.angle(total) / (2 * np.pi)) if abs(total) > 0.2 * weight.sum() > 0 else 0.0


def _track(heard: Salience, key: Key, lowest_pitch: int, *, monitor: Monitor) -> Ints:
    """Return the state of each frame: 0 for silence, k + 1 for pitch LOWEST_PITCH + k."""
    frames = len(heard.level_db)
    strongest = np.maximum(heard.salience.max(axis=1, keepdims=True), 1e-9)
    loud = float(np.percentile(heard.level_db, 95))
    softness = _SOFTNESS_COST * np.maximum(0.0, loud - _RANGE_DB - heard.level_db)
    scale = {(pitch_class(key.tonic) + step) % 12 for step in SCALES[key.mode]}
    foreign = np.array([0.0 if (LOWEST_PITCH + k) % 12 in scale else _FOREIGN_COST for k in range(PITCHES)])
    voiced = (
        _PITCH_SHARPNESS * (heard.salience / strongest - 1.0)
        + _VOICING_SHARPNESS * (heard.explained - _UNCLEAR)
        - softness[:, None]
        - foreign
    )
    voiced[:, : max(0, lowest_pitch - LOWEST_PITCH)] = -_CHANGE_COST
    emission = np.concatenate([np.zeros((frames, 1)), voiced], axis=1)
    changed = np.zeros((frames, PITCHES + 1), dtype=bool)
    came_from = np.zeros(frames, dtype=np.intp)
    score = emission[0].copy()
    for t in range(1, frames):
        best = int(score.argmax())
        jump = score[best] - _CHANGE_COST
        came_from[t] = best
        np.less(score, jump, out=changed[t])
        np.maximum(score, jump, out=score)
        score += emission[t]
        if t % 4096 == 0:
            monitor.report(t / frames)
    states = np.zeros(frames, dtype=np.intp)
    states[-1] = int(score.argmax())
    for t in range(frames - 1, 0, -1):
        states[t - 1] = came_from[t] if changed[t, states[t]] else states[t]
    return states


def _spans(states: Ints) -> list[_Span]:
    starts = np.flatnonzero(np.r_[True, np.diff(states) != 0])
    ends = np.r_[starts[1:], len(states)]
    return [_Span(int(a), int(b), int(states[a]) - 1) for a, b in zip(starts, ends, strict=True) if states[a]]


def _split_repeated(span: _Span, level_db: NDArray[np.float32]) -> list[_Span]:
    """Part a span where the level dips and rises again: the same note, struck or sung again."""
    width = max(1, round(_DIP_WIDTH_S / HOP_S))
    level = level_db[span.first : span.last].astype(np.float64)
    if len(level) < 4 * width:
        return [span]
    around = scipy.ndimage.maximum_filter1d(level, 4 * width + 1)
    before = np.minimum.accumulate(around)
    rise = scipy.ndimage.maximum_filter1d(level, width, origin=-(width // 2)) - level
    dips = np.flatnonzero((rise >= _DIP_DB) & (before - level >= _DIP_DB))
    cuts: list[int] = []
    for group in np.split(dips, np.flatnonzero(np.diff(dips) > width) + 1):
        if len(group):
            cut = int(group[level[group].argmin()])
            if 2 * width <= cut <= len(level) - 2 * width:
                cuts.append(span.first + cut)
    edges = [span.first, *cuts, span.last]
    return [_Span(a, b, span.pitch) for a, b in pairwise(edges)]


def _tidy(spans: list[_Span]) -> list[_Span]:
    """Drop notes too short to be meant; a longer note that one of them interrupts goes on."""
    shortest, gap = round(_SHORTEST_S / HOP_S), round(_MERGE_GAP_S / HOP_S)
    long = [s for s in spans if s.last - s.first >= shortest]
    out: list[_Span] = []
    for span in long:
        interrupted = (
            out and out[-1].pitch == span.pitch and 0 < span.first - out[-1].last <= max(gap, shortest)
        )
        if interrupted:
            out[-1] = _Span(out[-1].first, span.last, span.pitch)
        else:
            out.append(span)
    return out
