"""MIDI files: what is written is what was arranged, at the right time, and nothing is left sounding."""

import mido
import numpy as np
import pytest

from engine.analysis.model import Chord, Section
from engine.generation.arranger import arrange, invent_song
from engine.generation.arranger.midi import write_part_midi, write_song_midi
from engine.generation.model import Arrangement, Note, Part
from engine.presets import load_style
from engine.tempo import TempoMap
from engine.tempo.midi import from_midi

CHORDS = (Chord(0.0, 2.0, "E:min7"), Chord(2.0, 4.0, "C:maj"))
SECTIONS = (Section(0.0, 4.0, "A", 0.5),)


def part(*notes, name="Keys", is_drums=False, voice="piano"):
    return Part(name, "drums" if is_drums else "chords", voice, tuple(notes), is_drums)


def arrangement(style_id="synthwave", duration_s=24.0):
    style = load_style(style_id)
    analysis = invent_song(style, seed=2, duration_s=duration_s)
    source = TempoMap.constant(analysis.tempo_bpm)
    return arrange(analysis, source, source, style, seed=2, keep=frozenset()), source


def sounding(track: mido.MidiTrack) -> list[tuple[int, int, int, int]]:
    """(start tick, end tick, pitch, velocity); fails if a note is struck twice or never ended."""
    held: dict[int, tuple[int, int]] = {}
    notes = []
    now = 0
    for message in track:
        now += message.time
        if message.type == "note_on" and message.velocity > 0:
            assert message.note not in held
            held[message.note] = (now, message.velocity)
        elif message.type in {"note_off", "note_on"}:
            start, velocity = held.pop(message.note)
            notes.append((start, now, message.note, velocity))
    assert not held
    return sorted(notes)


def markers(midi: mido.MidiFile) -> list[tuple[int, str]]:
    now, found = 0, []
    for message in midi.tracks[0]:
        now += message.time
        if message.type == "marker":
            found.append((now, message.text))
    return found


def test_notes_come_back_at_their_beats(tmp_path):
    notes = (Note(0.0, 60, 1.0, 90), Note(1.5, 64, 0.5, 70), Note(4.25, 60, 2.0, 127))
    write_part_midi(tmp_path / "a.mid", part(*notes), TempoMap.constant(97.0))
    midi = mido.MidiFile(tmp_path / "a.mid")
    assert midi.type == 1
    assert midi.ticks_per_beat == 960
    assert sounding(midi.tracks[1]) == [(0, 960, 60, 90), (1440, 1920, 64, 70), (4080, 6000, 60, 127)]


def test_the_song_has_a_conductor_and_a_track_for_each_part(tmp_path):
    song, timeline = arrangement()
    write_song_midi(tmp_path / "song.mid", song, timeline, CHORDS, SECTIONS)
    midi = mido.MidiFile(tmp_path / "song.mid")
    assert len(midi.tracks) == 1 + len(song.parts)
    names = [next(m.name for m in track if m.type == "track_name") for track in midi.tracks[1:]]
    assert names == [each.name for each in song.parts]
    for each, track in zip(song.parts, midi.tracks[1:], strict=True):
        assert len(sounding(track)) == len(each.notes)


def test_onsets_in_seconds_are_those_of_the_arrangement(tmp_path):
    song, timeline = arrangement("lofi_chill")
    bent = TempoMap.from_points([(0.0, 70.0, "linear_in_beats"), (16.0, 92.0, "constant")])
    write_song_midi(tmp_path / "song.mid", song, bent)
    midi = mido.MidiFile(tmp_path / "song.mid")
    written = from_midi(midi)
    for each, track in zip(song.parts, midi.tracks[1:], strict=True):
        wanted = np.sort(bent.seconds(np.array([note.start_beat for note in each.notes])))
        found = written.seconds(np.array([start for start, _, _, _ in sounding(track)]) / 960)
        assert np.max(np.abs(found - wanted)) < 1.5e-3
    assert timeline.is_constant()


