"""How a process handles its memory while a job runs: what is freed stays at hand, and cycles are looked for seldom.

A job takes and frees buffers of some megabytes thousands of times. glibc gives such buffers back to the system at
once, and the system clears every page before it hands them out again: up to a tenth of a remix's processor time.
So while a job runs freed memory is kept for the next buffer, and given back when the job is done. The most that is in
use at one time stays the same. The thresholds are those of mallopt(3); other C libraries are left as they are.

The collector of cycles finds nothing to collect in a job, but walks through all that was imported again and again.
"""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engine.thrift import is_sparing

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # M_… of <malloc.h>
KEPT_BYTES = 1 << 30
MOST_ARENAS = 2
LARGEST_KEPT_BUFFER_BYTES = 32 << 20
"""Buffers above this go back to the system at once: glibc allows no more."""
COLLECT_EVERY = 50_000
"""New objects between two searches for cycles; Python's own number is 700 or 2000."""


@contextmanager
def memory_for_a_job() -> Iterator[None]:
    """Keep freed memory at hand while the body runs; not where memory is spared."""
    library = None if is_sparing() else _allocator()
    seldom = gc.get_threshold()
    gc.set_threshold(COLLECT_EVERY, *seldom[1:])
    if library is not None:
        library.mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
        library.mallopt(_MMAP_THRESHOLD, LARGEST_KEPT_BUFFER_BYTES)
    try:
        yield
    finally:
        gc.set_threshold(*seldom)
        if library is not None:
            library.malloc_trim(0)


def bound_arenas() -> None:
    """Have all threads of this process share two of the allocator's arenas; call it before there are threads.

    By glibc's default each new thread may get an arena of its own, up to eight a processor, and each keeps some
    megabytes for ever: a process that lives for weeks would grow step by step.
    """
    library = _allocator()
    if library is not None:
        library.mallopt(_ARENA_MAX, MOST_ARENAS)


def give_back_memory() -> None:
    """Give what was freed back to the system, where the allocator can be told so."""
    library = _allocator()
    if library is not None:
        library.malloc_trim(0)


def give_back() -> None:
    """Free what cycles still hold (an error's frames, for one), and hand freed memory to the system."""
    gc.collect()
    library = _allocator()
    if library is not None:
        library.malloc_trim(0)


def _allocator() -> Any:
    """Return the C library if it is one whose allocator can be told so, else None."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
