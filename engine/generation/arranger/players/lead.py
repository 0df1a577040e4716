"""The lead: the song's own melody in the style's register, room for the voice, and answers in the gaps.

Melody tones are moved to the grid and to the scale (or to the chord, where the analysis was unsure of a long
note), by whole octaves into the compass. While the voice sings the lead rests, thins out or doubles, as the
style says. Where neither sounds, a style with `answers` plays short phrases of chord tones made from one
motif.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.generation.arranger.form import Bar, MelodyTone, SongForm
from engine.generation.arranger.score import CELL, LEVEL_VELOCITY, Event, Score, plays_in
from engine.presets.parts import Lead

SURE = 0.35
"""Confidence below which a melody note is left out."""
VERY_SURE = 0.6
SINGING = 0.5
LONG_BEATS = 1.5
ANSWER_RHYTHMS = (
    ((0.0, 0.75), (0.75, 0.25), (1.0, 0.5), (1.5, 1.5)),
    ((0.5, 0.5), (1.0, 0.5), (1.5, 0.75), (2.5, 1.25)),
    ((0.0, 0.5), (0.5, 1.0), (2.0, 0.5), (2.5, 1.0)),
    ((0.0, 1.0), (1.0, 0.5), (1.5, 0.5), (2.0, 1.5)),
)
ANSWER_STEPS = ((0, 1, 2, 1), (2, 1, 0, 0), (1, 2, 3, 2), (3, 2, 1, 0))


@dataclass(frozen=True, slots=True)
class Tune:
    """A melody note on the grid, `weight` from how sure the analysis was."""

    start: float
    end: float
    pitch: int
    weight: float


def play_lead(part: Lead, score: Score) -> list[Event]:
    """Return the lead line."""
    tune = snapped_melody(score.form, part.grid_cells, part.shortest_cells) if part.melody else []
    tune = _transposed(tune, part.compass)
    events = [event for note in tune if (event := _melody_event(note, part, score)) is not None]
    if part.answers or not tune:
        events += _answers(part, score, events)
    events = _varied(sorted(events), score)
    if part.octaves:
        high = [e for e in events if score.plan_of(score.form.bar_at(e.start)).level == "high"]
        events += [
            Event(e.start, e.pitch + 12, e.duration, e.velocity - 12) for e in high if e.pitch + 12 <= 100
        ]
    return events


def snapped_melody(form: SongForm, grid_cells: int, shortest_cells: int) -> list[Tune]:
    """Return the song's melody on the grid and in its scale, one note at a time."""
    step = grid_cells * CELL
    notes: list[Tune] = []
    for note in form.melody:
        if note.confidence < SURE:
            continue
        bar = form.bar_at(note.start)
        start = bar.start + round((note.start - bar.start) / step) * step
        end = max(start + shortest_cells * CELL, bar.start + round((note.end - bar.start) / step) * step)
        pitch = _in_harmony(note, start, end, form)
        if notes and start < notes[-1].end:
            before = notes[-1]
            if start - before.start < shortest_cells * CELL:
                continue
            notes[-1] = Tune(before.start, start, before.pitch, before.weight)
        if notes and notes[-1].pitch == pitch and start - notes[-1].end < CELL / 2 and end - start < 2 * CELL:
            notes[-1] = Tune(notes[-1].start, end, pitch, notes[-1].weight)
            continue
        notes.append(Tune(start, end, pitch, note.confidence))
    return notes


def _in_harmony(note: MelodyTone, start: float, end: float, form: SongForm) -> int:
    symbol = form.chord_at(start).symbol
    chord = symbol.pitch_classes
    unsure_and_long = note.confidence < VERY_SURE and end - start >= LONG_BEATS
    allowed = chord if unsure_and_long and not symbol.is_pedal else form.scale | chord
    if note.pitch % 12 in allowed:
        return note.pitch
    return min(
        (note.pitch + step for step in (-1, 1, -2, 2, -3, 3, -4, 4) if (note.pitch + step) % 12 in allowed),
        key=lambda pitch: (abs(pitch - note.pitch), pitch % 12 not in chord),
        default=note.pitch,
    )


