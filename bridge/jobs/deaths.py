"""What a process's exit status says: in words, and whether it was ended for want of memory.

The Linux kernel counts the processes that it has ended for memory: `oom_kill` in the cgroup's `memory.events` (kernel
documentation, "Control Group v2", memory) and in `/proc/vmstat`. Elsewhere it is not told.
"""

import signal
from pathlib import Path

_COUNTERS = (Path("/sys/fs/cgroup/memory.events"), Path("/proc/vmstat"))


class Deaths:
    """Judges exit statuses; remembers how many processes had been ended for memory before."""

    def __init__(self) -> None:
        self._counted = _oom_kills()

    def by_memory(self, exit_code: int | None) -> str | None:
        """Return in words that a process was ended for want of memory, or None."""
        before, self._counted = self._counted, _oom_kills()
        killed = exit_code == -9
        return "the system ended its process" if killed and self._counted > before else None

    @staticmethod
    def said(exit_code: int | None) -> str:
        """Return how a process ended, as "was ended by SIGSEGV"."""
        if exit_code is not None and exit_code < 0:
            try:
                return f"was ended by {signal.Signals(-exit_code).name}"
            except ValueError:
                return f"was ended by signal {-exit_code}"
        return f"ended with status {exit_code}"


def _oom_kills() -> int:
    """Return how often the kernel has ended a process for memory, as far as it tells."""
    total = 0
    for file in _COUNTERS:
        try:
            lines = file.read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    return total
