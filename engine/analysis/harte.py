"""Names of notes, chords and keys: pitch classes to text and back, spelled as musicians spell them.

Chord labels follow Harte et al., "Symbolic representation of musical chords", ISMIR 2005: root, colon,
quality ("F#:min7"), "N" for no chord. Pitch classes are 0 (C) to 11 (B). Which of F# and Gb is written
depends on the key.
"""

from dataclasses import dataclass

NO_CHORD = "N"

_SHARP_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FLAT_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
_COMMON_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

MAJOR_TONICS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MINOR_TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
_FLAT_KEYS = frozenset(
    [(tonic, "major") for tonic in ("F", "Bb", "Eb", "Ab", "Db", "Gb")]
    + [(tonic, "minor") for tonic in ("D", "G", "C", "F", "Bb", "Eb")]
)
_KEYS_OF_NATURALS = frozenset([("C", "major"), ("A", "minor")])


@dataclass(frozen=True, slots=True)
class Quality:
    """A kind of chord: Harte's shorthand, its notes in semitones above the root, the triad it counts as."""

    name: str
    intervals: tuple[int, ...]
    triad: str


QUALITIES: dict[str, Quality] = {
    q.name: q
    for q in (
        Quality("maj", (0, 4, 7), "maj"),
        Quality("min", (0, 3, 7), "min"),
        Quality("7", (0, 4, 7, 10), "maj"),
        Quality("maj7", (0, 4, 7, 11), "maj"),
        Quality("min7", (0, 3, 7, 10), "min"),
        Quality("sus4", (0, 5, 7), "maj"),
        Quality("sus2", (0, 2, 7), "maj"),
        Quality("dim", (0, 3, 6), "min"),
        Quality("hdim7", (0, 3, 6, 10), "min"),
    )
}


def pitch_class(name: str) -> int:
    """Return the pitch class of a note name such as "F#", "Bb" or "Cbb".

    Raises:
        ValueError: if it is not a note name.
    """
    if not name or name[0] not in _LETTERS or set(name[1:]) - {"#", "b"}:
        raise ValueError(f"{name!r} is not the name of a note: use a letter A to G and sharps # or flats b.")
    return (_LETTERS[name[0]] + name.count("#") - name[1:].count("b")) % 12


def tonic_name(pitch: int, mode: str) -> str:
    """Return how the tonic of a key is usually written: Db major, but C# minor."""
    return (MAJOR_TONICS if mode == "major" else MINOR_TONICS)[pitch % 12]


def note_name(pitch: int, key: tuple[str, str] | None = None) -> str:
    """Return the name of a pitch class within `key` (tonic, mode), or the commonest name if there is none."""
    if key is None or key in _KEYS_OF_NATURALS:
        return _COMMON_NAMES[pitch % 12]
    return (_FLAT_NAMES if key in _FLAT_KEYS else _SHARP_NAMES)[pitch % 12]


def chord_label(root: int, quality: str, key: tuple[str, str] | None = None) -> str:
    """Return Harte's label of a chord, its root spelled for `key` (tonic, mode)."""
    return f"{note_name(root, key)}:{quality}"


def parse_chord(label: str) -> tuple[int, str] | None:
    """Return (root pitch class, quality) of a Harte label ("E:min", "C", "G:7/3"), or None for "N" and "X".

    Raises:
        ValueError: if the root is not the name of a note.
    """
    if label in (NO_CHORD, "X"):
        return None
    root, _, quality = label.split("/")[0].partition(":")
    return pitch_class(root), quality or "maj"