def _transposed(tune: Sequence[Tune], compass: tuple[int, int]) -> list[Tune]:
    """Move the whole tune by octaves into the compass, and single notes that still lie outside."""
    if not tune:
        return []
    low, high = compass
    middle = float(np.median([note.pitch for note in tune]))
    octaves = 12 * round(((low + high) / 2 - middle) / 12)
    placed: list[Tune] = []
    for note in tune:
        pitch = note.pitch + octaves
        while pitch > high:
            pitch -= 12
        while pitch < low:
            pitch += 12
        placed.append(Tune(note.start, note.end, pitch, note.weight))
    return placed


def _melody_event(note: Tune, part: Lead, score: Score) -> Event | None:
    bar = score.form.bar_at(note.start)
    plan = score.plan_of(bar)
    if not plays_in(part, plan) or not score.sounds_from <= note.start < score.starts_to:
        return None
    velocity = part.velocity + LEVEL_VELOCITY[plan.level] + 10 * (note.weight - 0.6)
    if (
        score.voice_kept
        and score.form.sings(note.start, note.end) >= SINGING
        and part.with_vocals != "double"
    ):
        if rests_for_voice(part, score, note.start, note.end) or note.end - note.start < LONG_BEATS:
            return None
        velocity -= 14
    return Event(note.start, note.pitch, (note.end - note.start) * part.legato, float(velocity))


def rests_for_voice(part: Lead, score: Score, start: float, end: float) -> bool:
    """Whether a lead is silent between two beats since the voice sings there and the style wants it alone."""
    return part.with_vocals == "rest" and score.voice_kept and score.form.sings(start, end) >= SINGING


def _answers(part: Lead, score: Score, played: Sequence[Event]) -> list[Event]:
    """Phrases in every second bar without voice or melody: the motif stays, its tones follow the chords."""
    busy = np.array([event.start for event in played])
    rhythm = ANSWER_RHYTHMS[int(score.random(part.name, "motif").integers(len(ANSWER_RHYTHMS)))]
    events: list[Event] = []
    anchor = (part.compass[0] + part.compass[1]) // 2
    for bar in score.bars_of(part):
        plan = score.plan_of(bar)
        draw = score.random(part.name, "answer", bar.section, bar.number).random(4)
        wanted = bar.number % 2 == 1 or (plan.level == "high" and draw[0] < 0.3)
        sung = score.voice_kept and score.form.sings(bar.start, bar.end) > 0.35
        taken = bool(busy.size) and bool(np.any((busy >= bar.start - 1e-6) & (busy < bar.end)))
        if not wanted or sung or taken or draw[1] > 0.45 + 0.5 * plan.drive:
            continue
        steps = ANSWER_STEPS[(bar.number // 2 + int(draw[2] * 2)) % len(ANSWER_STEPS)]
        events += _phrase(part, score, bar, rhythm, steps, anchor)
    return events


def _phrase(
    part: Lead,
    score: Score,
    bar: Bar,
    rhythm: Sequence[tuple[float, float]],
    steps: Sequence[int],
    anchor: int,
) -> list[Event]:
    events: list[Event] = []
    for (offset, length), step in zip(rhythm, steps, strict=True):
        start = bar.start + offset
        if start + CELL > bar.end:
            break
        classes = score.form.chord_at(start).symbol.pitch_classes
        ladder = [p for p in range(part.compass[0], part.compass[1] + 1) if p % 12 in classes]
        nearest = min(range(len(ladder)), key=lambda i: abs(ladder[i] - anchor))
        pitch = ladder[min(len(ladder) - 1, max(0, nearest + step - 1))]
        velocity = part.velocity - 6 + LEVEL_VELOCITY[score.plan_of(bar).level]
        events.append(Event(start, pitch, min(length, bar.end - start) * part.legato, float(velocity)))
    return events


def _varied(events: list[Event], score: Score) -> list[Event]:
    """Leave out the softest note of a bar that says the same for the fourth time."""
    by_bar: dict[tuple[int, int], list[Event]] = {}
    for event in events:
        bar = score.form.bar_at(event.start)
        by_bar.setdefault((bar.section, bar.number), []).append(event)
    said: list[tuple[float, int]] = []
    times = 0
    kept: list[Event] = []
    for bar in score.form.bars:
        inside = by_bar.get((bar.section, bar.number), [])
        now = [(round(event.start - bar.start, 3), event.pitch) for event in inside]
        times = times + 1 if now == said else 1
        said = now
        if times >= 4 and len(inside) > 1:
            inside.remove(min(inside[1:], key=lambda event: event.velocity))
            times, said = 0, []
        kept += inside
    return kept
