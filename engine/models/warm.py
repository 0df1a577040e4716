"""Models that are loaded in this process: one table, so that memory comes back when a job is done.

Whoever loads weights asks `WARM.use(key, load)`; the same key gives the same object without loading it again. When a
job is done, `let_go` drops all, or all that nobody has used for a while where a worker keeps models warm.
"""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar, cast

from engine.devices import give_memory_back

T = TypeVar("T")


@dataclass(slots=True)
class Warm:
    """Loaded models by key, with the time of their last use."""

    _held: dict[Hashable, tuple[object, float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def use(self, key: Hashable, load: Callable[[], T]) -> T:
        """Return what `load` made for this key, now or before."""
        with self._lock:
            found = self._held.get(key)
            value = load() if found is None else cast(T, found[0])
            self._held[key] = (value, time.monotonic())
            return value

    def let_go(self, idle_s: float = 0.0) -> int:
        """Drop what has not been used for `idle_s` seconds; return how many models are still held."""
        with self._lock:
            before = len(self._held)
            now = time.monotonic()
            self._held = {key: item for key, item in self._held.items() if now - item[1] < idle_s}
            dropped, left = before > len(self._held), len(self._held)
        if dropped:
            give_memory_back()
        return left


WARM = Warm()
"""The models of this process."""
