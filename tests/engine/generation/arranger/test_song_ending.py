"""Starts and ends: parts play while the song sounds, and end as it does."""

import dataclasses

import mido
import numpy as np
import pytest
from arranged_songs import song

from engine.analysis.model import Extent
from engine.generation.arranger import arrange, invent_song
from engine.generation.arranger.midi import write_part_midi
from engine.generation.arranger.players.drums import PIECES
from engine.generation.arranger.render import render_part
from engine.generation.arranger.symbols import parse_chord
from engine.generation.model import Arrangement, Note, Part
from engine.presets import list_styles, load_style
from engine.tempo import TempoMap

STYLES = list_styles()
BEAT_S, BAR_S = 0.6, 2.4
"""Of `song`: 100 BPM, 48 bars of four beats, a chord a bar."""
LATE_S = 0.06
"""What push, swing and scatter may move a note that lies on a downbeat."""
PITCHED = frozenset({"bass", "chords", "pad", "arp", "strings", "lead"})


def arranged(style: str, extent: Extent, *, target_bpm: float = 100.0, **changes: object) -> Arrangement:
    analysis = dataclasses.replace(song(), extent=extent, **changes)
    source = TempoMap.constant(100.0)
    target = source if target_bpm == 100.0 else source.steady(target_bpm)
    return arrange(analysis, source, target, load_style(style), seed=3)


def starts_s(arrangement: Arrangement) -> list[float]:
    return sorted(note.start_beat * BEAT_S for part in arrangement.parts for note in part.notes)


STOPPED = Extent(starts_s=0.0, ends_s=98.5, last_attack_s=96.0, ending="stop")
"""The last stroke on the downbeat of bar 40 (counted from 0), ringing for two and a half seconds."""


@pytest.mark.parametrize("style", STYLES)
def test_nothing_starts_before_the_song_or_after_its_last_stroke(style: str) -> None:
    arrangement = arranged(style, dataclasses.replace(STOPPED, starts_s=3.1))
    starts = starts_s(arrangement)
    assert starts[0] >= 3.1 - LATE_S
    assert starts[-1] <= 96.0 + LATE_S + 0.5 * BEAT_S  # a chord may be rolled
    ends = [(n.start_beat + n.duration_beats) * BEAT_S for part in arrangement.parts for n in part.notes]
    assert max(ends) <= 98.5 + 1e-6


@pytest.mark.parametrize("style", STYLES)
def test_a_song_that_ends_closes_with_its_chord_on_the_last_downbeat(style: str) -> None:
    arrangement = arranged(style, STOPPED)
    downbeat = 96.0 / BEAT_S
    bass = next(part for part in arrangement.parts if part.role == "bass").notes[-1]
    symbol = parse_chord("E:min")  # bar 40 of four chords
    assert symbol is not None
    assert bass.start_beat == pytest.approx(downbeat, abs=0.1)
    assert bass.pitch % 12 == symbol.root
    last: set[int] = set()
    for part in arrangement.parts:
        if part.role in PITCHED:
            held = [n for n in part.notes if n.start_beat > downbeat - 0.1]
            assert all(n.start_beat + n.duration_beats == pytest.approx(98.5 / BEAT_S, abs=0.1) for n in held)
            last |= {n.pitch % 12 for n in held}
    assert set(symbol.pitch_classes) - {(symbol.root + symbol.third) % 12} <= last


@pytest.mark.parametrize("style", STYLES)
def test_the_drums_stop_with_a_hit(style: str) -> None:
    arrangement = arranged(style, STOPPED)
    drums = next(part for part in arrangement.parts if part.is_drums).notes
    last = [note for note in drums if note.start_beat > 96.0 / BEAT_S - 0.1]
    assert {PIECES[note.pitch] for note in last} >= {"kick"}
    assert len(last) >= 2
    assert all(note.start_beat == pytest.approx(96.0 / BEAT_S, abs=0.1) for note in last)


def test_the_last_chord_is_struck_again_where_it_changes_in_the_last_bar() -> None:
    analysis = song()
    chords = list(analysis.chords)
    at = next(i for i, chord in enumerate(chords) if chord.start_s == pytest.approx(96.0))
    chords[at : at + 1] = [
        dataclasses.replace(chords[at], end_s=97.2, label="B:maj"),
        dataclasses.replace(chords[at], start_s=97.2, label="E:min"),
    ]
    extent = Extent(0.0, 100.0, 97.2, "stop")
    arrangement = arranged("acoustic", extent, chords=tuple(chords))
    bass = next(part for part in arrangement.parts if part.role == "bass").notes[-2:]
    assert [round(note.start_beat * BEAT_S, 1) for note in bass] == [96.0, 97.2]
    assert [note.pitch % 12 for note in bass] == [11, 4]


