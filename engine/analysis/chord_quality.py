"""Sevenths, suspensions and diminished chords: what a span of one triad more exactly is.

The loudness of each pitch class over the whole span is compared with the triad's own notes and with the notes
that belong to no chord. A richer chord is reported only if its extra note is loud, clearly above the foreign
notes, and there in most of the span's beats; otherwise the triad stands. Pitch classes are relative to the
root here.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LOUD_AGAINST_CHORD = 0.6  # of the mean of the triad's notes
_LOUD_AGAINST_FOREIGN = 2.5  # times the mean of the notes that belong to neither triad nor chord
_THERE_IN_BEATS = 0.75  # part of the span's beats
_HEARD = 0.25  # a note sounds in a beat if it has this part of the beat's loudest
_ABSENT_THIRD = 0.25  # against root and fifth: below, the chord has no third
_MIN_BEATS = 2  # in shorter spans nothing is told beyond the triad

_EXTRAS = {"maj": ((10, "7"), (11, "maj7")), "min": ((10, "min7"),)}
_SUSPENSIONS = ((5, "sus4"), (2, "sus2"))
_THIRD = {"maj": 4, "min": 3}


def refine_quality(chroma: Floats, root: int, triad: str) -> str:
    """Return the quality of a chord over a span whose triad is known.

    Args:
        chroma: chroma of the span's beats, shape (12, beats).
        root: pitch class of the root.
        triad: "maj" or "min".

    Returns:
        a key of `harte.QUALITIES`; `triad` itself where nothing more is clear.
    """
    if chroma.shape[1] < _MIN_BEATS:
        return triad
    relative = np.roll(chroma, -root, axis=0)
    loudness = relative.mean(axis=1)
    heard = (relative >= _HEARD * np.maximum(relative.max(axis=0), 1e-9)).mean(axis=1)
    third = _THIRD[triad]
    frame = (loudness[0] + loudness[7]) / 2
    if (
        triad == "min"
        and _clear(loudness, heard, 6, (0, 3), {0, 3, 6, 7, 10})
        and loudness[6] > 2 * loudness[7]
    ):
        return "hdim7" if _clear(loudness, heard, 10, (0, 3, 6), {0, 3, 6, 10}) else "dim"
    if max(loudness[3], loudness[4]) < _ABSENT_THIRD * frame:
        for note, name in _SUSPENSIONS:
            if _clear(loudness, heard, note, (0, 7), {0, 7, note}):
                return name
    present = [
        (float(loudness[note]), name)
        for note, name in _EXTRAS[triad]
        if _clear(loudness, heard, note, (0, third, 7), {0, third, 7, note})
    ]
    return max(present)[1] if present else triad


def _clear(loudness: Floats, heard: Floats, note: int, triad: tuple[int, ...], chord: set[int]) -> bool:
    """Whether `note` is loud against the triad, above the foreign notes, and there most of the time."""
    foreign = [loudness[k] for k in range(12) if k not in chord]
    return bool(
        loudness[note] >= _LOUD_AGAINST_CHORD * np.mean([loudness[k] for k in triad])
        and loudness[note] >= _LOUD_AGAINST_FOREIGN * np.mean(foreign)
        and heard[note] >= _THERE_IN_BEATS
    )
