"""What the folder door shows to others."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """A file that was seen and not yet accepted: `reason` is one sentence, `since` Unix seconds.

    A watched folder that is not there (an unplugged drive) is listed in the same way.
    """

    path: Path
    watch: Path
    style: str | None
    bytes: int
    reason: str
    since: float
