"""Reads a Live Set (`.als`): tempo, time signatures, locators, and audio tracks with their clips. Never writes one.

An `.als` is gzipped XML; what is read here is the same from Live 8 to 12 but for four things: the main track is called
`MasterTrack` up to Live 11 and `MainTrack` from 12 on; automation lies in the track's envelopes from Live 9 on (up to 8
beside the parameter); and a file is named by path elements up to Live 10, by a path from Live 11 on.

Conventions: beats are quarter notes. The first automation event lies at a time far below zero and holds the value until
the next; two events at one time are a step; between others tempo moves in a line over beats. Curved lines are read as
several straight ones. A track's own lane is what plays, and what is read: take lanes, Session slots and what a frozen
track was rendered to beside it are not. A frozen MIDI track has no other audio than that render, so that is its clips.
What is left out is said in `SetTrack.notes`.

Safety: the size of what comes out of gzip is bounded, and a document with a DOCTYPE (entities) is refused.
Source: the known answers of dawtool's test data (BSD-3), and Sets saved by Live 9, 10 and 12.
"""

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from bridge.projects.model import LAST_BEAT, ProjectClip, ProjectTrack
from bridge.projects.signatures import signatures_of
from engine.errors import NrxError
from engine.tempo import TempoMap, TimeSignature

LARGEST_XML_BYTES = 1 << 30
BLOCK_BYTES = 1 << 18
QUIETEST_DB = -144.0
CURVE_PIECES = 16
SMALLEST_LOOP_BEATS = 1e-3
GAP_BEATS = 1e-9


@dataclass(frozen=True, slots=True)
class Locator:
    """A locator: its beat, its second, its name."""

    beat: float
    at_s: float
    name: str


@dataclass(frozen=True, slots=True)
class SetTrack:
    """An audio track's clips in the Arrangement, with the files that they play in the order of the clips' `input`.

    `group` is the name of the group track that it is in, "" for none. `notes` say what a rebuilt track leaves out.
    """

    name: str
    clips: tuple[ProjectClip, ...]
    files: tuple[Path, ...]
    group: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveSet:
    """What a Set holds. Beat 0 of `tempo_map` is at 0 s; `creator` is the Live that saved it.

    `tracks` have audio clips of their own; `others` says of each other track what it is.
    """

    path: Path
    creator: str
    tempo_map: TempoMap
    locators: tuple[Locator, ...]
    tracks: tuple[SetTrack, ...]
    others: tuple[tuple[str, str], ...] = ()

    def track(self, name: str) -> SetTrack:
        """Return the audio track of that name (or "group/name"), whatever its case.

        Raises:
            NrxError: `request.invalid` where there is none, or more than one.
        """
        found = self.tracks_named(name)
        if len(found) == 1:
            return found[0]
        others = [what for other, what in self.others if other.casefold() == name.casefold()]
        if not found and others:
            raise NrxError(
                "request.invalid", f'The track "{name}" of "{self.path.name}" is {WHY_NOT[others[0]]}'
            )
        doubled = {track.name for track in found} if len(found) > 1 else set()
        names = ", ".join(f'"{_in_group(track, doubled)}"' for track in self.tracks) or "none"
        said = "no audio track" if not found else f"{len(found)} audio tracks"
        raise NrxError(
            "request.invalid", f'"{self.path.name}" has {said} "{name}"; its audio tracks are: {names}.'
        )

    def tracks_named(self, name: str) -> list[SetTrack]:
        """Return the audio tracks of that name: those in the same case, else in any, else by their group."""
        ways: tuple[Callable[[SetTrack], bool], ...] = (
            lambda track: track.name == name,
            lambda track: track.name.casefold() == name.casefold(),
            lambda track: f"{track.group}/{track.name}".casefold() == name.casefold(),
        )
        for way in ways:
            found = [track for track in self.tracks if way(track)]
            if found:
                return found
        return []

    def project(self, track: SetTrack, live_set: int) -> ProjectTrack:
        """Return a track as a request carries it; `live_set` is the index that the Set has among the inputs.

        Raises:
            NrxError: `input.empty` if it has no clip.
        """
        if not track.clips:
            raise NrxError("input.empty", f'The track "{track.name}" has no audio clip in the Arrangement.')
        first = self.tempo_map.signature_at(0)
        denominator = first.denominator
        return ProjectTrack(
            name=track.name or "Track",
            start_beat=min(clip.start_beat for clip in track.clips),
            end_beat=max(clip.end_beat for clip in track.clips),
            bpm=float(self.tempo_map.bpm_at(0.0)),
            signature=(first.numerator, denominator),  # type: ignore[arg-type]  # signatures are checked by TempoMap
            live_set=live_set,
            notes=track.notes,
            clips=track.clips,
        )


