"""Time signatures given by the beat at which they change, as a DAW's automation has them, by bars."""

import math

from engine.tempo import TimeSignature


def signatures_of(changes: list[tuple[float, int, int]]) -> tuple[TimeSignature, ...]:
    """Return time signatures from (beat, numerator, denominator), the first of them from bar 0 on.

    A change inside a bar counts from the next bar line; of several at one bar line the last one counts.
    """
    found: list[TimeSignature] = []
    bar, beat = 0, 0.0
    for at, numerator, denominator in sorted(changes, key=lambda change: change[0]):
        if found and at > beat:
            length = 4.0 * found[-1].numerator / found[-1].denominator
            bars = math.ceil((at - beat) / length - 1e-6)
            bar, beat = bar + bars, beat + bars * length
        here = TimeSignature(bar, numerator, denominator)
        found = [*found[:-1], here] if found and found[-1].start_bar == bar else [*found, here]
    return tuple(found)
