"""A project tab, and how a test builds one: `add_track`, `add_audio`, `add_midi`, `set_tempo`, `add_marker`, …"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.reaper.model.history import History
from tests.reaper.model.state import (
    RENDER_NUMBERS,
    RENDER_STRINGS,
    Content,
    Fx,
    Item,
    Marker,
    Note,
    Source,
    Take,
    Track,
    new_uid,
)
from tests.reaper.model.tempo import TempoMap, TempoMarker


class Project:
    """One open project. `path` is None until it is saved; `media_folder` is where recordings go."""

    def __init__(self, path: Path | None, media_folder: Path, *, sample_rate: int = 48000) -> None:
        self.uid = new_uid()
        self.content = Content()
        self.history = History(self.content)
        self.path = path
        self.media_folder = media_folder
        self.sample_rate = sample_rate
        self.sample_rate_used = True
        self.offset_s = 0.0
        self.timebase = 1
        """What items with timebase -1 follow: 0 time, 1 beats (position, length, rate), 2 beats (position)."""
        self.cursor_s = 0.0
        self.play_state = 0
        self.play_position_s = 0.0
        self.view_s = (0.0, 60.0)
        self.notes = ""
        self.title = ""
        self.author = ""
        self.dirty = False
        self.changes = 0
        self.is_open = True
        self.render = dict(RENDER_NUMBERS)
        self.render_strings = dict(RENDER_STRINGS)

    # What tests and the API both read

    @property
    def tracks(self) -> list[Track]:
        """The tracks, top to bottom."""
        return self.content.tracks

    @property
    def markers(self) -> list[Marker]:
        """Markers and regions, in the order of their positions."""
        return sorted(self.content.markers, key=lambda marker: marker.position_s)

    @property
    def name(self) -> str:
        """The file's name, empty for a project that was never saved."""
        return self.path.name if self.path else ""

    @property
    def undo_names(self) -> list[str]:
        """The undo points, oldest first."""
        return [point.name for point in self.history.points]

    def tempo_map(self) -> TempoMap:
        """Return what the tempo markers mean now."""
        return self.content.tempo_map()

    def track(self, name: str) -> Track:
        """Return the first track of that name; KeyError if there is none."""
        for track in self.tracks:
            if track.name == name:
                return track
        raise KeyError(f"no track {name!r} among {[track.name for track in self.tracks]}")

    def depth_of(self, track: Track) -> int:
        """Return in how many folders a track lies."""
        depth = 0
        for other in self.tracks:
            if other is track:
                return depth
            depth = max(0, depth + other.folder_depth)
        return depth

    def parent_of(self, track: Track) -> Track | None:
        """Return the folder that a track lies in."""
        stack: list[Track] = []
        for other in self.tracks:
            if other is track:
                return stack[-1] if stack else None
            if other.folder_depth > 0:
                stack.append(other)
            elif other.folder_depth < 0:
                del stack[other.folder_depth :]
        return None

    def children_of(self, folder: Track) -> list[Track]:
        """Return the tracks right inside a folder."""
        return [track for track in self.tracks if self.parent_of(track) is folder]

    def tree(self) -> list[tuple[int, str]]:
        """Return (depth, name) of every track, for comparing folder structures at a glance."""
        return [(self.depth_of(track), track.name) for track in self.tracks]

    # How a test builds a project; each is something that a user could do

    def add_track(
        self, name: str = "", *, selected: bool = False, fx: Iterable[Fx] = (), **values: Any
    ) -> Track:
        """Append a track; `values` are fields of `Track`: volume, pan, muted, solo, folder_depth, colour, frozen …"""
        track = Track(name=name, selected=selected, fx=list(fx), **values)
        self.content.tracks.append(track)
        return track

    def add_audio(
        self,
        track: Track,
        path: Path | str,
        position_s: float = 0.0,
        *,
        length_s: float | None = None,
        offset_s: float = 0.0,
        **values: Any,
    ) -> Item:
        """Put an audio file on a track; `values` are fields of `Item`: muted, volume, loop_source, timebase …"""
        source = source_of(Path(path))
        take = Take(source=source, name=Path(path).name, offset_s=offset_s)
        length = source.length_s - offset_s if length_s is None else length_s
        # a user's "add media" sets the fades of the preferences; tests want samples as they are
        values = {"fade_in_s": 0.0, "fade_out_s": 0.0, **values}
        item = Item(position_s=position_s, length_s=length, takes=[take], **values)
        track.items.append(item)
        return item

    def add_midi(
        self,
        track: Track,
        notes: Iterable[Note],
        position_s: float = 0.0,
        length_s: float = 4.0,
        **values: Any,
    ) -> Item:
        """Put notes on a track; the project's tempo decides when they sound."""
        tempo = self.tempo_map()
        length_qn = tempo.qn_at(position_s + length_s) - tempo.qn_at(position_s)
        source = Source(kind="MIDI", length_qn=length_qn, notes=list(notes))
        item = Item(position_s=position_s, length_s=length_s, takes=[Take(source=source)], **values)
        track.items.append(item)
        return item

    def set_tempo(self, bpm: float, numerator: int = 4, denominator: int = 4) -> None:
        """Set the project's own tempo and signature, which hold where no marker does."""
        self.content.bpm, self.content.numerator, self.content.denominator = bpm, numerator, denominator

    def add_tempo_marker(
        self, time_s: float, bpm: float, numerator: int = 0, denominator: int = 0, *, linear: bool = False
    ) -> TempoMarker:
        """Add a tempo marker; `linear` runs to the next marker's tempo."""
        marker = TempoMarker(time_s, bpm, numerator, denominator, linear)
        self.content.tempo_markers.append(marker)
        self.content.tempo_markers.sort(key=lambda entry: entry.time_s)
        return marker

    def add_marker(self, position_s: float, name: str = "", end_s: float | None = None) -> Marker:
        """Add a marker, or a region if there is an end."""
        number = self.free_number(end_s is not None, 1)
        marker = Marker(number, position_s, name, end_s)
        self.content.markers.append(marker)
        return marker

    def select(self, *tracks: Track) -> None:
        """Select these tracks and no others."""
        chosen = {track.uid for track in tracks}
        for track in self.tracks:
            track.selected = track.uid in chosen

    def select_time(self, start_s: float, end_s: float) -> None:
        """Set the time selection; equal ends mean none."""
        self.content.time_selection = (start_s, end_s)

    def delete_track(self, track: Track) -> None:
        """Delete a track as the user would: a folder's end moves to the track above it."""
        at = next(index for index, other in enumerate(self.tracks) if other.uid == track.uid)
        if track.folder_depth < 0 and at > 0:
            self.tracks[at - 1].folder_depth += track.folder_depth
        del self.content.tracks[at]
        self.content.sends = [
            send for send in self.content.sends if track.uid not in (send.source_uid, send.target_uid)
        ]

    def undo(self) -> str | None:
        """Press Ctrl+Z; return the name of what was undone."""
        self.history.note_user_edits()
        return self.history.undo()

    def redo(self) -> str | None:
        """Press Ctrl+Shift+Z."""
        return self.history.redo()

    # What the API does

    def free_number(self, is_region: bool, wanted: int) -> int:
        """Return `wanted` or the next number that no marker (region) has."""
        taken = {marker.number for marker in self.content.markers if marker.is_region == is_region}
        number = wanted if wanted >= 0 else 1
        while number in taken:
            number += 1
        return number

    def touch(self) -> None:
        """Note a change: the project is no longer as it was saved."""
        self.dirty = True
        self.changes += 1

    def change_tempo(self, markers: list[TempoMarker], *, base: tuple[float, int, int] | None = None) -> None:
        """Replace the tempo markers; what is on a beat timebase moves with the beats."""
        before = self.tempo_map()
        self.content.tempo_markers = sorted(markers, key=lambda marker: marker.time_s)
        if base is not None:
            self.content.bpm, self.content.numerator, self.content.denominator = base
        after = self.tempo_map()
        for track in self.tracks:
            for item in track.items:
                self._follow(track, item, before, after)
        if self.timebase != 0:
            for marker in self.content.markers:
                marker.position_s = after.time_at(before.qn_at(marker.position_s))
                if marker.end_s is not None:
                    marker.end_s = after.time_at(before.qn_at(marker.end_s))

    def _follow(self, track: Track, item: Item, before: TempoMap, after: TempoMap) -> None:
        timebase = next(value for value in (item.timebase, track.timebase, self.timebase) if value != -1)
        if timebase == 0:
            return
        start_qn, end_qn = before.qn_at(item.position_s), before.qn_at(item.end_s)
        item.position_s = after.time_at(start_qn)
        if timebase == 1 and item.length_s > 0:
            length_s = after.time_at(end_qn) - item.position_s
            for take in item.takes:
                if take.source is None or take.source.kind != "MIDI":
                    take.playrate *= item.length_s / length_s
            item.length_s = length_s


