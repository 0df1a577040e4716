"""Lay chords out as pitches, with as little movement from the chord before as the style's register allows.

`close` stacks the tones upwards from any of them (all inversions), `open` drops the second voice from the top
an octave, `power` is root, fifth and octave, `guitar` a fretted shape on six strings (the movable E, A and D
forms, and open C and G). Tones are pairs of pitch class and softness, so that the player knows which to play
gently.
"""

from dataclasses import dataclass
from functools import lru_cache

from engine.generation.arranger.symbols import Symbol, tone
from engine.presets.parts import Voicing

STRINGS = (40, 45, 50, 55, 59, 64)
_X = -99
_SHAPES: dict[tuple[int, int, int | None], tuple[tuple[int, tuple[int, ...]], ...]] = {
    # (third, fifth, seventh): (string of the root, frets above the root's fret)
    (4, 7, None): (
        (0, (0, 2, 2, 1, 0, 0)), (1, (_X, 0, 2, 2, 2, 0)), (2, (_X, _X, 0, 2, 3, 2)),
        (1, (_X, 0, -1, -3, -2, -3)), (0, (0, -1, -3, -3, -3, 0)),
    ),
    (3, 7, None): ((0, (0, 2, 2, 0, 0, 0)), (1, (_X, 0, 2, 2, 1, 0)), (2, (_X, _X, 0, 2, 3, 1))),
    (4, 7, 10): ((0, (0, 2, 0, 1, 0, 0)), (1, (_X, 0, 2, 0, 2, 0)), (2, (_X, _X, 0, 2, 1, 2))),
    (3, 7, 10): ((0, (0, 2, 0, 0, 0, 0)), (1, (_X, 0, 2, 0, 1, 0)), (2, (_X, _X, 0, 2, 1, 1))),
    (4, 7, 11): ((1, (_X, 0, 2, 1, 2, 0)), (2, (_X, _X, 0, 2, 2, 2))),
    (5, 7, None): ((0, (0, 2, 2, 2, 0, 0)), (1, (_X, 0, 2, 2, 3, 0)), (2, (_X, _X, 0, 2, 3, 3))),
    (2, 7, None): ((1, (_X, 0, 2, 2, 0, 0)), (2, (_X, _X, 0, 2, 3, 0))),
    (7, 7, None): ((0, (0, 2, 2, _X, _X, _X)), (1, (_X, 0, 2, 2, _X, _X)), (2, (_X, _X, 0, 2, 3, _X))),
    (3, 6, None): ((1, (_X, 0, 1, 2, 1, _X)), (2, (_X, _X, 0, 1, 3, 1))),
    (4, 8, None): ((1, (_X, 0, 3, 2, 2, _X)), (2, (_X, _X, 0, 3, 3, 2))),
}  # fmt: skip
HIGHEST_ROOT_FRET = 8


@dataclass(frozen=True, slots=True)
class Tone:
    """A tone of a chord: pitch class, and whether it is to be played softly."""

    pitch_class: int
    soft: bool


def chord_tones(symbol: Symbol, voicing: Voicing, scale: frozenset[int]) -> tuple[Tone, ...]:
    """Return the distinct tones that a voicing gives a chord, in the order of the style's degrees."""
    found: dict[int, Tone] = {}
    for degree in voicing.tones:
        step = tone(symbol, degree, scale)
        if step is not None:
            found.setdefault(
                (symbol.root + step) % 12, Tone((symbol.root + step) % 12, degree in voicing.soft)
            )
    return tuple(found.values())


def voice_chord(
    symbol: Symbol,
    voicing: Voicing,
    scale: frozenset[int],
    previous: tuple[int, ...] = (),
    rank: int = 0,
    shift: int = 0,
) -> tuple[tuple[int, bool], ...]:
    """Return (pitch, soft) from low to high.

    `previous` are the pitches of the chord before; `rank` 1 takes the second-best layout instead of the best
    (for variety); `shift` moves the register by semitones.
    """
    low, high = voicing.compass[0] + shift, voicing.compass[1] + shift
    if voicing.kind == "power":
        return tuple((pitch, False) for pitch in _power(symbol, low, high))
    if voicing.kind == "guitar":
        return tuple((pitch, False) for pitch in _guitar(symbol, 7 in voicing.tones, scale, previous, rank))
    tones = chord_tones(symbol, voicing, scale)
    soft = {each.pitch_class for each in tones if each.soft}
    classes = tuple(each.pitch_class for each in tones)
    pitches = _best(classes, voicing.kind == "open", low, high, previous, rank)
    chord = tuple((pitch, pitch % 12 in soft) for pitch in pitches)
    if voicing.left_hand:
        below = pitches[0] - ((pitches[0] - symbol.root) % 12 or 12)
        return ((below, False), *chord)
    return chord


