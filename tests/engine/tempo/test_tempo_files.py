"""Tempo maps as files: JSON, bar tables, CSV and Standard MIDI Files."""

import json

import mido
import numpy as np
import pytest

from engine.errors import NrxError
from engine.tempo import (
    BarRow,
    TempoMap,
    TimeSignature,
    load_tempo_map,
    load_tempo_map_and_report,
    reconciled,
)
from engine.tempo.midi import from_midi, midi_drift_ms, tempo_track, to_midi

RAMPS = TempoMap.from_points(
    [
        (0, 100, "linear_in_beats"),
        (16, 140.3, "linear_in_time"),
        (48, 61.7, "constant"),
        (60, 95.1, "constant"),
    ],
    signatures=[TimeSignature(0, 4, 4), TimeSignature(3, 7, 8), TimeSignature(9, 3, 4)],
)


def bar_table(tempo_map, count, digits=9):
    bars = np.arange(count, dtype=float)
    starts = tempo_map.seconds(tempo_map.beat_of_bar(bars))
    return [
        BarRow(bar, round(float(start), digits), s.numerator, s.denominator)
        for bar, start, s in zip(range(count), starts, map(tempo_map.signature_at, bars), strict=True)
    ]


def test_a_bar_table_is_met_exactly():
    table = bar_table(RAMPS, 40)
    tempo_map = TempoMap.from_bar_table(table)
    starts = tempo_map.seconds(tempo_map.beat_of_bar(np.arange(40.0)))
    assert np.abs(starts - [row.start_s for row in table]).max() < 1e-6
    assert tempo_map.signatures == RAMPS.signatures


def test_a_bar_table_with_tempi_finds_the_ramp_inside_the_bars():
    truth = TempoMap.from_points([(0, 80, "linear_in_beats"), (32, 160, "constant")])
    rows = [
        {
            "bar": n,
            "start_s": truth.seconds(n * 4.0),
            "numerator": 4,
            "denominator": 4,
            "bpm": truth.bpm_at(n * 4.0),
        }
        for n in range(10)
    ]
    beats = np.linspace(0, 32, 200)
    with_tempi = np.abs(TempoMap.from_bar_table(rows).seconds(beats) - truth.seconds(beats)).max()
    without = np.abs(
        TempoMap.from_bar_table([{**row, "bpm": None} for row in rows]).seconds(beats) - truth.seconds(beats)
    ).max()
    assert with_tempi < 1e-3 < without


def test_where_table_and_segments_differ_the_table_wins_and_the_difference_is_reported():
    table = bar_table(TempoMap.constant(126.0), 50)
    tempo_map, report = reconciled(TempoMap.constant(126.05), table)
    assert report.differs
    assert report.worst_bar == 49
    assert report.worst_ms == pytest.approx(49 * 4 * 60 * (1 / 126 - 1 / 126.05) * 1000, abs=1e-3)
    assert np.abs(tempo_map.seconds(np.arange(50) * 4.0) - [row.start_s for row in table]).max() < 1e-9
    assert "bar 49" in report.sentence


def test_a_table_that_is_only_rounded_leaves_the_segments_as_they_are():
    tempo_map, report = reconciled(RAMPS, bar_table(RAMPS, 30, digits=3))
    assert not report.differs
    assert tempo_map == RAMPS


def test_a_table_keeps_the_ramp_of_the_segments_inside_its_bars():
    later = [
        BarRow(row.bar, row.start_s * 1.01, row.numerator, row.denominator) for row in bar_table(RAMPS, 12)
    ]
    tempo_map, report = reconciled(RAMPS, later)
    assert report.differs
    assert tempo_map.bpm_at(8.0) == pytest.approx(RAMPS.bpm_at(8.0) / 1.01, rel=1e-6)
    assert {s.law for s in tempo_map.segments} == {"constant", "linear_in_beats", "linear_in_time"}


@pytest.mark.parametrize("ppq", [96, 480, 960])
@pytest.mark.parametrize("bpm", [10.0, 61.7, 126.0, 133.333, 999.0])
def test_a_constant_tempo_in_midi_stays_within_a_millisecond_for_an_hour(bpm, ppq):
    tempo_map = TempoMap.constant(bpm)
    assert midi_drift_ms(tempo_map, to_midi(tempo_map, ppq=ppq, last_s=3600), 3600) < 1.0


def test_ramps_in_midi_stay_within_a_millisecond():
    midi = to_midi(RAMPS)
    assert midi_drift_ms(RAMPS, midi, 300) < 1.0
    assert len(midi.tracks[0]) < 1000


def test_steep_ramps_and_measured_beats_in_midi_stay_within_a_millisecond():
    steep = TempoMap.from_points(
        [(0, 10, "linear_in_time"), (7.3, 999, "linear_in_beats"), (40, 12, "constant")]
    )
    assert midi_drift_ms(steep, to_midi(steep), 120) < 1.0
    beats = np.cumsum(np.random.default_rng(1).normal(0.5, 0.02, 600)) - 0.5
    measured = TempoMap.from_beats(beats - beats[0])
    assert midi_drift_ms(measured, to_midi(measured), 290) < 1.0


