"""Chords are read on beats from stems or a mix, in Harte's syntax, and only where there are any."""

import mir_eval
import numpy as np
import pytest
from harmony_signals import RATE, line, song
from template_chords_oracle import agreement, hear, majmin_of

from engine.analysis.chords import estimate_chords
from engine.analysis.harte import NO_CHORD, QUALITIES, parse_chord
from engine.audio import Audio
from engine.errors import Cancelled
from engine.progress import Monitor


def chords_of(s, stems=True):
    return estimate_chords(s.stems if stems else None, s.mix, s.beats_s, s.downbeats_s)


def spans(result):
    return [(c.start_s, c.end_s, c.label) for c in result.chords]


PROGRESSIONS = {
    "pop": ["C:maj", "G:maj", "A:min", "F:maj"],
    "minor": ["F#:min", "D:maj", "A:maj", "E:maj"],
    "jazz": ["D:min7", "G:7", "C:maj7", "C:maj7"],
    "minor with dominant": ["Bb:min", "Eb:min", "F:7", "Bb:min"],
    "chromatic": ["Ab:maj", "E:maj", "F:min", "Db:maj"],
}


@pytest.mark.parametrize("name", PROGRESSIONS)
@pytest.mark.parametrize("style", ["block", "arpeggio"])
def test_chords_from_stems_are_right(name, style):
    s = song(PROGRESSIONS[name], style=style)
    assert majmin_of(s.truth, spans(chords_of(s))) >= 0.95


@pytest.mark.parametrize("name", PROGRESSIONS)
def test_chords_from_a_mix_with_drums_are_right(name):
    s = song(PROGRESSIONS[name])
    assert majmin_of(s.truth, spans(chords_of(s, stems=False))) >= 0.9


def test_chords_in_three_four_time_are_right():
    s = song(["G:maj", "E:min", "C:maj", "D:maj"], beats_per_bar=3, bpm=150)
    assert majmin_of(s.truth, spans(chords_of(s))) >= 0.95


def test_two_chords_a_bar_are_both_found():
    s = song([("C:maj", 2), ("G:maj", 2), ("A:min", 2), ("F:maj", 2)], bpm=90)
    assert majmin_of(s.truth, spans(chords_of(s))) >= 0.95


def test_chords_cover_the_recording_without_gaps():
    s = song(PROGRESSIONS["pop"])
    result = estimate_chords(s.stems, s.mix, s.beats_s[5:20], s.downbeats_s[2:5])
    assert result.chords[0].start_s == 0.0
    assert result.chords[-1].end_s == pytest.approx(s.mix.duration_s, abs=1e-6)
    for before, after in zip(result.chords, result.chords[1:], strict=False):
        assert before.end_s == after.start_s
        assert before.label != after.label
    assert len(result.beat_labels) == 15 == len(result.beat_probabilities)


def test_beat_probabilities_are_probabilities_and_name_the_chord():
    s = song(PROGRESSIONS["pop"])
    result = chords_of(s)
    np.testing.assert_allclose(result.beat_probabilities.sum(axis=1), 1.0, atol=1e-9)
    likeliest = [result.vocabulary[k] for k in result.beat_probabilities.argmax(axis=1)]
    right = [
        parse_chord(a)[0] == parse_chord(b)[0] for a, b in zip(likeliest, result.beat_labels, strict=True)
    ]
    assert np.mean(right) > 0.95


@pytest.mark.parametrize(
    "label", ["C:7", "D:maj7", "E:min7", "A:sus4", "B:dim", "Eb:7", "F#:min7", "G:maj", "A:min", "Db:maj"]
)
def test_richer_chords_are_named_and_triads_stay_triads(label):
    result = chords_of(song([label], repeats=4))
    longest = max(result.chords, key=lambda c: c.end_s - c.start_s)
    assert parse_chord(longest.label) == parse_chord(label)


def test_every_label_is_in_harte_syntax():
    for quality in QUALITIES:
        mir_eval.chord.validate_chord_label(f"F#:{quality}")
    for c in chords_of(song(PROGRESSIONS["jazz"])).chords:
        mir_eval.chord.validate_chord_label(c.label)


def test_roots_are_spelled_in_the_key():
    assert {c.label for c in chords_of(song(["Bb:min", "Gb:maj", "Db:maj", "Ab:maj"])).chords} >= {
        "Gb:maj",
        "Db:maj",
    }
    assert {c.label for c in chords_of(song(["E:maj", "C#:min", "F#:min", "B:maj"])).chords} >= {
        "C#:min",
        "F#:min",
    }


