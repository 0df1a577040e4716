"""How far memory is spared in this process, at the price of time. Results are the same.

Step 0 is usual. From step 1 on, pieces of work that usually run side by side run one after the other. At step 2 blocks
are a quarter as large too. A worker process takes a step after a job ran out of memory.
"""

from collections.abc import Iterator
from contextlib import contextmanager

STEPS = 2
BLOCK_SHARE = 4

_step = 0


@contextmanager
def sparing_memory(step: int) -> Iterator[None]:
    """Spare memory at this step while the body runs; for the whole process."""
    global _step
    before, _step = _step, min(step, STEPS)
    try:
        yield
    finally:
        _step = before


def is_sparing() -> bool:
    """Return whether memory is spared at all."""
    return _step > 0


def at_a_time(usual: int) -> int:
    """Return how many pieces to work on side by side, where so many are usual."""
    return 1 if _step >= 1 else usual


def block_size(usual: int) -> int:
    """Return how large a block to work on, where this size is usual; at least 1."""
    return max(1, usual // BLOCK_SHARE) if _step >= 2 else usual