WHY_NOT = {
    "MidiTrack": (
        "a MIDI track, whose sound only Live can make; freeze it there and save the Set, or export it, or put the "
        "device on it and record its input."
    ),
    "GroupTrack": "a group track, which has no clips; name a track inside it, or export the group.",
    "ReturnTrack": "a return track, which has no clips; export it.",
}
"""Why a track that is no audio track cannot be taken, and what to do."""


def _in_group(track: SetTrack, doubled: set[str]) -> str:
    return f"{track.group}/{track.name}" if track.group and track.name in doubled else track.name


def read_live_set(path: Path) -> LiveSet:
    """Read a Live Set.

    Raises:
        NrxError: `input.not_found`, `input.unreadable`, `input.empty`, `input.too_large`; `input.corrupt` for what
            is no Live Set.
    """
    root = _parse(path)
    live = root.find("LiveSet")
    main = None if live is None else live.find("MainTrack")
    main = main if main is not None or live is None else live.find("MasterTrack")
    if root.tag != "Ableton" or live is None or main is None:
        raise _no_set(path, "it has no main track")
    try:
        tempo_map = _tempo_map(main)
        return LiveSet(
            path=path,
            creator=root.get("Creator", "Ableton Live"),
            tempo_map=tempo_map,
            locators=tuple(_locators(live, tempo_map)),
            **_tracks(live, path),
        )
    except ValueError as error:
        raise _no_set(path, str(error).splitlines()[0]) from None


def _no_set(path: Path, why: str) -> NrxError:
    return NrxError(
        "input.corrupt", f'"{path.name}" is not a Live Set that can be read ({why}); save it again in Live.'
    )


class _NoEntities(TreeBuilder):
    """Builds the tree of a document that has no DOCTYPE, and so no entities."""

    def doctype(self, *_: object) -> None:
        """Refuse a DOCTYPE; the parser calls this when it meets one."""
        raise ValueError("it declares a document type, which no Set has")


def _parse(path: Path) -> Element:
    parser = XMLParser(target=_NoEntities())  # noqa: S314 - a DOCTYPE, and so any entity, is refused
    try:
        for block in _unzipped(path):
            parser.feed(block)
        root = parser.close()
    except zlib.error:
        raise _no_set(path, "it is not compressed as Live does it") from None
    except (ParseError, ValueError) as error:
        raise _no_set(path, str(error)) from None
    if not isinstance(root, Element):
        raise _no_set(path, "it is empty")
    return root


def _unzipped(path: Path) -> Iterator[bytes]:
    """Yield what is in a gzip file, within bounds."""
    count = 0
    try:
        with path.open("rb") as file:
            block = file.read(BLOCK_BYTES)
            if not block:
                raise NrxError("input.empty", f'"{path.name}" is empty; save the Set again in Live.')
            unzip = zlib.decompressobj(wbits=31)
            while block:
                data = unzip.decompress(block, BLOCK_BYTES)
                while data:
                    count += len(data)
                    if count > LARGEST_XML_BYTES:
                        raise NrxError("input.too_large", f'"{path.name}" is larger than any Set may be.')
                    yield data
                    data = unzip.decompress(unzip.unconsumed_tail, BLOCK_BYTES)
                block = b"" if unzip.eof else file.read(BLOCK_BYTES)
            if not unzip.eof:
                raise ValueError("it ends early")
    except FileNotFoundError:
        raise NrxError("input.not_found", f'There is no file "{path}".') from None
    except IsADirectoryError:
        raise NrxError("input.is_folder", f'"{path}" is a folder; name a Live Set (.als).') from None
    except OSError as error:
        raise NrxError("input.unreadable", f'"{path}" cannot be read ({error.strerror}).') from None


