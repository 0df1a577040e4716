"""Chords held as long as they last, led voice by voice; laid out anew where a phrase turns."""

from itertools import pairwise

from engine.generation.arranger.form import Bar
from engine.generation.arranger.score import CELL, LEVEL_VELOCITY, Event, Score, changes_inside, is_turn
from engine.generation.arranger.voicing import voice_chord
from engine.presets.parts import Comp, Pad

SOFT = 0.75
BRIGHT_SHIFT = 3.0
"""Semitones by which a doubled brightness lifts the register."""


def play_pad(part: Pad | Comp, score: Score) -> list[Event]:
    """Return the held chords; a comping part is played as one where the song has no beat."""
    ties = isinstance(part, Pad) and part.tie
    shift = round(BRIGHT_SHIFT * (score.brightness - 1.0)) if isinstance(part, Pad) else 0
    events: list[Event] = []
    previous: tuple[int, ...] = ()
    sounding: dict[int, int] = {}
    last_end = -1.0
    for start, end, bar in _spans(part, score):
        symbol = score.form.chord_at(start).symbol
        rank = 1 if is_turn(bar) and start == bar.start else 0
        chord = voice_chord(symbol, part.voicing, score.form.scale, previous, rank, shift)
        velocity = part.velocity + LEVEL_VELOCITY[score.plan_of(bar).level]
        now: dict[int, int] = {}
        for pitch, soft in chord:
            held = sounding.get(pitch)
            if ties and held is not None and abs(last_end - start) < 1e-6 and rank == 0:
                before = events[held]
                events[held] = Event(before.start, pitch, end - before.start, before.velocity)
                now[pitch] = held
                continue
            now[pitch] = len(events)
            events.append(Event(start, pitch, end - start, velocity * (SOFT if soft else 1.0)))
        sounding, last_end = now, end
        previous = tuple(pitch for pitch, _ in chord)
    return events


def _spans(part: Pad | Comp, score: Score) -> list[tuple[float, float, Bar]]:
    """Stretches of one chord, cut at sections and where phrases turn."""
    spans: list[tuple[float, float, Bar]] = []
    for bar in score.bars_of(part):
        edges = [bar.start, *changes_inside(score.form, bar.start, bar.end), bar.end]
        for i, (start, end) in enumerate(pairwise(edges)):
            goes_on = (
                i == 0
                and spans
                and abs(spans[-1][1] - start) < 1e-6
                and spans[-1][2].section == bar.section
                and not is_turn(bar)
                and not is_turn(spans[-1][2])
                and abs(score.form.chord_at(start).start - start) > CELL / 2
            )
            if goes_on:
                spans[-1] = (spans[-1][0], end, spans[-1][2])
            else:
                spans.append((start, end, bar))
    return spans
