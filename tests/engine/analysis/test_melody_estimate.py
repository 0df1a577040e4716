"""The melody comes out as notes at the right times and pitches, and only where there is one."""

from itertools import pairwise

import mir_eval
import numpy as np
import pytest
from harmony_signals import RATE, line, song

from engine.analysis.melody import estimate_melody
from engine.analysis.model import Key
from engine.audio import Audio

C_MAJOR = Key("C", "major", 1.0)
TUNE = [
    (60, 0.4),
    (62, 0.4),
    (64, 0.8),
    (None, 0.4),
    (67, 0.4),
    (65, 0.2),
    (64, 0.2),
    (62, 0.8),
    (59, 0.4),
    (60, 1.2),
    (None, 0.4),
]


def audio(samples):
    return Audio(np.ascontiguousarray(np.atleast_2d(samples), dtype=np.float32), RATE)


def melody_of(stems, mix=None, key=C_MAJOR):
    mix = mix or audio(sum(s.samples for s in stems.values()))
    return estimate_melody(stems, mix, np.arange(0, mix.duration_s, 0.5), key)


def f_measure(truth, notes):
    """Onset (50 ms) and pitch (50 cents) F-measure."""

    def hz(pitches):
        return 440.0 * 2 ** ((np.array(pitches, float) - 69) / 12)

    ref = np.array([t[:2] for t in truth])
    est = np.array([[n.start_s, n.end_s] for n in notes]).reshape(-1, 2)
    if len(est) == 0:
        return 0.0
    return mir_eval.transcription.precision_recall_f1_overlap(
        ref, hz([t[2] for t in truth]), est, hz([n.pitch for n in notes]), offset_ratio=None
    )[2]


@pytest.mark.parametrize("transpose", [-14, -5, 0, 7, 17])
@pytest.mark.parametrize("vibrato_cents", [0.0, 35.0])
def test_notes_of_a_solo_voice_are_found(transpose, vibrato_cents):
    tune = [(p and p + transpose, s) for p, s in TUNE] * 2
    samples, truth = line(tune, vibrato_cents=vibrato_cents)
    notes = melody_of({"vocals": audio(0.3 * samples)})
    assert f_measure(truth, notes) >= 0.9
    assert np.mean([n.confidence for n in notes]) > 0.8


def test_a_voice_over_a_band_is_found_in_its_stem():
    band = song(["C:maj", "G:maj", "A:min", "F:maj"], repeats=2, bpm=120)
    samples, truth = line(TUNE * 2)
    voice = np.zeros(band.mix.frames)
    voice[: len(samples)] = 0.3 * samples[: len(voice)]
    notes = melody_of({**band.stems, "vocals": audio(voice)})
    assert f_measure([t for t in truth if t[1] < band.mix.duration_s], notes) >= 0.9


def test_a_voice_whose_stem_holds_leaks_of_the_band_is_still_found():
    band = song(["C:maj", "G:maj", "A:min", "F:maj"], repeats=2, bpm=120)
    samples, truth = line(TUNE * 2)
    voice = np.zeros(band.mix.frames)
    voice[: len(samples)] = 0.3 * samples[: len(voice)]
    leak = 0.15 * band.mix.samples[0]
    stems = {**band.stems, "vocals": audio(voice + leak)}
    assert f_measure([t for t in truth if t[1] < band.mix.duration_s], melody_of(stems)) >= 0.75


def test_an_instrumental_lead_is_found_when_nobody_sings():
    band = song(["C:maj", "F:maj"], repeats=3, bpm=120, drums=False)
    tune = [(p and p + 12, s) for p, s in TUNE] * 2
    samples, truth = line(tune)
    lead = np.zeros(band.mix.frames)
    lead[: len(samples)] = samples[: len(lead)]
    stems = {"bass": band.stems["bass"], "other": audio(lead + 0.05 * band.stems["other"].samples[0])}
    assert f_measure([t for t in truth if t[1] < band.mix.duration_s], melody_of(stems)) >= 0.8


def test_a_singer_may_have_any_tuning():
    samples, truth = line(TUNE, a4_hz=448.0)
    assert f_measure(truth, melody_of({"vocals": audio(samples)})) >= 0.9


def test_repeated_notes_stay_apart_and_held_notes_stay_whole():
    samples, truth = line([(64, 0.5)] * 6 + [(60, 0.5), (None, 0.3), (67, 3.0)], gap_s=0.06)
    notes = melody_of({"vocals": audio(samples)})
    assert [n.pitch for n in notes] == [t[2] for t in truth]
    assert notes[-1].end_s - notes[-1].start_s == pytest.approx(2.94, abs=0.15)


def test_notes_are_in_order_and_do_not_overlap():
    samples, _ = line(TUNE * 2, vibrato_cents=60)
    notes = melody_of({"vocals": audio(samples)})
    for before, after in pairwise(notes):
        assert before.start_s < before.end_s <= after.start_s


@pytest.mark.parametrize("kind", ["silence", "noise", "drums", "chords"])
def test_no_melody_is_claimed_where_there_is_none(kind):
    rng = np.random.default_rng(3)
    band = song(["C:maj", "A:min", "F:maj", "G:maj"], repeats=1)
    x = {
        "silence": np.zeros(6 * RATE),
        "noise": rng.normal(0, 0.1, 6 * RATE),
        "drums": band.stems["drums"].samples[0],
        "chords": band.stems["other"].samples[0],
    }[kind]
    assert melody_of({"other": audio(x)}) == ()
    assert estimate_melody(None, audio(x), np.arange(0, 6, 0.5), C_MAJOR) == ()


def test_very_short_and_empty_recordings_have_no_melody():
    for frames in (0, 1, 50, 1000):
        assert estimate_melody(None, audio(np.zeros(frames)), np.array([]), C_MAJOR) == ()
