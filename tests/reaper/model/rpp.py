"""Project files: what the model keeps of a project, as REAPER's .RPP text, written and read."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.reaper.model.project import Project, source_of
from tests.reaper.model.state import Fx, Item, Marker, Note, Send, Source, Take, Track
from tests.reaper.model.tempo import TempoMarker

PPQ = 960


def quoted(text: str) -> str:
    """Return a string as .RPP has it: in the first kind of quotes that it does not hold."""
    for mark in "\"'`":
        if mark not in text:
            return f"{mark}{text}{mark}"
    return "`" + text.replace("`", "'") + "`"


def save_project(project: Project, path: Path) -> None:
    """Write a project; media paths are absolute."""
    path.write_text("\r\n".join(_project_lines(project)) + "\r\n", encoding="utf-8", newline="")


def _project_lines(project: Project) -> Iterator[str]:
    content = project.content
    yield '<REAPER_PROJECT 0.1 "7.0" 1700000000 0'
    yield f"  PROJOFFS {project.offset_s!r} 0 0"
    yield f"  TIMELOCKMODE {project.timebase}"
    yield f"  SAMPLERATE {project.sample_rate} {int(project.sample_rate_used)} 0"
    yield f"  RENDER_FILE {quoted(project.render_strings['RENDER_FILE'])}"
    yield f"  RENDER_PATTERN {quoted(project.render_strings['RENDER_PATTERN'])}"
    yield f"  SELECTION {content.time_selection[0]!r} {content.time_selection[1]!r}"
    yield f"  CURSOR {project.cursor_s!r}"
    yield f"  TEMPO {content.bpm!r} {content.numerator} {content.denominator}"
    if content.tempo_markers:
        yield "  <TEMPOENVEX"
        for tempo in content.tempo_markers:
            signature = f" {tempo.denominator * 65536 + tempo.numerator} 0 1" if tempo.numerator else ""
            yield f"    PT {tempo.time_s!r} {tempo.bpm!r} {0 if tempo.linear else 1}{signature}"
        yield "  >"
    for marker in content.markers:
        kind = int(marker.is_region)
        yield f"  MARKER {marker.number} {marker.position_s!r} {quoted(marker.name)} {kind} {marker.colour} 1"
        if marker.end_s is not None:
            yield f'  MARKER {marker.number} {marker.end_s!r} "" {kind}'
    for index, track in enumerate(content.tracks):
        receives = [send for send in content.sends if send.target_uid == track.uid]
        yield from ("  " + line for line in track_lines(track, _receives(content.tracks, receives, index)))
    sections: dict[str, dict[str, str]] = {}
    for (section, key), value in content.ext.items():
        sections.setdefault(section, {})[key] = value
    if sections:
        yield "  <EXTSTATE"
        for section, values in sections.items():
            yield f"    <{section}"
            yield from (f"      {key} {quoted(value)}" for key, value in values.items())
            yield "    >"
        yield "  >"
    yield ">"


def _receives(tracks: list[Track], receives: list[Send], _index: int) -> list[str]:
    numbers = {track.uid: index for index, track in enumerate(tracks)}
    return [
        f"AUXRECV {numbers[send.source_uid]} 0 {send.volume!r} {send.pan!r} {int(send.muted)}"
        for send in receives
    ]


def track_lines(track: Track, receives: list[str] | None = None) -> list[str]:
    """Return the block of a track."""
    depth = track.folder_depth
    lines = [
        f"<TRACK {track.guid}",
        f"  NAME {quoted(track.name)}",
        f"  PEAKCOL {track.colour or 16576}",
        f"  BEAT {track.timebase}",
        f"  VOLPAN {track.volume!r} {track.pan!r} -1 -1 1",
        f"  MUTESOLO {int(track.muted)} {track.solo} 0",
        f"  ISBUS {1 if depth > 0 else 2 if depth < 0 else 0} {depth}",
        f"  SEL {int(track.selected)}",
        f"  REC {int(track.armed)} 0 0",
        f"  NCHAN {track.channels}",
        f"  TRACKID {track.guid}",
        *("  " + line for line in receives or []),
    ]
    lines += [f"  <{key} {quoted(value)}\n  >" for key, value in track.ext.items()]
    if track.frozen:
        lines += ["  <FREEZE 2 0 0 0 0", "  >"]
    if track.fx:
        lines.append("  <FXCHAIN")
        for fx in track.fx:
            lines += [f"    BYPASS {int(not fx.enabled)} {int(fx.offline)}"]
            lines += [f"    <VST {quoted(('VSTi: ' if fx.instrument else '') + fx.name)}", "    >"]
        lines.append("  >")
    for item in track.items:
        lines += ["  " + line for line in item_lines(item)]
    return [*"\n".join(lines).split("\n"), ">"]


def item_lines(item: Item) -> list[str]:
    """Return the block of an item."""
    lines = [
        "<ITEM",
        f"  POSITION {item.position_s!r}",
        f"  LENGTH {item.length_s!r}",
        f"  LOOP {int(item.loop_source)}",
        f"  BEAT {item.timebase}",
        f"  MUTE {int(item.muted)} 0",
        f"  SEL {int(item.selected)}",
        f"  FADEIN 0 {item.fade_in_s!r} {item.auto_fade_in_s!r}",
        f"  FADEOUT 0 {item.fade_out_s!r} {item.auto_fade_out_s!r}",
        f"  IGUID {item.guid}",
        *(f"  <{key} {quoted(value)}\n  >" for key, value in item.ext.items()),
    ]
    for index, take in enumerate(item.takes):
        if index:
            lines.append("  TAKE" + (" SEL" if index == item.active else ""))
        volpan = f"VOLPAN {item.volume!r} {take.pan!r}" if not index else f"TAKEVOLPAN {take.pan!r}"
        lines += [
            f"  NAME {quoted(take.name)}",
            f"  {volpan} {take.volume!r} -1",
            f"  SOFFS {take.offset_s!r}",
            f"  PLAYRATE {take.playrate!r} {int(take.preserve_pitch)} 0 -1 0 0.0025",
            f"  GUID {take.guid}",
        ]
        if take.source is not None:
            lines += ["  " + line for line in _source_lines(take.source)]
    return [*"\n".join(lines).split("\n"), ">"]


def _source_lines(source: Source) -> list[str]:
    lines = [f"<SOURCE {source.kind}"]
    if source.path is not None:
        lines.append(f"  FILE {quoted(str(source.path))}" + (" 1" if source.offline else ""))
    elif source.kind == "MIDI":
        lines.append(f"  HASDATA 1 {PPQ} QN")
        events = [(note.start_qn, 0x90 + note.channel, note.pitch, note.velocity) for note in source.notes]
        events += [(note.end_qn, 0x80 + note.channel, note.pitch, 0) for note in source.notes]
        events.append((source.length_qn or 0.0, 0xB0, 0x7B, 0))
        last = 0
        for at_qn, status, first, second in sorted(events):
            tick = round(at_qn * PPQ)
            lines.append(f"  E {tick - last} {status:02x} {first:02x} {second:02x}")
            last = tick
    return [*lines, ">"]


@dataclass
class Block:
    """A block of an .RPP file."""

    words: list[str]
    lines: list[list[str]] = field(default_factory=list)
    blocks: list["Block"] = field(default_factory=list)
    order: list["list[str] | Block"] = field(default_factory=list)

    def words_of(self, name: str, default: list[str] | None = None) -> list[str]:
        """Return the words after the first line of that name."""
        return next((line[1:] for line in self.lines if line[0] == name), default or [])

    def number(self, name: str, index: int, default: float) -> float:
        """Return a number of a line."""
        words = self.words_of(name)
        return float(words[index]) if len(words) > index else default

    def inner(self, tag: str) -> list["Block"]:
        """Return the blocks of a tag inside."""
        return [block for block in self.blocks if block.words[0] == tag]


def parse_rpp(text: str) -> Block:
    """Return the blocks of a project file.

    Raises:
        ValueError: if blocks do not match.
    """
    root = Block(["FILE"])
    stack = [root]
    for raw in text.splitlines():
        line = raw.strip()
        if not line:
            continue
        if line == ">":
            stack.pop()
            if not stack:
                raise ValueError("a > too many")
            continue
        words = _words(line.lstrip("<"))
        if line.startswith("<"):
            block = Block(words)
            stack[-1].blocks.append(block)
            stack[-1].order.append(block)
            stack.append(block)
        else:
            stack[-1].lines.append(words)
            stack[-1].order.append(words)
    if len(stack) != 1 or len(root.blocks) != 1:
        raise ValueError("the file is not one whole block")
    return root.blocks[0]


def _words(line: str) -> list[str]:
    reader = shlex.shlex(line, posix=True)
    reader.whitespace, reader.whitespace_split, reader.commenters = " \t", True, ""
    reader.quotes, reader.escape, reader.escapedquotes = "\"'`", "", ""
    try:
        return list(reader) or [""]
    except ValueError:
        return line.split()


def load_project(path: Path) -> Project:
    """Read a project file; relative media are looked for beside it."""
    root = parse_rpp(path.read_text(encoding="utf-8"))
    if root.words[0] != "REAPER_PROJECT":
        raise ValueError(f"{path} is no project")
    project = Project(path, path.parent / "Media", sample_rate=int(root.number("SAMPLERATE", 0, 48000)))
    project.sample_rate_used = bool(root.number("SAMPLERATE", 1, 0))
    project.offset_s = root.number("PROJOFFS", 0, 0.0)
    project.timebase = int(root.number("TIMELOCKMODE", 0, 1))
    project.cursor_s = root.number("CURSOR", 0, 0.0)
    project.render_strings["RENDER_FILE"] = (root.words_of("RENDER_FILE") or [""])[0]
    project.render_strings["RENDER_PATTERN"] = (root.words_of("RENDER_PATTERN") or [""])[0]
    content = project.content
    content.time_selection = (root.number("SELECTION", 0, 0.0), root.number("SELECTION", 1, 0.0))
    content.bpm = root.number("TEMPO", 0, 120.0)
    content.numerator, content.denominator = int(root.number("TEMPO", 1, 4)), int(root.number("TEMPO", 2, 4))
    for block in root.inner("TEMPOENVEX"):
        content.tempo_markers += [_tempo_marker(line[1:]) for line in block.lines if line[0] == "PT"]
    content.markers += _markers(root)
    blocks = root.inner("TRACK")
    content.tracks += [_track(block, path.parent) for block in blocks]
    for track, block in zip(content.tracks, blocks, strict=True):
        for line in block.lines:
            if line[0] == "AUXRECV":
                source = content.tracks[int(line[1])]
                volume, pan, muted = float(line[3]), float(line[4]), line[5] != "0"
                content.sends.append(Send(source.uid, track.uid, volume, pan, muted))
    for state in root.inner("EXTSTATE"):
        for section in state.blocks:
            for line in section.lines:
                content.ext[section.words[0], line[0]] = line[1] if len(line) > 1 else ""
    project.history = type(project.history)(content)
    return project


def _tempo_marker(words: list[str]) -> TempoMarker:
    signature = int(words[3]) if len(words) > 3 else 0
    return TempoMarker(
        float(words[0]), float(words[1]), signature % 65536, signature // 65536, linear=words[2] == "0"
    )


def _markers(root: Block) -> Iterator[Marker]:
    open_regions: dict[int, Marker] = {}
    for line in root.lines:
        if line[0] != "MARKER":
            continue
        number, position_s, name = int(line[1]), float(line[2]), line[3]
        if line[4] == "0":
            yield Marker(number, position_s, name, None, int(line[5]) if len(line) > 5 else 0)
        elif number in open_regions:
            open_regions.pop(number).end_s = position_s
        else:
            region = Marker(number, position_s, name, position_s, int(line[5]) if len(line) > 5 else 0)
            open_regions[number] = region
            yield region


def _track(block: Block, folder: Path) -> Track:
    colour = int(block.number("PEAKCOL", 0, 16576))
    track = Track(
        name=(block.words_of("NAME") or [""])[0],
        volume=block.number("VOLPAN", 0, 1.0),
        pan=block.number("VOLPAN", 1, 0.0),
        muted=bool(block.number("MUTESOLO", 0, 0)),
        solo=int(block.number("MUTESOLO", 1, 0)),
        selected=bool(block.number("SEL", 0, 0)),
        folder_depth=int(block.number("ISBUS", 1, 0)),
        colour=0 if colour == 16576 else colour,
        channels=int(block.number("NCHAN", 0, 2)),
        armed=bool(block.number("REC", 0, 0)),
        timebase=int(block.number("BEAT", 0, -1)),
        frozen=bool(block.inner("FREEZE")),
        guid=block.words[1] if len(block.words) > 1 else "",
    )
    track.ext = {inner.words[0]: inner.words[1] for inner in block.blocks if inner.words[0].startswith("P_")}
    for chain in block.inner("FXCHAIN"):
        states = [line for line in chain.lines if line[0] == "BYPASS"]
        for state, inner in zip(states, chain.blocks, strict=False):
            name = inner.words[1]
            fx = Fx(
                name.removeprefix("VSTi: "), None, name.startswith("VSTi: "), state[1] == "0", state[2] == "1"
            )
            track.fx.append(fx)
    track.items = [_item(inner, folder) for inner in block.inner("ITEM")]
    return track


def _item(block: Block, folder: Path) -> Item:
    item = Item(
        position_s=block.number("POSITION", 0, 0.0),
        length_s=block.number("LENGTH", 0, 0.0),
        loop_source=bool(block.number("LOOP", 0, 1)),
        timebase=int(block.number("BEAT", 0, -1)),
        muted=bool(block.number("MUTE", 0, 0)),
        selected=bool(block.number("SEL", 0, 0)),
        fade_in_s=block.number("FADEIN", 1, 0.0),
        fade_out_s=block.number("FADEOUT", 1, 0.0),
        auto_fade_in_s=block.number("FADEIN", 2, -1.0),
        auto_fade_out_s=block.number("FADEOUT", 2, -1.0),
        volume=block.number("VOLPAN", 0, 1.0),
    )
    guid = block.words_of("IGUID")
    item.guid = guid[0] if guid else item.guid
    item.ext = {inner.words[0]: inner.words[1] for inner in block.blocks if inner.words[0].startswith("P_")}
    parts: list[Block] = [Block(["TAKE"])]
    for entry in block.order:
        if isinstance(entry, Block):
            if entry.words[0] == "SOURCE":
                parts[-1].blocks.append(entry)
        elif entry[0] == "TAKE":
            item.active = len(parts) if "SEL" in entry else item.active
            parts.append(Block(["TAKE"]))
        else:
            parts[-1].lines.append(entry)
    item.takes = [_take(part, folder) for part in parts if part.blocks or part.words_of("GUID")]
    return item


def _take(part: Block, folder: Path) -> Take:
    take = Take(
        name=(part.words_of("NAME") or [""])[0],
        pan=part.number("TAKEVOLPAN", 0, part.number("VOLPAN", 1, 0.0)),
        volume=part.number("TAKEVOLPAN", 1, part.number("VOLPAN", 2, 1.0)),
        offset_s=part.number("SOFFS", 0, 0.0),
        playrate=part.number("PLAYRATE", 0, 1.0),
        preserve_pitch=bool(part.number("PLAYRATE", 1, 1)),
    )
    guid = part.words_of("GUID")
    take.guid = guid[0] if guid else take.guid
    if part.blocks:
        take.source = _source(part.blocks[0], folder)
    return take


def _source(block: Block, folder: Path) -> Source:
    file = block.words_of("FILE")
    if file:
        path = folder / file[0]
        try:
            source = source_of(path)
        except OSError:
            return Source(path, block.words[1], offline=True)
        source.offline = len(file) > 1 and file[1] == "1"
        return source
    source = Source(kind=block.words[1])
    tick, sounding = 0, dict[tuple[int, int], tuple[float, int]]()
    for line in block.lines:
        if line[0] not in ("E", "e"):
            continue
        tick += int(line[1])
        status, first, second = (int(word, 16) for word in line[2:5])
        at_qn, key = tick / PPQ, (status & 15, first)
        if status >> 4 == 9 and second:
            sounding[key] = (at_qn, second)
        elif status >> 4 in (8, 9) and key in sounding:
            start_qn, velocity = sounding.pop(key)
            source.notes.append(Note(start_qn, at_qn, first, velocity, status & 15))
    source.notes.sort(key=lambda note: (note.start_qn, note.pitch))
    source.length_qn = tick / PPQ
    return source
