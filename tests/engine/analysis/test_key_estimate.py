"""The key is found in both modes, from loops that start anywhere, and close calls are shown as close."""

import mir_eval
import numpy as np
import pytest
from harmony_signals import RATE, song

from engine.analysis.chords import estimate_chords
from engine.analysis.harte import pitch_class, tonic_name
from engine.analysis.key import estimate_key
from engine.analysis.key_model import CADENCES, CHORD_SHARES, KEYS, PROFILES
from engine.audio import Audio

CASES = {
    "ii-V-I": ("C major", ["D:min7", "G:7", "C:maj7", "C:maj7"]),
    "I-IV-V-I": ("D major", ["D:maj", "G:maj", "A:maj", "D:maj"]),
    "I-V-vi-IV": ("Ab major", ["Ab:maj", "Eb:maj", "F:min", "Db:maj"]),
    "V-vi-IV-I": ("B major", ["F#:maj", "Ab:min", "E:maj", "B:maj"]),
    "blues": (
        "A major",
        ["A:7", "A:7", "A:7", "A:7", "D:7", "D:7", "A:7", "A:7", "E:7", "D:7", "A:7", "E:7"],
    ),
    "mixolydian": ("G major", ["G:maj", "F:maj", "C:maj", "G:maj"]),
    "canon": ("Eb major", ["Eb:maj", "Bb:maj", "C:min", "G:min", "Ab:maj", "Eb:maj", "Ab:maj", "Bb:maj"]),
    "i-VI-III-VII": ("E minor", ["E:min", "C:maj", "G:maj", "D:maj"]),
    "VI-III-VII-i": ("A minor", ["F:maj", "C:maj", "G:maj", "A:min"]),
    "i-iv-V": ("A minor", ["A:min", "D:min", "E:7", "A:min"]),
    "i-iv-v": ("F# minor", ["F#:min", "B:min", "C#:min", "F#:min"]),
    "iv-V-i": ("C minor", ["F:min", "G:7", "C:min", "C:min"]),
    "andalusian": ("D minor", ["D:min", "C:maj", "Bb:maj", "A:maj"]),
    "dorian": ("D minor", ["D:min", "G:maj", "D:min", "G:maj"]),
    "circle of fifths in minor": (
        "E minor",
        ["A:min7", "D:7", "G:maj7", "C:maj7", "F#:dim", "B:7", "E:min", "E:min"],
    ),
}


def keys_of(chords, stems=True, **options):
    s = song(chords, repeats=max(2, 12 // len(chords)), **options)
    return estimate_key(estimate_chords(s.stems if stems else None, s.mix, s.beats_s, s.downbeats_s))


@pytest.mark.parametrize("name", CASES)
def test_key_of_common_progressions_is_exact(name):
    truth, chords = CASES[name]
    best = keys_of(chords)[0]
    assert mir_eval.key.weighted_score(truth, best.name) == 1.0, best


@pytest.mark.parametrize("rotation", range(4))
@pytest.mark.parametrize("loop", [["E:min", "C:maj", "G:maj", "D:maj"], ["E:min", "A:min", "D:maj", "G:maj"]])
def test_a_loop_started_anywhere_is_never_far_from_its_key(loop, rotation):
    keys = keys_of(loop[rotation:] + loop[:rotation])
    relatives = {"E minor", "G major"}
    assert keys[0].name in relatives
    assert relatives <= {k.name for k in keys[:3]}


def test_minor_keys_are_found_as_often_as_major_keys():
    names = [
        keys_of([f"{t}:min", f"{f}:min", f"{d}:7", f"{t}:min"])[0].name
        for t, f, d in (("C", "F", "G"), ("G", "C", "D"))
    ]
    assert names == ["C minor", "G minor"]


def test_key_from_a_mix_is_right():
    assert keys_of(CASES["andalusian"][1], stems=False)[0].name == "D minor"
    assert keys_of(CASES["ii-V-I"][1], stems=False)[0].name == "C major"


def test_confidences_fall_and_a_clear_key_is_clearer_than_a_loop_between_two():
    clear, unclear = keys_of(CASES["i-iv-V"][1]), keys_of(CASES["VI-III-VII-i"][1])
    for keys in (clear, unclear):
        confidences = [k.confidence for k in keys]
        assert confidences == sorted(confidences, reverse=True)
        assert 0 <= confidences[-1] <= confidences[0] <= 1
        assert sum(confidences) <= 1.001
    assert clear[0].confidence > unclear[0].confidence


def test_noise_has_no_confident_key():
    x = np.random.default_rng(0).normal(0, 0.1, (1, 10 * RATE)).astype(np.float32)
    beats = np.arange(0, 10, 0.5)
    keys = estimate_key(estimate_chords(None, Audio(x, RATE), beats, beats[::4]))
    assert keys[0].confidence < 0.15


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_keys_are_spelled_as_mir_eval_and_people_do(tonic, mode):
    name = tonic_name(tonic, mode)
    assert mir_eval.key.weighted_score(f"{name} {mode}", f"{name} {mode}") == 1.0
    assert pitch_class(name) == tonic
    assert len(name) <= 2


def test_tables_cover_both_modes_and_shares_are_shares():
    assert len(KEYS) == 24 == len(set(KEYS))
    for shares in CHORD_SHARES.values():
        assert 0.95 <= sum(shares.values()) <= 1.05
    for strengths in CADENCES.values():
        assert max(strengths.values()) == 1.0
    for profile in PROFILES.values():
        assert {len(weights) for weights in profile.values()} == {12}