def _value(element: Element | None, name: str, default: str | None = None) -> str:
    found = None if element is None else element.find(name)
    value = default if found is None else found.get("Value", default)
    if value is None:
        raise ValueError(f"{name} is missing")
    return value


def _number(element: Element | None, name: str, default: float | None = None) -> float:
    value = float(_value(element, name, None if default is None else repr(default)))
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}")
    return value


def _events(main: Element, parameter: Element) -> list[Element]:
    """Return a main track parameter's automation events, in order; none where it has no automation."""
    old = parameter.find("ArrangerAutomation/Events")
    if old is not None:
        return list(old)
    target = parameter.find("AutomationTarget")
    for envelope in main.findall("AutomationEnvelopes/Envelopes/AutomationEnvelope"):
        if target is not None and _value(envelope.find("EnvelopeTarget"), "PointeeId", "") == target.get(
            "Id"
        ):
            return list(envelope.findall("Automation/Events/*"))
    return []


def _parameter(main: Element, name: str) -> Element | None:
    for place in ("DeviceChain/Mixer", "MasterChain/Mixer"):
        found = main.find(f"{place}/{name}")
        if found is not None:
            return found
    return next(main.iter(name), None)


def _tempo_map(main: Element) -> TempoMap:
    tempo = _parameter(main, "Tempo")
    if tempo is None:
        raise ValueError("it has no tempo")
    points = list(_tempo_points(_events(main, tempo))) or [(0.0, _number(tempo, "Manual"))]
    manual = _number(tempo, "Manual", points[0][1])
    if len(points) == 1:
        points = [(0.0, manual)]
    base = TempoMap.from_points(_with_laws(points), signatures=_signatures(main))
    return base.shifted(-float(base.seconds(0.0)))


def _tempo_points(events: list[Element]) -> Iterator[tuple[float, float]]:
    """Yield (beat, BPM) with curves made of straight pieces; what lies before the song counts from beat 0."""
    for index, event in enumerate(events):
        beat, bpm = float(event.get("Time", "nan")), float(event.get("Value", "nan"))
        if not (math.isfinite(beat) and 1.0 <= bpm <= 999.0):
            raise ValueError(f"its tempo at beat {beat:g} is {bpm:g}")
        yield (min(beat, 0.0) if index == 0 else max(beat, 0.0)), bpm
        after = events[index + 1] if index + 1 < len(events) else None
        if after is not None and event.get("CurveControl1X") is not None and index > 0:
            yield from _curve(
                event, beat, bpm, float(after.get("Time", "nan")), float(after.get("Value", "nan"))
            )


def _curve(
    event: Element, beat: float, bpm: float, end_beat: float, end_bpm: float
) -> Iterator[tuple[float, float]]:
    """Yield points inside a curve: a cubic Bézier in the box of the two events."""
    x1, y1, x2, y2 = (
        float(event.get(f"CurveControl{name}", default))
        for name, default in (("1X", "0.5"), ("1Y", "0.5"), ("2X", "0.5"), ("2Y", "0.5"))
    )
    for piece in range(1, CURVE_PIECES):
        t = piece / CURVE_PIECES
        x, y = (
            3 * (1 - t) ** 2 * t * first + 3 * (1 - t) * t**2 * second + t**3
            for first, second in ((x1, x2), (y1, y2))
        )
        yield beat + (end_beat - beat) * x, bpm + (end_bpm - bpm) * y


