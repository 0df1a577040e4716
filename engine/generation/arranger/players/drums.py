"""Drums: grooves by level, ghosts, hat openings, fills, crashes on entries, rolls through builds.

Pieces are General MIDI percussion notes. Chance is drawn for every cell of a bar whether it is used or not,
so that more energy only ever adds notes to what less energy plays.
"""

from dataclasses import replace
from functools import partial

import numpy as np

from engine.generation.arranger.density import fuller, plainer
from engine.generation.arranger.form import Bar
from engine.generation.arranger.metre import bar_of
from engine.generation.arranger.plan import SectionPlan
from engine.generation.arranger.score import (
    CELL,
    LEVEL_VELOCITY,
    Event,
    Score,
    accent_of,
    at_level,
    choose_alternate,
    is_turn,
)
from engine.presets.parts import BarGroove, Drums, Piece

GM: dict[Piece, int] = {
    "kick": 36, "rim": 37, "snare": 38, "clap": 39, "snare_electric": 40, "tom_floor": 41, "hat": 42,
    "pedal_hat": 44, "tom_low": 45, "open_hat": 46, "crash": 49, "tom_mid": 47, "tom_high": 50, "ride": 51,
    "ride_bell": 53, "tambourine": 54, "splash": 55, "crash_2": 57, "triangle": 81, "shaker": 82,
}  # fmt: skip
PIECES: dict[int, Piece] = {number: piece for piece, number in GM.items()} | {43: "tom_floor", 48: "tom_mid"}
TIMPANI = (41, 43, 45, 47, 48, 50)
"""General MIDI toms, which an orchestral kit plays as timpani at the pitch of the note's number."""
RINGING: frozenset[Piece] = frozenset(
    {"crash", "crash_2", "open_hat", "ride", "ride_bell", "splash", "triangle"}
)
TIMEKEEPERS: tuple[Piece, ...] = ("hat", "ride", "shaker", "tambourine", "pedal_hat", "triangle")
FILLED: tuple[Piece, ...] = ("hat", "ride", "shaker", "tom_floor", "snare", "tambourine", "rim")
DENSITY = 0.6
_HANDS: tuple[Piece, ...] = ("hat", "open_hat", "ride")
ROLL_STEPS = ((0.5, 1.0), (0.75, 0.5), (0.9, 0.25), (1.01, 0.125))
"""Share of the build up to which a roll uses the step (beats)."""

Cells = dict[Piece, list[str]]


def play_drums(part: Drums, score: Score) -> list[Event]:
    """Return what the drummer plays; pitches are General MIDI percussion notes."""
    events: list[Event] = []
    for bar in score.bars_of(part):
        plan = score.plan_of(bar)
        cells = _groove(part, score, bar, plan)
        chance = score.random(part.name, "cells", bar.section, bar.number).random((4, bar.cells))
        _at_energy(cells, part, bar, score)
        if is_turn(bar):
            _turn(cells, bar, score)
        if part.comping and plan.level != "low":
            _comp(cells, part.comping, bar, plan, chance[1])
        if _has_fill(score, bar, plan):
            _fill(cells, part, score, bar)
        bar_events = _struck(cells, part, bar, plan, chance[0])
        if bar.number == 0 and plan.enters and plan.level != "low":
            bar_events += [
                hit(part, piece, bar.start, 16 if plan.level == "high" else 4) for piece in part.entry
            ]
        if part.roll and plan.build_from < plan.end and bar.start >= plan.build_from - 1e-6:
            bar_events = [e for e in bar_events if PIECES[e.pitch] in {"kick", *part.entry}] + _roll(
                part, bar, plan
            )
        events += [tuned(event, score) for event in bar_events] if part.timpani else bar_events
    return events


def tuned(event: Event, score: Score) -> Event:
    """Return a stroke on a tom on the timpano that has the root (higher toms: the fifth), or else a chord tone."""
    piece = PIECES[event.pitch]
    if not piece.startswith("tom"):
        return event
    symbol = score.form.chord_at(event.start).symbol
    steps = (0, symbol.fifth, symbol.third)
    wanted = steps if piece == "tom_floor" else (symbol.fifth, 0, symbol.third)
    drums = [pitch for step in wanted for pitch in TIMPANI if pitch % 12 == (symbol.root + step) % 12]
    return replace(event, pitch=drums[0] if drums else GM["kick"])


def _groove(part: Drums, score: Score, bar: Bar, plan: SectionPlan) -> Cells:
    """One bar of each piece; a piece's alternates change with the phrase, each piece for itself."""
    own = part.grooves.get(bar.metre)
    groove: BarGroove = at_level(own if own is not None else part.grooves["4/4"], plan.level) or {}
    cells: Cells = {}
    for piece, alternates in groove.items():
        fitting = alternates if own is not None else bar_of(alternates, bar.cells, bar.compound)
        chosen = choose_alternate(score, f"{part.name}/{piece}", bar, len(fitting), turns=False)
        cells[piece] = list(fitting[chosen])
    return cells


