"""The tempo map by REAPER's laws: ramps linear in time, measures from signatures, cut measures, the API's functions."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reaper.model import Reaper, TempoMap, TempoMarker
from tests.reaper.model_kit import LUAS, numbers_of, passes, value_of


@pytest.fixture(params=LUAS)
def reaper(tmp_path: Path, request: pytest.FixtureRequest) -> Reaper:
    return Reaper(tmp_path, lua=request.param)


@st.composite
def tempo_maps(draw: st.DrawFn) -> TempoMap:
    gaps = draw(st.lists(st.floats(0.25, 20), max_size=5))
    times_s = np.cumsum([draw(st.sampled_from([0.0, 1.5])), *gaps])
    markers = [
        TempoMarker(
            float(time_s),
            draw(st.floats(30, 300)),
            *draw(st.sampled_from([(0, 0), (4, 4), (7, 8), (3, 4), (6, 8)])),
            linear=draw(st.booleans()),
        )
        for time_s in times_s
    ]
    return TempoMap(markers, 120, 4, 4)


@settings(max_examples=60, deadline=None)
@given(tempo_maps(), st.floats(0, 60))
def test_position_is_the_integral_of_the_tempo(tempo: TempoMap, time_s: float) -> None:
    grid = np.linspace(0, time_s, 20001)
    middles = (grid[1:] + grid[:-1]) / 2
    beats = sum(tempo.bpm_at(float(at)) for at in middles) * (time_s / 20000) / 60
    assert tempo.qn_at(time_s) == pytest.approx(beats, abs=2e-2)


@settings(max_examples=200, deadline=None)
@given(tempo_maps(), st.floats(0, 80))
def test_positions_and_times_invert_each_other(tempo: TempoMap, time_s: float) -> None:
    assert tempo.time_at(tempo.qn_at(time_s)) == pytest.approx(time_s, abs=1e-9)
    assert tempo.time_of_full_beats(tempo.full_beats_at(time_s)) == pytest.approx(time_s, abs=1e-9)
    assert tempo.time_of_padded_qn(tempo.padded_qn_at(time_s)) == pytest.approx(time_s, abs=1e-9)
    measure, beats = tempo.measure_at(time_s)
    run = tempo.run_of_measure(measure)
    start_s = tempo.measure_start_s(measure)
    assert start_s <= time_s + 1e-9
    assert tempo.time_at(tempo.qn_at(start_s) + beats * 4 / run.denominator) == pytest.approx(
        time_s, abs=1e-9
    )


@settings(max_examples=100, deadline=None)
@given(tempo_maps(), st.integers(0, 60))
def test_measures_follow_each_other_without_a_gap(tempo: TempoMap, measure: int) -> None:
    run = tempo.run_of_measure(measure)
    length_qn = tempo.measure_start_qn(measure + 1) - tempo.measure_start_qn(measure)
    assert 0 < length_qn <= run.length_qn + 1e-9
    found, beats = tempo.measure_at(tempo.measure_start_s(measure) + 1e-7)
    assert found == measure
    assert beats < 1e-3
    assert tempo.padded_measure_start_qn(measure + 1) - tempo.padded_measure_start_qn(
        measure
    ) == pytest.approx(run.length_qn)


@settings(max_examples=50, deadline=None)
@given(tempo_maps(), st.floats(0, 60))
def test_engine_reads_the_same_map_from_the_markers(tempo: TempoMap, time_s: float) -> None:
    from engine.tempo import TempoMap as EngineMap
    from engine.tempo import TempoSegment

    segments = tuple(
        TempoSegment(
            part.start_qn,
            part.start_s,
            part.bpm,
            part.end_bpm,
            "linear_in_time" if part.bpm != part.end_bpm else "constant",
        )
        for part in tempo.stretches
    )
    assert EngineMap(segments).beats(time_s) == pytest.approx(tempo.qn_at(time_s), abs=1e-9)
    assert EngineMap(segments).seconds(tempo.qn_at(time_s)) == pytest.approx(time_s, abs=1e-9)


def test_project_without_markers_has_its_own_tempo(reaper: Reaper) -> None:
    reaper.project.set_tempo(90, 7, 8)
    assert value_of(reaper, "reaper.CountTempoTimeSigMarkers(0)") == "0"
    assert numbers_of(reaper, "reaper.TimeMap_GetTimeSigAtTime(0, 5)") == [7, 8, 90]
    assert numbers_of(reaper, "reaper.TimeMap_GetMeasureInfo(0, 2)") == pytest.approx(
        [14 / 3, 7, 10.5, 7, 8, 90]
    )
    assert numbers_of(reaper, "reaper.GetProjectTimeSignature2(0)") == [90, 7]
    assert numbers_of(reaper, "reaper.TimeMap2_GetDividedBpmAtTime(0, 0)") == [180]


def test_ramp_is_linear_in_time(reaper: Reaper) -> None:
    reaper.project.add_tempo_marker(0, 60, 4, 4, linear=True)
    reaper.project.add_tempo_marker(8, 120)
    # from 60 to 120 in 8 s: t + t^2/16 quarter notes
    assert numbers_of(reaper, "reaper.TimeMap2_timeToQN(0, 4)") == pytest.approx([5])
    assert numbers_of(reaper, "reaper.TimeMap2_QNToTime(0, 12)") == pytest.approx([8])
    assert numbers_of(reaper, "reaper.TimeMap_GetTimeSigAtTime(0, 4)") == pytest.approx([4, 4, 90])
    assert numbers_of(reaper, "reaper.TimeMap_GetTimeSigAtTime(0, 100)") == [4, 4, 120]
    measure_1 = numbers_of(reaper, "reaper.TimeMap_GetMeasureInfo(0, 1)")
    assert measure_1[0] == pytest.approx(-8 + (64 + 64) ** 0.5)
    assert measure_1[1:5] == [4, 8, 4, 4]


def test_beats_are_in_the_unit_of_the_signature(reaper: Reaper) -> None:
    reaper.project.add_tempo_marker(0, 120, 4, 4)
    reaper.project.add_tempo_marker(4, 120, 7, 8)
    # 2 bars of 4/4, then bars of 7/8 (1.75 s each)
    assert numbers_of(reaper, "reaper.TimeMap2_timeToBeats(0, 4 + 1.75 + 0.5)") == pytest.approx(
        [2, 3, 7, 17, 8]
    )
    assert numbers_of(reaper, "reaper.TimeMap2_beatsToTime(0, 2, 3)") == pytest.approx([6.25])
    assert numbers_of(reaper, "reaper.TimeMap2_beatsToTime(0, 17)") == pytest.approx([6.25])
    assert numbers_of(reaper, "reaper.TimeMap_QNToMeasures(0, 8)") == pytest.approx([3, 8, 11.5])
    assert numbers_of(reaper, "reaper.TimeMap2_GetNextChangeTime(0, 1)") == [4]
    assert numbers_of(reaper, "reaper.TimeMap2_GetNextChangeTime(0, 4)") == [-1]


def test_signature_inside_a_measure_cuts_it_short(reaper: Reaper) -> None:
    reaper.project.add_tempo_marker(0, 120, 4, 4)
    reaper.project.add_tempo_marker(3, 120, 3, 4)  # in the middle of measure 1
    assert numbers_of(reaper, "reaper.TimeMap_GetMeasureInfo(0, 2)")[0] == 3
    assert numbers_of(reaper, "reaper.TimeMap2_timeToQN(0, 3), reaper.TimeMap_timeToQN_abs(0, 3)") == [8, 6]
    assert numbers_of(reaper, "reaper.TimeMap2_QNToTime(0, 7.5)") == [3]


def test_measures_before_the_start_count_backwards(reaper: Reaper) -> None:
    reaper.project.set_tempo(120, 4, 4)
    assert numbers_of(reaper, "reaper.TimeMap_GetMeasureInfo(0, -1)") == [-2, -4, 0, 4, 4, 120]
    assert numbers_of(reaper, "reaper.TimeMap2_timeToBeats(0, -1)") == pytest.approx([2, -1, 4, -2, 4])


def test_markers_are_read_as_they_were_set(reaper: Reaper) -> None:
    passes(
        reaper,
        """
        assert(reaper.SetTempoTimeSigMarker(0, -1, 0, -1, -1, 100, 4, 4, true))
        assert(reaper.SetTempoTimeSigMarker(0, -1, 6, -1, -1, 140, 0, 0, false))
        assert(reaper.SetTempoTimeSigMarker(0, -1, -1, 8, 0, 150, 3, 4, false))
        assert(not reaper.SetTempoTimeSigMarker(0, 9, 0, -1, -1, 100, 4, 4, true))
        """,
    )
    assert value_of(reaper, "reaper.GetTempoTimeSigMarker(0, 1)").split()[1] == "6.0"
    assert value_of(reaper, "reaper.GetTempoTimeSigMarker(0, 0)") == "true 0.0 0 0.0 100.0 4 4 true"
    third = value_of(reaper, "reaper.GetTempoTimeSigMarker(0, 2)").split()
    assert third[2:] == ["8", "0.0", "150.0", "3", "4", "false"]
    assert value_of(reaper, "reaper.GetTempoTimeSigMarker(0, 3)").startswith("false")
    assert value_of(reaper, "reaper.FindTempoTimeSigMarker(0, 7)") == "1"
    passes(reaper, "assert(reaper.DeleteTempoTimeSigMarker(0, 0))")
    assert [marker.bpm for marker in reaper.project.content.tempo_markers] == [140, 150]


@pytest.mark.parametrize("unset", [0, -1])
def test_marker_without_signature_says_so_as_its_version_does(tmp_path: Path, unset: int) -> None:
    reaper = Reaper(tmp_path, unset_signature=unset)
    reaper.project.add_tempo_marker(0, 100)
    assert value_of(reaper, "reaper.GetTempoTimeSigMarker(0, 0)").split()[5:7] == [str(unset)] * 2


@pytest.mark.parametrize(
    ("timebase", "position_s", "length_s", "playrate"),
    [(-1, 4.0, 4.0, 0.5), (0, 2.0, 2.0, 1.0), (1, 4.0, 4.0, 0.5), (2, 4.0, 2.0, 1.0)],
)
def test_item_follows_a_new_tempo_by_its_timebase(
    tmp_path: Path, timebase: int, position_s: float, length_s: float, playrate: float
) -> None:
    from tests.reaper.model_kit import write_sound

    reaper = Reaper(tmp_path)
    write_sound(tmp_path / "a.wav", 2.0)
    item = reaper.project.add_audio(reaper.project.add_track("A"), tmp_path / "a.wav", 2.0, timebase=timebase)
    reaper.project.add_marker(2.0, "verse")
    passes(reaper, "reaper.SetTempoTimeSigMarker(0, -1, 0, -1, -1, 60, 4, 4, false)")
    assert (item.position_s, item.length_s, item.takes[0].playrate) == (position_s, length_s, playrate)
    assert reaper.project.markers[0].position_s == 4.0
