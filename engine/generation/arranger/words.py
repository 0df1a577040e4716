"""Understand a request in words: "dark techno, 128 bpm", "sad piano in F# minor"."""

import difflib
import re
from collections.abc import Sequence

from engine.generation.arranger.symbols import NAMES, pitch_class
from engine.presets.style import Style

TEMPO = re.compile(
    r"\b(\d{2,3}(?:\.\d+)?)\s*-?\s*bpm\b|\b(?:at|tempo)\s+(\d{2,3}(?:\.\d+)?)\b", re.IGNORECASE
)
KEY_WITH_MODE = re.compile(
    r"\b([A-Ga-g])\s*(#|♯|b|♭|sharp|-sharp|flat|-flat)?\s*-?\s*(minor|major|min|maj)\b", re.IGNORECASE
)
KEY_SHORT = re.compile(r"(?:\bin|\bkey(?: of)?)\s+([A-G])(#|♯|b|♭)?(m)?(?![\w#♯♭])")
ACCIDENTALS = {"#": "#", "♯": "#", "sharp": "#", "-sharp": "#", "b": "b", "♭": "b", "flat": "b", "-flat": "b"}
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


def _tempo(text: str) -> float | None:
    found = TEMPO.search(text)
    value = float(found.group(1) or found.group(2)) if found else 0.0
    return value if 20.0 <= value <= 400.0 else None


def _key(text: str) -> str | None:
    found = KEY_WITH_MODE.search(text)
    if found:
        letter, accidental, mode = found.groups()
        name = NAMES[pitch_class(letter.upper() + ACCIDENTALS.get((accidental or "").lower(), ""))]
        return f"{name} {'minor' if mode.lower().startswith('min') else 'major'}"
    found = KEY_SHORT.search(text)
    if found:
        letter, accidental, minor = found.groups()
        name = NAMES[pitch_class(letter + ACCIDENTALS.get(accidental or "", ""))]
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
    if bpm is not None:
        low, high = style.tempo_range_bpm
        score += IN_RANGE * (low <= bpm <= high)
    return score
