"""Tempo maps: conversions are exact inverses and rise; the laws follow their formulas; grids, bars and shapes."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import NrxError
from engine.tempo import LAWS, TempoMap, TempoSegment, TimeSignature, nearest_octave, with_lead_in

EXAMPLES = settings(deadline=None, max_examples=40, derandomize=True)
TEMPI = st.floats(10.0, 999.0)
POINTS = st.lists(st.tuples(st.floats(0.25, 300.0), TEMPI, st.sampled_from(LAWS)), min_size=1, max_size=12)
SIGNATURES = st.lists(
    st.tuples(st.integers(1, 40), st.integers(1, 15), st.sampled_from([2, 4, 8, 16])), min_size=1, max_size=5
)


def random_map(points, signatures, start_beat=0.0, start_s=0.0):
    beats = start_beat + np.concatenate(([0.0], np.cumsum([p[0] for p in points])[:-1]))
    bars = np.cumsum([s[0] for s in signatures]) - signatures[0][0]
    return TempoMap.from_points(
        [(beat, bpm, law) for beat, (_, bpm, law) in zip(beats, points, strict=True)],
        start_s=start_s,
        signatures=[TimeSignature(int(bar), n, d) for bar, (_, n, d) in zip(bars, signatures, strict=True)],
    )


MAPS = st.builds(random_map, POINTS, SIGNATURES, st.floats(-50, 50), st.floats(-20, 7200))


def places(tempo_map):
    edges = np.array([s.start_beat for s in tempo_map.segments])
    near = np.concatenate((edges - 1e-6, edges, edges + 1e-6))
    return np.unique(np.concatenate((near, np.linspace(edges[0] - 1000, edges[-1] + 20_000, 2003))))


@EXAMPLES
@given(MAPS)
def test_seconds_and_beats_are_inverses_within_a_microsecond(tempo_map):
    beats = places(tempo_map)
    seconds = tempo_map.seconds(beats)
    assert np.abs(tempo_map.seconds(tempo_map.beats(seconds)) - seconds).max() < 1e-6
    slowest_beat_s = 60.0 / 10.0
    assert np.abs(tempo_map.beats(seconds) - beats).max() * slowest_beat_s < 1e-6 * 999.0 / 10.0


@EXAMPLES
@given(MAPS)
def test_time_rises_with_beats(tempo_map):
    assert (np.diff(tempo_map.seconds(places(tempo_map))) > 0).all()


@EXAMPLES
@given(MAPS)
def test_tempo_is_the_derivative_of_beats(tempo_map):
    beats = np.linspace(tempo_map.segments[0].start_beat, tempo_map.segments[-1].start_beat + 10, 997)
    edges = np.array([s.start_beat for s in tempo_map.segments])
    away = np.abs(beats[:, None] - edges).min(axis=1) > 1e-3
    step = 1e-4
    measured = 60.0 * 2 * step / (tempo_map.seconds(beats + step) - tempo_map.seconds(beats - step))
    assert np.allclose(measured[away], tempo_map.bpm_at(beats[away]), rtol=1e-3)


@EXAMPLES
@given(MAPS, st.integers(-30, 200))
def test_bars_and_beats_are_inverses(tempo_map, bar):
    fractions = bar + np.linspace(0, 0.999, 7)
    assert np.allclose(tempo_map.bar_of_beat(tempo_map.beat_of_bar(fractions)), fractions, atol=1e-9)
    assert tempo_map.beat_of_bar(0.0) == 0.0
    assert tempo_map.beat_of_bar(bar + 1.0) - tempo_map.beat_of_bar(float(bar)) == pytest.approx(
        tempo_map.signature_at(bar).bar_beats
    )


@EXAMPLES
@given(MAPS)
def test_json_reads_back_exactly(tempo_map):
    assert TempoMap.from_json(json.dumps(tempo_map.to_json())) == tempo_map


@EXAMPLES
@given(MAPS, st.floats(0.25, 4.0))
def test_scaling_divides_time(tempo_map, factor):
    beats = places(tempo_map)
    assert np.allclose(tempo_map.scaled(factor).seconds(beats), tempo_map.seconds(beats) / factor, atol=1e-6)


@EXAMPLES
@given(MAPS, st.lists(st.tuples(st.floats(0.1, 50), st.floats(0.1, 50)), min_size=1, max_size=10))
def test_a_bent_map_passes_through_its_anchors(tempo_map, steps):
    beats = np.cumsum([a for a, _ in steps])
    seconds = np.cumsum([b for _, b in steps])
    own = np.diff(tempo_map.seconds(beats)) / np.diff(seconds) if len(steps) > 1 else np.ones(1)
    if own.max() > 50 or own.min() < 0.05:
        return
    bent = tempo_map.through(beats, seconds)
    assert np.abs(bent.seconds(beats) - seconds).max() < 1e-6


@EXAMPLES
@given(MAPS)
def test_a_lead_in_starts_at_zero_and_keeps_the_beats(tempo_map):
    led = with_lead_in(tempo_map)
    assert led.tempo_map.seconds(0.0) == pytest.approx(0.0, abs=1e-6)
    assert led.tempo_map.beat_of_bar(0.0) == 0.0
    first = math.ceil(tempo_map.beats(0.0)) + 2
    bar = math.ceil(tempo_map.bar_of_beat(float(first)))
    beats = tempo_map.beat_of_bar(np.arange(bar, bar + 40, dtype=float))
    assert np.abs(led.tempo_map.seconds(beats + led.shift_beats) - tempo_map.seconds(beats)).max() < 1e-6
    bars = led.tempo_map.bar_of_beat(beats + led.shift_beats)
    assert np.allclose(bars, np.arange(bar, bar + 40) + led.shift_bars, atol=1e-6)


@pytest.mark.parametrize(
    ("wait_s", "signatures"),
    [
        (0.02, [(0, 4, 4)]),
        (0.1, [(0, 1, 16), (1, 4, 4)]),
        (0.3, [(0, 1, 8), (1, 4, 4)]),
        (0.45, [(0, 1, 4), (1, 4, 4)]),
        (1.6, [(0, 3, 4), (1, 4, 4)]),
        (2.4, [(0, 1, 4), (1, 4, 4)]),
    ],
)
def test_a_lead_in_is_what_a_musician_would_write(wait_s, signatures):
    lead = with_lead_in(TempoMap.constant(120.0, start_s=wait_s))
    led = lead.tempo_map
    assert [(s.start_bar, s.numerator, s.denominator) for s in led.signatures] == signatures
    assert led.seconds(0.0) == pytest.approx(0.0, abs=1e-9)
    first_downbeat_s = led.seconds(led.beat_of_bar(float(lead.shift_bars)))
    assert first_downbeat_s == pytest.approx(wait_s if len(signatures) > 1 else 0.0)
    assert 50 < led.bpm_at(0.01) < 250


@EXAMPLES
@given(MAPS)
def test_no_lead_in_has_a_signature_finer_than_sixteenths(tempo_map):
    led = with_lead_in(tempo_map)
    own = {s.denominator for s in tempo_map.signatures}
    assert all(s.denominator <= 16 or s.denominator in own for s in led.tempo_map.signatures)


def test_the_three_laws_follow_their_formulas():
    up = {law: TempoMap.from_points([(0, 100, law), (8, 140, "constant")]) for law in LAWS}
    assert up["constant"].seconds(8.0) == pytest.approx(4.8)
    assert up["linear_in_beats"].seconds(8.0) == pytest.approx(60 * 8 / 40 * math.log(1.4), abs=1e-12)
    assert up["linear_in_time"].seconds(8.0) == pytest.approx(120 * 8 / 240, abs=1e-12)
    assert up["linear_in_beats"].bpm_at(4.0) == pytest.approx(120)
    middle = up["linear_in_time"].beats(2.0)
    assert up["linear_in_time"].bpm_at(middle) == pytest.approx(120)


def test_tempo_extends_constantly_before_and_after():
    tempo_map = TempoMap.from_points([(4, 120, "linear_in_time"), (8, 60, "constant")], start_s=2.0)
    assert tempo_map.seconds(0.0) == pytest.approx(0.0)
    assert tempo_map.seconds(9.0) - tempo_map.seconds(8.0) == pytest.approx(1.0)


def test_numbers_give_numbers_and_arrays_give_arrays():
    tempo_map = TempoMap.constant(120.0)
    assert isinstance(tempo_map.seconds(4.0), float)
    assert tempo_map.seconds([[0, 1], [2, 3]]).shape == (2, 2)
    assert tempo_map.ticks([0.0, 0.5, 1.0]).tolist() == [0, 480, 960]
    assert tempo_map.beats_of_ticks(1440) == pytest.approx(1.5)


def test_grids_hold_exactly_the_lines_in_the_span():
    tempo_map = TempoMap.constant(120.0, numerator=3, start_s=0.25)
    assert tempo_map.bar_starts_s(0.0, 4.0).tolist() == pytest.approx([0.25, 1.75, 3.25])
    assert tempo_map.beat_times_s(0.25, 1.25).tolist() == pytest.approx([0.25, 0.75, 1.25])


def test_measured_beats_are_met_exactly_and_beat_0_is_the_first_downbeat():
    beats = 0.7 + np.cumsum(np.random.default_rng(0).normal(0.5, 0.02, 400))
    tempo_map = TempoMap.from_beats(beats, downbeats_s=beats[2::4] + 0.01)
    assert np.abs(tempo_map.seconds(np.arange(400) - 2.0) - beats).max() < 1e-9
    assert tempo_map.signatures == (TimeSignature(0, 4, 4),)
    around = 60.0 / tempo_map.bpm_at(np.array([-10.0, 500.0]))
    assert around.tolist() == pytest.approx([np.diff(beats[:5]).mean(), np.diff(beats[-5:]).mean()])


def test_odd_bars_between_downbeats_become_signatures_and_missing_downbeats_do_not():
    beats = np.arange(40) * 0.5
    tempo_map = TempoMap.from_beats(beats, downbeats_s=beats[[0, 4, 12, 15, 19, 23]])
    assert tempo_map.signatures == (TimeSignature(0, 4, 4), TimeSignature(3, 3, 4), TimeSignature(4, 4, 4))


def test_a_steady_map_keeps_the_bars_and_time_zero():
    tempo_map = TempoMap.from_points([(0, 90, "linear_in_beats"), (40, 120, "constant")], start_s=1.3)
    steady = tempo_map.steady(126.0)
    assert steady.is_constant()
    assert steady.beats(0.0) == pytest.approx(tempo_map.beats(0.0))
    assert steady.average_bpm() == pytest.approx(126.0)
    assert not tempo_map.is_constant()
    assert tempo_map.average_bpm() == pytest.approx(40 * 60 / (tempo_map.seconds(40.0) - 1.3))


@pytest.mark.parametrize(
    ("bpm", "tempo_range", "multiple"),
    [
        (150, (70, 90), 0.5),
        (75, (120, 140), 2.0),
        (118, (100, 130), 1.0),
        (128, (60, 120), 0.5),
        (95, (100, 130), 1.0),
    ],
)
def test_the_nearest_octave_brings_a_tempo_into_or_close_to_the_range(bpm, tempo_range, multiple):
    assert nearest_octave(bpm, tempo_range) == multiple


@pytest.mark.parametrize(
    ("segments", "names"),
    [
        ((), "segments"),
        ((TempoSegment(0, 0, 0.0, 0.0),), r"segments\[0\].bpm"),
        ((TempoSegment(0, 0, float("nan"), 120),), r"segments\[0\].bpm"),
        ((TempoSegment(0, 0, 120, 130, "linear_in_time"),), r"segments\[0\].law"),
        ((TempoSegment(0, 0, 120, 130),), r"segments\[0\].end_bpm"),
        ((TempoSegment(0, 0, 120, 120), TempoSegment(0, 0, 120, 120)), r"segments\[1\].start_beat"),
        ((TempoSegment(0, 0, 120, 120), TempoSegment(4, 2.1, 120, 120)), r"segments\[1\].start_s"),
        ((TempoSegment(0, 0, 120, 120, "swing"),), r"segments\[0\].law"),
        ((TempoSegment(float("inf"), 0, 120, 120),), r"segments\[0\].start_beat"),
    ],
)
def test_an_impossible_segment_is_refused_by_name(segments, names):
    with pytest.raises(NrxError, match=names) as caught:
        TempoMap(segments)
    assert caught.value.code == "input.tempo_map"


@pytest.mark.parametrize(
    "signature", [TimeSignature(0, 0, 4), TimeSignature(0, 4, 3), TimeSignature(0, 300, 4)]
)
def test_an_impossible_signature_is_refused(signature):
    with pytest.raises(NrxError, match=r"signatures\[0\]"):
        TempoMap.constant(120.0, numerator=signature.numerator, denominator=signature.denominator)


def test_measured_beats_that_do_not_rise_are_refused():
    for beats in ([1.0], [0.0, 1.0, 1.0, 2.0], [0.0, float("nan"), 2.0]):
        with pytest.raises(NrxError) as caught:
            TempoMap.from_beats(beats)
        assert caught.value.code == "input.tempo_map"
