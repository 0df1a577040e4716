"""The small tools of harmony: names, grids, hidden Markov chains, tuning, chroma of beats."""

from itertools import product

import numpy as np
import pytest
from harmony_signals import RATE, tone

from engine.analysis.beat_grid import BeatGrid
from engine.analysis.chord_quality import refine_quality
from engine.analysis.chroma import beat_chroma, to_analysis_rate
from engine.analysis.harte import chord_label, note_name, parse_chord, pitch_class
from engine.analysis.tuning import estimate_tuning
from engine.analysis.viterbi import best_path, state_probabilities
from engine.audio import Audio


@pytest.mark.parametrize("root", range(12))
@pytest.mark.parametrize("key", [None, ("Bb", "minor"), ("E", "major"), ("C", "major")])
def test_chord_labels_survive_a_round_trip(root, key):
    for quality in ("maj", "min7", "sus4"):
        assert parse_chord(chord_label(root, quality, key)) == (root, quality)


def test_notes_are_spelled_by_the_key():
    assert note_name(6, ("Db", "major")) == "Gb"
    assert note_name(6, ("E", "minor")) == "F#"
    assert note_name(10, ("C", "major")) == "Bb"


def test_labels_of_others_are_understood():
    assert parse_chord("N") is None
    assert parse_chord("G:7/3") == (7, "7")
    assert parse_chord("Cb") == (11, "maj")
    assert pitch_class("Bbb") == 9


@pytest.mark.parametrize("wrong", ["", "H", "c", "C?"])
def test_a_wrong_note_name_is_refused_with_its_text(wrong):
    with pytest.raises(ValueError, match="is not the name of a note"):
        pitch_class(wrong)


@pytest.mark.parametrize(("first_s", "last_s"), [(0.0, 10.0), (0.3, 9.6), (4.0, 5.5)])
def test_grid_covers_the_recording_and_keeps_the_beats(first_s, last_s):
    beats = np.arange(first_s, last_s, 0.5)
    grid = BeatGrid.over(beats, beats[::4], 10.0)
    assert grid.edges_s[0] == pytest.approx(0.0, abs=1e-9)
    assert grid.edges_s[-1] == 10.0
    assert np.all(np.diff(grid.edges_s) > 0)
    inside = grid.edges_s[grid.first_beat : grid.first_beat + grid.beat_count]
    np.testing.assert_allclose(inside, beats)


def test_grid_counts_beats_of_the_bar_before_and_after_the_known_downbeats():
    beats = np.arange(0.0, 12.0, 0.5)
    grid = BeatGrid.over(beats, beats[2::3][:3], 12.0)
    assert grid.beats_per_bar == 3
    np.testing.assert_array_equal(grid.bar_position[:24], (np.arange(24) - 2) % 3)


def test_grid_without_downbeats_knows_no_metre():
    grid = BeatGrid.over(np.arange(0, 5, 0.5), np.array([]), 5.0)
    assert grid.beats_per_bar == 0
    assert set(grid.bar_position) == {-1}


def chain(rng, steps=6, states=3):
    emission = np.log(rng.dirichlet(np.ones(states), steps))
    transitions = np.log(rng.dirichlet(np.ones(states), (2, states)))
    return emission, transitions, rng.integers(0, 2, steps), np.log(rng.dirichlet(np.ones(states)))


def path_score(path, emission, transitions, kinds, initial):
    score = initial[path[0]] + emission[0, path[0]]
    for t in range(1, len(path)):
        score += transitions[kinds[t], path[t - 1], path[t]] + emission[t, path[t]]
    return score


@pytest.mark.parametrize("seed", range(5))
def test_best_path_and_probabilities_equal_exhaustive_search(seed):
    parts = chain(np.random.default_rng(seed))
    paths = list(product(range(3), repeat=6))
    scores = np.array([path_score(p, *parts) for p in paths])
    np.testing.assert_array_equal(best_path(*parts), paths[int(scores.argmax())])
    weight = np.exp(scores)
    expected = (
        np.array([[weight[[p[t] == s for p in paths]].sum() for s in range(3)] for t in range(6)])
        / weight.sum()
    )
    np.testing.assert_allclose(state_probabilities(*parts), expected, atol=1e-9)


@pytest.mark.parametrize("a4_hz", [430.0, 440.0, 449.0])
def test_tuning_is_found_within_two_cents(a4_hz):
    x = sum(tone(p, 4.0, a4_hz=a4_hz) for p in (48, 55, 64, 67))
    mono = to_analysis_rate(Audio((0.1 * x)[None, :].astype(np.float32), RATE))
    assert estimate_tuning(mono).cents == pytest.approx(1200 * np.log2(a4_hz / 440), abs=2.0)


def test_noise_has_standard_tuning():
    mono = np.random.default_rng(0).normal(0, 0.1, 110250).astype(np.float32)
    assert estimate_tuning(mono).cents == 0.0


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 96000])
def test_chroma_shows_the_notes_of_each_beat_at_any_rate(rate):
    beats = np.arange(0, 4, 1.0)
    chords = [(60, 64, 67), (57, 60, 64), (53, 57, 60), (55, 59, 62)]
    x = np.concatenate([sum(tone(p, 1.0, rate=rate) for p in notes) for notes in chords])
    chroma = beat_chroma(x.astype(np.float32), rate, beats)
    assert chroma.shape == (12, 4)
    for k, notes in enumerate(chords):
        assert set(np.argsort(chroma[:, k])[-3:]) == {p % 12 for p in notes}


def test_chroma_of_silence_is_zero_and_of_no_beats_is_empty():
    silence = np.zeros(RATE, np.float32)
    assert not beat_chroma(silence, RATE, np.array([0.0, 0.5])).any()
    assert beat_chroma(silence, RATE, np.array([])).shape == (12, 0)


def test_a_passing_seventh_does_not_make_a_seventh_chord():
    chroma = np.zeros((12, 4))
    chroma[[0, 4, 7]] = 1.0
    chroma[10, 1] = 1.0
    assert refine_quality(chroma, 0, "maj") == "maj"
    chroma[10] = 0.9
    assert refine_quality(chroma, 0, "maj") == "7"


def test_long_audio_is_resampled_as_one_piece():
    x = np.sin(2 * np.pi * 440 * np.arange(45 * 16000) / 16000).astype(np.float32)
    mono = to_analysis_rate(Audio(x[None, :], 16000))
    expected = np.sin(2 * np.pi * 440 * np.arange(len(mono)) / 11025)
    assert abs(len(mono) - 45 * 11025) <= 2
    np.testing.assert_allclose(mono[500:-500], expected[500:-500], atol=2e-3)


def test_channels_in_opposite_polarity_are_still_heard():
    x = 0.3 * tone(60, 2.0).astype(np.float32)
    mono = to_analysis_rate(Audio(np.stack([x, -x]), RATE))
    assert np.abs(mono).max() > 0.1
