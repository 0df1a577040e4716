"""Reasons: why each setting is as it is, in words for the report."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence about a stage of a track or bus; `track` is "" for the whole mix."""

    stage: str
    track: str
    text: str


@dataclass(slots=True)
class Reasons:
    """Reasons as they come up."""

    items: list[Reason] = field(default_factory=list)

    def add(self, stage: str, track: str, text: str) -> None:
        """Note a reason."""
        self.items.append(Reason(stage, track, text))
