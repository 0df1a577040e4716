"""What the door knows of one watched folder while it runs: is it there, what is on its way to being taken."""

from dataclasses import dataclass, field
from pathlib import Path

from bridge.doors.folder.settling import Candidate, Settling
from bridge.doors.folder.watched import WatchedFolder


@dataclass
class Place:
    """A watched folder at work. Times are of the monotonic clock, except `absent_since` (Unix seconds)."""

    folder: WatchedFolder
    settling: Settling
    looks_often: bool
    identity: tuple[int, int] | None = None
    absent_since: float | None = None
    next_scan: float = 0.0
    group_due: float | None = None
    candidates: dict[Path, Candidate] = field(default_factory=dict)
    in_hand: set[Path] = field(default_factory=set)

    def next_due(self) -> float:
        """Return when there is something to do here next."""
        due = [candidate.due for path, candidate in self.candidates.items() if path not in self.in_hand]
        return min([*due, self.next_scan, *([] if self.group_due is None else [self.group_due])])
