"""Bass lines: patterns of degrees that follow the chords, and walking lines.

The line moves to the nearest root of each new chord inside its compass; an approach leads by a step into the
next root. A chord that begins while a note is held cuts it and is stated by its root, so that every change is
heard in the bass.
"""

from dataclasses import dataclass
from itertools import pairwise

from engine.generation.arranger.form import Bar, ChordSpan, SongForm
from engine.generation.arranger.metre import CELLS_PER_BEAT, pulses
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
from engine.generation.arranger.symbols import tone
from engine.presets.parts import Bass

GHOST_BEATS = 0.2
DENSITY = 0.3
THIRD_LATER = 6
"""Semitones by which a walking line finds the third farther than root and fifth, which say the chord more plainly."""
ROOT_AGAIN = 0.5
"""How often a walking line comes back to the root (or its octave) in the middle of a bar."""


def play_bass(part: Bass, score: Score) -> list[Event]:
    """Return the bass line."""
    return _walk(part, score) if part.mode == "walking" else _from_patterns(part, score)


def _from_patterns(part: Bass, score: Score) -> list[Event]:
    rows: list[tuple[Bar, str]] = []
    for bar in score.bars_of(part):
        written = bars_for(part.patterns, bar, score.plan_of(bar).level)
        patterns = at_energy(written, bar, score, lambda *_: "1", DENSITY, keeps="a")
        pattern = patterns[choose_alternate(score, part.name, bar, len(patterns))]
        if is_turn(bar) and len(patterns) == 1:
            pattern = _turned(pattern, bar)
        rows.append((bar, _stating_changes(pattern, bar, score.form)))
    line = Line(part, score.form)
    events: list[Event] = []
    for note in read_patterns(rows):
        plan = score.plan_of(note.bar)
        velocity = part.velocity + accent_of(note.char) + LEVEL_VELOCITY[plan.level]
        for i, (start, end) in enumerate(_pieces(note, score.form)):
            pitch = line.pitch(note.char if i == 0 else "1", start, end)
            length = GHOST_BEATS if note.char == "g" else (end - start) * part.gate
            events.append(Event(start, pitch, length, float(velocity - 4 * (i > 0))))
    return events


def _turned(pattern: str, bar: Bar) -> str:
    """End a phrase on the way to the next root; where the bar already does, on the fifth."""
    cells = list(pattern)
    at = max(1, bar.cells - 2)
    cells[at:] = ["5" if "a" in pattern[at:] else "a"] + ["-"] * (bar.cells - at - 1)
    return "".join(cells)


def _stating_changes(pattern: str, bar: Bar, form: SongForm) -> str:
    """Put a root where a chord begins that the pattern would leave unheard."""
    cells = list(pattern)
    edges = [bar.start, *changes_inside(form, bar.start, bar.end), bar.end]
    for start, end in pairwise(edges[1:]):
        first, last = round((start - bar.start) * CELLS_PER_BEAT), round((end - bar.start) * CELLS_PER_BEAT)
        if first >= last or any(char not in "-.ag" for char in cells[first:last]):
            continue
        cells[first:last] = ["1"] + ["-"] * (last - first - 1)
    return "".join(cells)


def _pieces(note: Struck, form: SongForm) -> list[tuple[float, float]]:
    edges = [note.start, *changes_inside(form, note.start, note.end), note.end]
    if note.char == "a":
        edges = [note.start, edges[1]]
    return list(pairwise(edges))


