"""Chords for the eye: Harte's syntax as musicians write it, and a colour for each root.

Source of the syntax: Harte et al., "Symbolic representation of musical chords", ISMIR 2005.
"""

import colorsys
from collections.abc import Sequence

from engine.analysis.model import Chord

Colour = tuple[int, int, int]

NO_CHORD = "N.C."
"""What musicians write where no chord is played."""

_PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_CHORD_SUFFIXES = {
    "maj": "", "min": "m", "7": "7", "maj7": "maj7", "min7": "m7", "minmaj7": "m(maj7)", "maj6": "6",
    "min6": "m6", "dim": "dim", "dim7": "dim7", "hdim7": "m7b5", "aug": "aug", "sus2": "sus2", "sus4": "sus4",
    "9": "9", "maj9": "maj9", "min9": "m9", "5": "5", "1": "",
}  # fmt: skip
"""Harte's shorthands as musicians write them."""

_DEGREES = {"1": 0, "2": 2, "3": 4, "4": 5, "5": 7, "6": 9, "7": 11}
_SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FLATS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")


def chord_name(label: str) -> str:
    """Return a chord in Harte's syntax as musicians write it: "E:min7/b3" is "Em7/G"; no chord is ""."""
    if label[:1] not in _PITCH_CLASSES:
        return ""
    chord, _, bass = label.partition("/")
    root, _, quality = chord.partition(":")
    shorthand = quality.partition("(")[0]
    name = root + _CHORD_SUFFIXES.get(shorthand, shorthand)
    degree = bass.lstrip("#b")
    if degree not in _DEGREES or bass == "1":
        return name
    pitch = (_pitch_class(root) + _DEGREES[degree] + bass.count("#") - bass.count("b")) % 12
    has_flats = "b" in root or root == "F" or "b" in bass
    return f"{name}/{(_FLATS if has_flats else _SHARPS)[pitch]}"


def chord_colour(label: str) -> Colour | None:
    """Return a chord's colour: hue by root on the circle of fifths, minor darker; None for no chord."""
    if label[:1] not in _PITCH_CLASSES:
        return None
    root, _, quality = label.partition("/")[0].partition(":")
    is_dark = quality.startswith(("min", "dim", "hdim"))
    hue = ((_pitch_class(root) * 7) % 12) / 12
    red, green, blue = colorsys.hls_to_rgb(hue, 0.42 if is_dark else 0.54, 0.42 if is_dark else 0.50)
    return round(255 * red), round(255 * green), round(255 * blue)


def _pitch_class(root: str) -> int:
    return (_PITCH_CLASSES[root[0]] + root.count("#") - root.count("b")) % 12


def merged_chords(chords: Sequence[Chord]) -> list[Chord]:
    """Return the chords with equal neighbours joined."""
    merged: list[Chord] = []
    for chord in chords:
        if merged and merged[-1].label == chord.label and chord.start_s - merged[-1].end_s < 1e-3:
            merged[-1] = Chord(merged[-1].start_s, chord.end_s, chord.label)
        else:
            merged.append(chord)
    return merged
