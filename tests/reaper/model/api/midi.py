"""MIDI items: notes, and positions in ticks (960 to a quarter note) from the start of the take."""

from tests.reaper.model.api.takes import _item_of
from tests.reaper.model.failures import Refused
from tests.reaper.model.registry import offers
from tests.reaper.model.script import Script
from tests.reaper.model.state import Item, Note, Source, Take, Track

PPQ = 960


def _source(take: Take) -> Source:
    if take.source is None or take.source.kind != "MIDI":
        raise Refused("the take is no MIDI take")
    return take.source


def _start_qn(script: Script, take: Take) -> float:
    project = script.reaper.project_of(take)
    return project.tempo_map().qn_at(_item_of(script, take).position_s) - take.offset_s


@offers("CreateNewMIDIItemInProj")
def new_midi_item(script: Script, track: Track, start: float, end: float, in_qn: bool | None) -> Item | None:
    project = script.reaper.project_of(track)
    tempo = project.tempo_map()
    start_s, end_s = (tempo.time_at(start), tempo.time_at(end)) if in_qn else (start, end)
    if end_s <= start_s:
        return None
    source = Source(kind="MIDI", length_qn=tempo.qn_at(end_s) - tempo.qn_at(start_s))
    item = Item(position_s=start_s, length_s=end_s - start_s, takes=[Take(source=source)])
    track.items.append(item)
    project.touch()
    return item


@offers("MIDI_CountEvts")
def count_events(_script: Script, take: Take) -> tuple[int, int, int, int]:
    notes = len(_source(take).notes)
    return notes, notes, 0, 0


@offers("MIDI_GetNote")
def note_at(_script: Script, take: Take, index: int) -> tuple[bool, bool, bool, float, float, int, int, int]:
    notes = _source(take).notes
    if not 0 <= index < len(notes):
        return False, False, False, 0.0, 0.0, 0, 0, 0
    note = notes[index]
    start, end = note.start_qn * PPQ, note.end_qn * PPQ
    return True, False, False, start, end, note.channel, note.pitch, note.velocity


@offers("MIDI_InsertNote")
def insert_note(
    script: Script,
    take: Take,
    _selected: bool,
    _muted: bool,
    start: float,
    end: float,
    channel: int,
    pitch: int,
    velocity: int,
    no_sort: bool | None,
) -> bool:
    if not (0 <= channel < 16 and 0 <= pitch < 128 and 0 < velocity < 128 and end > start):
        raise Refused(f"no note: channel {channel}, pitch {pitch}, velocity {velocity}, {start:g} to {end:g}")
    notes = _source(take).notes
    notes.append(Note(start / PPQ, end / PPQ, pitch, velocity, channel))
    if not no_sort:
        notes.sort(key=lambda note: note.start_qn)
    script.reaper.project_of(take).touch()
    return True


@offers("MIDI_Sort")
def sort_notes(_script: Script, take: Take) -> None:
    _source(take).notes.sort(key=lambda note: note.start_qn)


@offers("MIDI_GetPPQPosFromProjTime")
def ppq_from_time(script: Script, take: Take, time_s: float) -> float:
    return (script.reaper.project_of(take).tempo_map().qn_at(time_s) - _start_qn(script, take)) * PPQ


@offers("MIDI_GetProjTimeFromPPQPos")
def time_from_ppq(script: Script, take: Take, ppq: float) -> float:
    return script.reaper.project_of(take).tempo_map().time_at(ppq / PPQ + _start_qn(script, take))


@offers("MIDI_GetPPQPosFromProjQN")
def ppq_from_qn(script: Script, take: Take, qn: float) -> float:
    return (qn - _start_qn(script, take)) * PPQ


@offers("MIDI_GetProjQNFromPPQPos")
def qn_from_ppq(script: Script, take: Take, ppq: float) -> float:
    return ppq / PPQ + _start_qn(script, take)