def _with_laws(points: list[tuple[float, float]]) -> list[tuple[float, float, str]]:
    """Return points with the law of tempo up to the next; of several at one beat the last one goes on from there."""
    laid: list[tuple[float, float, str]] = []
    for index, (beat, bpm) in enumerate(points):
        following = points[index + 1] if index + 1 < len(points) else None
        if following is not None and following[0] <= beat + GAP_BEATS:
            continue  # a step: it ends the ramp before it, which is told below
        law = "constant" if following is None or following[1] == bpm else "linear_in_beats"
        laid.append((beat, bpm, law))
        if following is None or law == "constant":
            continue
        lands_on = [other for other in points[index + 1 :] if abs(other[0] - following[0]) <= GAP_BEATS]
        if len(lands_on) > 1:  # the ramp reaches the first of them, and a step follows at once
            laid.append((following[0] - GAP_BEATS * 10, following[1], "constant"))
    return laid


def _signatures(main: Element) -> tuple[TimeSignature, ...]:
    """Return the time signatures; an event's value is (numerator - 1) + 99 log2(denominator)."""
    parameter = _parameter(main, "TimeSignature")
    changes = []
    for event in [] if parameter is None else _events(main, parameter):
        power, numerator = divmod(int(event.get("Value", "201")), 99)
        if not 0 <= power <= 4:
            raise ValueError(f"its time signature has the code {event.get('Value')}")
        changes.append((max(0.0, float(event.get("Time", "0"))), numerator + 1, 2**power))
    if not changes and parameter is not None:
        power, numerator = divmod(int(_number(parameter, "Manual", 201)), 99)
        changes = [(0.0, numerator + 1, 2 ** min(max(power, 0), 4))]
    return signatures_of(changes)


def _locators(live: Element, tempo_map: TempoMap) -> Iterator[Locator]:
    for element in live.iterfind("Locators/Locators/Locator"):
        beat = _number(element, "Time")
        yield Locator(beat, float(tempo_map.seconds(beat)), _value(element, "Name", ""))


class _Tracks(TypedDict):
    tracks: tuple[SetTrack, ...]
    others: tuple[tuple[str, str], ...]


def _tracks(live: Element, path: Path) -> _Tracks:
    """Return the tracks with audio of their own, and what the others are, in the order of the Set."""
    elements = list(live.findall("Tracks/*"))
    groups = {element.get("Id", ""): _name(element) for element in elements if element.tag == "GroupTrack"}
    tracks, others = [], []
    for element in elements:
        frozen = _value(element, "Freeze", "false") == "true"
        if element.tag == "AudioTrack" or (element.tag == "MidiTrack" and frozen):
            track = _track(
                element, path, groups.get(_value(element, "TrackGroupId", "-1"), ""), frozen=frozen
            )
            if element.tag == "AudioTrack" or track.clips:
                tracks.append(track)
                continue
        others.append((_name(element), element.tag))
    return {
        "tracks": tuple(tracks),
        "others": tuple((name, tag) for name, tag in others if tag in WHY_NOT),
    }


def _name(element: Element) -> str:
    named = element.find("Name")
    return _value(named, "EffectiveName", "") or _value(named, "UserName", "")


def _track(element: Element, path: Path, group: str, *, frozen: bool) -> SetTrack:
    rendered = frozen and element.tag == "MidiTrack"
    sequencer = "FreezeSequencer" if rendered else "MainSequencer"
    found = element.findall(f"DeviceChain/{sequencer}/Sample/ArrangerAutomation/Events/AudioClip")
    files: list[Path] = []
    clips: list[ProjectClip] = []
    off = [clip for clip in found if _value(clip, "Disabled", "false") == "true"]
    for clip in found:
        if clip in off:
            continue
        file = _file(clip.find("SampleRef/FileRef"), path)
        if file not in files:
            files.append(file)
        read = _clip(clip, files.index(file))
        if read is not None:
            clips.append(read)
    name = _name(element)
    said = {
        f"{len(off)} of its clips switched off, and left out": bool(off),
        "been frozen, and its clips are taken as they were before": frozen and not rendered,
        "been frozen, and is taken as it was rendered then, with its devices": rendered,
        "take lanes, which are left out: its own lane is what plays": _has_takes(element),
        "clips with envelopes, which are left out": any(
            len(clip.findall("Envelopes/Envelopes/*")) for clip in found
        ),
        "clips with a groove, which is left out": any(
            _value(clip.find("GrooveSettings"), "GrooveId", "-1") != "-1" for clip in found
        ),
        "devices, which are left out": not rendered and len(element.findall(f"{_DEVICES}/*")) > 0,
        "Session clips, which are left out": _has_slots(element),
    }
    notes = tuple(f'The track "{name}" has {what}.' for what, is_so in said.items() if is_so)
    return SetTrack(name, tuple(clips), tuple(files), group, notes)


