"""Time signatures and bars: where each bar starts, in beats (quarter notes). Bar 0 starts at beat 0."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import NrxError

DENOMINATORS = (1, 2, 4, 8, 16, 32, 64)
MAX_NUMERATOR = 255
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TimeSignature:
    """From bar `start_bar` (0-based) on, bars of `numerator` notes of 1/`denominator`."""

    start_bar: int
    numerator: int
    denominator: int

    @property
    def bar_beats(self) -> float:
        """Length of a bar in quarter notes."""
        return 4.0 * self.numerator / self.denominator


def signature_of(length_beats: float) -> tuple[int, int] | None:
    """Return (numerator, denominator) of a bar of `length_beats` quarter notes, or None if none has that."""
    for denominator in (4, 8, 16, 32, 64):
        numerator = length_beats * denominator / 4
        if abs(numerator - round(numerator)) < 1e-6 and 1 <= round(numerator) <= MAX_NUMERATOR:
            return round(numerator), denominator
    return None


def checked(signatures: Sequence[TimeSignature]) -> tuple[TimeSignature, ...]:
    """Return `signatures` without those that change nothing; raises `NrxError` if one is impossible."""
    if not signatures:
        return (TimeSignature(0, 4, 4),)
    kept: list[TimeSignature] = []
    for i, signature in enumerate(signatures):
        if signature.denominator not in DENOMINATORS or not 1 <= signature.numerator <= MAX_NUMERATOR:
            raise NrxError(
                "input.tempo_map",
                f"signatures[{i}] is {signature.numerator}/{signature.denominator}; a time signature has "
                "a numerator of "
                f"1 to {MAX_NUMERATOR} and one of the denominators {', '.join(map(str, DENOMINATORS))}.",
            )
        if i and signature.start_bar <= signatures[i - 1].start_bar:
            raise NrxError(
                "input.tempo_map",
                f"signatures[{i}].start_bar is {signature.start_bar}; it must be above the one before "
                f"({signatures[i - 1].start_bar}).",
            )
        if not kept or (kept[-1].numerator, kept[-1].denominator) != (
            signature.numerator,
            signature.denominator,
        ):
            kept.append(signature)
    return tuple(kept)


@dataclass(frozen=True, slots=True)
class Bars:
    """Signatures as arrays of shape (signatures,); the first one holds before its start too."""

    start_bar: Floats
    start_beat: Floats
    bar_beats: Floats

    @classmethod
    def of(cls, signatures: Sequence[TimeSignature]) -> "Bars":
        """Lay out `signatures` so that bar 0 starts at beat 0."""
        bars = np.array([s.start_bar for s in signatures], dtype=np.float64)
        lengths = np.array([s.bar_beats for s in signatures], dtype=np.float64)
        starts = np.concatenate(([0.0], np.cumsum(np.diff(bars) * lengths[:-1])))
        unanchored = cls(bars, starts, lengths)
        return cls(bars, starts - unanchored.beat_of_bar(np.zeros(1))[0], lengths)

    def beat_of_bar(self, bars: Floats) -> Floats:
        """Beat at which each of `bars` (may be fractional) starts."""
        i = np.maximum(np.searchsorted(self.start_bar, bars, side="right") - 1, 0)
        beats: Floats = self.start_beat[i] + (bars - self.start_bar[i]) * self.bar_beats[i]
        return beats

    def bar_of_beat(self, beats: Floats) -> Floats:
        """Bar at each of `beats`, with the fraction of the bar that has passed."""
        i = np.maximum(np.searchsorted(self.start_beat, beats, side="right") - 1, 0)
        bars: Floats = self.start_bar[i] + (beats - self.start_beat[i]) / self.bar_beats[i]
        return bars