def test_a_last_chord_that_nobody_could_name_is_the_key() -> None:
    chords = tuple(dataclasses.replace(c, label="N") if c.start_s >= 95.9 else c for c in song().chords)
    arrangement = arranged("synthwave", STOPPED, chords=chords)
    pad = next(part for part in arrangement.parts if part.role == "pad")
    assert {n.pitch % 12 for n in pad.notes if n.start_beat > 159.9} == {4, 7, 11}


def test_an_anticipated_last_stroke_is_that_downbeat() -> None:
    arrangement = arranged("rock", Extent(0.0, 99.0, 96.0 - 0.5 * BEAT_S, "stop"))
    bass = next(part for part in arrangement.parts if part.role == "bass").notes[-1]
    assert bass.start_beat * BEAT_S == pytest.approx(96.0, abs=0.06)


@pytest.mark.parametrize("ending", ["cut", "fade"])
def test_a_song_that_does_not_end_is_played_to_where_it_stops(ending: str) -> None:
    extent = Extent(0.0, 100.0, 99.8, ending, 92.0 if ending == "fade" else None)  # type: ignore[arg-type]
    for style in STYLES:
        starts = starts_s(arranged(style, extent))
        assert 97.6 < starts[-1] < 100.0
        hit = [s for s in starts if s > 92.0]
        assert len(hit) > 8


def test_a_phrase_of_three_bars_is_not_closed() -> None:
    extent = Extent(0.0, 8.0, 7.2, "stop")
    drums = next(part for part in arranged("rock", extent).parts if part.is_drums)
    assert not {PIECES[note.pitch] for note in drums.notes[-3:]} & {"crash_2"}


def test_parts_fade_with_a_song_that_fades() -> None:
    fade = tuple((92.0 + k / 2, -2.5 * k) for k in range(16))
    arrangement = arranged("edm", Extent(0.0, 100.0, 99.5, "fade", 92.0, fade))
    for part in arrangement.parts:
        beats, decibels = np.array(part.fade).T
        assert beats[0] * BEAT_S == pytest.approx(92.0)
        assert np.interp(96.0 / BEAT_S, beats, decibels) == pytest.approx(-20.0)


def test_a_fade_is_heard_in_the_sound_and_written_as_expression(tmp_path) -> None:
    target = TempoMap.constant(120.0)
    notes = tuple(Note(float(beat), 60, 0.9, 90) for beat in range(16))
    plain = Part("Pad", "pad", "organ", notes)
    faded = dataclasses.replace(plain, fade=((8.0, 0.0), (16.0, -40.0)))
    sounds = [
        render_part(part, target, sample_rate=22050, length_frames=8 * 22050, seed=1).samples
        for part in (plain, faded)
    ]
    gain = [np.sqrt((sounds[1][:, a:b] ** 2).sum() / (sounds[0][:, a:b] ** 2).sum()) for a, b in
            ((0, 4 * 22050), (6 * 22050 - 800, 6 * 22050 + 800))]  # fmt: skip
    assert gain[0] == pytest.approx(1.0)
    assert 20 * np.log10(gain[1]) == pytest.approx(-20.0, abs=1.0)
    write_part_midi(tmp_path / "pad.mid", faded, target)
    values = [m.value for m in mido.MidiFile(tmp_path / "pad.mid").tracks[1] if m.type == "control_change"]
    assert values[0] == 127
    assert values == sorted(values, reverse=True)
    assert values[-1] == pytest.approx(127 * 10 ** (-40 / 40), abs=1)


def test_an_invented_song_comes_home_and_a_loop_does_not() -> None:
    style = load_style("jazz")
    whole, loop = (invent_song(style, seed=1, duration_s=seconds, key="C") for seconds in (40.0, 8.0))
    assert whole.extent is not None
    assert loop.extent is not None
    assert (whole.extent.ending, loop.extent.ending) == ("stop", "cut")
    assert whole.chords[-1].label == "C:maj"