def test_a_passage_of_drums_alone_has_no_chord():
    s = song(["C:maj", "F:maj", "N", "N", "G:maj", "C:maj"], repeats=2)
    result = chords_of(s)
    silent = [t for t in s.truth if t[2] == "N"]
    for start_s, end_s, _ in silent:
        middle = (start_s + end_s) / 2
        assert next(c for c in result.chords if c.start_s <= middle < c.end_s).label == NO_CHORD


@pytest.mark.parametrize("kind", ["noise", "drums", "silence"])
def test_sound_without_pitch_has_no_chords_and_no_confidence(kind):
    rng = np.random.default_rng(1)
    frames = 12 * RATE
    if kind == "noise":
        x = rng.normal(0, 0.1, frames)
    elif kind == "drums":
        x = song(["N"], repeats=6).stems["drums"].samples[0]
    else:
        x = np.zeros(frames)
    mix = Audio(x[None, :].astype(np.float32), RATE)
    beats = np.arange(0, mix.duration_s, 0.5)
    result = estimate_chords(None, mix, beats, beats[::4])
    without = sum(c.end_s - c.start_s for c in result.chords if c.label == NO_CHORD)
    assert without >= 0.9 * mix.duration_s
    assert result.confidence < 0.1


def test_a_voice_alone_gives_chords_of_little_confidence_and_no_error():
    samples, _ = line([(60, 0.5), (62, 0.5), (64, 1.0), (67, 0.5), (65, 0.5), (62, 1.0), (60, 2.0)] * 2)
    voice = Audio(samples[None, :].astype(np.float32), RATE)
    beats = np.arange(0, voice.duration_s, 0.5)
    result = estimate_chords({"vocals": voice}, voice, beats, beats[::4])
    clear = chords_of(song(PROGRESSIONS["pop"]))
    assert result.confidence < clear.confidence


@pytest.mark.parametrize("a4_hz", [432.0, 440.0, 446.0])
def test_concert_pitch_does_not_matter_and_is_reported(a4_hz):
    s = song(PROGRESSIONS["minor"], a4_hz=a4_hz)
    result = chords_of(s)
    assert majmin_of(s.truth, spans(result)) >= 0.95
    assert result.tuning.a4_hz == pytest.approx(a4_hz, abs=0.7)


@pytest.mark.parametrize("beats", [[], [1.0], [0.5, 1.0]])
def test_few_or_no_beats_still_give_chords(beats):
    s = song(["A:min", "F:maj", "C:maj", "G:maj"], bpm=120)
    result = estimate_chords(s.stems, s.mix, np.array(beats), np.array([]))
    assert majmin_of(s.truth, spans(result)) >= 0.8
    assert len(result.beat_labels) == (len(beats) if len(beats) > 1 else 0)


def test_louder_or_softer_recordings_have_the_same_chords():
    s = song(PROGRESSIONS["minor"])
    soft = {role: stem.with_samples(stem.samples * 0.003) for role, stem in s.stems.items()}
    quiet = estimate_chords(soft, s.mix.with_samples(s.mix.samples * 0.003), s.beats_s, s.downbeats_s)
    assert [c.label for c in quiet.chords] == [c.label for c in chords_of(s).chords]


@pytest.mark.parametrize("rate", [8000, 44100, 192000])
@pytest.mark.parametrize("frames", [0, 1, 100, 5000])
@pytest.mark.parametrize("channels", [1, 6])
def test_fragments_of_any_rate_and_channel_count_give_an_answer(rate, frames, channels):
    noise = np.random.default_rng(0).normal(0, 0.1, (channels, frames)).astype(np.float32)
    fragment = Audio(noise, rate)
    for stems in (None, {}, {"vocals": fragment}, {"drums": fragment}, {"other": fragment, "bass": fragment}):
        result = estimate_chords(stems, fragment, np.array([0.01, 0.02]), np.array([]))
        assert result.chords[0].start_s == 0.0
        assert np.isfinite(result.state_probabilities).all()


def test_estimate_can_be_cancelled():
    s = song(PROGRESSIONS["pop"])
    with pytest.raises(Cancelled):
        estimate_chords(s.stems, s.mix, s.beats_s, s.downbeats_s, monitor=Monitor(is_cancelled=lambda: True))


def test_oracle_hears_clear_chords_and_misses_wrong_ones():
    s = song(["C:maj", "A:min", "F#:maj", "Eb:min"], drums=False)
    where = [t[:2] for t in s.truth]
    requested = [t[2] for t in s.truth]
    heard = hear(s.mix.samples, RATE, where)
    assert agreement(where, requested, heard) >= 0.95
    assert agreement(where, requested[1:] + requested[:1], heard) <= 0.1