def test_signatures_survive_midi(tmp_path):
    to_midi(RAMPS).save(tmp_path / "map.mid")
    assert load_tempo_map(tmp_path / "map.mid").signatures == RAMPS.signatures


def test_a_tempo_track_starts_with_its_signature_and_tempo_at_tick_0():
    track = tempo_track(TempoMap.constant(120.0, numerator=6, denominator=8))
    assert [(m.type, m.time) for m in track] == [("time_signature", 0), ("set_tempo", 0), ("end_of_track", 0)]


def test_a_bar_cut_short_in_midi_becomes_a_bar_of_its_own():
    midi = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    midi.tracks.append(track)
    track.append(mido.MetaMessage("time_signature", numerator=4, denominator=4, time=0))
    track.append(mido.MetaMessage("time_signature", numerator=3, denominator=4, time=480 * 6))
    assert from_midi(midi).signatures == (
        TimeSignature(0, 4, 4),
        TimeSignature(1, 2, 4),
        TimeSignature(2, 3, 4),
    )
    assert from_midi(midi).beat_of_bar(2.0) == 6.0


def test_csv_json_table_and_document_say_the_same(tmp_path):
    table = bar_table(RAMPS, 20)
    rows = [
        {"bar": r.bar, "start_s": r.start_s, "numerator": r.numerator, "denominator": r.denominator}
        for r in table
    ]
    (tmp_path / "a.json").write_text(json.dumps(rows), encoding="utf-8")
    (tmp_path / "b.json").write_text(json.dumps({"bars": rows}), encoding="utf-8")
    header = "bar,start_s,numerator,denominator\n"
    lines = [f"{r.bar},{r.start_s!r},{r.numerator},{r.denominator}\n" for r in table]
    (tmp_path / "c.csv").write_text(header + "".join(lines), encoding="utf-8")
    (tmp_path / "d.csv").write_text("\ufeff" + "".join(lines).replace(",", ";"), encoding="utf-8")
    maps = [load_tempo_map(tmp_path / name) for name in ("a.json", "b.json", "c.csv", "d.csv")]
    assert maps[0] == maps[1] == maps[2] == maps[3] == TempoMap.from_bar_table(table)


def test_a_document_with_both_reports_the_difference(tmp_path):
    bars = [{"bar": n, "start_s": 2.01 * n, "numerator": 4, "denominator": 4} for n in range(4)]
    (tmp_path / "both.json").write_text(
        json.dumps({"segments": [{"bpm": 120}], "bars": bars}), encoding="utf-8"
    )
    tempo_map, report = load_tempo_map_and_report(tmp_path / "both.json")
    assert report is not None
    assert report.worst_ms == pytest.approx(30.0)
    assert tempo_map.seconds(12.0) == pytest.approx(6.03)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"segments": [{"bpm": "fast"}]}, r"segments\[0\].bpm"),
        ({"segments": [{"bpm": 120, "tempo": 3}]}, "tempo"),
        ({"segments": [{"bpm": 120}, {"bpm": 100}]}, r"segments\[1\].start_beat"),
        ({"segments": [{"bpm": True}]}, r"segments\[0\].bpm"),
        ({"segments": [{"bpm": 120, "law": "cubic"}]}, r"segments\[0\].law"),
        ({"segments": []}, "segments"),
        ({}, "segments"),
        ({"segments": [{"bpm": 120}], "signatures": [{"numerator": 4}]}, r"signatures\[0\].denominator"),
        ({"bars": [{"bar": 0, "start_s": 0, "numerator": 4, "denominator": 4}]}, "bpm"),
        ([{"bar": 1.5, "start_s": 0, "numerator": 4, "denominator": 4}], r"bars\[0\].bar"),
        ([[0, 0, 4, 4], [1, -1, 4, 4]], r"bars\[1\].start_s"),
        (7, "mapping"),
        ("{", "JSON"),
    ],
)
def test_a_bad_document_is_refused_by_field(document, field):
    with pytest.raises(NrxError, match=field) as caught:
        TempoMap.from_json(document)
    assert caught.value.code == "input.tempo_map"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "input.empty"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "input.tempo_map"),
        (b"MThd\x00\x00", "input.tempo_map"),
        (b"bar,start_s\n0,0\n", "input.tempo_map"),
        (b"bar,start_s,numerator,denominator\n0,zero,4,4\n", "input.tempo_map"),
        (b"hello world\n", "input.tempo_map"),
        (b"{" * 100_000, "input.tempo_map"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(tmp_path, content, code):
    path = tmp_path / "map.txt"
    path.write_bytes(content)
    with pytest.raises(NrxError) as caught:
        load_tempo_map(path)
    assert caught.value.code == code


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path, code in ((tmp_path / "no.json", "input.not_found"), (tmp_path, "input.is_folder")):
        with pytest.raises(NrxError) as caught:
            load_tempo_map(path)
        assert caught.value.code == code
