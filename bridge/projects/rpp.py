"""Reads a REAPER project (`.RPP`): its tempo map, and tracks with the audio of their items. Never writes one.

Conventions: times are seconds from the project's start, as REAPER keeps them (what its ruler shows there changes
nothing); tempo is in quarter notes a minute, and a point of shape 0 ramps linearly in time to the next. A time
signature starts a bar wherever its point lies; the bar before is then as long as it is. Takes, sections, reversed
sources, channel modes: see `Item`. A folder's track holds what the tracks in it play, at their faders.

What a project's files alone do not tell (plug-ins, MIDI, envelopes, stretch markers, sends) is in `left_out`, a
sentence each. Source of the format: the project files of REAPER 5 to 7, and "State Chunk Definitions" (ReaTeam).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path, PurePosixPath, PureWindowsPath

from bridge.projects.items import CHANNEL_MODES, Item, SourcePart
from bridge.projects.rpp_text import Block, no_project, number_in, read_blocks
from engine.errors import NrxError
from engine.tempo import TempoMap, TimeSignature
from engine.tempo.signatures import signature_of

KEPT = frozenset({"TEMPOENVEX", "TRACK", "ITEM", "SOURCE", "FXCHAIN", "TAKEFX"})
SQUARE = 1
SAME_TIME_S = 1e-9
SAME_BEAT = 1e-6
FINEST_BEAT = 1.0 / 16.0
WITHOUT_FILE = {"MIDI", "MIDIPOOL", "EMPTY", "CLICK", "LTC", "VIDEOEFFECT", "RPP_PROJECT"}
TRACK_ENVELOPES = ("VOLENV", "VOLENV2", "VOLENV3", "PANENV", "PANENV2", "WIDTHENV", "WIDTHENV2", "MUTEENV")
TAKE_ENVELOPES = ("VOLENV", "PANENV", "MUTEENV", "PITCHENV")


@dataclass(frozen=True, slots=True)
class RppTrack:
    """A track's audio: its own items, and those of the tracks in it if it is a folder."""

    number: int
    name: str
    items: tuple[Item, ...]
    left_out: tuple[str, ...]

    @property
    def label(self) -> str:
        """The name, or "Track 3" as REAPER shows a track without one."""
        return self.name or f"Track {self.number}"


@dataclass(frozen=True, slots=True)
class RppProject:
    """What a project holds. Beat 0 and bar 0 of `tempo_map` are at 0 s."""

    path: Path
    tempo_map: TempoMap
    tracks: tuple[RppTrack, ...]

    def track(self, name: str) -> RppTrack:
        """Return the track of that name, whatever its case; a track is also found by its number.

        Raises:
            NrxError: `request.invalid` where there is none, or more than one.
        """
        found = [track for track in self.tracks if track.label == name]
        found = found or [track for track in self.tracks if track.label.casefold() == name.casefold()]
        found = found or [track for track in self.tracks if str(track.number) == name]
        if len(found) == 1:
            return found[0]
        said = "no track" if not found else f"{len(found)} tracks"
        hint = "" if not found else f" (number {' and '.join(str(track.number) for track in found)}: say one)"
        raise NrxError(
            "request.invalid", f'"{self.path.name}" has {said} "{name}"{hint}; its tracks are: {self.names}.'
        )

    @property
    def names(self) -> str:
        """All tracks, quoted, with commas."""
        return ", ".join(f'"{track.label}"' for track in self.tracks) or "none"


def read_rpp(path: Path) -> RppProject:
    """Read a project.

    Raises:
        NrxError: `input.not_found`, `input.unreadable`, `input.empty`, `input.too_large`; `input.corrupt` for what
            is no project of REAPER.
    """
    root = read_blocks(path, KEPT)
    try:
        return RppProject(path, _tempo_map(root), tuple(_tracks(root, path)))
    except ValueError as error:
        raise no_project(path, str(error).splitlines()[0]) from None


# -- tempo -----------------------------------------------------------------------------------------------------------


def _tempo_map(root: Block) -> TempoMap:
    bpm = root.number("TEMPO", 0, 120.0)
    first = (int(root.number("TEMPO", 1, 4)), int(root.number("TEMPO", 2, 4)))
    points = _points(root)
    if not points:
        return TempoMap.constant(bpm, numerator=first[0], denominator=first[1])
    beats, beat = [0.0], 0.0
    for (at_s, bpm, ramps, _), (next_s, next_bpm, _, _) in pairwise(points):
        beat += (next_s - at_s) * (0.5 * (bpm + next_bpm) if ramps else bpm) / 60.0
        beats.append(beat)
    laid = [
        (at, bpm, "linear_in_time" if ramps else "constant")
        for at, (_, bpm, ramps, _) in zip(beats, points, strict=True)
    ]
    changes = [
        (at, *signature) for at, (*_, signature) in zip(beats, points, strict=True) if signature is not None
    ]
    if not changes or changes[0][0] > 0:
        changes.insert(0, (0.0, *first))
    return TempoMap.from_points(laid, signatures=_signatures(changes))


