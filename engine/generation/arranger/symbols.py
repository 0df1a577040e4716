"""Chord symbols as intervals, and the tones that a style may add to them.

Labels follow Harte's syntax (Harte et al., ISMIR 2005): "E:min7", "C", "G:sus4/5", "N". A style asks for
tones by degree (1 3 5 7 9 …); a degree above the triad is played only where the chord has it or the key's
scale agrees, so that extensions colour a chord and never turn it into another one.
"""

from dataclasses import dataclass
from functools import lru_cache

PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)

_QUALITIES: dict[str, tuple[int, int, int | None]] = {
    "maj": (4, 7, None), "min": (3, 7, None), "dim": (3, 6, None), "aug": (4, 8, None),
    "maj7": (4, 7, 11), "min7": (3, 7, 10), "7": (4, 7, 10), "dim7": (3, 6, 9), "hdim7": (3, 6, 10),
    "minmaj7": (3, 7, 11), "maj6": (4, 7, None), "min6": (3, 7, None), "9": (4, 7, 10), "maj9": (4, 7, 11),
    "min9": (3, 7, 10), "11": (4, 7, 10), "min11": (3, 7, 10), "13": (4, 7, 10), "maj13": (4, 7, 11),
    "min13": (3, 7, 10), "sus4": (5, 7, None), "sus2": (2, 7, None), "7sus4": (5, 7, 10), "5": (7, 7, None),
    "1": (0, 0, None), "aug7": (4, 8, 10),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Symbol:
    """A chord: `root` 0 to 11, and semitones above it. `is_pedal` marks a passage without a chord."""

    root: int
    third: int
    fifth: int
    seventh: int | None = None
    is_pedal: bool = False

    @property
    def pitch_classes(self) -> frozenset[int]:
        """Return the pitch classes of the triad (root and fifth only for a pedal)."""
        return frozenset((self.root + step) % 12 for step in (0, self.third, self.fifth))


def pitch_class(name: str) -> int:
    """Return the pitch class of a note name such as "F#" or "Bb".

    Raises:
        ValueError: if `name` is not a note name.
    """
    letter, accidentals = name[:1].upper(), name[1:]
    if letter not in PITCH_CLASSES or accidentals.strip("#b♯♭"):
        raise ValueError(f"{name!r} is not a note name such as F# or Bb")
    sharps = accidentals.count("#") + accidentals.count("♯")
    flats = accidentals.count("b") + accidentals.count("♭")
    return (PITCH_CLASSES[letter] + sharps - flats) % 12


@lru_cache(maxsize=1024)
def parse_chord(label: str) -> Symbol | None:
    """Return the chord of a label in Harte's syntax, or None for "N", "X" and what cannot be read."""
    name, _, _bass = label.strip().partition("/")
    root_name, _, quality = name.partition(":")
    try:
        root = pitch_class(root_name)
    except ValueError:
        return None
    shorthand, _, _degrees = quality.partition("(")
    third, fifth, seventh = _QUALITIES.get(
        shorthand or "maj", _QUALITIES["min" if "min" in shorthand else "maj"]
    )
    return Symbol(root, third, fifth, seventh)


def pedal(tonic: int) -> Symbol:
    """Return what is played where the song has no chord: the key's tonic and fifth."""
    return Symbol(tonic, 7, 7, None, is_pedal=True)


def tonic_triad(tonic: int, mode: str) -> Symbol:
    """Return the chord that a key comes to rest on."""
    return Symbol(tonic, 3 if mode == "minor" else 4, 7)


def scale_of(tonic: int, mode: str) -> frozenset[int]:
    """Return the pitch classes of a key."""
    return frozenset((tonic + step) % 12 for step in (MINOR if mode == "minor" else MAJOR))


def tone(symbol: Symbol, degree: int, scale: frozenset[int]) -> int | None:
    """Return the semitones above the root of `degree`, or None where chord and key do not have it."""
    if degree in {1, 3, 5}:
        return {1: 0, 3: symbol.third, 5: symbol.fifth}[degree]
    if symbol.is_pedal or symbol.third not in {3, 4} or symbol.fifth != 7:
        return symbol.seventh if degree == 7 else None
    is_major = symbol.third == 4
    if degree == 7:
        return symbol.seventh or _first_in((11, 10) if is_major else (10,), symbol.root, scale)
    candidates: dict[int, tuple[int, ...]] = {
        6: (9,) if is_major else (),
        9: (14,),
        11: () if is_major else (17,),
        13: (21,) if is_major else (),
    }
    return _first_in(candidates[degree], symbol.root, scale)


def _first_in(steps: tuple[int, ...], root: int, scale: frozenset[int]) -> int | None:
    return next((step for step in steps if (root + step) % 12 in scale), None)
