"""How a piece starts and ends with its song: the range in which parts play, the last chord, the fade.

Where the song ends with a last stroke, the parts do too: on its last downbeat everybody strikes the song's chord once
more and lets it ring as long as the song rings (and again where the song's last chord comes later in that bar); the
drums stop with the hit that the style gives. Where it is faded out the parts fade as the song does; where it is cut off
they are. Positions are groove beats unless they are said to be the song's.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from engine.analysis.model import Analysis, Extent
from engine.generation.arranger.form import SongForm, sounding_range
from engine.generation.arranger.players.arp import BRIGHT_SHIFT
from engine.generation.arranger.players.bass import Line
from engine.generation.arranger.players.comp import roll_step, strummed
from engine.generation.arranger.players.drums import hit, tuned
from engine.generation.arranger.players.fx import BED, IMPACT, IMPACT_BEATS
from engine.generation.arranger.players.lead import rests_for_voice
from engine.generation.arranger.score import CELL, LEVEL_VELOCITY, Closing, Event, Score, plays_in
from engine.generation.arranger.symbols import Symbol, tonic_triad
from engine.generation.arranger.voicing import voice_chord
from engine.presets.parts import Arp, Bass, Comp, Drums, Fx, Lead, Pad, PartBase
from engine.tempo import TempoMap

ON_GRID_S = 0.08
"""A first sound this near to a sixteenth has been played on it."""
LEAST_BARS = 4
"""A piece shorter than this before its last downbeat is a loop or a phrase, and is not closed."""
EARLY_BEATS, EARLY_RING_BEATS = 0.6, 2.0
"""A last stroke this early before a bar line that it rings beyond for so long is that downbeat, anticipated."""
LATE_BEATS = 0.3
LEAST_RING_BEATS = 1.0
LAST_BARS = 2
RING_FADE_DB = -18.0
ACCENT = 6
HARP_MS = 45.0
SURE_HIT = {"low": -4, "middle": 6, "high": 16}

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Span:
    """Parts start notes from `first` to `last_start`, and have died away at `end`; `closing` if the song ends."""

    first: float
    last_start: float
    end: float
    closing: Closing | None


def extent_of(analysis: Analysis) -> Extent:
    """Return where the song sounds, or what its energy curve tells of it if nobody listened."""
    if analysis.extent is not None:
        return analysis.extent
    first_s, last_s = sounding_range(analysis)
    return Extent(first_s, last_s, last_s, "cut")


def playing_span(extent: Extent, form: SongForm, source_map: TempoMap) -> Span:
    """Return where the parts play."""
    many = form.multiple
    first = source_map.beats(extent.starts_s) * many
    on_grid = round(first / CELL) * CELL
    if abs(source_map.seconds(on_grid / many) - extent.starts_s) <= ON_GRID_S:
        first = on_grid
    end = min(form.end, source_map.beats(extent.ends_s) * many)
    closing = _closing(extent, form, source_map) if extent.ending == "stop" else None
    if closing is not None:
        return Span(max(first, form.start), closing.last_start, closing.until, closing)
    stops = source_map.beats(extent.last_attack_s) * many + LATE_BEATS if extent.ending == "stop" else end
    return Span(max(first, form.start), min(stops, end), end, None)


def _closing(extent: Extent, form: SongForm, source_map: TempoMap) -> Closing | None:
    last, end = source_map.beats(extent.last_attack_s), source_map.beats(extent.ends_s)
    bar = int(np.floor(source_map.bar_of_beat(last) + 1e-6))
    following = source_map.beat_of_bar(float(bar + 1))
    if following - last <= EARLY_BEATS and end - following >= EARLY_RING_BEATS:
        bar, last = bar + 1, following
    downbeat = source_map.beat_of_bar(float(bar))
    if bar - source_map.bar_of_beat(source_map.beats(extent.starts_s)) < LEAST_BARS - 0.5:
        return None
    many = form.multiple
    first, last_start = downbeat * many, (last + LATE_BEATS) * many
    later = [
        span.start
        for span in form.chords
        if first + many / 2 < span.start <= last_start and not span.symbol.is_pedal
    ]
    strokes = (first, later[-1]) if later else (first,)
    until = min(form.end, max(end * many, strokes[-1] + LEAST_RING_BEATS))
    return Closing(strokes, last_start, until) if until > first + CELL else None


def close(events: list[Event], part: PartBase, score: Score) -> list[Event]:
    """Return a part's events with the last bar in place of what the part would have gone on to play."""
    closing = score.closing
    if closing is None:
        return events
    first = closing.strokes[0]
    before = [
        replace(event, duration=min(event.duration, first - event.start))
        for event in events
        if event.start < first - 1e-6
    ]
    bar = score.form.bar_at(first)
    lately = first - LAST_BARS * bar.cells * CELL
    if not plays_in(part, score.plan_of(bar)) and not any(event.start >= lately for event in before):
        return before
    match part:
        case Drums():
            return before + _last_hit(part, score, closing)
        case Bass():
            return before + _last_root(part, score, closing, before)
        case Comp() | Pad() | Arp():
            return before + _last_chord(part, score, closing, before)
        case Lead():
            return before + _last_tone(part, score, closing, before, events)
        case Fx():
            return _last_effect(part, score, closing, events)
        case _:
            return before


