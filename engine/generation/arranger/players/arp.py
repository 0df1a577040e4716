"""Broken chords: patterns of chord tones counted from below, going on an octave higher beyond the chord."""

from engine.generation.arranger.form import Bar
from engine.generation.arranger.score import (
    CELL,
    LEVEL_VELOCITY,
    Event,
    Score,
    at_energy,
    bars_for,
    choose_alternate,
    is_turn,
    read_patterns,
)
from engine.generation.arranger.voicing import voice_chord
from engine.presets.parts import Arp

BRIGHT_SHIFT = 3.0
RING_BEATS = 4.0
DENSITY, STRONGEST = (0.6, 0.4), (1, 2)
"""How much of a pattern energy changes, and from which metric weight on notes may go: plain notes, ringing ones."""


def play_arp(part: Arp, score: Score) -> list[Event]:
    """Return the broken chords."""
    rows: list[tuple[Bar, str]] = []
    density, strongest = DENSITY[part.ring], STRONGEST[part.ring]
    for bar in score.bars_of(part):
        written = bars_for(part.patterns, bar, score.plan_of(bar).level)
        patterns = at_energy(written, bar, score, _between, density, strongest=strongest)
        pattern = patterns[choose_alternate(score, part.name, bar, len(patterns))]
        if is_turn(bar) and len(patterns) == 1:
            pattern = _turned(pattern)
        rows.append((bar, pattern))
    shift = round(BRIGHT_SHIFT * (score.brightness - 1.0))
    previous: tuple[int, ...] = ()
    events: list[Event] = []
    at: tuple[int, int] | None = None
    for note in read_patterns(rows):
        index = score.form.chord_index(note.start)
        if at != (index, note.bar.section):
            at = (index, note.bar.section)
            symbol = score.form.chords[index].symbol
            previous = tuple(
                p for p, _ in voice_chord(symbol, part.voicing, score.form.scale, previous, 0, shift)
            )
        octave, which = divmod(int(note.char) - 1, len(previous))
        beat = note.start - note.bar.start
        accent = 8 if abs(beat - round(beat)) < 1e-6 else 0
        velocity = part.velocity + accent + LEVEL_VELOCITY[score.plan_of(note.bar).level]
        length = (note.end - note.start) * part.gate
        if part.ring:
            change = score.form.chords[index].end
            length = max(CELL, min(change, note.start + RING_BEATS) - note.start)
        events.append(Event(note.start, previous[which] + 12 * octave, length, float(velocity)))
    return events


def _between(pattern: str, cell: int) -> str:
    """Return what is played between two notes: the tone above the one before, within the pattern's own range."""
    highest = max((int(char) for char in pattern if char.isdigit()), default=1)
    before = next((int(char) for char in reversed(pattern[:cell]) if char.isdigit()), 0)
    return str(before % max(3, highest) + 1)


def _turned(pattern: str) -> str:
    """Run the second half of the bar backwards, or change its last note where that is the same; if empty, answer."""
    half = len(pattern) // 2
    if not any(char.isdigit() for char in pattern[half:]):
        return pattern[:half] + "2" + pattern[half + 1 :]
    digits = [char for char in pattern[half:] if char.isdigit()]
    order = iter(reversed(digits))
    turned = pattern[:half] + "".join(next(order) if char.isdigit() else char for char in pattern[half:])
    if turned != pattern:
        return turned
    at = max(i for i, char in enumerate(pattern) if char.isdigit())
    return pattern[:at] + ("3" if pattern[at] != "3" else "2") + pattern[at + 1 :]
