"""The value of a given rank among a few arrays, elementwise, by a sorting network.

Batcher's odd-even merge sort (AFIPS 1968) as a fixed list of compare-and-swap steps, pruned to the steps that reach
the wanted rank. Every step is one minimum and one maximum of whole arrays, which on bytes runs at memory speed: a
moving median this way costs a small part of what a sort per element costs.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@lru_cache(maxsize=32)
def network(count: int, rank: int) -> tuple[tuple[int, int, bool, bool], ...]:
    """Return the steps (low wire, high wire, low is needed, high is needed) that put `rank` of `count` in its place."""
    steps: list[tuple[int, int]] = []
    p = 1
    while p < count:
        k = p
        while k >= 1:
            for j in range(k % p, count - k, 2 * k):
                lows = range(j, j + min(k, count - j - k))
                steps += [(low, low + k) for low in lows if low // (2 * p) == (low + k) // (2 * p)]
            k //= 2
        p *= 2
    needed = {rank}
    kept: list[tuple[int, int, bool, bool]] = []
    for low, high in reversed(steps):
        if low in needed or high in needed:
            kept.append((low, high, low in needed, high in needed))
            needed |= {low, high}
    return tuple(reversed(kept))


def rank_of(arrays: Sequence[Array], rank: int) -> Array:
    """Return the elementwise value of `rank` (0 is the smallest) among arrays of one shape and type."""
    wires = list(arrays)
    for low, high, wants_low, wants_high in network(len(wires), rank):
        a, b = wires[low], wires[high]
        if wants_low:
            wires[low] = np.minimum(a, b)
        if wants_high:
            wires[high] = np.maximum(a, b)
    return wires[rank]


def moving_median(plane: Array, count: int, apart: int = 1) -> Array:
    """Return the median over the last axis of an odd `count` of values `apart` from each other, centred.

    Beyond the ends the last value repeats.
    """
    reach = count // 2 * apart
    size = plane.shape[-1]
    padded = np.concatenate(
        [np.repeat(plane[..., :1], reach, axis=-1), plane, np.repeat(plane[..., -1:], reach, axis=-1)],
        axis=-1,
    )
    return rank_of([padded[..., k : k + size] for k in range(0, 2 * reach + 1, apart)], count // 2)