def _velocity(part: PartBase, score: Score, at: float) -> float:
    return float(part.velocity + LEVEL_VELOCITY[score.plan_of(score.form.bar_at(at)).level] + ACCENT)


def _held(closing: Closing) -> list[tuple[float, float]]:
    """Return (start, length) of each of the last strokes."""
    edges = [*closing.strokes, closing.until]
    return [(start, end - start) for start, end in pairwise(edges)]


def _last_symbol(score: Score, at: float) -> Symbol:
    """The song's chord, or where none was heard in its last notes that of the key."""
    symbol = score.form.chord_at(at).symbol
    return tonic_triad(score.form.tonic, score.form.mode) if symbol.is_pedal else symbol


def _last_hit(part: Drums, score: Score, closing: Closing) -> list[Event]:
    accent = SURE_HIT[score.plan_of(score.form.bar_at(closing.strokes[0])).level]
    pieces = part.ending or part.entry
    hits = [hit(part, "kick", start, accent) for start in closing.strokes[:-1]]
    hits += [hit(part, piece, closing.strokes[-1], accent) for piece in pieces]
    return [tuned(event, score) for event in hits] if part.timpani else hits


def _last_root(part: Bass, score: Score, closing: Closing, before: list[Event]) -> list[Event]:
    line = Line(part, score.form, before[-1].pitch if before else -1)
    return [
        Event(start, line.root(score.form.chord_at(start)), length, _velocity(part, score, start))
        for start, length in _held(closing)
    ]


def _last_chord(part: Comp | Pad | Arp, score: Score, closing: Closing, before: list[Event]) -> list[Event]:
    shift = 0 if isinstance(part, Comp) else round(BRIGHT_SHIFT * (score.brightness - 1.0))
    latest = max((event.start for event in before), default=0.0)
    previous = tuple(sorted(event.pitch for event in before if event.start >= latest - 1e-6))
    step_ms = roll_step(part, score) if isinstance(part, Comp) else HARP_MS if isinstance(part, Arp) else 0.0
    events: list[Event] = []
    for start, length in _held(closing):
        symbol = _last_symbol(score, start)
        chord = voice_chord(symbol, part.voicing, score.form.scale, previous, 0, shift)
        events += strummed(chord, "X", start, length, _velocity(part, score, start), step_ms)
        previous = tuple(pitch for pitch, _ in chord)
    return events


def _last_tone(
    part: Lead, score: Score, closing: Closing, before: list[Event], events: list[Event]
) -> list[Event]:
    """The melody to its last note, which is held; or else the tone of the chord nearest to where the line was."""
    tune = [e for e in events if closing.strokes[0] - 1e-6 <= e.start <= closing.last_start]
    if tune:
        last = max(event.start for event in tune)
        return [
            replace(event, duration=closing.until - event.start) if event.start == last else event
            for event in tune
        ]
    start = closing.strokes[-1]
    if not before or rests_for_voice(part, score, start, start + 1.0):
        return []
    classes = _last_symbol(score, start).pitch_classes
    near = min(
        (p for p in range(part.compass[0], part.compass[1] + 1) if p % 12 in classes),
        key=lambda pitch: (abs(pitch - before[-1].pitch), pitch),
    )
    return [Event(start, near, closing.until - start, _velocity(part, score, start))]


def _last_effect(part: Fx, score: Score, closing: Closing, events: list[Event]) -> list[Event]:
    first = closing.strokes[0]
    kept = [event for event in events if event.pitch == BED or event.start < first - 1e-6]
    if part.impact and score.plan_of(score.form.bar_at(first)).level == "high":
        kept.append(Event(first, IMPACT, IMPACT_BEATS, _velocity(part, score, first)))
    return kept


def fade_points(extent: Extent, span: Span, form: SongForm, source_map: TempoMap) -> Points:
    """Return how the parts' level falls at the end, as (beat of the song, dB) with straight lines between."""
    if span.closing is not None:
        rings_from = span.closing.strokes[-1] + LEAST_RING_BEATS
        if span.end <= rings_from:
            return ()
        return ((rings_from / form.multiple, 0.0), (span.end / form.multiple, RING_FADE_DB))
    return tuple((float(source_map.beats(time_s)), level_db) for time_s, level_db in extent.fade)
