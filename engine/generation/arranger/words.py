"""Understand a request in words: "dark techno, 128 bpm", "sad piano in F# minor", "a waltz without drums"."""

import difflib
import re
from collections.abc import Sequence

from engine.errors import NrxError
from engine.generation.arranger.instruments import dressed, named_instruments
from engine.presets.style import Style

TEMPO = re.compile(
    r"\b(\d{2,3}(?:\.\d+)?)\s*-?\s*bpm\b|\b(?:at|tempo)\s+(\d{2,3}(?:\.\d+)?)\b", re.IGNORECASE
)
KEY_WITH_MODE = re.compile(
    r"\b([A-Ga-g])\s*(#|♯|b|♭|sharp|-sharp|flat|-flat)?\s*-?\s*(minor|major|min|maj)\b", re.IGNORECASE
)
KEY_SHORT = re.compile(r"(?:\bin|\bkey(?: of)?)\s+([A-G])(#|♯|b|♭)?(m)?(?![\w#♯♭])")
ACCIDENTALS = {"#": "#", "♯": "#", "sharp": "#", "-sharp": "#", "b": "b", "♭": "b", "flat": "b", "-flat": "b"}
METRE = re.compile(r"(?<![\d/])(\d{1,2})\s*/\s*(2|4|8|16)(?![\d/])")
WALTZ = re.compile(r"\bwalt(?:z|zes)\b", re.IGNORECASE)
SHORTEST_BAR_CELLS, LONGEST_BAR_CELLS = 6, 32
NEAR, EXACT, NAMED = 1.0, 3.0, 6.0
IN_RANGE = 0.5


def parse_words(text: str, styles: Sequence[Style]) -> tuple[str, float | None, str | None]:
    """Return (nearest style's id, tempo or None, key as "F# minor" or None).

    A style is near by its id, its name and its `words`; a tempo inside its range breaks ties. Where nothing
    fits it is the first style.
    """
    bpm = _tempo(text)
    plain = text.lower()
    said = re.findall(r"[a-z0-9&'-]+", plain)
    best = max(range(len(styles)), key=lambda i: (_nearness(styles[i], plain, said, bpm), -i))
    return styles[best].id, bpm, _key(text)


def parse_metre(text: str) -> str | None:
    """Return the metre that words ask for ("3/4", "6/8 ballad", "a waltz"), or None.

    Raises:
        NrxError: `request.invalid` for a metre that cannot be played.
    """
    found = METRE.search(text)
    if found is None:
        return "3/4" if WALTZ.search(text) else None
    metre = f"{int(found[1])}/{found[2]}"
    cells = int(found[1]) * 16 // int(found[2])
    if not SHORTEST_BAR_CELLS <= cells <= LONGEST_BAR_CELLS:
        raise NrxError(
            "request.invalid", f"Bars of {metre} cannot be played; ask for one such as 3/4, 4/4, 6/8 or 7/8."
        )
    return metre


def style_for_words(style: Style, text: str) -> Style:
    """Return the style as the words want it played: in their metre, by the instruments that they name.

    Raises:
        NrxError: `request.invalid` for a metre that cannot be played, or where nobody is left to play.
    """
    metre = parse_metre(text)
    if metre is not None:
        style = style.model_copy(update={"invention": style.invention.model_copy(update={"metre": metre})})
    return dressed(style, text)


def _tempo(text: str) -> float | None:
    found = TEMPO.search(text)
    value = float(found.group(1) or found.group(2)) if found else 0.0
    return value if 20.0 <= value <= 400.0 else None


def _key(text: str) -> str | None:
    found = KEY_WITH_MODE.search(text)
    if found:
        letter, accidental, mode = found.groups()
        name = letter.upper() + ACCIDENTALS.get((accidental or "").lower(), "")
        return f"{name} {'minor' if mode.lower().startswith('min') else 'major'}"
    found = KEY_SHORT.search(text)
    if found:
        letter, accidental, minor = found.groups()
        name = letter + ACCIDENTALS.get(accidental or "", "")
        return f"{name} {'minor' if minor else 'major'}"
    return None


def _nearness(style: Style, plain: str, said: Sequence[str], bpm: float | None) -> float:
    score = 0.0
    names = {style.id, style.id.replace("_", " "), style.id.replace("_", "-"), style.name.lower()}
    if any(re.search(rf"\b{re.escape(name)}\b", plain) for name in names):
        score += NAMED
    for word in {*style.words, *style.id.split("_")}:
        if " " in word:
            score += EXACT * (word in plain)
        elif word in said:
            score += EXACT
        elif len(word) > 4 and difflib.get_close_matches(word, said, n=1, cutoff=0.84):
            score += NEAR
    score += NEAR / 2 * sum(any(each.plays(p) for p in style.parts) for each in named_instruments(plain))
    if bpm is not None:
        low, high = style.tempo_range_bpm
        score += IN_RANGE * (low <= bpm <= high)
    return score
