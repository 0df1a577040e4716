"""Requests in words, and songs invented from them."""

import pytest

from engine.errors import NrxError
from engine.generation.arranger import (
    arrange,
    invent_song,
    invented_map,
    parse_key,
    parse_words,
    style_for_words,
)
from engine.generation.arranger.instruments import INSTRUMENTS, asked_instruments
from engine.generation.arranger.symbols import parse_chord, pitch_class, scale_of
from engine.presets import list_styles, load_style

STYLES = [load_style(style_id) for style_id in list_styles()]


@pytest.mark.parametrize(
    ("text", "style_id"),
    [
        ("dark techno, 128 bpm", "edm"),
        ("sad piano in F# minor", "acoustic"),
        ("chill lofi beats to study to", "lofi_chill"),
        ("80s retro neon drive", "synthwave"),
        ("smooth rnb groove", "neo_soul"),
        ("bebop sax quartet", "jazz"),
        ("heavy punk guitars", "rock"),
        ("epic film score", "orchestral"),
        ("Lo-Fi Chill", "lofi_chill"),
        ("neo-soul", "neo_soul"),
        ("orchestra", "orchestral"),
        ("a campfire folk song", "acoustic"),
    ],
)
def test_words_find_the_nearest_style(text, style_id):
    assert parse_words(text, STYLES)[0] == style_id


@pytest.mark.parametrize(
    ("text", "bpm"),
    [
        ("techno, 128 bpm", 128.0),
        ("techno 128BPM", 128.0),
        ("house at 124", 124.0),
        ("92.5 bpm", 92.5),
        ("80s synth", None),
        ("tempo 140 rock", 140.0),
        ("999 bpm", None),
        ("jazz", None),
    ],
)
def test_words_give_the_tempo(text, bpm):
    assert parse_words(text, STYLES)[1] == bpm


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("sad piano in F# minor", "F# minor"),
        ("rock in Bb major", "Bb major"),
        ("e minor ballad", "E minor"),
        ("song in C sharp minor", "C# minor"),
        ("jazz in G", "G major"),
        ("funk in Am", "A minor"),
        ("a minor annoyance", "A minor"),
        ("techno", None),
        ("music in a big room", None),
        ("B flat major swing", "Bb major"),
    ],
)
def test_words_give_the_key(text, key):
    assert parse_words(text, STYLES)[2] == key


def test_words_that_fit_nothing_give_some_style():
    assert parse_words("", STYLES)[0] in list_styles()
    assert parse_words("qwrtz", STYLES) == parse_words("qwrtz", STYLES)


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("F# minor", ("F#", "minor")),
        ("Bbm", ("Bb", "minor")),
        ("C", ("C", "major")),
        ("e min", ("E", "minor")),
    ],
)
def test_keys_are_read(text, parsed):
    assert parse_key(text) == parsed


@pytest.mark.parametrize("text", ["H major", "", "F## minor", "C dorian", "major"])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(NrxError) as caught:
        parse_key(text)
    assert caught.value.code == "request.invalid"


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.id)
@pytest.mark.parametrize("key", ["F# minor", "Ab major"])
def test_an_invented_song_is_in_its_key(style, key):
    song = invent_song(style, seed=1, key=key, duration_s=60.0)
    tonic, mode = parse_key(key)
    assert song.key.name == f"{tonic} {mode}"
    scale = scale_of(pitch_class(tonic), mode)
    inside = [parse_chord(chord.label).pitch_classes <= scale for chord in song.chords]
    assert sum(inside) / len(inside) >= 0.7
    assert all(
        note.pitch % 12 in scale | parse_chord(chord_at(song, note.start_s)).pitch_classes
        for note in song.melody
    )


def chord_at(song, seconds) -> str:
    return next(c.label for c in song.chords if c.start_s - 1e-6 <= seconds < c.end_s - 1e-6)


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.id)
def test_an_invented_song_has_the_tempo_length_and_form_asked_for(style):
    song = invent_song(style, seed=1, bpm=100.0, duration_s=96.0)
    assert song.tempo_bpm == 100.0
    assert song.duration_s == pytest.approx(96.0)
    assert song.chords[0].start_s == 0.0
    assert song.chords[-1].end_s == pytest.approx(song.duration_s)
    assert all(a.end_s == b.start_s for a, b in zip(song.chords, song.chords[1:], strict=False))
    assert len({section.label for section in song.sections}) >= 3
    assert song.sections[0].energy < max(section.energy for section in song.sections)


def test_moods_choose_the_mode():
    style = load_style("jazz")
    assert invent_song(style, seed=1, words="sad and lonely").key.mode == "minor"
    assert invent_song(load_style("edm"), seed=1, words="happy summer").key.mode == "major"
    assert invent_song(style, seed=1, words="").key.mode == style.invention.mode


