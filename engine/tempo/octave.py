"""Half-time and double-time: at which multiple of a tempo a groove fits a style."""

import math

MULTIPLES = (1.0, 0.5, 2.0)


def nearest_octave(
    bpm: float, range_bpm: tuple[float, float], multiples: tuple[float, ...] = MULTIPLES
) -> float:
    """Return the multiple of `bpm` that lies in `range_bpm`, or as close to it as can be (by ratio).

    At equal distance the earlier of `multiples` wins: by default the tempo as it is, then half-time, then
    double-time.

    >>> [nearest_octave(bpm, (100.0, 130.0)) for bpm in (220.0, 120.0, 63.0)]
    [0.5, 1.0, 2.0]
    """
    low, high = range_bpm

    def distance(multiple: float) -> float:
        tempo = bpm * multiple
        return max(0.0, math.log(low / tempo), math.log(tempo / high))

    return min(multiples, key=lambda multiple: round(distance(multiple), 9))
