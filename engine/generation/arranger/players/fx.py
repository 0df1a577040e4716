"""Sounds without pitch, by the numbers of the `fx` voice: risers, impacts, reverse cymbals, a noise bed."""

from itertools import pairwise

from engine.generation.arranger.score import Event, Score, plays_in
from engine.presets.parts import Fx

RISER, IMPACT, REVERSE, BED = 0, 1, 2, 3
IMPACT_BEATS, REVERSE_BEATS = 4.0, 2.0


def play_fx(part: Fx, score: Score) -> list[Event]:
    """Return the sound effects."""
    form, events = score.form, list[Event]()
    start, end = score.sounds_from, score.sounds_to
    if part.bed:
        edges = [start, *(plan.start for plan in score.plans if start + 1 < plan.start < end), end]
        events += [Event(a, BED, b - a, float(part.velocity)) for a, b in pairwise(edges)]
    for i, plan in enumerate(score.plans):
        if not plays_in(part, plan) or plan.end <= start or plan.start >= end:
            continue
        loud = float(part.velocity + (10 if plan.level == "high" else 0))
        if part.impact and i > 0 and plan.enters and plan.level == "high":
            events.append(Event(plan.start, IMPACT, IMPACT_BEATS, loud))
        if plan.rises:
            bars = [bar for bar in form.bars if bar.section == i]
            if part.riser_bars:
                first = bars[-min(part.riser_bars, len(bars))].start
                events.append(Event(first, RISER, plan.end - first, loud))
            if part.reverse:
                length = min(REVERSE_BEATS, plan.end - plan.start)
                events.append(Event(plan.end - length, REVERSE, length, loud))
    return events
