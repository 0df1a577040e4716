"""Requests in words, and songs invented from them."""

import pytest

from engine.errors import NrxError
from engine.generation.arranger import invent_song, parse_key, parse_words
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
        ("rock in Bb major", "A# major"),
        ("e minor ballad", "E minor"),
        ("song in C sharp minor", "C# minor"),
        ("jazz in G", "G major"),
        ("funk in Am", "A minor"),
        ("a minor annoyance", "A minor"),
        ("techno", None),
        ("music in a big room", None),
        ("B flat major swing", "A# major"),
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
        ("Bbm", ("A#", "minor")),
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
