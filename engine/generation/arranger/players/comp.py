"""Chords in rhythm: keys that comp, guitars that strum, stabs, power chords.

A chord that begins while another is held cuts it; one that a pattern would leave unheard is struck where it
begins.
"""

from itertools import pairwise

from engine.generation.arranger.form import Bar, SongForm
from engine.generation.arranger.metre import CELLS_PER_BEAT
from engine.generation.arranger.score import (
    CELL,
    LEVEL_VELOCITY,
    Event,
    Score,
    Struck,
    accent_of,
    at_energy,
    bars_for,
    changes_inside,
    choose_alternate,
    is_turn,
    read_patterns,
)
from engine.generation.arranger.voicing import voice_chord
from engine.presets.parts import Comp

SOFT = 0.55
DENSITY = 0.35
CHOP_BEATS = 0.14
UP_STRINGS = 4
"""An upward strum catches the high strings only."""
EARLY_BEATS = 1.0
"""How far ahead a pushed chord looks for the change that it anticipates."""


def play_comp(part: Comp, score: Score) -> list[Event]:
    """Return the chords in the style's rhythm."""
    rows: list[tuple[Bar, str]] = []
    for bar in score.bars_of(part):
        written = bars_for(part.patterns, bar, score.plan_of(bar).level)
        between = _up if part.voicing.kind == "guitar" else _soft
        patterns = at_energy(written, bar, score, between, DENSITY, softer="Xxo")
        pattern = patterns[choose_alternate(score, part.name, bar, len(patterns))]
        if is_turn(bar) and len(patterns) == 1 and part.voicing.kind in {"power", "guitar"}:
            pattern = _turned(pattern)
        rows.append((bar, _stating_changes(pattern, bar, score.form)))
    previous: tuple[int, ...] = ()
    step_ms = roll_step(part, score)
    events: list[Event] = []
    for note in read_patterns(rows):
        for i, (start, end, heard) in enumerate(_pieces(note, score.form)):
            symbol = score.form.chord_at(heard).symbol
            rank = 1 if is_turn(note.bar) else 0
            chord = voice_chord(symbol, part.voicing, score.form.scale, previous, rank)
            if rank == 0:
                previous = tuple(pitch for pitch, _ in chord)
            velocity = (
                part.velocity
                + accent_of(note.char)
                + LEVEL_VELOCITY[score.plan_of(note.bar).level]
                - 6 * (i > 0)
            )
            length = CHOP_BEATS if note.char == "m" else (end - start) * part.gate
            events += strummed(chord, note.char, start, length, velocity, step_ms)
    return events


def _soft(_: str, __: int) -> str:
    return "o"


def _up(_: str, __: int) -> str:
    return "u"


def roll_step(part: Comp, score: Score) -> float:
    """Return the time from one note of a rolled chord to the next in ms: one value a song."""
    low, high = part.roll_ms
    return low + float(score.random(part.name, "roll").uniform()) * (high - low)


def strummed(
    chord: tuple[tuple[int, bool], ...],
    char: str,
    start: float,
    length: float,
    velocity: float,
    step_ms: float,
) -> list[Event]:
    """Return a stroke: a chord rolled upwards, or the strings that an upward (`u`) or damped (`m`) one catches."""
    pitches = chord
    if char == "u":
        pitches = tuple(reversed(chord[-UP_STRINGS:]))
    elif char == "m":
        pitches = chord[-3:]
    return [
        Event(
            start,
            pitch,
            length,
            velocity * (SOFT if soft else 1.0) - (2.0 * i if char == "u" else 0.0),
            i * step_ms,
        )
        for i, (pitch, soft) in enumerate(pitches)
    ]


def _turned(pattern: str) -> str:
    """Strike once more near the end of the bar, or leave that stroke out where there is one."""
    at = max(1, len(pattern) - 2)
    char = {"-": "x", ".": "o"}.get(pattern[at], "-")
    return pattern[:at] + char + pattern[at + 1 :]


def _stating_changes(pattern: str, bar: Bar, form: SongForm) -> str:
    cells = list(pattern)
    edges = [bar.start, *changes_inside(form, bar.start, bar.end), bar.end]
    for n, (start, end) in enumerate(pairwise(edges)):
        first, last = round((start - bar.start) * CELLS_PER_BEAT), round((end - bar.start) * CELLS_PER_BEAT)
        is_new = n > 0 or abs(form.chord_at(bar.start).start - bar.start) < CELL / 2
        if first >= last or not is_new or any(char not in "-.m>" for char in cells[first:last]):
            continue
        if n == 0 and cells[0] == "-":
            continue
        cells[first] = "x"
        if first + 1 < last and cells[first + 1] == ".":
            cells[first + 1] = "-"
    return "".join(cells)


def _pieces(note: Struck, form: SongForm) -> list[tuple[float, float, float]]:
    """Return (start, end, beat whose chord is heard) for each chord that sounds in a held note."""
    changes = changes_inside(form, note.start, max(note.end, note.start + EARLY_BEATS))
    if note.char == ">" and changes and changes[0] <= note.start + EARLY_BEATS:
        edges = [note.start, *(c for c in changes[1:] if c < note.end), note.end]
        heard = [changes[0], *edges[1:-1]]
    else:
        edges = [note.start, *(c for c in changes if c < note.end - 1e-6), note.end]
        heard = edges[:-1]
    return list(zip(edges, edges[1:], heard, strict=False))
