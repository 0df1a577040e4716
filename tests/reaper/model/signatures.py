"""The table of functions, `functions.txt`: what each takes and returns, and since which version it is there."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("functions.txt")
HANDLES = ("proj", "track", "item", "take", "source", "envelope", "hwnd", "imgui", "any")
POINTER_NAMES = {
    "proj": "ReaProject*",
    "track": "MediaTrack*",
    "item": "MediaItem*",
    "take": "MediaItem_Take*",
    "source": "PCM_source*",
    "envelope": "TrackEnvelope*",
    "hwnd": "HWND",
    "imgui": "ImGui_Context*",
}
_LINE = re.compile(r"(\w+)\(([^)]*)\)(?: -> ([^\[]*?))?(?:  since ([\d.]+))?(?:  needs (\w+))?")

Version = tuple[int, int]


@dataclass(frozen=True)
class Parameter:
    """One parameter."""

    kind: str
    optional: bool


@dataclass(frozen=True)
class Signature:
    """What a function takes and gives back."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: tuple[str, ...]
    since: Version = (0, 0)
    needs: str = ""
    """The extension that brings it; empty for REAPER's own."""

    @property
    def required(self) -> int:
        """How many arguments there must be at least."""
        optional = 0
        for parameter in reversed(self.parameters):
            if not parameter.optional:
                break
            optional += 1
        return len(self.parameters) - optional


def version_of(text: str) -> Version:
    """Return `7.08` as (7, 8), so that versions compare."""
    major, minor = text.split("/")[0].split(".")[:2]
    return int(major), int(minor)


@cache
def signatures() -> dict[str, Signature]:
    """Return the table by function name."""
    found: dict[str, Signature] = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith(("#", "[")):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"functions.txt: {line!r} cannot be read")
        name, parameters, returns, since, needs = match.groups()
        found[name] = Signature(
            name,
            tuple(Parameter(word.rstrip("?"), word.endswith("?")) for word in _words(parameters)),
            tuple(word.rstrip("?") for word in _words(returns)),
            version_of(since) if since else (0, 0),
            needs or "",
        )
    return found


def _words(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]
