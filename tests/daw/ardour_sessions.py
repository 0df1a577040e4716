"""Real Ardour sessions for tests: made and changed by Ardour's own Lua, read back from the session file.

Headless Ardour cannot import audio, so sources are written into the session file between two runs, as Ardour would
have: mono float files, a `Source` each, and a whole-file `Region` over them (format of Ardour 7.3).
"""

import math
import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

LUA = Path(__file__).parent / "lua"
SCRIPTS = Path(__file__).parents[2] / "ardour_scripts"
HEADLESS = "ardour7-lua"
SUPERCLOCKS = 282240000
RATE = 48000
PATIENCE_S = 150.0


def need(*programs: str) -> None:
    """Skip, by name, what is not installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed")


@dataclass(frozen=True)
class Region:
    """A region as the session file has it; `files` are its sources."""

    name: str
    start_frame: int
    frames: int
    offset_frames: int
    fades: tuple[bool, bool]
    files: tuple[Path, ...]

    def audio(self) -> NDArray[np.float32]:
        """What it plays without its fades, (channels, frames)."""
        sources = [soundfile.read(file, dtype="float32")[0] for file in self.files]
        return np.stack([x[self.offset_frames : self.offset_frames + self.frames] for x in sources])


@dataclass(frozen=True)
class Track:
    """A track as the session file has it."""

    name: str
    gain: float
    muted: bool
    colour: int
    comment: str
    group: str | None
    regions: tuple[Region, ...]


class Session:
    """A session folder, and a HOME for the Ardour that opens it."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.home = folder, home
        self.file = folder / "song.ardour"
        home.mkdir(parents=True, exist_ok=True)

    def lua(self, script: str, *words: str | Path, env: dict[str, str] | None = None) -> list[str]:
        """Run one of `tests/daw/lua` in headless Ardour; the lines it said."""
        done = subprocess.run(
            ["nice", HEADLESS, str(LUA / script), str(self.folder), *map(str, words)],
            env={
                **os.environ,
                "HOME": str(self.home),
                "XDG_CONFIG_HOME": str(self.home / ".config"),
                **(env or {}),
            },
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE_S,
            check=False,
        )
        assert "Error:" not in done.stdout + done.stderr, done.stdout + done.stderr
        assert done.returncode == 0, done.stdout + done.stderr
        return [line.removeprefix("NRX ") for line in done.stdout.splitlines() if line.startswith("NRX ")]

    def create(self, tracks: dict[str, int]) -> None:
        """Make the session with audio tracks (name -> channels)."""
        self.lua("create.lua", str(RATE), *(f"{name}={channels}" for name, channels in tracks.items()))

    def add_audio(self, sounds: dict[str, NDArray[np.floating]]) -> None:
        """Make sources and whole-file regions of arrays (channels, frames)."""
        tree = ET.parse(self.file)
        root = tree.getroot()
        sources, regions = root.find("Sources"), root.find("Regions")
        assert sources is not None
        assert regions is not None
        next_id = int(root.get("id-counter", "0"))
        folder = next((self.folder / "interchange").glob("*/audiofiles"))
        for name, sound in sounds.items():
            ids = []
            for channel, samples in enumerate(sound):
                file = f"{name}%{'LR'[channel]}.wav" if len(sound) == 2 else f"{name}.wav"
                soundfile.write(folder / file, samples.astype(np.float32), RATE, subtype="FLOAT")
                next_id += 1
                ids.append(str(next_id))
                ET.SubElement(sources, "Source", _source(file, next_id))
            next_id += 1
            ET.SubElement(regions, "Region", _region(name, sound.shape[1], next_id, ids))
        root.set("id-counter", str(next_id + 1))
        tree.write(self.file, encoding="UTF-8", xml_declaration=True)

    def place(self, *what: tuple[str, str, int]) -> None:
        """Lay regions (region, track, start in frames)."""
        self.lua("place.lua", *(f"{region}={track}={frame}" for region, track, frame in what))

    def ramp(self, quarter: int, end_bpm: float) -> None:
        """Make the tempo point at `quarter` a ramp up to the next one, as the editor does (Lua cannot).

        Ardour's ramp is linear in beats: 1/c(q) = 1/c0 + omega q, with c superclocks per quarter.
        """
        tree = ET.parse(self.file)
        points = list(tree.getroot().iterfind("TempoMap/Tempos/Tempo"))
        at = next(i for i, point in enumerate(points) if point.get("quarters") == f"{quarter}:0")
        this, following = points[at], points[at + 1]
        length = int(following.get("quarters", "").split(":")[0]) - quarter
        start, stop = (60 * SUPERCLOCKS / bpm for bpm in (float(this.get("npm", "0")), end_bpm))
        omega = (1 / stop - 1 / start) / length
        seconds = math.log1p(start * omega * length) / omega
        moved = round(seconds) - (int(following.get("sclock", "0")) - int(this.get("sclock", "0")))
        this.set("enpm", repr(end_bpm))
        this.set("type", "Tempo::Ramped")
        this.set("omega", repr(omega))
        later = [*points[at + 1 :], *tree.getroot().iterfind("TempoMap/Meters/Meter")]
        for point in later:
            if int(point.get("quarters", "0:0").split(":")[0]) >= quarter + length:
                point.set("sclock", str(int(point.get("sclock", "0")) + moved))
        tree.write(self.file, encoding="UTF-8", xml_declaration=True)

    def tracks(self) -> list[Track]:
        """The audio tracks as they were last saved."""
        root = ET.parse(self.file).getroot()
        folder = next((self.folder / "interchange").glob("*/audiofiles"))
        names = {s.get("id"): folder / s.get("name", "") for s in root.iterfind("Sources/Source")}
        playlists = {p.get("id"): p for p in root.iterfind("Playlists/Playlist")}
        groups: dict[str, str] = {}
        for group in root.iterfind("RouteGroups/RouteGroup"):
            for member in group.get("routes", "").split():
                groups[member] = group.get("name", "")
        found = []
        for route in root.iterfind("Routes/Route"):
            playlist = playlists.get(route.get("audio-playlist"))
            if playlist is not None:
                found.append(_track(route, playlist, names, groups))
        return found

    def bar_starts(self, quarters: Sequence[float]) -> list[float]:
        """Seconds of quarter notes by the tempo points in the session file, constant tempos only."""
        root = ET.parse(self.file).getroot()
        points = [
            (_beats(p.get("quarters", "")), int(p.get("sclock", "0")) / SUPERCLOCKS, _quarter_bpm(p))
            for p in root.iterfind("TempoMap/Tempos/Tempo")
        ]
        found = []
        for quarter in quarters:
            beat, seconds, bpm = next(point for point in reversed(points) if point[0] <= quarter)
            found.append(seconds + (quarter - beat) * 60 / bpm)
        return found


