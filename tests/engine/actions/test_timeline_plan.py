"""The new timeline: the song's own bars, the style's nearest tempo, or a number; and who is tuned to whom."""

from dataclasses import replace

import numpy as np
import pytest

from engine.actions.fit import anchors, natural_pitch, tuning_cents
from engine.actions.timeline import felt_at, map_of, moved_markers, plan_timeline
from engine.analysis import Analysis, Chord, Curve, Key, Section, TempoCandidate
from engine.presets import load_style
from engine.tempo import TempoMap


def heard(
    bpm: float, *, bars: int = 8, first_s: float = 0.4, steady: bool = True, tuning: float = 0.0
) -> Analysis:
    beats = tuple(float(time) for time in first_s + np.arange(bars * 4) * 60 / bpm)
    end = beats[-1] + 60 / bpm
    curve = Curve(1.0, (0.0,))
    return Analysis(
        duration_s=end,
        tempo_bpm=bpm,
        tempo_candidates=(TempoCandidate(bpm, 1.0),),
        tempo_source="estimated",
        steady=steady,
        has_beat=True,
        beats_s=beats,
        downbeats_s=beats[::4],
        beats_per_bar=4,
        key=Key("C", "major", 1.0),
        key_candidates=(),
        chords=(Chord(first_s, end, "C:maj"),),
        sections=(Section(0.0, end, "A", 0.5),),
        energy=curve,
        brightness=curve,
        vocal_activity=curve,
        melody=(),
        loudness_lufs=-14.0,
        mean_brightness_hz=2000.0,
        tuning_cents=tuning,
    )


@pytest.mark.parametrize("steady", [True, False])
def test_own_map_passes_through_the_measured_beats(steady: bool) -> None:
    song = heard(97.3, steady=steady)
    own = map_of(song, None)
    assert np.allclose(own.seconds(np.arange(len(song.beats_s))), song.beats_s, atol=1e-6)
    assert np.allclose(own.bar_starts_s(0.0, song.duration_s - 0.1), song.downbeats_s, atol=1e-6)


def test_project_tempo_moves_nothing() -> None:
    plan = plan_timeline(heard(97.3), None, "project", (120, 140))
    assert plan.target_map is plan.source_map
    assert natural_pitch(plan, load_style("edm")) == 0.0


@pytest.mark.parametrize(
    ("bpm", "style_range", "felt", "new"),
    [
        (100, (100, 130), 100, 100),  # inside: as it is
        (95, (100, 130), 95, 100),  # the nearest edge
        (66, (120, 140), 132, 132),  # double-time
        (171, (70, 90), 85.5, 85.5),  # half-time
        (66, (70, 90), 66, 70),
    ],
)
def test_style_takes_the_tempo_that_moves_the_song_least(
    bpm: float, style_range: tuple[float, float], felt: float, new: float
) -> None:
    plan = plan_timeline(heard(bpm), None, "style", style_range)
    assert plan.analysis.tempo_bpm == pytest.approx(felt)
    assert plan.target_map.average_bpm() == pytest.approx(new)
    assert np.all(np.diff(plan.analysis.beats_s) > 0)
    assert set(np.round(plan.analysis.downbeats_s, 6)) <= set(np.round(plan.analysis.beats_s, 6))


def test_number_is_taken_and_time_zero_stays() -> None:
    plan = plan_timeline(heard(100), None, 125.0, (70, 90))
    assert plan.target_map.average_bpm() == pytest.approx(125.0)
    source_s, target_s = anchors(plan.source_map, plan.target_map, plan.analysis.duration_s)
    assert np.interp(0.0, source_s, target_s) == pytest.approx(0.0, abs=1e-6)
    assert np.allclose(np.diff(target_s) / np.diff(source_s), 0.8)


@pytest.mark.parametrize("multiple", [0.5, 1, 2])
def test_feeling_a_song_otherwise_keeps_its_bars_of_four(multiple: float) -> None:
    song = heard(100)
    felt = felt_at(song, multiple)
    assert felt.tempo_bpm == 100 * multiple
    assert len(felt.beats_s) == pytest.approx(len(song.beats_s) * multiple, abs=2)
    assert felt.downbeats_s == felt.beats_s[:: felt.beats_per_bar]


def test_given_map_wins_and_ramps_are_flattened_by_a_number() -> None:
    given = TempoMap.from_points([(0, 96.0, "linear_in_beats"), (32, 120.0, "constant")])
    plan = plan_timeline(heard(100), given, "project", (70, 90))
    assert plan.target_map is given
    assert plan_timeline(heard(100), given, 110.0, (70, 90)).target_map.is_constant()


def test_markers_move_with_the_music() -> None:
    song = heard(100)
    plan = plan_timeline(song, None, 50.0, (70, 90))
    chords, sections = moved_markers(plan)
    assert chords[0].end_s - chords[0].start_s == pytest.approx(
        2 * (song.chords[0].end_s - song.chords[0].start_s)
    )
    assert sections[0].end_s == pytest.approx(2 * song.sections[0].end_s)


def test_parts_are_tuned_to_the_voice_that_is_kept() -> None:
    style = load_style("lofi_chill")
    plan = plan_timeline(heard(126, tuning=12.0), None, 95.0, style.tempo_range_bpm)
    assert natural_pitch(plan, style) == pytest.approx(-0.5)
    assert tuning_cents(plan, style, frozenset({"vocals"})) == pytest.approx(-38.0)
    assert tuning_cents(plan, style, frozenset()) == pytest.approx(12.0)
    assert tuning_cents(plan, style, frozenset({"drums"})) == pytest.approx(12.0)


def test_map_with_several_metres_is_never_halved() -> None:
    segments = TempoMap.constant(171.0).segments
    from engine.tempo import TimeSignature

    given = TempoMap(segments, (TimeSignature(0, 4, 4), TimeSignature(4, 3, 4)))
    plan = plan_timeline(replace(heard(171), tempo_source="tempo map"), given, "style", (70, 90))
    assert plan.analysis.tempo_bpm == 171


@pytest.mark.parametrize("steady", [True, False])
def test_odd_bar_in_the_middle_keeps_its_place(steady: bool) -> None:
    song = heard(100, steady=steady)
    odd = (*song.downbeats_s[:3], *song.beats_s[9::4])
    own = map_of(replace(song, downbeats_s=odd), None)
    assert np.allclose(own.bar_starts_s(0.0, song.duration_s - 0.1)[: len(odd)], odd, atol=1e-6)