def _turn(cells: Cells, bar: Bar, score: Score) -> None:
    """Close a phrase a little differently: an opened hat, or an extra ghost, never nothing."""
    random = score.random("turn", bar.section, bar.number)
    last = bar.cells - 2 if bar.cells >= 4 else bar.cells - 1
    timekeeper = next(
        (piece for piece in TIMEKEEPERS if piece in cells and "x" in "".join(cells[piece]).lower()), None
    )
    opens = random.random() < 0.45 + 0.3 * (score.brightness - 1.0)
    if timekeeper == "hat" and opens:
        cells["hat"][last] = "."
        cells.setdefault("open_hat", ["."] * bar.cells)[last] = "x"
        return
    for piece in ("snare", "rim", "kick", "clap", "snare_electric", "tambourine", "triangle", "shaker"):
        row = cells.get(piece)
        if row is None:
            continue
        free = [i for i in range(bar.cells // 2, bar.cells) if row[i] == "." and i % 4]
        if free:
            row[int(random.choice(free))] = "o"
            return
    if timekeeper:
        row = cells[timekeeper]
        row[last] = "x" if row[last] == "." else "."


def _at_energy(cells: Cells, part: Drums, bar: Bar, score: Score) -> None:
    """Fill the first row that has room, or thin timekeepers and ghosts, as the user's energy asks."""
    amount = DENSITY * score.busy
    if amount > 0:
        for piece in FILLED:
            if piece not in cells or (piece == "snare" and not part.velocity_spread):
                continue
            row = fuller(
                cells[piece],
                amount,
                partial(_is_free, cells, piece),
                lambda _: "o",
                finest=score.finest,
                compound=bar.compound,
            )
            if row != cells[piece]:
                cells[piece] = row
                return
    elif amount < 0:
        for piece, row in cells.items():
            may_go = partial(_may_go, row, "xo?" if piece in TIMEKEEPERS else "o?")
            cells[piece] = plainer(row, -amount, may_go, ".", compound=bar.compound)


def _is_free(cells: Cells, piece: Piece, cell: int) -> bool:
    """Whether a piece rests, and, if it keeps time, whether no other hand keeps it there."""
    others = _HANDS if piece in TIMEKEEPERS else ()
    return all(cells[each][cell] == "." for each in (piece, *others) if each in cells)


def _may_go(row: list[str], chars: str, cell: int) -> bool:
    return row[cell] in chars


def _comp(cells: Cells, piece: Piece, bar: Bar, plan: SectionPlan, chance: np.ndarray) -> None:
    """Sparse answers on off-beats, as a jazz drummer's left hand plays."""
    row = cells.setdefault(piece, ["."] * bar.cells)
    for i in range(2, bar.cells, 4):
        if row[i] == "." and chance[i] < 0.12 + 0.3 * plan.drive:
            row[i] = "o" if chance[i] > 0.06 else "x"


def _has_fill(score: Score, bar: Bar, plan: SectionPlan) -> bool:
    if plan.level == "low" and not plan.rises:
        return False
    if score.closing is not None and abs(bar.end - score.closing.strokes[0]) < CELL / 2:
        return True
    is_last_section = bar.section == len(score.plans) - 1
    if bar.left == 1:
        return not is_last_section
    every = score.style.form.fill_every_bars
    return bar.number % every == every - 1 and plan.level != "low"


def _fill(cells: Cells, part: Drums, score: Score, bar: Bar) -> None:
    """Put a fill over the end of the bar: half a bar before a new section, less inside one."""
    if not part.fills:
        return
    random = score.random(part.name, "fill", bar.section, bar.number)
    fill = part.fills[int(random.integers(len(part.fills)))]
    room = bar.cells // 2 if bar.left == 1 else 4
    for piece in list(cells):
        if piece != "kick" and piece not in TIMEKEEPERS:
            cells[piece][bar.cells - room :] = ["."] * room
    for piece in TIMEKEEPERS:
        if piece in cells and bar.left == 1:
            row = cells[piece]
            row[bar.cells - room :] = [
                char if i % 4 == 0 else "." for i, char in enumerate(row[bar.cells - room :])
            ]
    for piece, pattern in fill.items():
        tail = pattern[-room:]
        row = cells.setdefault(piece, ["."] * bar.cells)
        for i, char in enumerate(tail, start=bar.cells - len(tail)):
            if char != ".":
                row[i] = char


def _struck(cells: Cells, part: Drums, bar: Bar, plan: SectionPlan, chance: np.ndarray) -> list[Event]:
    open_cells = {i for i, char in enumerate(cells.get("open_hat", ())) if char != "."}
    events: list[Event] = []
    likely = min(0.95, max(0.05, 0.1 + 0.7 * plan.drive))
    for number, (piece, row) in enumerate(cells.items()):
        for i, char in enumerate(row):
            if char == "." or (char == "?" and chance[(i + 5 * number) % bar.cells] > likely):
                continue
            if piece == "hat" and i in open_cells:
                continue
            accent = accent_of(char) + (_pulse_accent(i, part) if piece in TIMEKEEPERS else 0)
            events.append(hit(part, piece, bar.start + i * CELL, accent + LEVEL_VELOCITY[plan.level]))
    return events


def _pulse_accent(cell: int, part: Drums) -> int:
    """Timekeepers lean on the beat; machines less."""
    strength = 10 if part.velocity_spread else 4
    return strength if cell % 4 == 0 else (0 if cell % 2 == 0 else -strength)


def hit(part: Drums, piece: Piece, start: float, accent: int) -> Event:
    """Return one hit, as loud as the part plays that piece, and `accent` louder."""
    velocity = part.velocity + part.piece_velocity.get(piece, 0) + accent
    return Event(start, GM[piece], 2.0 if piece in RINGING else CELL, float(max(6, velocity)))


def _roll(part: Drums, bar: Bar, plan: SectionPlan) -> list[Event]:
    """A roll that quickens and swells from the start of the build to its end."""
    if part.roll is None:
        return []
    length = plan.end - plan.build_from
    events: list[Event] = []
    position = bar.start
    while position < bar.end - 1e-6:
        share = (position - plan.build_from) / length
        step = next(step for edge, step in ROLL_STEPS if share < edge)
        on_beat = abs(position - round(position)) < 1e-6
        velocity = part.velocity * (0.45 + 0.6 * share) + (8 if on_beat else 0)
        events.append(Event(position, GM[part.roll], step, velocity))
        position += step
    return events
