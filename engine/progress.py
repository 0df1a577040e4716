"""How long work tells how far it is, and learns that it should stop.

A stage gets a `Monitor` and calls `report(fraction)` often (at least twice a second where it can). Reporting never goes
backwards, and raises `Cancelled` once the job is cancelled. `part` gives a monitor for a slice of the whole.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.errors import Cancelled


def _ignore(_fraction: float) -> None:
    return None


def _never() -> bool:
    return False


@dataclass(slots=True)
class Monitor:
    """Progress of one piece of work, as a fraction from 0 to 1 mapped into its parent's range."""

    on_progress: Callable[[float], None] = _ignore
    is_cancelled: Callable[[], bool] = _never
    _start: float = 0.0
    _end: float = 1.0
    _highest: float = field(default=0.0)

    def check(self) -> None:
        """Raise `Cancelled` if the job has been cancelled."""
        if self.is_cancelled():
            raise Cancelled

    def report(self, fraction: float) -> None:
        """Say that `fraction` (0 to 1) of this work is done; raises `Cancelled` if the job has been cancelled."""
        self.check()
        self._highest = max(self._highest, min(1.0, max(0.0, fraction)))
        self.on_progress(self._start + (self._end - self._start) * self._highest)

    def part(self, start: float, end: float) -> "Monitor":
        """Return the monitor of a piece of this work that runs from `start` to `end` (fractions of it)."""
        span = self._end - self._start
        return Monitor(
            self.on_progress, self.is_cancelled, self._start + span * start, self._start + span * end
        )


SILENT = Monitor()


def shared_monitor(monitor: Monitor, count: int) -> list[Monitor]:
    """Return `count` monitors for pieces of equal weight that run side by side, and together make up `monitor`."""
    done = [0.0] * count

    def share(index: int) -> Monitor:
        def tell(fraction: float) -> None:
            done[index] = fraction
            monitor.report(sum(done) / count)

        return Monitor(tell, monitor.is_cancelled)

    return [share(index) for index in range(count)]
