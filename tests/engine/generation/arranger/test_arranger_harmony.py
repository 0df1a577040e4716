"""Chord symbols, voicings and metres."""

import pytest

from engine.generation.arranger.metre import bar_of, borrowed_cells, is_compound, pulses
from engine.generation.arranger.symbols import parse_chord, pedal, scale_of, tone
from engine.generation.arranger.voices.table import VOICES
from engine.generation.arranger.voicing import STRINGS, voice_chord
from engine.presets import list_styles, load_style
from engine.presets.parts import Voicing

C_MAJOR = scale_of(0, "major")
CIRCLE = ["C:maj", "A:min", "D:min", "G:maj", "E:min", "F:maj", "B:dim", "C:maj"]


@pytest.mark.parametrize(
    ("label", "classes", "seventh"),
    [
        ("C:maj", {0, 4, 7}, None), ("E:min7", {4, 7, 11}, 10), ("G:7", {7, 11, 2}, 10), ("F#:dim", {6, 9, 0}, None),
        ("Bb:maj7/3", {10, 2, 5}, 11), ("A", {9, 1, 4}, None), ("D:sus4", {2, 7, 9}, None),
        ("G:min(9)", {7, 10, 2}, None),
        ("C:hdim7", {0, 3, 6}, 10), ("E:minmaj7", {4, 7, 11}, 11), ("A:weird", {9, 1, 4}, None),
    ],
)  # fmt: skip
def test_labels_are_read(label, classes, seventh):
    symbol = parse_chord(label)
    assert symbol.pitch_classes == classes
    assert symbol.seventh == seventh


@pytest.mark.parametrize("label", ["N", "X", "", "?", "H:maj"])
def test_no_chord_is_no_symbol(label):
    assert parse_chord(label) is None


def test_extensions_are_taken_from_the_key_only():
    assert tone(parse_chord("C:maj"), 7, C_MAJOR) == 11
    assert tone(parse_chord("G:maj"), 7, C_MAJOR) == 10
    assert tone(parse_chord("D:min"), 9, C_MAJOR) == 14
    assert tone(parse_chord("E:min"), 9, C_MAJOR) is None
    assert tone(parse_chord("B:dim"), 7, C_MAJOR) is None
    assert tone(parse_chord("C:7"), 7, C_MAJOR) == 10
    assert tone(pedal(0), 7, C_MAJOR) is None


@pytest.mark.parametrize("kind", ["close", "open"])
@pytest.mark.parametrize("tones", [(1, 3, 5), (1, 3, 5, 7), (1, 3, 5, 7, 9)])
def test_voicings_hold_the_triad_inside_the_compass_and_move_little(kind, tones):
    voicing = Voicing(kind=kind, tones=tones, compass=(50, 74))
    previous: tuple[int, ...] = ()
    for label in CIRCLE * 3:
        symbol = parse_chord(label)
        pitches = tuple(pitch for pitch, _ in voice_chord(symbol, voicing, C_MAJOR, previous))
        assert {pitch % 12 for pitch in pitches} >= symbol.pitch_classes
        assert pitches == tuple(sorted(set(pitches)))
        assert 50 <= pitches[0] <= pitches[-1] <= 74
        if previous:
            nearest = [min(abs(pitch - other) for other in previous) for pitch in pitches]
            assert max(nearest) <= 7
            assert sum(nearest) / len(nearest) <= 3.0
        previous = pitches


def test_another_layout_of_the_same_chord_has_the_same_tones():
    voicing = Voicing(compass=(50, 74))
    symbol = parse_chord("A:min")
    first, second = (voice_chord(symbol, voicing, C_MAJOR, (57, 60, 64), rank) for rank in (0, 1))
    assert first != second
    assert {p % 12 for p, _ in first} == {p % 12 for p, _ in second}


def test_soft_tones_are_marked():
    voicing = Voicing(tones=(1, 3, 5, 7), soft=(7,), compass=(50, 70))
    marks = {pitch % 12: soft for pitch, soft in voice_chord(parse_chord("C:maj"), voicing, C_MAJOR)}
    assert marks == {0: False, 4: False, 7: False, 11: True}


def test_power_chords_have_no_third():
    voicing = Voicing(kind="power", compass=(40, 52))
    for label in CIRCLE:
        symbol = parse_chord(label)
        pitches = [pitch for pitch, _ in voice_chord(symbol, voicing, C_MAJOR)]
        assert pitches[0] % 12 == symbol.root
        assert {(pitch - pitches[0]) % 12 for pitch in pitches} <= {0, 7}


@pytest.mark.parametrize("root", range(12))
@pytest.mark.parametrize("quality", ["maj", "min", "7", "min7", "maj7", "sus4", "sus2", "dim", "aug"])
def test_guitar_chords_can_be_fretted_and_hold_the_triad(root, quality):
    names = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
    symbol = parse_chord(f"{names[root]}:{quality}")
    voicing = Voicing(kind="guitar", compass=(40, 76))
    for rank in (0, 1):
        pitches = [pitch for pitch, _ in voice_chord(symbol, voicing, C_MAJOR, rank=rank)]
        assert {pitch % 12 for pitch in pitches} >= symbol.pitch_classes
        assert len(pitches) <= len(STRINGS)
        assert pitches == sorted(pitches)
        assert any(
            all(0 <= pitch - string <= 15 for pitch, string in zip(pitches, STRINGS[skip:], strict=False))
            for skip in range(len(STRINGS) - len(pitches) + 1)
        )


@pytest.mark.parametrize("style_id", list_styles())
def test_a_style_names_voices_that_exist_and_can_play_its_compass(style_id):
    for part in load_style(style_id).parts:
        spec = VOICES[part.voice]
        compass = getattr(part, "compass", None) or getattr(getattr(part, "voicing", None), "compass", None)
        if compass:
            assert spec.low <= compass[0], part.name
            assert compass[1] <= spec.high, part.name
        if spec.mono:
            assert part.play in {"bass", "lead"}, part.name
            assert not getattr(part, "octaves", False), part.name


@pytest.mark.parametrize(
    ("cells", "compound", "expected"),
    [
        (16, False, (4, 4, 4, 4)), (12, False, (4, 4, 4)), (12, True, (6, 6)), (14, False, (4, 4, 6)),
        (20, False, (4, 4, 4, 4, 4)), (10, False, (4, 6)), (18, True, (6, 6, 6)), (2, False, (2,)), (8, False, (4, 4)),
    ],
)  # fmt: skip
def test_pulses_fill_the_bar(cells, compound, expected):
    assert pulses(cells, compound) == expected
    assert sum(expected) == cells


def test_compound_metres_are_those_felt_in_threes():
    assert [is_compound(n, d) for n, d in ((6, 8), (9, 8), (12, 8), (3, 4), (3, 8), (7, 8), (6, 4))] == [
        True, True, True, False, False, False, False,
    ]  # fmt: skip


def test_a_waltz_takes_kick_then_backbeats():
    kick, snare = bar_of(("x...x...x...x...".replace("x...x...", "x......."), "....x.......x..."), 12, False)
    assert kick[0] == "x"
    assert snare == "....x...x..."


def test_six_eight_has_its_backbeat_on_the_second_pulse():
    (snare,) = bar_of(("....x.......x...",), 12, True)
    assert snare == "......x....."


@pytest.mark.parametrize("cells", range(1, 49))
@pytest.mark.parametrize("compound", [False, True])
def test_every_bar_length_can_be_derived(cells, compound):
    assert len(borrowed_cells(cells, compound)) == cells
    assert borrowed_cells(cells, compound)[0] == 0
