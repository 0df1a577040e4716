"""Undo: REAPER keeps whole states. A point's name belongs to what changed since the state before it."""

import copy
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from tests.reaper.model.state import Content, Item, Source, Take, Track

PART_FLAGS = {"tracks": 1, "fx": 2, "items": 4, "misc": 8}
"""Which bit of an undo point's flags covers which part; -1 covers all."""
_NOT_COMPARED = {"selected", "uid"}


@dataclass
class UndoPoint:
    """A named step: the state before it and after it."""

    name: str
    before: Content
    after: Content


Picture = dict[str, Any]


def picture_of(content: Content) -> Picture:
    """Return what counts as a change, part by part: no selection, no time selection, no extension state."""
    return {
        "tracks": [_plain(track, {"items", "fx"}) for track in (*content.tracks, content.master)]
        + [_plain(content.sends)],
        "fx": [_plain(track.fx) for track in (*content.tracks, content.master)],
        "items": [_plain(track.items) for track in content.tracks],
        "misc": [
            _plain(content.markers),
            _plain(content.tempo_markers),
            (content.bpm, content.numerator, content.denominator),
        ],
    }


def _plain(value: Any, without: set[str] = frozenset()) -> Any:  # type: ignore[assignment]
    if isinstance(value, list):
        return tuple(_plain(entry) for entry in value)
    if is_dataclass(value):
        left_out = _NOT_COMPARED | without
        return tuple(
            _plain(getattr(value, entry.name)) for entry in fields(value) if entry.name not in left_out
        )
    if isinstance(value, dict):
        return tuple(sorted((key, _plain(entry)) for key, entry in value.items()))
    return value


class History:
    """The undo history of one project. `content` is the live state; it keeps its identity through undo and redo."""

    def __init__(self, content: Content) -> None:
        self.points: list[UndoPoint] = []
        self.undone: list[UndoPoint] = []
        self._content = content
        self._saved = copy.deepcopy(content)
        self._saved_picture = picture_of(content)

    def changed_parts(self) -> list[str]:
        """Return which parts differ from the state after the last point."""
        now = picture_of(self._content)
        return [part for part in now if now[part] != self._saved_picture[part]]

    def add(self, name: str) -> None:
        """Make a point of everything that changed since the last one."""
        after = copy.deepcopy(self._content)
        self.points.append(UndoPoint(name, self._saved, after))
        self.undone.clear()
        self._saved, self._saved_picture = after, picture_of(self._content)

    def note_user_edits(self) -> None:
        """What changed while no script ran was the user, and has its own point."""
        if self.changed_parts():
            self.add("(user)")

    def undo(self) -> str | None:
        """Bring back the state before the last point; return its name, None if there is none."""
        if not self.points:
            return None
        point = self.points.pop()
        self.undone.append(point)
        self._bring_back(point.before)
        return point.name

    def redo(self) -> str | None:
        """Bring back what was undone last."""
        if not self.undone:
            return None
        point = self.undone.pop()
        self.points.append(point)
        self._bring_back(point.after)
        return point.name

    def _bring_back(self, state: Content) -> None:
        known = {
            thing.uid: thing
            for track in (*self._content.tracks, self._content.master)
            for thing in _things(track)
        }
        restored = copy.deepcopy(state)
        for entry in fields(Content):
            setattr(self._content, entry.name, getattr(restored, entry.name))
        self._content.tracks = [_in_place(track, known) for track in restored.tracks]
        self._content.master = _in_place(restored.master, known)
        self._saved, self._saved_picture = state, picture_of(self._content)


def _things(track: Track) -> list[Track | Item | Take | Source]:
    found: list[Track | Item | Take | Source] = [track]
    for item in track.items:
        found.append(item)
        for take in item.takes:
            found.append(take)
            if take.source:
                found.append(take.source)
    return found


def _in_place(track: Track, known: dict[int, Any]) -> Track:
    """Put restored values into the objects that tests hold already."""
    for item in track.items:
        for take in item.takes:
            if take.source:
                take.source = _same(take.source, known)
        item.takes = [_same(take, known) for take in item.takes]
    track.items = [_same(item, known) for item in track.items]
    restored: Track = _same(track, known)
    return restored


def _same(new: Any, known: dict[int, Any]) -> Any:
    old = known.get(new.uid)
    if old is None:
        return new
    for entry in fields(new):
        setattr(old, entry.name, getattr(new, entry.name))
    return old