_DEVICES = "DeviceChain/DeviceChain/Devices"


def _has_takes(element: Element) -> bool:
    return any(
        True for lane in element.findall("TakeLanes/TakeLanes/TakeLane") for _ in lane.iter("AudioClip")
    )


def _has_slots(element: Element) -> bool:
    slots = element.find("DeviceChain/MainSequencer/ClipSlotList")
    return slots is not None and next(slots.iter("AudioClip"), None) is not None


def _clip(element: Element, index: int) -> ProjectClip | None:
    """Return a clip; None for one without length, or far outside any song."""
    start, end = _number(element, "CurrentStart"), _number(element, "CurrentEnd")
    if not -LAST_BEAT < start < end < LAST_BEAT:
        return None
    loop = element.find("Loop")
    loop_start, loop_end = _number(loop, "LoopStart", 0.0), _number(loop, "LoopEnd", 0.0)
    warped = _value(element, "IsWarped", "false") == "true"
    loops = (
        warped and _value(loop, "LoopOn", "false") == "true" and loop_end - loop_start >= SMALLEST_LOOP_BEATS
    )
    fades = element.find("Fades") if _value(element, "Fade", "true") != "false" else None
    volume = _number(element, "SampleVolume", 1.0)
    return ProjectClip(
        input=index,
        name=_value(element, "Name", "")[:1000],
        start_beat=start,
        end_beat=end,
        warped=warped,
        offset=loop_start + _number(loop, "StartRelative", 0.0),
        loop=(loop_start, loop_end) if loops else None,
        markers=tuple(
            (float(marker.get("SecTime", "nan")), float(marker.get("BeatTime", "nan")))
            for marker in (element.findall("WarpMarkers/WarpMarker") if warped else ())
        ),
        mode=int(_number(element, "WarpMode", 0)),
        gain_db=max(QUIETEST_DB, 20.0 * math.log10(volume)) if volume > 0 else QUIETEST_DB,
        semitones=_number(element, "PitchCoarse", 0.0) + _number(element, "PitchFine", 0.0) / 100.0,
        fade_in_beats=max(0.0, _number(fades, "FadeInLength", 0.0)),
        fade_out_beats=max(0.0, _number(fades, "FadeOutLength", 0.0)),
    )


def _file(reference: Element | None, path: Path) -> Path:
    """Return the file that a clip plays: the one beside the Set where it is there, else the one it was saved with."""
    if reference is None:
        raise ValueError("a clip names no file")
    relative = reference.find("RelativePath")
    name = _value(reference, "Name", "")
    steps: list[str]
    if relative is not None and relative.get("Value") is not None:
        steps = [step for step in str(relative.get("Value")).split("/") if step]
    else:
        steps = [str(step.get("Dir") or "..") for step in (() if relative is None else relative)] + [name]
    beside = path.parent.joinpath(*steps).resolve() if steps else None
    if beside is not None and beside.is_file():
        return beside
    whole = _value(reference, "Path", "")
    hint = [str(step.get("Dir", "")) for step in reference.findall("SearchHint/PathHint/RelativePathElement")]
    if not whole and hint:
        whole = "/" + "/".join([*hint, name])
    if not whole:
        return beside or path.parent / name
    return Path(whole)
