"""How full a pattern is: the user's energy fills weak places of a bar, or leaves them out, one after the other.

Places are taken in the order of their metric weight (half bars, beats, off-beat eighths, sixteenths), so a
fuller bar holds all that a plainer one holds, and every step of energy is heard; at energy 1 a pattern is
played as the style wrote it. Which pattern is played is decided before, by the level of the section.
"""

import math
from collections.abc import Callable, Sequence

FINEST_SIXTEENTH, FINEST_EIGHTH = 5, 3
_EARLIEST_FILLED = (2, 0, 3, 1)
"""Of places of equal weight the third quarter of a bar is filled first, as a drummer would."""


def weight_of(cell: int, *, compound: bool = False) -> int:
    """Return how weak a sixteenth is: 0 the downbeat, 1 the half bar, 2 a beat, 3 an eighth, 4 and 5 the rest."""
    if cell == 0:
        return 0
    if compound:
        return 2 if cell % 6 == 0 else 3 if cell % 2 == 0 else 5
    if cell % 4 == 0:
        return 1 if cell == 8 else 2
    return {2: 3, 3: 4, 1: 5}[cell % 4]


def _order(cell: int, compound: bool) -> tuple[int, int, int]:
    return weight_of(cell, compound=compound), _EARLIEST_FILLED[cell // 4 % 4], cell


def fuller(
    row: Sequence[str],
    amount: float,
    is_free: Callable[[int], bool],
    char_at: Callable[[int], str],
    *,
    finest: int = FINEST_SIXTEENTH,
    compound: bool = False,
) -> list[str]:
    """Return `row` with `amount` (0 to 1) of its free places filled, strong ones first."""
    places = sorted(
        (i for i in range(1, len(row)) if is_free(i) and weight_of(i, compound=compound) <= finest),
        key=lambda i: _order(i, compound),
    )
    filled = list(row)
    for i in places[: math.ceil(amount * len(places) - 1e-9)]:
        filled[i] = char_at(i)
    return filled


def plainer(
    row: Sequence[str],
    amount: float,
    may_go: Callable[[int], bool],
    instead: str,
    *,
    strongest: int = 2,
    compound: bool = False,
) -> list[str]:
    """Return `row` without `amount` (0 to 1) of what lies on places as weak as `strongest`, weak ones first."""
    places = sorted(
        (i for i in range(1, len(row)) if may_go(i) and weight_of(i, compound=compound) >= strongest),
        key=lambda i: _order(i, compound),
        reverse=True,
    )
    left = list(row)
    for i in places[: math.ceil(amount * len(places) - 1e-9)]:
        left[i] = instead
    return left
