"""How fast models generate on this machine, so that people are told before a stream starts that cannot keep up.

What was measured last (by this process) counts. Before anything was measured there is an estimate: a step reads all
weights of the language model once, so it takes at least their bytes over the memory's bandwidth, which a short copy
tells; generators reach about half of that.
"""

import time
from dataclasses import dataclass, field
from threading import Lock

import numpy as np

REACHED_SHARE = 0.5
NEWEST_SHARE = 0.3
_COPIED_BYTES, _COPIES = 48_000_000, 3
_LEAST_STEPS = 10


@dataclass(slots=True)
class Speeds:
    """Steps a second by name of a model and how it runs."""

    _known: dict[str, float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def measured(self, name: str) -> float | None:
        """Return steps a second as measured; None before the first time."""
        return self._known.get(name)

    def note(self, name: str, steps: int, seconds: float) -> None:
        """Note a measurement; short ones say little and are left out."""
        if steps < _LEAST_STEPS or seconds <= 0.0:
            return
        with self._lock:
            before = self._known.get(name)
            now = steps / seconds
            self._known[name] = now if before is None else (1 - NEWEST_SHARE) * before + NEWEST_SHARE * now


SPEEDS = Speeds()
"""What this process has measured."""


def estimated_steps_per_s(weight_bytes: int) -> float:
    """Return an estimate for a model whose steps read `weight_bytes`; takes about 40 ms."""
    return REACHED_SHARE * bandwidth_bytes_per_s() / max(1, weight_bytes)


def bandwidth_bytes_per_s() -> float:
    """Return how many bytes a second this machine reads and writes, by copying some."""
    source = np.ones(_COPIED_BYTES // 8)
    target = np.empty_like(source)
    quickest_s = float("inf")
    for _ in range(_COPIES):  # the first one makes the pages; one may be held up by whatever else runs
        began = time.perf_counter()
        np.copyto(target, source)
        quickest_s = min(quickest_s, time.perf_counter() - began)
    return 2 * source.nbytes / max(1e-6, quickest_s)
