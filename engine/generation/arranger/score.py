"""What all players share: the form, the plan, the style, and how patterns become events on the grid.

An `Event` lies on the straight grid (groove beats); `engine.generation.arranger.feel` gives it swing, push
and scatter.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from engine.generation.arranger.chance import random_for
from engine.generation.arranger.density import FINEST_EIGHTH, FINEST_SIXTEENTH, fuller, plainer
from engine.generation.arranger.form import Bar, SongForm
from engine.generation.arranger.metre import CELLS_PER_BEAT, bar_of
from engine.generation.arranger.plan import SectionPlan
from engine.presets.grids import LEVELS, Level
from engine.presets.parts import PartBase
from engine.presets.style import Style

T = TypeVar("T")

CELL = 1.0 / CELLS_PER_BEAT
TURN_EVERY = 4
LEVEL_VELOCITY = {"low": -10, "middle": 0, "high": 8}


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """A note before it is performed: its straight position, and its own lateness (a strum's) in ms."""

    start: float
    pitch: int
    duration: float
    velocity: float
    late_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Closing:
    """The end of a piece: the last chord is struck at `strokes` (the first is the last downbeat) and rings to `until`.

    Nothing starts after `last_start`, where the song's own last note is.
    """

    strokes: tuple[float, ...]
    last_start: float
    until: float


@dataclass(frozen=True)
class Score:
    """The song, the style and the user's wishes."""

    form: SongForm
    plans: tuple[SectionPlan, ...]
    style: Style
    seed: int
    brightness: float
    voice_kept: bool
    sounds_from: float
    starts_to: float
    sounds_to: float
    closing: Closing | None = None
    busy: float = 0.0
    """Octaves of the user's energy, -1 to 1: how far patterns are filled or thinned."""

    @property
    def finest(self) -> int:
        """The weakest places that patterns are filled on: where eighths swing there is nothing between them."""
        return FINEST_EIGHTH if self.style.swing.unit == "eighth" else FINEST_SIXTEENTH

    def plan_of(self, bar: Bar) -> SectionPlan:
        """Return the plan of the bar's section."""
        return self.plans[bar.section]

    def bars_of(self, part: PartBase) -> list[Bar]:
        """Return the bars in which a part plays."""
        return [bar for bar in self.sounding_bars if plays_in(part, self.plan_of(bar))]

    @cached_property
    def sounding_bars(self) -> list[Bar]:
        """The bars between the song's first and last sound."""
        inside = [
            bar
            for bar in self.form.bars
            if bar.end > self.sounds_from + CELL and bar.start < self.sounds_to - CELL
        ]
        return inside or list(self.form.bars)

    def random(self, *names: str | int) -> np.random.Generator:
        """Return the random numbers that belong to `names`."""
        return random_for(self.seed, self.style.id, *names)


def plays_in(part: PartBase, plan: SectionPlan) -> bool:
    """Whether a part plays in a section."""
    return plan.level in part.levels and (part.intro or not plan.is_intro)


def is_turn(bar: Bar) -> bool:
    """Whether a bar closes a phrase and so is played differently from the one before."""
    return bar.number % TURN_EVERY == TURN_EVERY - 1 or bar.left == 1


def at_level(by_level: Mapping[Level, T], level: Level) -> T | None:
    """Return what a style gives for `level`, or for the level nearest below, or else above."""
    number = LEVELS.index(level)
    order = [*reversed(LEVELS[: number + 1]), *LEVELS[number + 1 :]]
    return next((by_level[each] for each in order if each in by_level), None)


def bars_for(
    patterns: Mapping[str, Mapping[Level, Sequence[str]]], bar: Bar, level: Level
) -> tuple[str, ...]:
    """Return a style's patterns for a bar's metre and level, derived from 4/4 where it has none."""
    own = patterns.get(bar.metre)
    if own is not None:
        return tuple(at_level(own, level) or ())
    return bar_of(at_level(patterns["4/4"], level) or (), bar.cells, bar.compound)


def choose_alternate(score: Score, part: str, bar: Bar, count: int, *, turns: bool = True) -> int:
    """Return which of `count` alternates a bar plays: one through a phrase, another where it `turns`."""
    if count < 2:
        return 0
    phrase = bar.number // TURN_EVERY
    base = int(score.random(part, "alternate", score.plan_of(bar).label, phrase % 2).integers(count))
    if not turns or not is_turn(bar):
        return base
    return (base + 1 + int(score.random(part, "turn", bar.section, bar.number).integers(count - 1))) % count


def at_energy(
    patterns: Sequence[str],
    bar: Bar,
    score: Score,
    char_at: Callable[[str, int], str],
    share: float,
    *,
    strongest: int = 2,
    keeps: str = "",
    softer: str = "x",
) -> tuple[str, ...]:
    """Return patterns of a pitched part as full as the user's energy asks: more strokes, or longer notes.

    `char_at` gives the stroke for a place of a pattern that is filled; `share` is how much of what could
    change does at energies of 0.5 and 2; characters in `keeps` never go. Patterns that become equal, but for
    how loud the strokes in `softer` are, are returned once.
    """

    def changed(pattern: str) -> str:
        if score.busy > 0:
            row = fuller(
                pattern,
                share * score.busy,
                lambda i: pattern[i] in "-.",
                lambda i: char_at(pattern, i),
                finest=score.finest,
                compound=bar.compound,
            )
        else:
            row = plainer(
                pattern,
                -share * score.busy,
                lambda i: pattern[i] not in "-." + keeps,
                "-",
                strongest=strongest,
                compound=bar.compound,
            )
        return "".join(row)

    def rhythm(pattern: str) -> str:
        return re.sub(r"(?<=\.)-+", lambda held: "." * len(held[0]), re.sub(f"[{softer}]", "x", pattern))

    if not score.busy:
        return tuple(patterns)
    return tuple({rhythm(pattern): pattern for pattern in map(changed, reversed(patterns))}.values())[::-1]


@dataclass(frozen=True, slots=True)
class Struck:
    """A note of a pattern: its character, and how long it holds."""

    start: float
    end: float
    char: str
    bar: Bar


def read_patterns(rows: Sequence[tuple[Bar, str]]) -> list[Struck]:
    """Return the notes of consecutive patterns; a `-` holds the note before, also over the bar line."""
    struck: list[Struck] = []
    held_to = -1.0
    for bar, pattern in rows:
        for i, char in enumerate(pattern):
            start = bar.start + i * CELL
            if char == "-":
                if struck and abs(held_to - start) < 1e-6:
                    held_to = start + CELL
                    struck[-1] = dataclasses.replace(struck[-1], end=held_to)
            elif char != ".":
                held_to = start + CELL
                struck.append(Struck(start, held_to, char, bar))
    return struck


def changes_inside(form: SongForm, start: float, end: float) -> list[float]:
    """Return where chords change strictly between two beats."""
    found: list[float] = []
    i = form.chord_index(start) + 1
    while i < len(form.chords) and form.chords[i].start < end - 1e-6:
        found.append(form.chords[i].start)
        i += 1
    return found


def accent_of(char: str) -> int:
    """Return what a pattern's character adds to the velocity."""
    return {"X": 14, "o": -26, "?": -34, "g": -30, "m": -18, "u": -8}.get(char, 0)
