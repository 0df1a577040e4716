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

from engine.analysis.chroma import BASS_ROLES, DRUM_ROLES, VOICE_ROLES, added, to_analysis_rate
from engine.analysis.harte import pitch_class
from engine.analysis.key_model import SCALES
from engine.analysis.model import Key, MelodyNote
from engine.analysis.pitch_spectrum import RATE
from engine.analysis.salience import HOP_S, LOWEST_PITCH, PITCHES, Salience, pitch_salience
from engine.audio import Audio
from engine.progress import SILENT, Monitor

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Samples = NDArray[np.float32]

_CLEAR_VOICE = 0.75  # explained share of one voice alone
_PITCH_SHARPNESS = 6.0  # log-odds a frame between the most salient pitch and one not heard at all
_VOICING_SHARPNESS = 6.0  # log-odds a frame per unit of explained share
_CHANGE_COST = 8.0  # log-odds of a new note: it must be better for about 60 ms
_RANGE_DB = 32.0  # a melody is not softer than this against its loud parts
_SOFTNESS_COST = 0.25  # log-odds a frame per dB below
_SHORTEST_S = 0.09
_BLOCK = 4096  # frames whose log-odds are held at a time
_MERGE_GAP_S = 0.06
_DIP_DB, _DIP_WIDTH_S = 6.0, 0.06  # a dip that parts two notes on one pitch
_LOWEST_CONFIDENCE = 0.25
_FOREIGN_COST = 0.15  # log-odds a frame outside the key: decides only where a pitch lies in between
_RIVAL_HARMONICS = 5  # by which it is told in which stem a note is louder
_QUARTER_TONES = (2.0 ** (-1 / 24), 2.0 ** (1 / 24))
_MISSING_DB = -28.0  # a voice this far below the mix is not there
_LEAST_COVERAGE, _LEAST_PITCHES = 0.1, 3  # part of the song, and how many pitches, that make a melody


@dataclass(frozen=True, slots=True)
class LeadKind:
    """What to expect of a melody by what carries it.

    `lowest` to `highest` are MIDI pitches; `unclear` is the explained share from which on a pitch stands out;
    each semitone below `treble` costs `depth_cost` log-odds a frame.
    """

    lowest: int
    highest: int
    unclear: float
    treble: int = 0
    depth_cost: float = 0.0


# A stem of voices holds a melody unless shown otherwise, and a low voice still is the melody. In a band, what
# lies below G3 is bass and left hand, and instruments lead from above. One note of a full chord explains about
# 0.4, which stays below the confidence that is asked for.
VOICE = LeadKind(lowest=40, highest=84, unclear=0.35)
INSTRUMENT = LeadKind(lowest=55, highest=96, unclear=0.32, treble=72, depth_cost=0.08)


@dataclass(frozen=True, slots=True)
class _Span:
    first: int
    last: int  # exclusive
    pitch: int


