"""Tempo, beats and bars of songs whose beats are known."""

import mir_eval
import numpy as np
import pytest
from rhythm_songs import RATE, add, hit, mix_of, ramp_beats, song, steady_beats

from engine.analysis.features import Features
from engine.analysis.rhythm import Rhythm, find_rhythm, rhythm_of_map
from engine.audio import Audio
from engine.errors import Cancelled
from engine.progress import Monitor
from engine.tempo import TempoMap, TempoSegment, TimeSignature


def heard(
    stems: dict[str, Audio], *, mix_only: bool = False, mix: Audio | None = None, **given: object
) -> Rhythm:
    return find_rhythm(Features(None if mix_only else stems, mix or mix_of(stems)), **given)


def beat_f(rhythm: Rhythm, beats_s: np.ndarray) -> float:
    return float(mir_eval.beat.f_measure(beats_s, rhythm.beats_s))


def downbeat_f(rhythm: Rhythm, downbeats_s: np.ndarray) -> float:
    return float(mir_eval.beat.f_measure(downbeats_s, rhythm.downbeats_s))


def worst_offset_s(rhythm: Rhythm, beats_s: np.ndarray) -> float:
    return float(
        np.abs(rhythm.beats_s[np.abs(rhythm.beats_s[:, None] - beats_s).argmin(axis=0)] - beats_s).max()
    )


