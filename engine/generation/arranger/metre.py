"""Bars of any metre from patterns written for 4/4: the backbeat idea is kept and the grid recomputed.

A bar is a row of pulses of 4 sixteenths (a quarter note) or 6 (a dotted quarter, where eighths go in threes).
Each pulse borrows one quarter of the 4/4 pattern: the first pulse of a group its first quarter, the last its
backbeat. So a waltz becomes kick, snare, snare and 7/8 becomes 2+2+3.
"""

from collections.abc import Sequence
from functools import lru_cache

CELLS_PER_BEAT = 4
QUARTER, DOTTED = 4, 6
_STRETCHED = (0, 1, 2, 3, 2, 3)
"""The cells of a quarter that the six sixteenths of a dotted quarter borrow."""
_BORROWED: dict[int, tuple[int, ...]] = {
    1: (0,),
    2: (0, 1),
    3: (0, 1, 3),
    4: (0, 1, 2, 3),
    5: (0, 1, 3, 2, 3),
}


@lru_cache(maxsize=256)
def pulses(cells: int, compound: bool) -> tuple[int, ...]:
    """Return the lengths, in sixteenths, of the pulses of a bar; `compound` if its eighths go in threes."""
    if compound and cells % DOTTED == 0:
        return (DOTTED,) * (cells // DOTTED)
    quarters, left = divmod(cells, QUARTER)
    if left == 2 and quarters:
        return (QUARTER,) * (quarters - 1) + (DOTTED,)
    return (QUARTER,) * quarters + ((left,) if left else ())


def is_compound(numerator: int, denominator: int) -> bool:
    """Whether a time signature is felt in dotted beats, as 6/8, 9/8 and 12/8 are."""
    return denominator >= 8 and numerator % 3 == 0 and numerator > 3


@lru_cache(maxsize=256)
def borrowed_cells(cells: int, compound: bool) -> tuple[int, ...]:
    """Return for each cell of a bar the cell (0 to 15) of a 4/4 bar that it borrows."""
    lengths = pulses(cells, compound)
    quarters = _borrowed_quarters(len(lengths))
    return tuple(
        4 * quarter + (_STRETCHED[i] if length == DOTTED else i)
        for quarter, length in zip(quarters, lengths, strict=True)
        for i in range(length)
    )


def _borrowed_quarters(count: int) -> list[int]:
    quarters: list[int] = []
    while count > 5:
        quarters += _BORROWED[4]
        count -= 4
    return quarters + list(_BORROWED[count]) if count else quarters


def bar_of(patterns: Sequence[str], cells: int, compound: bool) -> tuple[str, ...]:
    """Return 4/4 patterns (16 cells each) as bars of `cells` sixteenths."""
    if cells == 16 and not compound:
        return tuple(patterns)
    source = borrowed_cells(cells, compound)
    return tuple("".join(pattern[i] for i in source) for pattern in patterns)
