"""What REAPER holds: projects, tracks, items, takes, sources, markers. Plain values, no behaviour of scripts.

Times are seconds on the project's timeline, volumes linear, pans -1 … 1. Whatever a script can hold a handle of has a
`uid` that is never used twice; a project's copies (undo states) keep the uids of what they copy.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from tests.reaper.model.tempo import TempoMap, TempoMarker

Samples = npt.NDArray[np.float64]
_uids = itertools.count(1)


def new_uid() -> int:
    """Return a number that no other object has."""
    return next(_uids)


def new_guid() -> str:
    """Return a GUID as REAPER writes them."""
    return "{" + str(uuid4()).upper() + "}"


@dataclass
class Note:
    """A MIDI note, in quarter notes from the start of its source."""

    start_qn: float
    end_qn: float
    pitch: int
    velocity: int = 96
    channel: int = 0


@dataclass
class Source:
    """A media source: an audio file, a MIDI file or notes inside the project."""

    path: Path | None = None
    kind: str = "WAVE"
    length_s: float = 0.0
    sample_rate: int = 0
    channels: int = 0
    length_qn: float | None = None
    notes: list[Note] = field(default_factory=list)
    offline: bool = False
    uid: int = field(default_factory=new_uid)


@dataclass
class Take:
    """One take of an item."""

    source: Source | None = None
    name: str = ""
    offset_s: float = 0.0
    playrate: float = 1.0
    volume: float = 1.0
    pan: float = 0.0
    preserve_pitch: bool = True
    fx: list["Fx"] = field(default_factory=list)
    values: dict[str, float] = field(default_factory=dict)
    ext: dict[str, str] = field(default_factory=dict)
    guid: str = field(default_factory=new_guid)
    uid: int = field(default_factory=new_uid)


@dataclass
class Item:
    """A media item."""

    position_s: float = 0.0
    length_s: float = 0.0
    takes: list[Take] = field(default_factory=list)
    active: int = 0
    volume: float = 1.0
    muted: bool = False
    selected: bool = False
    loop_source: bool = True
    timebase: int = -1
    """-1 the track's or project's, 0 time, 1 beats (position, length, rate), 2 beats (position only)."""
    fade_in_s: float = 0.01
    fade_out_s: float = 0.01
    auto_fade_in_s: float = -1.0
    auto_fade_out_s: float = -1.0
    notes: str = ""
    values: dict[str, float] = field(default_factory=dict)
    ext: dict[str, str] = field(default_factory=dict)
    guid: str = field(default_factory=new_guid)
    uid: int = field(default_factory=new_uid)

    @property
    def end_s(self) -> float:
        """Where it ends."""
        return self.position_s + self.length_s

    @property
    def take(self) -> Take | None:
        """The active take."""
        return self.takes[self.active] if self.takes else None


@dataclass
class Fx:
    """An effect, or an instrument; `process(samples (frames, channels), rate)` is what it does to audio.

    `title` is the name that the user (or a script) gave it; `bands` are ReaEQ's, (type, index) -> values by unit.
    """

    name: str
    process: Callable[[Samples, int], Samples] | None = None
    instrument: bool = False
    enabled: bool = True
    offline: bool = False
    title: str = ""
    bands: dict[tuple[int, int], dict[str, float]] = field(default_factory=dict)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Fx":
        bands = {key: dict(values) for key, values in self.bands.items()}
        return Fx(self.name, self.process, self.instrument, self.enabled, self.offline, self.title, bands)


@dataclass
class Send:
    """A send to another track; the same object is the other's receive."""

    source_uid: int
    target_uid: int
    volume: float = 1.0
    pan: float = 0.0
    muted: bool = False


@dataclass
class Track:
    """A track. `folder_depth`: 1 opens a folder, 0 plain, -n closes n folders."""

    name: str = ""
    items: list[Item] = field(default_factory=list)
    volume: float = 1.0
    pan: float = 0.0
    muted: bool = False
    solo: int = 0
    selected: bool = False
    folder_depth: int = 0
    colour: int = 0
    channels: int = 2
    armed: bool = False
    timebase: int = -1
    fx: list[Fx] = field(default_factory=list)
    frozen: bool = False
    values: dict[str, float] = field(default_factory=dict)
    ext: dict[str, str] = field(default_factory=dict)
    guid: str = field(default_factory=new_guid)
    uid: int = field(default_factory=new_uid)


@dataclass
class Marker:
    """A marker, or a region if it has an end."""

    number: int
    position_s: float
    name: str = ""
    end_s: float | None = None
    colour: int = 0
    guid: str = field(default_factory=new_guid)

    @property
    def is_region(self) -> bool:
        """Whether it is a region."""
        return self.end_s is not None


@dataclass
class Content:
    """What undo brings back: everything in a project but its render settings, cursor and file name."""

    tracks: list[Track] = field(default_factory=list)
    master: Track = field(default_factory=lambda: Track(name="MASTER"))
    sends: list[Send] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)
    tempo_markers: list[TempoMarker] = field(default_factory=list)
    bpm: float = 120.0
    numerator: int = 4
    denominator: int = 4
    time_selection: tuple[float, float] = (0.0, 0.0)
    loop: tuple[float, float] = (0.0, 0.0)
    ext: dict[tuple[str, str], str] = field(default_factory=dict)

    def tempo_map(self) -> TempoMap:
        """Return what the tempo markers mean."""
        return TempoMap(self.tempo_markers, self.bpm, self.numerator, self.denominator)

    def items(self) -> Iterator[Item]:
        """Yield all items, track by track."""
        for track in self.tracks:
            yield from track.items

    def end_s(self) -> float:
        """Return the end of the last item, marker or region."""
        ends = [item.end_s for item in self.items()]
        ends += [marker.end_s if marker.end_s is not None else marker.position_s for marker in self.markers]
        return max(ends, default=0.0)


RENDER_NUMBERS: dict[str, float] = {
    "RENDER_SETTINGS": 0,
    "RENDER_BOUNDSFLAG": 1,
    "RENDER_CHANNELS": 2,
    "RENDER_SRATE": 0,
    "RENDER_STARTPOS": 0,
    "RENDER_ENDPOS": 0,
    "RENDER_TAILFLAG": 18,
    "RENDER_TAILMS": 1000,
    "RENDER_ADDTOPROJ": 0,
    "RENDER_DITHER": 0,
    "RENDER_NORMALIZE": 0,
    "RENDER_NORMALIZE_TARGET": 1,
    "RENDER_BRICKWALL": 1,
    "RENDER_FADEIN": 0,
    "RENDER_FADEOUT": 0,
    "RENDER_FADEINSHAPE": 0,
    "RENDER_FADEOUTSHAPE": 0,
    "RENDER_PADSTART": 0,
    "RENDER_PADEND": 0,
    "RENDER_TRIMSTART": 0,
    "RENDER_TRIMEND": 0,
    "RENDER_DELAY": 0,
}
RENDER_STRINGS: dict[str, str] = {
    "RENDER_FILE": "",
    "RENDER_PATTERN": "$project",
    "RENDER_FORMAT": "ZXZhdxgAAQ==",
    "RENDER_FORMAT2": "",
    "RENDER_METADATA": "",
    "RENDER_EXTRAFILEDIR": "",
}


def frames_of(seconds: float, rate: int) -> int:
    """Return the nearest frame, halves up."""
    return math.floor(seconds * rate + 0.5)