def _points(root: Block) -> list[tuple[float, float, bool, tuple[int, int] | None]]:
    """Return (second, BPM, whether it ramps to the next, signature), the first at 0; none without an envelope."""
    found: list[tuple[float, float, bool, tuple[int, int] | None]] = []
    for envelope in root.blocks("TEMPOENVEX")[:1]:
        if envelope.number("ACT", 0, 1.0) == 0:
            return []
        for words in envelope.lines("PT"):
            code = int(number_in(words, 3, 0))
            signature = (code % 65536, code // 65536) if code > 0 else None
            bpm = number_in(words, 1, 0)
            if not 1 <= bpm <= 10_000:
                raise ValueError(f"its tempo at {words[0]} s is {bpm:g}")
            found.append((max(0.0, number_in(words, 0, 0)), bpm, number_in(words, 2, 0) != SQUARE, signature))
    found.sort(key=lambda point: point[0])
    if found and found[0][0] > 0:
        found.insert(0, (0.0, found[0][1], False, None))
    kept = found[:1]
    for point in found[1:]:
        if point[0] <= kept[-1][0] + SAME_TIME_S:
            point = (*point[:3], point[3] or kept.pop()[3])
        kept.append(point)
    return kept


def _signatures(changes: Iterable[tuple[float, int, int]]) -> tuple[TimeSignature, ...]:
    """Return signatures by bars; each change starts a bar, and cuts short the one that it lies in."""
    found: dict[int, TimeSignature] = {}
    bar, beat, length = 0, 0.0, 4.0
    for at, numerator, denominator in changes:
        if found and at > beat:
            whole = int((at - beat) / length + SAME_BEAT)
            bar += whole
            rest = at - beat - whole * length
            if rest > SAME_BEAT * length:
                short = signature_of(rest) or (max(1, round(rest / FINEST_BEAT)), 64)
                found[bar] = TimeSignature(bar, *short)
                bar += 1
        beat = at
        found[bar] = TimeSignature(bar, numerator, denominator)
        length = found[bar].bar_beats
    return tuple(found.values())


# -- tracks ----------------------------------------------------------------------------------------------------------


def _tracks(root: Block, path: Path) -> Iterator[RppTrack]:
    blocks = root.blocks("TRACK")
    receivers = {int(number_in(words, 0, -1)) for block in blocks for words in block.lines("AUXRECV")}
    for index, block in enumerate(blocks):
        members = [(index, 1.0, 0.0), *_children(blocks, index)]
        said: Counter[str] = Counter()
        items: list[Item] = []
        for member, volume, pan in members:
            said.update(_track_says(blocks[member], sends=member in receivers))
            for entry in blocks[member].blocks("ITEM"):
                item, left = _item(entry, path)
                said.update(left)
                if item is not None:
                    items.append(replace(item, gain=item.gain * volume, pans=(*item.pans, pan)))
        items.sort(key=lambda item: item.start_s)
        yield RppTrack(index + 1, "".join(block.line("NAME")[:1]), tuple(items), tuple(_sentences(said)))


def _children(blocks: list[Block], parent: int) -> Iterator[tuple[int, float, float]]:
    """Yield (index, volume, pan) of every track in a folder that is not muted, its folders' faders counted in."""
    depth = int(blocks[parent].number("ISBUS", 1, 0))
    if depth <= 0:
        return
    faders = [(1.0, 0.0, True)]
    for index in range(parent + 1, len(blocks)):
        block = blocks[index]
        volume, pan, sounds = faders[-1]
        volume, pan = volume * block.number("VOLPAN", 0, 1.0), pan + block.number("VOLPAN", 1, 0.0)
        sounds = sounds and block.number("MUTESOLO", 0, 0) == 0
        if sounds:
            yield index, volume, max(-1.0, min(1.0, pan))
        step = int(block.number("ISBUS", 1, 0))
        if step > 0:
            faders.append((volume, pan, sounds))
        elif step < 0:
            del faders[step:]
            if not faders:
                return


def _track_says(block: Block, *, sends: bool) -> Iterator[str]:
    for chain in block.blocks("FXCHAIN"):
        for words in chain.lines("BYPASS"):
            if number_in(words, 0, 0) == 0:
                yield "effects"
    if any(block.blocks(name) for name in TRACK_ENVELOPES):
        yield "automation"
    if sends or block.line("AUXRECV"):
        yield "sends"
    if number_in(block.line("FREEMODE"), 0, 0) == 2 and block.line("LANESOLO"):
        yield "lanes"


SENTENCES = {
    "effects": "Its effects ({count}) are not heard in its files.",
    "automation": "Its volume or pan is automated; the automation is left out.",
    "sends": "It sends to other tracks or receives from them; that is left out.",
    "lanes": "It has fixed lanes; all of them are taken.",
    "midi": "Items that are MIDI or have no file ({count}) are left out.",
    "take_effects": "Effects of single items ({count}) are left out.",
    "take_envelopes": "Envelopes of single items ({count}) are left out.",
    "stretch_markers": "Items with stretch markers ({count}) are played without them.",
}
IN_REAPER = "“NRX: Remix selected track” inside REAPER takes the track as it sounds."


def _sentences(said: Counter[str]) -> Iterator[str]:
    for what, sentence in SENTENCES.items():
        if said[what]:
            yield sentence.format(count=said[what])
    if said:
        yield IN_REAPER


# -- items -----------------------------------------------------------------------------------------------------------


def _item(block: Block, path: Path) -> tuple[Item | None, list[str]]:
    """Return an item's audio, None for what has none or is muted; and what of it is left out."""
    length_s = block.number("LENGTH")
    if block.number("MUTE") != 0 or length_s <= 0:
        return None, []
    take = _active_take(block)
    source = _source(take, path)
    if source is None:
        return None, ["midi"] if take.blocks("SOURCE") else []
    left = [
        what
        for what, is_there in (
            ("take_effects", bool(take.blocks("TAKEFX"))),
            ("take_envelopes", any(take.blocks(name) for name in TAKE_ENVELOPES)),
            ("stretch_markers", bool(take.line("SM"))),
        )
        if is_there
    ]
    pan, volume = _pan_and_volume(take)
    mode = int(take.number("CHANMODE"))
    item = Item(
        source=source,
        start_s=block.number("POSITION"),
        length_s=length_s,
        offset_s=take.number("SOFFS"),
        rate=take.number("PLAYRATE", 0, 1.0),
        keeps_pitch=take.number("PLAYRATE", 1, 1.0) != 0,
        semitones=take.number("PLAYRATE", 2),
        loops=block.number("LOOP", 0, 1.0) != 0,
        channels=CHANNEL_MODES[mode] if 0 <= mode < len(CHANNEL_MODES) else CHANNEL_MODES[0],
        gain=block.number("VOLPAN", 0, 1.0) * volume,
        pans=(pan,),
        fade_in_s=_fade_s(block, "FADEIN"),
        fade_out_s=_fade_s(block, "FADEOUT"),
        fade_in_shape=int(block.number("FADEIN")),
        fade_out_shape=int(block.number("FADEOUT")),
    )
    if not 0.01 <= item.rate <= 100:
        raise ValueError(f"an item's play rate is {item.rate:g}")
    return item, left


def _active_take(block: Block) -> Block:
    """Return the take that sounds, as a block of its own; the first one's lines stand in the item itself."""
    takes = [Block(["TAKE"])]
    chosen = 0
    for entry in block.content:
        if isinstance(entry, list) and entry[0] == "TAKE":
            if "SEL" in entry:
                chosen = len(takes)
            takes.append(Block(["TAKE"]))
        else:
            takes[-1].content.append(entry)
    return takes[chosen]


def _pan_and_volume(take: Block) -> tuple[float, float]:
    if take.line("TAKEVOLPAN"):
        return take.number("TAKEVOLPAN", 0), take.number("TAKEVOLPAN", 1, 1.0)
    return take.number("VOLPAN", 1), take.number("VOLPAN", 2, 1.0)


def _fade_s(block: Block, name: str) -> float:
    """Return a fade's length: the automatic one of a crossfade where there is one, else the item's own."""
    automatic = block.number(name, 2)
    return automatic if automatic > 0 else max(0.0, block.number(name, 1))


def _source(take: Block, path: Path) -> SourcePart | None:
    found = take.blocks("SOURCE")
    if not found:
        return None
    block, part = found[0], SourcePart(path)
    kind = block.words[1] if len(block.words) > 1 else ""
    if kind == "SECTION":
        mode = int(block.number("MODE"))
        inner = block.blocks("SOURCE")
        if not inner:
            return None
        whole = bool(mode & 1)
        part = replace(
            part,
            start_s=0.0 if whole else block.number("STARTPOS"),
            length_s=None if whole or block.number("LENGTH") <= 0 else block.number("LENGTH"),
            is_reversed=bool(mode & 2),
        )
        block = inner[0]
        kind = block.words[1] if len(block.words) > 1 else ""
    file = block.line("FILE")
    if kind.removeprefix("_OFFLINE_") in WITHOUT_FILE or not file or not file[0]:
        return None
    return replace(part, file=_found(file[0], path))


def _found(name: str, project: Path) -> Path:
    """Return a media file: as it is named (relative to the project), else of that name beside the project."""
    pure = PureWindowsPath(name) if "\\" in name else PurePosixPath(name)
    written = project.parent.joinpath(*pure.parts)
    beside = (written, project.parent / pure.name, project.parent / "Media" / pure.name)
    return next((file for file in beside if file.is_file()), written)