@dataclass
class Line:
    """The hand on the neck: remembers where it is."""

    part: Bass
    form: SongForm
    last_root: int = -1

    def pitch(self, char: str, start: float, end: float) -> int:
        """Return the pitch for a degree at `start`; an approach leads into what follows at `end`."""
        span = self.form.chord_at(start)
        if char == "a":
            return self._approach(span, end)
        root = self.root(span)
        step = {"1": 0, "g": 0, "8": 12, "3": span.symbol.third, "5": span.symbol.fifth}.get(char)
        if step is None:
            step = tone(span.symbol, int(char), self.form.scale) if char in "67" else None
            step = span.symbol.fifth if step is None else step
        self.last_root = root
        if char == "8" and root + 12 > self.part.compass[1] + 2 and root - 12 >= self.part.compass[0]:
            return root - 12
        return self._inside(root + step)

    def root(self, span: ChordSpan) -> int:
        """Return the root of a chord nearest to where the hand is, leaning to the middle of the compass."""
        low, high = self.part.compass
        centre = low + 0.4 * (high - low)
        options = [p for p in range(low, high + 1) if p % 12 == span.symbol.root]
        at = self.last_root if self.last_root >= 0 else round(centre)
        return min(options, key=lambda p: (abs(p - at) + 0.6 * abs(p - centre), p))

    def _inside(self, pitch: int) -> int:
        low, high = self.part.compass
        while pitch > high + 2:
            pitch -= 12
        while pitch < low:
            pitch += 12
        return pitch

    def _approach(self, span: ChordSpan, end: float) -> int:
        following = self.form.chord_at(end)
        target = self.root(following)
        if following.symbol.root == span.symbol.root:
            return self._inside(target + span.symbol.fifth - 12)
        here = self.last_root if self.last_root >= 0 else target
        steps = (-1, 1, -2, 2) if here <= target else (1, -1, 2, -2)
        inside = [s for s in steps if (target + s) % 12 in span.symbol.pitch_classes]
        fitting = inside or [s for s in steps if (target + s) % 12 in self.form.scale]
        return self._inside(target + (fitting or steps)[0])


def _walk(part: Bass, score: Score) -> list[Event]:
    """Quarter notes (two to the bar where it is quiet): root, chord tones, a step into the next root."""
    line = Line(part, score.form)
    events: list[Event] = []
    for bar in score.bars_of(part):
        plan = score.plan_of(bar)
        random = score.random(part.name, "walk", bar.section, bar.number)
        draws = random.random(16)
        beats = _walking_beats(bar, plan.level == "low", score.form)
        for i, (start, end) in enumerate(zip(beats, [*beats[1:], bar.end], strict=True)):
            span = score.form.chord_at(start)
            states = i == 0 or abs(span.start - start) < CELL / 2
            leads = end >= min(span.end, bar.end) - CELL / 2 and plan.level != "low"
            strong = i == len(beats) // 2 and len(beats) % 2 == 0
            if states or (strong and draws[(i + 4) % 16] < ROOT_AGAIN):
                pitch = line.pitch("1", start, end)
                if not states and events and events[-1].pitch == pitch:
                    pitch = line.pitch("8", start, end)
            elif leads:
                pitch = line.pitch(
                    "a" if draws[i % 16] < 0.75 or end >= span.end - CELL / 2 else "5", start, end
                )
            else:
                last = events[-1].pitch if events else line.root(span)
                pitch = _on_the_way(line, span, last, draws[i % 16])
            velocity = part.velocity + LEVEL_VELOCITY[plan.level] + (4 if states else 0)
            events.append(Event(start, pitch, (end - start) * part.gate, float(velocity)))
            if plan.level != "low" and draws[(i + 8) % 16] < 0.05 + 0.12 * plan.drive and end - start >= 1.0:
                events.append(Event(end - 0.5, pitch, GHOST_BEATS, float(velocity - 34)))
    return events


def _walking_beats(bar: Bar, is_two_feel: bool, form: SongForm) -> list[float]:
    lengths = pulses(bar.cells, bar.compound)
    starts = [bar.start + sum(lengths[:i]) * CELL for i in range(len(lengths))]
    if is_two_feel:
        starts = starts[:: 2 if len(starts) % 2 == 0 else len(starts)]
    return sorted({*starts, *changes_inside(form, bar.start, bar.end)})


def _on_the_way(line: Line, span: ChordSpan, last: int, draw: float) -> int:
    """Return a chord tone near the note before, but not that note again."""
    low, high = line.part.compass
    classes = span.symbol.pitch_classes
    options = [p for p in range(low, high + 1) if p % 12 in classes and 0 < abs(p - last) <= 9] or [
        line.root(span)
    ]
    third = (span.symbol.root + span.symbol.third) % 12
    ordered = sorted(options, key=lambda p: (abs(p - last) + THIRD_LATER * (p % 12 == third), p))
    return ordered[min(len(ordered) - 1, int(draw * 3))]