@pytest.mark.parametrize("mix_only", [False, True])
@pytest.mark.parametrize(("bpm", "groove"), [(87.123, "backbeat"), (141.777, "four"), (113.37, "backbeat")])
def test_steady_tempo_is_exact_and_beats_lie_within_two_ms(bpm: float, groove: str, mix_only: bool) -> None:
    beats = steady_beats(bpm, int(38 * bpm / 60) // 4 * 4, 0.2222)
    rhythm = heard(song(beats, groove), mix_only=mix_only)
    assert rhythm.steady
    assert rhythm.has_beat
    assert abs(rhythm.bpm - bpm) < 0.02
    assert worst_offset_s(rhythm, beats) < 0.002
    assert beat_f(rhythm, beats) > 0.985
    assert downbeat_f(rhythm, beats[::4]) == 1.0


def test_clicks_alone_have_no_bias() -> None:
    beats = steady_beats(104.3, 40, 0.4321)
    sound = np.zeros(int((beats[-1] + 0.5) * RATE))
    for at_s in beats:
        add(sound, hit("click", np.random.default_rng(0)), float(at_s))
    mix = Audio((0.5 * sound[None]).astype(np.float32), RATE)
    rhythm = find_rhythm(Features(None, mix))
    assert abs(rhythm.bpm - 104.3) < 0.02
    assert worst_offset_s(rhythm, beats) < 0.0015


def test_a_song_on_whole_tempo_from_the_first_sample_is_exactly_on_it() -> None:
    beats = steady_beats(126.0, 64)
    rhythm = heard(song(beats, "four"))
    assert rhythm.bpm == pytest.approx(126.0, abs=1e-9)
    np.testing.assert_allclose(rhythm.beats_s, beats, atol=1e-9)


def test_waltz_has_three_beats_in_a_bar() -> None:
    beats = steady_beats(101.3, 72)
    rhythm = heard(song(beats, "waltz"))
    assert rhythm.beats_per_bar == 3
    assert beat_f(rhythm, beats) == 1.0
    assert downbeat_f(rhythm, beats[::3]) == 1.0


def test_pickup_shifts_the_downbeats() -> None:
    beats = steady_beats(118.4, 73)
    rhythm = heard(song(beats, first_downbeat=1))
    assert downbeat_f(rhythm, beats[1::4]) == 1.0


def test_beats_reach_through_silence_to_both_ends() -> None:
    beats = steady_beats(118.4, 56, 5.2)
    rhythm = heard(song(beats, duration_s=40.0))
    everywhere = np.concatenate([np.arange(5.2, 0, -60 / 118.4)[:0:-1], np.arange(5.2, 39.97, 60 / 118.4)])
    np.testing.assert_allclose(rhythm.beats_s, everywhere, atol=0.002)


def test_dc_changes_nothing() -> None:
    beats = steady_beats(124.0, 48)
    stems = song(beats, "four")
    shifted = Audio(mix_of(stems).samples + np.float32(0.3), RATE)
    rhythm = find_rhythm(Features(None, shifted))
    assert beat_f(rhythm, beats) == 1.0


def test_gain_and_inverted_channels_change_nothing() -> None:
    beats = steady_beats(96.0, 32)
    mix = mix_of(song(beats)).samples
    stereo = Audio(np.concatenate([mix, -mix]) * np.float32(0.01), RATE)
    assert beat_f(find_rhythm(Features(None, stereo)), beats) == 1.0


@pytest.mark.parametrize(("start", "end"), [(96.0, 120.0), (140.0, 110.0)])
def test_ramps_are_followed_and_not_called_steady(start: float, end: float) -> None:
    beats = ramp_beats(start, end, 88)
    rhythm = heard(song(beats))
    assert not rhythm.steady
    assert beat_f(rhythm, beats) > 0.985
    assert downbeat_f(rhythm, beats[::4]) > 0.95
    assert worst_offset_s(rhythm, beats) < 0.005
    assert rhythm.bpm == pytest.approx(60 / np.median(np.diff(beats)), abs=0.5)


def test_a_sudden_change_of_tempo_is_followed() -> None:
    first = steady_beats(100.0, 40)
    beats = np.concatenate([first, first[-1] + 0.6 + steady_beats(126.0, 48)])
    rhythm = heard(song(beats))
    assert not rhythm.steady
    assert beat_f(rhythm, beats) > 0.97


def test_beats_of_a_player_without_a_click_stay_with_the_player() -> None:
    wander = np.cumsum(np.random.default_rng(5).normal(0, 0.012, 72))
    beats = steady_beats(104.0, 72) + wander - wander[0]
    rhythm = heard(song(beats))
    assert not rhythm.steady
    assert beat_f(rhythm, beats) > 0.97


def test_half_and_double_are_among_the_candidates() -> None:
    rhythm = heard(song(steady_beats(110.0, 48)))
    tempi = [candidate.bpm for candidate in rhythm.candidates]
    assert tempi[0] == pytest.approx(110.0, abs=0.05)
    for octave in (55.0, 220.0):
        assert min(abs(octave - bpm) for bpm in tempi) < 0.2
    assert sum(candidate.confidence for candidate in rhythm.candidates) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(("given", "expected"), [((55.0, 70.0), 62.0), ((200.0, 260.0), 248.0)])
def test_the_users_range_picks_the_octave(given: tuple[float, float], expected: float) -> None:
    rhythm = heard(song(steady_beats(124.0, 64), "four"), tempo_range_bpm=given)
    assert rhythm.source == "user range"
    assert rhythm.bpm == pytest.approx(expected, abs=0.05)


def test_a_loop_takes_its_tempo_from_its_length() -> None:
    beats = steady_beats(93.5, 8)
    rhythm = heard(song(beats), mix_only=True)
    assert min(abs(c.bpm / 93.5 - 1) for c in rhythm.candidates) < 0.002
    assert rhythm.beats_s[0] == 0.0


def test_a_tempo_map_is_taken_as_it_is() -> None:
    tempo_map = TempoMap.constant(97.0, numerator=3, start_s=-0.4)
    rhythm = rhythm_of_map(tempo_map, 20.0)
    period = 60 / 97.0
    expected = np.arange(-0.4, 20.0, period)
    np.testing.assert_allclose(rhythm.beats_s, expected[expected >= 0], atol=1e-6)
    downbeats = np.arange(-0.4, 20.0, 3 * period)
    np.testing.assert_allclose(rhythm.downbeats_s, downbeats[downbeats >= 0], atol=1e-6)
    assert (rhythm.source, rhythm.steady, rhythm.beats_per_bar) == ("tempo map", True, 3)
    assert rhythm.bpm == pytest.approx(97.0)


def test_a_tempo_map_with_a_ramp_and_odd_bars_gives_its_bars() -> None:
    segments = (
        TempoSegment(0.0, 0.0, 100.0, 130.0, "linear_in_beats"),
        TempoSegment(32.0, float("nan"), 130.0, 130.0, "constant"),
    )
    tempo_map = TempoMap(segments, (TimeSignature(0, 4, 4), TimeSignature(4, 7, 8)))
    rhythm = rhythm_of_map(tempo_map, 25.0)
    np.testing.assert_allclose(rhythm.downbeats_s, tempo_map.bar_starts_s(0.0, 24.99), atol=1e-6)
    assert not rhythm.steady
    assert set(np.round(rhythm.downbeats_s, 6)) <= set(np.round(rhythm.beats_s, 6))


def test_cancelling_ends_the_search() -> None:
    with pytest.raises(Cancelled):
        find_rhythm(
            Features(None, mix_of(song(steady_beats(110.0, 16)))), monitor=Monitor(is_cancelled=lambda: True)
        )
