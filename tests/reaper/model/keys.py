"""The key strings that GetSet…Info functions take: which there are, and which field each means.

A key is (field, conversion from the field, conversion to it); keys without a field are kept in `values` as they are
set. Anything else is refused: REAPER answers 0 for a misspelt key, and nobody notices.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.reaper.model.failures import Refused


@dataclass(frozen=True)
class Key:
    """How one key maps to a field; `low` and `high` bound what may be set."""

    name: str
    out: Callable[[Any], float] = float
    into: Callable[[float], Any] = float
    low: float = float("-inf")
    high: float = float("inf")


@dataclass(frozen=True)
class Keys:
    """The keys of one kind of object: those with a field, others with their defaults, strings, read-only ones."""

    fields: dict[str, Key]
    defaults: dict[str, float] = field(default_factory=dict)
    read_only: frozenset[str] = frozenset()

    def get(self, thing: Any, key: str) -> float:
        """Return the value of a key that is not read-only."""
        if key in self.fields:
            entry = self.fields[key]
            return entry.out(getattr(thing, entry.name))
        if key in self.defaults:
            return float(thing.values.get(key, self.defaults[key]))
        raise Refused(f"there is no key {key!r}")

    def set(self, thing: Any, key: str, value: float) -> None:
        """Set a value."""
        if key in self.read_only:
            raise Refused(f"{key} can only be read")
        if key in self.fields:
            entry = self.fields[key]
            if not entry.low <= value <= entry.high:
                raise Refused(f"{key} cannot be {value:g}")
            setattr(thing, entry.name, entry.into(value))
        elif key in self.defaults:
            thing.values[key] = value
        else:
            raise Refused(f"there is no key {key!r}")


def _bool(name: str) -> Key:
    return Key(name, float, bool)


TRACK = Keys(
    {
        "B_MUTE": _bool("muted"),
        "I_SOLO": Key("solo", float, int),
        "I_SELECTED": _bool("selected"),
        "I_FOLDERDEPTH": Key("folder_depth", float, int, -100, 1),
        "I_CUSTOMCOLOR": Key("colour", float, int, 0, 0x1FFFFFF),
        "I_NCHAN": Key("channels", float, int, 2, 128),
        "I_RECARM": _bool("armed"),
        "D_VOL": Key("volume", low=0),
        "D_PAN": Key("pan", low=-1, high=1),
        "C_BEATATTACHMODE": Key("timebase", float, int, -1, 2),
    },
    {
        "I_FOLDERCOMPACT": 0,
        "I_FXEN": 1,
        "B_PHASE": 0,
        "B_RECMON_IN_EFFECT": 0,
        "I_RECINPUT": -1,
        "I_RECMODE": 0,
        "I_RECMON": 0,
        "I_RECMONITEMS": 0,
        "I_AUTOMODE": 0,
        "I_HEIGHTOVERRIDE": 0,
        "B_HEIGHTLOCK": 0,
        "I_PERFFLAGS": 0,
        "I_FREEMODE": 0,
        "I_PANMODE": -1,
        "D_WIDTH": 1,
        "D_PANLAW": -1,
        "D_DUALPANL": -1,
        "D_DUALPANR": 1,
        "B_MAINSEND": 1,
        "C_MAINSEND_OFFS": 0,
        "C_MAINSEND_NCH": 0,
        "B_SHOWINMIXER": 1,
        "B_SHOWINTCP": 1,
        "D_PLAY_OFFSET": 0,
        "I_PLAY_OFFSET_FLAG": 1,
        "F_MCP_SENDRGN_SCALE": 0,
        "I_MIDIHWOUT": -1,
    },
    frozenset({"IP_TRACKNUMBER", "I_TCPH", "I_TCPY", "I_WNDH", "P_PARTRACK", "P_PROJECT"}),
)

ITEM = Keys(
    {
        "D_POSITION": Key("position_s", low=0),
        "D_LENGTH": Key("length_s", low=0),
        "D_VOL": Key("volume", low=0),
        "B_MUTE": _bool("muted"),
        "B_MUTE_ACTUAL": _bool("muted"),
        "B_UISEL": _bool("selected"),
        "B_LOOPSRC": _bool("loop_source"),
        "C_BEATATTACHMODE": Key("timebase", float, int, -1, 2),
        "D_FADEINLEN": Key("fade_in_s", low=0),
        "D_FADEOUTLEN": Key("fade_out_s", low=0),
        "D_FADEINLEN_AUTO": Key("auto_fade_in_s", low=-1),
        "D_FADEOUTLEN_AUTO": Key("auto_fade_out_s", low=-1),
        "I_CURTAKE": Key("active", float, int, 0),
    },
    {
        "B_ALLTAKESPLAY": 0,
        "C_AUTOSTRETCH": 0,
        "C_LOCK": 0,
        "C_MUTE_SOLO": 0,
        "D_SNAPOFFSET": 0,
        "C_FADEINSHAPE": 0,
        "C_FADEOUTSHAPE": 0,
        "D_FADEINDIR": 0,
        "D_FADEOUTDIR": 0,
        "I_GROUPID": 0,
        "I_CUSTOMCOLOR": 0,
        "I_FIXEDLANE": 0,
        "F_FREEMODE_Y": 0,
        "F_FREEMODE_H": 1,
    },
    frozenset({"IP_ITEMNUMBER", "I_LASTY", "I_LASTH", "P_TRACK"}),
)

TAKE = Keys(
    {
        "D_STARTOFFS": Key("offset_s"),
        "D_VOL": Key("volume"),
        "D_PAN": Key("pan", low=-1, high=1),
        "D_PLAYRATE": Key("playrate", low=0.01),
        "B_PPITCH": _bool("preserve_pitch"),
    },
    {
        "D_PANLAW": -1,
        "D_PITCH": 0,
        "I_CHANMODE": 0,
        "I_PITCHMODE": -1,
        "I_STRETCHFLAGS": 0,
        "F_STRETCHFADESIZE": 0.0025,
        "I_RECPASSID": 0,
        "I_TAKEFX_NCH": 2,
        "I_CUSTOMCOLOR": 0,
    },
    frozenset({"IP_TAKENUMBER", "P_TRACK", "P_ITEM", "P_SOURCE"}),
)

TRACK_STRINGS = {"P_NAME": "name", "GUID": "guid"}
TRACK_STRINGS_KEPT = ("P_ICON", "P_MCP_LAYOUT", "P_RAZOREDITS", "P_RAZOREDITS_EXT", "P_TCP_LAYOUT")
ITEM_STRINGS = {"P_NOTES": "notes", "GUID": "guid"}
TAKE_STRINGS = {"P_NAME": "name", "GUID": "guid"}


GUID = re.compile(r"\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}")


def one_line(text: str) -> None:
    """Refuse names with line breaks: project files have one record a line."""
    if "\n" in text or "\r" in text:
        raise Refused(f"the name {text!r} holds a line break")


def string_of(thing: Any, key: str, names: dict[str, str], kept: tuple[str, ...] = ()) -> str | None:
    """Return a string key of an object, None for a P_EXT key that was never set."""
    if (key.startswith("P_EXT:") and len(key) > len("P_EXT:")) or key in kept:
        value = thing.ext.get(key)
        return value if value is None else str(value)
    if key in names:
        return str(getattr(thing, names[key]))
    raise Refused(f"there is no key {key!r}")


def set_string(thing: Any, key: str, value: str, names: dict[str, str], kept: tuple[str, ...] = ()) -> None:
    """Set a string key; an empty P_EXT value removes it."""
    string_of(thing, key, names, kept)
    if key == "GUID" and not GUID.fullmatch(value):
        raise Refused(f"{value!r} is no GUID")
    if key == "P_NAME":
        one_line(value)
    if key in names:
        setattr(thing, names[key], value)
    elif value:
        thing.ext[key] = value
    else:
        thing.ext.pop(key, None)


RENDER_RANGES: dict[str, tuple[float, float]] = {
    "RENDER_BOUNDSFLAG": (0, 7),
    "RENDER_CHANNELS": (1, 128),
    "RENDER_SRATE": (0, 768000),
    "RENDER_TAILMS": (0, 3600000),
    "PROJECT_SRATE": (8000, 768000),
}


def check_render_value(key: str, value: float) -> None:
    """Refuse values that the render window could not hold."""
    low, high = RENDER_RANGES.get(key, (float("-inf"), float("inf")))
    if not low <= value <= high:
        raise Refused(f"{key} cannot be {value:g}")