@pytest.mark.parametrize("start_s", [0.0, 0.35, 1.9, 3.3])
def test_tick_zero_is_the_start_of_the_audio_wherever_beat_zero_lies(tmp_path, start_s):
    timeline = TempoMap.constant(120.0, start_s=start_s)
    notes = tuple(Note(beat, 60, 0.5, 90) for beat in np.arange(np.ceil(timeline.beats(0.0)), 12.0))
    write_part_midi(tmp_path / "a.mid", part(*notes), timeline)
    midi = mido.MidiFile(tmp_path / "a.mid")
    found = from_midi(midi).seconds(np.array([note[0] for note in sounding(midi.tracks[1])]) / 960)
    assert found == pytest.approx([timeline.seconds(note.start_beat) for note in notes], abs=1.5e-3)


def test_drums_are_on_channel_ten_and_nothing_else_is(tmp_path):
    song, timeline = arrangement("orchestral")
    write_song_midi(tmp_path / "song.mid", song, timeline)
    for each, track in zip(song.parts, mido.MidiFile(tmp_path / "song.mid").tracks[1:], strict=True):
        channels = {message.channel for message in track if not message.is_meta}
        assert (channels == {9}) == each.is_drums
        assert len(channels) == 1


def test_parts_have_the_general_midi_programs_of_their_voices(tmp_path):
    wanted = {"piano": 0, "upright_bass": 32, "strings": 48, "sax": 66}
    parts = tuple(part(Note(0.0, 60, 1.0, 80), name=voice, voice=voice) for voice in wanted)
    write_song_midi(tmp_path / "song.mid", Arrangement(parts, 4.0, 1, "x"), TempoMap.constant(100.0))
    tracks = mido.MidiFile(tmp_path / "song.mid").tracks[1:]
    programs = [next(m.program for m in track if m.type == "program_change") for track in tracks]
    assert programs == list(wanted.values())


def test_chords_and_sections_are_markers_in_the_conductor_track(tmp_path):
    song, _ = arrangement()
    write_song_midi(tmp_path / "song.mid", song, TempoMap.constant(120.0), CHORDS, SECTIONS)
    found = markers(mido.MidiFile(tmp_path / "song.mid"))
    assert (0, "E:min7") in found
    assert (4 * 960, "C:maj") in found
    assert (0, "Section A") in found


def test_the_conductor_has_time_signatures(tmp_path):
    write_part_midi(
        tmp_path / "a.mid", part(Note(0.0, 60, 1.0, 80)), TempoMap.constant(90.0, numerator=7, denominator=8)
    )
    first = mido.MidiFile(tmp_path / "a.mid").tracks[0]
    signature = next(message for message in first if message.type == "time_signature")
    assert (signature.numerator, signature.denominator) == (7, 8)


def test_overlapping_notes_of_one_pitch_are_cut(tmp_path):
    notes = (
        Note(0.0, 60, 3.0, 80),
        Note(1.0, 60, 1.0, 90),
        Note(1.0, 60, 2.0, 70),
        Note(2.0, 60, 0.0001, 60),
    )
    write_part_midi(tmp_path / "a.mid", part(*notes), TempoMap.constant(100.0))
    found = sounding(mido.MidiFile(tmp_path / "a.mid").tracks[1])
    assert [note[0] for note in found] == [0, 960, 1920]
    assert found[0][1] == 960
    assert all(end > start for start, end, _, _ in found)


def test_an_arrangement_of_nothing_is_a_valid_file(tmp_path):
    write_song_midi(tmp_path / "song.mid", Arrangement((), 16.0, 0, ""), TempoMap.constant(100.0), CHORDS)
    midi = mido.MidiFile(tmp_path / "song.mid")
    assert len(midi.tracks) == 1
    assert len(markers(midi)) == 2


def test_names_outside_latin_1_are_written(tmp_path):
    write_part_midi(
        tmp_path / "a.mid", part(Note(0.0, 60, 1.0, 80), name="Гитара 🎸"), TempoMap.constant(100.0)
    )
    names = [m.name for m in mido.MidiFile(tmp_path / "a.mid").tracks[1] if m.type == "track_name"]
    assert names == ["?????? ?"]


def test_the_same_arrangement_gives_the_same_bytes(tmp_path):
    for name in ("a.mid", "b.mid"):
        song, timeline = arrangement()
        write_song_midi(tmp_path / name, song, timeline, CHORDS, SECTIONS)
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()