def _quarter_bpm(point: ET.Element) -> float:
    return float(point.get("npm", "0")) * 4 / int(point.get("note-type", "4"))


def _beats(text: str) -> float:
    whole, ticks = text.split(":")
    return int(whole) + int(ticks) / 1920


def _source(file: str, number: int) -> dict[str, str]:
    return {
        "name": file, "take-id": "", "type": "audio", "flags": "", "id": str(number),
        "natural-position": "a0", "channel": "0", "origin": "", "gain": "1",
    }  # fmt: skip


def _region(name: str, frames: int, number: int, source_ids: Sequence[str]) -> dict[str, str]:
    values = {
        "name": name, "muted": "0", "opaque": "1", "locked": "0", "automatic": "0", "hidden": "0", "start": "a0",
        "length": f"a{frames * SUPERCLOCKS // RATE}@a0", "stretch": "1", "shift": "1", "type": "audio",
        "id": str(number), "channels": str(len(source_ids)), "whole-file": "1", "external": "1", "import": "0",
        "sync-position": "a0", "ancestral-start": "a0", "ancestral-length": "a0@a0", "layering-index": "0",
        "fade-in-active": "1", "fade-out-active": "1", "scale-amplitude": "1",
    }  # fmt: skip
    for channel, source in enumerate(source_ids):
        values |= {f"source-{channel}": source, f"master-source-{channel}": source}
    return values


def _frames(text: str) -> int:
    exact = int(text.removeprefix("a")) * RATE
    assert exact % SUPERCLOCKS == 0, f"{text} is no whole sample"
    return exact // SUPERCLOCKS


def _track(
    route: ET.Element, playlist: ET.Element, names: dict[str | None, Path], groups: dict[str, str]
) -> Track:
    regions = []
    for region in playlist.iterfind("Region"):
        length, position = region.get("length", "").split("@")
        channels = int(region.get("channels", "1"))
        regions.append(
            Region(
                name=region.get("name", ""),
                start_frame=_frames(position),
                frames=_frames(length),
                offset_frames=_frames(region.get("start", "a0")),
                fades=(region.get("fade-in-active") == "1", region.get("fade-out-active") == "1"),
                files=tuple(names[region.get(f"source-{channel}")] for channel in range(channels)),
            )
        )
    controls = {c.get("name"): c for c in route.iter("Controllable")}
    info = route.find("PresentationInfo")
    return Track(
        name=route.get("name", ""),
        gain=float(controls["gaincontrol"].get("value", "nan")),
        muted=controls["mute"].get("value") in ("1", "1.0"),
        colour=int(info.get("color", "0")) if info is not None else 0,
        comment=route.findtext("Comment") or "",
        group=groups.get(route.get("id", "")),
        regions=tuple(regions),
    )
