"""Handles: what a script holds instead of an object. They know their kind, and that their object is gone for good."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.reaper.model.project import Project


@dataclass(eq=False, slots=True)
class Handle:
    """One handle; `valid` never becomes true again."""

    number: int
    kind: str
    target: Any
    project: "Project | None"
    valid: bool = True

    def __str__(self) -> str:
        return f"userdata: 0x{0x7F0000000000 + self.number * 0x40:x}"


Place = tuple[str, Any, "Project | None"]


class Handles:
    """All handles that were given out, and which objects they still mean."""

    def __init__(self) -> None:
        self._by_number: dict[int, Handle] = {}
        self._by_target: dict[tuple[str, int], Handle] = {}

    def known(self, kind: str, target: Any) -> Handle | None:
        """Return the handle that was given for an object and still means it."""
        return self._by_target.get((kind, target.uid))

    def give(self, kind: str, target: Any, project: "Project | None") -> Handle:
        """Return a new handle of an object that has none."""
        handle = Handle(len(self._by_number) + 1, kind, target, project)
        self._by_number[handle.number] = handle
        self._by_target[kind, target.uid] = handle
        return handle

    def numbered(self, number: int) -> Handle:
        """Return a handle by its number."""
        return self._by_number[number]

    def refresh(self, places: Iterable[Place]) -> None:
        """Point handles to where their objects are now; what is nowhere has gone."""
        now = {(kind, target.uid): (target, project) for kind, target, project in places}
        for key, handle in list(self._by_target.items()):
            if key in now:
                handle.target, handle.project = now[key]
            elif handle.kind not in ("hwnd", "imgui"):
                handle.valid, handle.target, handle.project = False, None, None
                del self._by_target[key]
