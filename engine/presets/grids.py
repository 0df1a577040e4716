"""Grids: rhythm as text, one character for each sixteenth note of a bar.

A grid is written for a metre ("4/4" has 16 cells, "3/4" 12, "6/8" 12, "7/8" 14). Spaces and `|` are for the
eye only. Each instrument has an alphabet of its own, listed in `ALPHABETS`.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

Level = Literal["low", "middle", "high"]
LEVELS: tuple[Level, ...] = ("low", "middle", "high")
"""The three thirds of a song's energy."""

ALPHABETS: dict[str, dict[str, str]] = {
    "drums": {
        "X": "accent",
        "x": "hit",
        "o": "ghost note",
        "?": "ghost note that is played now and then, oftener with more energy",
        ".": "rest",
    },
    "bass": {
        "1": "root",
        "3": "third of the chord",
        "5": "fifth",
        "6": "sixth",
        "7": "seventh",
        "8": "octave",
        "a": "approach: the note that leads into the next root",
        "g": "ghost: a short, soft root",
        "-": "hold the note before",
        ".": "rest",
    },
    "comp": {
        "X": "accented chord",
        "x": "chord",
        "o": "soft chord",
        "d": "strum down",
        "u": "strum up",
        "m": "muted chop",
        ">": "chord of the next cell group, played early",
        "-": "hold the chord before",
        ".": "rest",
    },
    "arp": {
        **{str(number): f"chord tone {number}, counted from below" for number in range(1, 10)},
        "-": "hold the note before",
        ".": "rest",
    },
}


def metre_cells(metre: str) -> int:
    """Return the sixteenths in one bar of a metre such as "3/4" or "7/8".

    Raises:
        ValueError: if `metre` is not a number over 2, 4, 8 or 16.
    """
    top, slash, bottom = metre.partition("/")
    if not slash or not top.isdigit() or bottom not in {"2", "4", "8", "16"} or not 1 <= int(top) <= 32:
        raise ValueError(f"should be a metre such as 4/4, 3/4 or 7/8, not {metre!r}")
    return int(top) * 16 // int(bottom)


def _strip(value: object) -> object:
    return value.replace(" ", "").replace("|", "") if isinstance(value, str) else value


def _alphabet(kind: str) -> AfterValidator:
    def check(grid: str) -> str:
        wrong = sorted(set(grid) - set(ALPHABETS[kind]))
        if wrong:
            allowed = " ".join(ALPHABETS[kind])
            raise ValueError(f"should use only the characters {allowed}, not {' '.join(wrong)}")
        if not grid:
            raise ValueError("should have at least one cell")
        return grid

    return AfterValidator(check)


DrumGrid = Annotated[str, BeforeValidator(_strip), _alphabet("drums")]
BassGrid = Annotated[str, BeforeValidator(_strip), _alphabet("bass")]
CompGrid = Annotated[str, BeforeValidator(_strip), _alphabet("comp")]
ArpGrid = Annotated[str, BeforeValidator(_strip), _alphabet("arp")]
