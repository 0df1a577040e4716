"""When a file is finished: no event, size and time unchanged for the settle time, and a header that agrees.

Seconds are of a monotonic clock that the caller passes in, so that tests can turn it. A file that grows stays here for
as long as it grows. One that does not grow, but whose header is not finished, gets `patience_s`; then it is taken as it
is, if it opens, or is bad, until it changes again.
"""

import stat
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from bridge.doors.folder.header import Unfinished, judge_header
from engine.errors import NrxError

RECHECK_S = 1.0
"""An unfinished header is looked at again at least this often."""


class State(Enum):
    """Where a candidate stands."""

    SETTLING = "settling"
    READY = "ready"
    BAD = "bad"
    GONE = "gone"


Signature = tuple[int, int]
"""A file's size in bytes and its time of change in nanoseconds."""


def signature(path: Path) -> Signature | None:
    """Return the signature of an ordinary file, or None where there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


@dataclass
class Candidate:
    """A file on its way to be taken."""

    path: Path
    since: float
    changed_at: float
    signature: Signature
    companion: Signature | None = None
    due: float = 0.0
    state: State = State.SETTLING
    reason: str = "Just seen; waiting until it is finished."
    error: NrxError | None = None
    unfinished_since: float | None = None


class Settling:
    """The rule, with its times: how long a file must be quiet, and how long an unfinished header is waited for."""

    def __init__(
        self,
        settle_s: float,
        patience_s: float,
        judge: Callable[[Path], Unfinished | None] = judge_header,
    ) -> None:
        self.settle_s = settle_s
        self.patience_s = patience_s
        self._judge = judge

    def begin(self, path: Path, now: float, wall: float, companion: Signature | None) -> Candidate | None:
        """Return a candidate for a path that was seen, or None if it is not an ordinary file."""
        seen = signature(path)
        if seen is None:
            return None
        return Candidate(path, wall, now, seen, companion, due=now + self.settle_s)

    def touch(self, candidate: Candidate, now: float, companion: Signature | None, *, event: bool) -> None:
        """Look at a candidate's size and time; a change, or an event of writing, starts its clock again."""
        seen = signature(candidate.path)
        if seen is None:
            candidate.state = State.GONE
            return
        changed = seen != candidate.signature or companion != candidate.companion
        if not changed and not event:
            return
        if seen[0] > candidate.signature[0]:
            candidate.reason = "Still growing."
        elif changed:
            candidate.reason = "Just changed; waiting until it is finished."
        candidate.signature, candidate.companion = seen, companion
        candidate.changed_at, candidate.due = now, now + self.settle_s
        candidate.state, candidate.error = State.SETTLING, None
        if changed:
            candidate.unfinished_since = None

    def examine(self, candidate: Candidate, now: float, companion: Signature | None) -> None:
        """Decide about a candidate that is due: READY, BAD, GONE, or SETTLING with a new due time."""
        self.touch(candidate, now, companion, event=False)
        if candidate.state is not State.SETTLING or now < candidate.due:
            return
        try:
            unfinished = self._judge(candidate.path)
        except FileNotFoundError:
            candidate.state = State.GONE
            return
        if unfinished is None:
            candidate.state = State.READY
            return
        if candidate.unfinished_since is None:
            candidate.unfinished_since = now
        candidate.reason = f"Not finished yet: {unfinished.error.sentence}"
        candidate.due = now + min(self.settle_s, RECHECK_S)
        if now - candidate.unfinished_since >= self.patience_s:
            candidate.error = unfinished.error
            candidate.state = State.READY if unfinished.opens else State.BAD