@pytest.mark.parametrize(
    ("name", "value"), [("bpm", 0.0), ("bpm", 1000.0), ("duration_s", 0.0), ("duration_s", 1e6)]
)
def test_tempi_and_durations_out_of_range_are_refused(name, value):
    with pytest.raises(NrxError) as caught:
        invent_song(load_style("edm"), seed=1, **{name: value})
    assert caught.value.code == "request.invalid"


def test_a_very_short_song_has_one_bar():
    song = invent_song(load_style("edm"), seed=1, duration_s=0.5)
    assert len(song.chords) == 1


# -- instruments and metre ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("solo piano", {"Piano"}, set()),
        ("drums and bass only", {"Drums", "Bass"}, set()),
        ("funky rock, no drums", set(), {"Drums"}),
        ("jazz without the drums or bass", set(), {"Drums", "Bass"}),
        ("only rhodes, bass and drums in Eb minor", {"Electric piano", "Bass", "Drums"}, set()),
        ("just acoustic guitar, slow", {"Acoustic guitar"}, set()),
        ("rock with a guitar solo", set(), set()),
        ("drum and bass at 174 bpm", set(), set()),
        ("sad piano in F# minor", set(), set()),
        ("dark techno", set(), set()),
    ],
)
def test_words_name_the_players(text, wanted, unwanted):
    found = asked_instruments(text)
    assert tuple({each.name for each in names} for names in found) == (wanted, unwanted)


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.id)
def test_a_solo_is_played_by_that_instrument_alone(style):
    solo = style_for_words(style, "solo piano")
    assert {part.voice for part in solo.parts} == {"piano"}
    arrangement = arranged(solo)
    assert arrangement.parts
    assert {part.voice for part in arrangement.parts} == {"piano"}


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.id)
def test_only_and_without_choose_roles(style):
    assert {part.role for part in arranged(style_for_words(style, "drums and bass only")).parts} == {
        "drums",
        "bass",
    }
    without = arranged(style_for_words(style, "no drums please"))
    assert len(without.parts) >= 2
    assert not any(part.is_drums for part in without.parts)


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda each: each.name)
@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.id)
def test_every_instrument_can_play_alone_in_every_style(style, instrument):
    name = instrument.name.lower()
    assert asked_instruments(f"solo {name}")[0] == (instrument,)
    parts = style_for_words(style, f"solo {name}").parts
    assert parts
    assert len({part.name for part in parts}) == len(parts)
    assert {part.role for part in parts} <= set(style.balance_db)


def test_leaving_everybody_out_is_refused():
    everything = "no drums, bass, pads, synths, chords, leads, arps, effects and strings"
    with pytest.raises(NrxError) as caught:
        style_for_words(load_style("edm"), everything)
    assert caught.value.code == "request.invalid"


@pytest.mark.parametrize(
    ("text", "metre"),
    [
        ("a waltz", "3/4"),
        ("jazz in 3/4", "3/4"),
        ("6/8 ballad", "6/8"),
        ("prog rock, 7/8", "7/8"),
        ("rock", None),
    ],
)
def test_words_give_the_metre(text, metre):
    style = load_style("acoustic")
    asked = style_for_words(style, text)
    assert asked.invention.metre == (metre or style.invention.metre)
    song = invent_song(asked, seed=1, bpm=100.0, duration_s=30.0)
    signature = invented_map(asked, song).signature_at(0)
    assert f"{signature.numerator}/{signature.denominator}" == asked.invention.metre
    assert set(song.downbeats_s) <= set(song.beats_s)
    bar_s = signature.bar_beats * 0.6
    assert song.downbeats_s[1] - song.downbeats_s[0] == pytest.approx(bar_s)
    assert arranged(asked, bpm=100.0).parts


@pytest.mark.parametrize("text", ["1/16 notes", "40/8", "0/4"])
def test_a_metre_that_cannot_be_played_is_refused(text):
    with pytest.raises(NrxError) as caught:
        style_for_words(load_style("rock"), text)
    assert caught.value.code == "request.invalid"


@pytest.mark.parametrize(
    ("key", "name", "roots"),
    [("Eb minor", "Eb minor", {"Eb", "Ab", "Gb", "Db", "Cb", "B", "Bb"}), ("D# minor", "D# minor", None)],
)
def test_a_key_keeps_its_spelling(key, name, roots):
    song = invent_song(load_style("lofi_chill"), seed=1, key=key, duration_s=40.0)
    assert song.key.name == name
    spelled = {chord.label.partition(":")[0] for chord in song.chords}
    assert not any("#" in root for root in spelled) if roots else not any("b" in root for root in spelled)
    assert roots is None or spelled <= roots


def arranged(style, bpm=None):
    song = invent_song(style, seed=2, bpm=bpm, duration_s=24.0)
    timeline = invented_map(style, song)
    return arrange(song, timeline, timeline, style, seed=2, keep=frozenset())
