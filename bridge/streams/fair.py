"""Who is next: sessions get equal shares of a worker's time, and one that needs little is served at once.

Each session has a clock that runs while it is worked for; the one whose clock is least is next. One that has waited for
its listener does not save its share up: its clock is set to the least of the others when it comes back. This is the
rule of the "completely fair scheduler" (I. Molnár, Linux 2.6.23).
"""

from collections.abc import Collection

HEAD_START_S = 0.5
"""Work that a new session may have before it shares with the others."""


class FairShares:
    """Clocks of sessions, in seconds of work."""

    def __init__(self) -> None:
        self._clocks: dict[str, float] = {}
        self._waiting: set[str] = set()
        self._now = 0.0
        """How far the sessions have got together: never back."""

    def add(self, name: str) -> None:
        """Add a session; it begins a little before the others, so that its first sound is heard soon."""
        self._clocks[name] = self._now - HEAD_START_S

    def remove(self, name: str) -> None:
        """Forget a session."""
        self._clocks.pop(name, None)
        self._waiting.discard(name)

    def next(self, runnable: Collection[str], pressing: Collection[str] = ()) -> str | None:
        """Return the session to work for, of those that can be worked for now.

        `pressing` are those of them whose listeners have nothing, or will soon have nothing, to hear: work ahead for
        others waits for them. Among them shares are equal as among all.
        """
        for name in self._waiting & set(runnable):
            self._clocks[name] = max(self._clocks[name], self._now)
        self._waiting = set(self._clocks) - set(runnable)
        if not runnable:
            return None
        first = min(pressing or runnable, key=self._clocks.__getitem__)
        self._now = max(self._now, self._clocks[first])
        return first

    def charge(self, name: str, seconds: float) -> None:
        """Add what a step took."""
        if name in self._clocks:
            self._clocks[name] += seconds
