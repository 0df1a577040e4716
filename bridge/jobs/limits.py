"""Memory of a worker: spared after it ran out, given back to the system after each job."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bridge.config import Settings


def frugal(settings: Settings, thrift: int) -> Settings:
    """Return the settings for an attempt at this step of thrift."""
    return settings


@contextmanager
def thrifty(thrift: int) -> Iterator[None]:
    """Spare memory at this step of thrift while the body runs."""
    yield


def return_memory() -> None:
    """Give what is free back to the system: the C library keeps it otherwise, and more after each long song."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