@lru_cache(maxsize=8192)
def _best(
    classes: tuple[int, ...], is_open: bool, low: int, high: int, previous: tuple[int, ...], rank: int
) -> tuple[int, ...]:
    layouts = _layouts(classes, is_open, low, high)
    ordered = sorted(layouts, key=lambda layout: (_cost(layout, previous, low, high), layout))
    return ordered[min(rank, len(ordered) - 1)]


@lru_cache(maxsize=2048)
def _layouts(classes: tuple[int, ...], is_open: bool, low: int, high: int) -> tuple[tuple[int, ...], ...]:
    ordered = sorted(classes)
    found: set[tuple[int, ...]] = set()
    for turn in range(len(ordered)):
        rotated = ordered[turn:] + ordered[:turn]
        bottom = low - low % 12 + rotated[0]
        for start in (bottom - 12, bottom, bottom + 12, bottom + 24):
            pitches = [start]
            for each in rotated[1:]:
                pitches.append(pitches[-1] + (each - pitches[-1]) % 12)
            if is_open and len(pitches) > 2:
                pitches[-2] -= 12
            found.add(tuple(sorted(pitches)))
    inside = {pitches for pitches in found if pitches[0] >= low and pitches[-1] <= high}
    return tuple(inside or {min(found, key=lambda p: (_overflow(p, low, high), p))})


def _overflow(pitches: tuple[int, ...], low: int, high: int) -> int:
    return max(0, low - pitches[0]) + max(0, pitches[-1] - high)


def _cost(pitches: tuple[int, ...], previous: tuple[int, ...], low: int, high: int) -> float:
    centre = abs(sum(pitches) / len(pitches) - (low + high) / 2)
    second = 3.0 if len(pitches) > 2 and pitches[-1] - pitches[-2] == 1 else 0.0
    """A semitone on top rubs and is hard to sing."""
    if not previous:
        return centre + second
    moves = sum(min(abs(pitch - other) for other in previous) for pitch in pitches)
    return moves + abs(pitches[-1] - previous[-1]) * 0.5 + 0.35 * centre + second


def _power(symbol: Symbol, low: int, high: int) -> tuple[int, ...]:
    root = low + (symbol.root - low) % 12
    steps = (0, 7, 12) if symbol.fifth == 7 else (0, 12)
    return tuple(root + step for step in steps if root + step <= high + 7)


@lru_cache(maxsize=2048)
def _guitar(
    symbol: Symbol, with_seventh: bool, scale: frozenset[int], previous: tuple[int, ...], rank: int
) -> tuple[int, ...]:
    seventh = tone(symbol, 7, scale) if with_seventh else symbol.seventh
    shapes = (
        _SHAPES.get((symbol.third, symbol.fifth, seventh))
        or _SHAPES.get((symbol.third, symbol.fifth, None))
        or _SHAPES[(7, 7, None)]
    )
    options: list[tuple[float, tuple[int, ...]]] = []
    for string, frets in shapes:
        fret = (symbol.root - STRINGS[string]) % 12
        lowest = min(offset for offset in frets if offset != _X)
        if fret + lowest < 0 or (lowest < 0 and fret + lowest > 0):
            continue
        pitches = tuple(STRINGS[i] + fret + offset for i, offset in enumerate(frets) if offset != _X)
        moved = abs(pitches[-1] - previous[-1]) if previous else 0
        options.append((fret * 1.0 + moved * 0.4 + 20 * (fret > HIGHEST_ROOT_FRET), pitches))
    options.sort()
    return options[min(rank, len(options) - 1)][1]