@dataclass(frozen=True, slots=True, eq=False)
class _Lead:
    """A waveform that may hold the melody, and those that it may hold leaks of."""

    wave: Samples
    rivals: tuple[Samples, ...]
    kind: LeadKind


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
        beats_s: beat times; they say how short a note may be, since a sixteenth is never too short.
        key: decides between neighbours where a pitch lies between two semitones.
        monitor: progress.
    """
    pitched = _pitched_stems(stems, mix)
    waves = {
        role: to_analysis_rate(
            audio, monitor=monitor.part(0.3 * k / len(pitched), 0.3 * (k + 1) / len(pitched))
        )
        for k, (role, audio) in enumerate(pitched.items())
    }
    sixteenth_s = float(np.median(np.diff(beats_s))) / 4 if len(beats_s) > 1 else _SHORTEST_S
    shortest_s = min(_SHORTEST_S, sixteenth_s)
    for first, lead in enumerate(_leads(waves)):
        notes = notes_of(
            lead.wave,
            key,
            kind=lead.kind,
            shortest_s=shortest_s,
            monitor=monitor.part(0.3 + 0.35 * first, 0.6 + 0.35 * first),
        )
        notes = tuple(n for n in notes if _belongs(n, lead))
        sounding_s = sum(n.end_s - n.start_s for n in notes)
        if sounding_s >= _LEAST_COVERAGE * mix.duration_s and len({n.pitch for n in notes}) >= _LEAST_PITCHES:
            monitor.report(1.0)
            return notes
    monitor.report(1.0)
    return ()


def notes_of(
    mono: Samples,
    key: Key,
    *,
    kind: LeadKind = VOICE,
    shortest_s: float = _SHORTEST_S,
    monitor: Monitor = SILENT,
) -> tuple[MelodyNote, ...]:
    """Return the melody of one waveform at `pitch_spectrum.RATE` (see `estimate_melody`)."""
    heard = pitch_salience(mono, monitor=monitor.part(0.0, 0.3))
    tuning = _own_tuning(heard, kind)
    if abs(tuning) > 5:
        heard = pitch_salience(mono, tuning, monitor=monitor.part(0.3, 0.6))
    states = _track(heard, key, kind, monitor=monitor.part(0.6, 0.95))
    spans = [part for span in _spans(states) for part in _split_repeated(span, heard.level_db)]
    notes = []
    for span in _tidy(spans, shortest_s):
        explained = float(heard.explained[span.first : span.last, span.pitch].mean())
        confidence = min(1.0, max(0.0, (explained - kind.unclear) / (_CLEAR_VOICE - kind.unclear)))
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


def _pitched_stems(stems: Mapping[str, Audio] | None, mix: Audio) -> dict[str, Audio]:
    """Return the stems that sound and may hold a melody or its bass; the mix if there are none."""
    floor = _rms(mix) * 10 ** (_MISSING_DB / 20)
    pitched = {r: a for r, a in (stems or {}).items() if r not in DRUM_ROLES and _rms(a) > floor}
    return pitched if set(pitched) - BASS_ROLES else {"mix": mix}


def _leads(waves: Mapping[str, Samples]) -> list[_Lead]:
    """Return what may carry the melody, most likely first: the voices, then all instruments but the bass.

    If no melody is found in the voice, nobody sings, and what its stem holds is instruments.
    """
    voices = [role for role in waves if role in VOICE_ROLES]
    rest = [role for role in waves if role not in VOICE_ROLES]
    above_bass = [role for role in waves if role not in BASS_ROLES]
    plans = [(voices, rest, VOICE)] if voices else []
    plans.append((above_bass, [role for role in waves if role in BASS_ROLES], INSTRUMENT))
    return [
        _Lead(added([waves[r] for r in own]), tuple(waves[r] for r in others), kind)
        for own, others, kind in plans
    ]


def _belongs(note: MelodyNote, lead: _Lead) -> bool:
    """Whether a note is louder in its own stem than in each other: separated stems leak, a leak is no melody."""
    own = _harmonic_level(lead.wave, note)
    return all(_harmonic_level(rival, note) <= own for rival in lead.rivals)


def _harmonic_level(wave: Samples, note: MelodyNote) -> float:
    """Return the amplitude that a waveform holds at the first harmonics of a note."""
    piece = wave[int(note.start_s * RATE) : int(note.end_s * RATE)]
    if len(piece) < 2:
        return 0.0
    magnitude = np.abs(np.fft.rfft(piece * np.hanning(len(piece))))
    hz = 440.0 * 2.0 ** ((note.pitch - 69) / 12)
    per_bin = len(piece) / RATE
    total = 0.0
    for harmonic in range(1, _RIVAL_HARMONICS + 1):
        low, high = (int(harmonic * hz * bound * per_bin) for bound in _QUARTER_TONES)
        total += float(magnitude[low : high + 2].max(initial=0.0))
    return total


def _rms(audio: Audio) -> float:
    flat = audio.samples.reshape(-1)
    return float(np.sqrt(np.dot(flat, flat) / max(1, flat.size)))


def _own_tuning(heard: Salience, kind: LeadKind) -> float:
    """Return the tuning in cents of what is clearly pitched."""
    best = heard.salience.argmax(axis=1)
    frames = np.arange(len(best))
    weight = np.maximum(0.0, heard.explained[frames, best] - kind.unclear) * heard.salience[frames, best]
    total = complex((weight * np.exp(2j * np.pi * heard.cents[frames, best] / 100)).sum())
    return float(100 * np.angle(total) / (2 * np.pi)) if abs(total) > 0.2 * weight.sum() > 0 else 0.0


def _track(heard: Salience, key: Key, kind: LeadKind, *, monitor: Monitor) -> Ints:
    """Return the state of each frame: 0 for silence, k + 1 for pitch LOWEST_PITCH + k."""
    frames = len(heard.level_db)
    loud_db = float(np.percentile(heard.level_db, 95))
    costs = _pitch_costs(key, kind)
    changed = np.zeros((frames, PITCHES + 1), dtype=bool)
    came_from = np.zeros(frames, dtype=np.intp)
    score = np.zeros(PITCHES + 1)
    for first in range(0, frames, _BLOCK):
        emission = _emissions(heard, slice(first, first + _BLOCK), costs, kind.unclear, loud_db)
        for t, heard_now in enumerate(emission, start=first):
            best = int(score.argmax())
            jump = score[best] - _CHANGE_COST
            came_from[t] = best
            np.less(score, jump, out=changed[t])
            np.maximum(score, jump, out=score)
            score += heard_now
        score -= score.max()
        monitor.report(min(1.0, (first + _BLOCK) / frames))
    states = np.zeros(frames, dtype=np.intp)
    states[-1] = int(score.argmax())
    for t in range(frames - 1, 0, -1):
        states[t - 1] = came_from[t] if changed[t, states[t]] else states[t]
    return states


def _pitch_costs(key: Key, kind: LeadKind) -> Floats:
    """Return the log-odds that each pitch costs a frame, infinite where no melody lies, shape (PITCHES,)."""
    pitches = LOWEST_PITCH + np.arange(PITCHES)
    scale = {(pitch_class(key.tonic) + step) % 12 for step in SCALES[key.mode]}
    costs = np.array([0.0 if pitch % 12 in scale else _FOREIGN_COST for pitch in pitches])
    costs += kind.depth_cost * np.maximum(0, kind.treble - pitches)
    costs[(pitches < kind.lowest) | (pitches > kind.highest)] = np.inf
    return costs


def _emissions(heard: Salience, rows: slice, costs: Floats, unclear: float, loud_db: float) -> Floats:
    """Return the log-odds of each state against silence in a block of frames, shape (frames, PITCHES + 1)."""
    salience, explained, level_db = heard.salience[rows], heard.explained[rows], heard.level_db[rows]
    strongest = np.maximum(salience[:, np.isfinite(costs)].max(axis=1, keepdims=True), 1e-9)
    softness = _SOFTNESS_COST * np.maximum(0.0, loud_db - _RANGE_DB - level_db)
    emission = np.zeros((len(salience), PITCHES + 1))
    emission[:, 1:] = (
        _PITCH_SHARPNESS * (salience / strongest - 1.0)
        + _VOICING_SHARPNESS * (explained - unclear)
        - softness[:, None]
        - costs
    )
    return emission


def _spans(states: Ints) -> list[_Span]:
    starts = np.flatnonzero(np.r_[True, np.diff(states) != 0])
    ends = np.r_[starts[1:], len(states)]
    return [_Span(int(a), int(b), int(states[a]) - 1) for a, b in zip(starts, ends, strict=True) if states[a]]


def _split_repeated(span: _Span, level_db: Samples) -> list[_Span]:
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


def _tidy(spans: list[_Span], shortest_s: float) -> list[_Span]:
    """Drop notes too short to be meant; a longer note that one of them interrupts goes on."""
    shortest, gap = round(shortest_s / HOP_S), round(_MERGE_GAP_S / HOP_S)
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