def source_of(path: Path) -> Source:
    """Return the source of a media file.

    Raises:
        OSError: if it is no audio that can be read.
    """
    import soundfile

    if path.suffix.lower() in (".mid", ".midi"):
        return midi_source(path)
    try:
        info = soundfile.info(str(path))
    except soundfile.LibsndfileError as error:
        raise OSError(f"{path}: {error}") from error
    kinds = {"WAV": "WAVE", "WAVEX": "WAVE", "FLAC": "FLAC", "OGG": "VORBIS", "MP3": "MP3", "AIFF": "AIFF"}
    return Source(
        path,
        kinds.get(info.format, info.format),
        info.frames / info.samplerate,
        info.samplerate,
        info.channels,
    )


def midi_source(path: Path) -> Source:
    """Return the source of a MIDI file: its notes in quarter notes."""
    import mido

    try:
        file = mido.MidiFile(str(path))
    except (OSError, EOFError, ValueError) as error:
        raise OSError(f"{path}: {error}") from error
    notes: list[Note] = []
    end_qn = 0.0
    for lane in file.tracks:
        tick, open_notes = 0, dict[tuple[int, int], list[tuple[float, int]]]()
        for message in lane:
            tick += message.time
            at_qn = tick / file.ticks_per_beat
            end_qn = max(end_qn, at_qn)
            if message.type == "note_on" and message.velocity > 0:
                open_notes.setdefault((message.channel, message.note), []).append((at_qn, message.velocity))
            elif message.type in ("note_on", "note_off") and open_notes.get((message.channel, message.note)):
                start_qn, velocity = open_notes[message.channel, message.note].pop(0)
                notes.append(Note(start_qn, at_qn, message.note, velocity, message.channel))
    notes.sort(key=lambda note: (note.start_qn, note.pitch))
    return Source(path, "MIDI", length_qn=end_qn, notes=notes)
