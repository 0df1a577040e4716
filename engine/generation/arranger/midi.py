"""Write arrangements as Standard MIDI Files (SMF 1.0, General MIDI 1): one part, or the whole song.

Tick 0 is the start of the audio (0 s): where the tempo map's beat 0 lies later, a lead-in bar is put before
it (see `engine.tempo.lead_in`). Files are format 1 at 960 ticks a quarter note: a conductor track with tempo
map, time signatures and markers, then a track for each part. Drums are on channel 10 as General MIDI wants;
every note is ended.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mido
import numpy as np

from engine.analysis.model import Chord, Section
from engine.generation.arranger.voices.table import VOICES
from engine.generation.model import Arrangement, Note, Part
from engine.tempo import PPQ, LeadIn, TempoMap, with_lead_in
from engine.tempo.midi import tempo_track

DRUM_CHANNEL = 9
CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)
KIT_PROGRAMS: dict[str, int] = {
    "kit_acoustic": 0, "kit_brush": 40, "kit_electronic": 24, "kit_lofi": 25, "kit_eighties": 25,
    "kit_jazz": 32, "kit_rock": 16, "kit_orchestral": 48,
}  # fmt: skip
OFF, ON = 0, 1
EXPRESSION, EXPRESSION_STEP = 11, PPQ // 4


def write_part_midi(path: Path, part: Part, target_map: TempoMap) -> None:
    """Write one part with the tempo map; raises `OSError` where `path` cannot be written."""
    lead = with_lead_in(target_map)
    midi = _file(lead, _last_s([part], target_map))
    midi.tracks.append(part_track(part, target_map, lead, DRUM_CHANNEL if part.is_drums else 0))
    midi.save(path)


def write_song_midi(
    path: Path,
    arrangement: Arrangement,
    target_map: TempoMap,
    chords: Sequence[Chord] = (),
    sections: Sequence[Section] = (),
) -> None:
    """Write all parts with the tempo map, and chords and sections as markers.

    `chords` and `sections` are in seconds of the target map; raises `OSError` where `path` cannot be written.
    """
    lead = with_lead_in(target_map)
    end_s = max(_last_s(arrangement.parts, target_map), target_map.seconds(arrangement.length_beats))
    markers = [(s.start_s, f"Section {s.label}") for s in sections] + [(c.start_s, c.label) for c in chords]
    midi = _file(lead, end_s, markers)
    melodic = 0
    for part in arrangement.parts:
        channel = DRUM_CHANNEL if part.is_drums else CHANNELS[melodic % len(CHANNELS)]
        melodic += not part.is_drums
        midi.tracks.append(part_track(part, target_map, lead, channel))
    midi.save(path)


def part_track(part: Part, target_map: TempoMap, lead: LeadIn, channel: int) -> mido.MidiTrack:
    """Return the track of a part: its name, its program, its notes."""
    track = mido.MidiTrack()
    program = KIT_PROGRAMS.get(part.voice, 0) if part.is_drums else _program(part.voice)
    track.append(mido.MetaMessage("track_name", name=_latin(part.name), time=0))
    track.append(mido.Message("program_change", channel=channel, program=program, time=0))
    timed: list[tuple[int, Any]] = [
        (tick, mido.Message("control_change", channel=channel, control=EXPRESSION, value=value))
        for tick, value in expression_events(part.fade, target_map, lead)
    ]
    for tick, kind, pitch, velocity in note_events(part.notes, target_map, lead):
        name = "note_on" if kind == ON else "note_off"
        timed.append((tick, mido.Message(name, channel=channel, note=pitch, velocity=velocity)))
    now = 0
    for tick, message in sorted(timed, key=lambda each: each[0]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=0))
    return track


def _program(voice: str) -> int:
    """General MIDI program of a voice, counted from 0; 0 (piano) for instruments of the user's own."""
    spec = VOICES.get(voice)
    return spec.program if spec is not None and spec.program is not None else 0


def note_events(notes: Sequence[Note], target_map: TempoMap, lead: LeadIn) -> list[tuple[int, int, int, int]]:
    """Return sorted (tick, `ON` or `OFF`, pitch, velocity); no pitch is struck while it sounds."""
    if not notes:
        return []
    edges = np.array([[note.start_beat, note.start_beat + note.duration_beats] for note in notes])
    ticks = np.rint(lead.tempo_map.beats(target_map.seconds(edges)) * PPQ).astype(np.int64)
    ordered = sorted(
        (max(0, int(start)), int(end), note.pitch, note.velocity)
        for note, (start, end) in zip(notes, ticks, strict=True)
    )
    following: dict[int, int] = {}
    events: list[tuple[int, int, int, int]] = []
    for start, end, pitch, velocity in reversed(ordered):
        limit = following.get(pitch)
        if limit is not None and limit <= start:
            continue
        stop = max(start + 1, end) if limit is None else min(max(start + 1, end), limit)
        following[pitch] = start
        events += [(start, ON, pitch, velocity), (stop, OFF, pitch, 0)]
    return sorted(events)


def expression_events(
    fade: Sequence[tuple[float, float]], target_map: TempoMap, lead: LeadIn
) -> list[tuple[int, int]]:
    """Return a fade as (tick, value) of the controller Expression, full before it; 40 log10(value / 127) is dB."""
    if not fade:
        return []
    beats, level_db = np.array(fade).T
    ticks = np.rint(lead.tempo_map.beats(target_map.seconds(beats)) * PPQ)
    every = np.arange(ticks[0], ticks[-1] + 1, EXPRESSION_STEP)
    values = np.rint(127.0 * 10.0 ** (np.interp(every, ticks, level_db) / 40.0)).astype(int)
    events = [(0, 127)]
    for tick, value in zip(every.astype(int).tolist(), values.tolist(), strict=True):
        if value != events[-1][1] and tick > 0:
            events.append((tick, value))
    return events


def _file(lead: LeadIn, end_s: float, markers: Sequence[tuple[float, str]] = ()) -> mido.MidiFile:
    """A file whose first track conducts: tempo map, signatures, and markers given as (seconds, text)."""
    conductor = tempo_track(lead.tempo_map, last_s=max(end_s, 1.0))
    timed: list[tuple[int, Any]] = []
    now = 0
    for message in conductor:
        now += message.time
        if message.type != "end_of_track":
            timed.append((now, message))
    for start_s, text in markers:
        tick = max(0, round(lead.tempo_map.beats(start_s) * PPQ))
        timed.append((tick, mido.MetaMessage("marker", text=_latin(text))))
    track = mido.MidiTrack([mido.MetaMessage("track_name", name="Tempo", time=0)])
    now = 0
    for tick, message in sorted(timed, key=lambda each: each[0]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=0))
    midi = mido.MidiFile(type=1, ticks_per_beat=PPQ)
    midi.tracks.append(track)
    return midi


def _last_s(parts: Sequence[Part], target_map: TempoMap) -> float:
    ends = [part.notes[-1].start_beat + part.notes[-1].duration_beats for part in parts if part.notes]
    return target_map.seconds(max(ends)) if ends else 1.0


def _latin(text: str) -> Any:
    """MIDI's text is Latin-1 by default; other characters become a question mark."""
    return text.encode("latin-1", "replace").decode("latin-1")
