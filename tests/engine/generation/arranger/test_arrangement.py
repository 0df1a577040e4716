"""The arrangement as a whole: chords, form, feel, energy, variety, metres, limits. All in the symbolic domain."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from arranged_songs import ENERGIES, FOUR_CHORDS, song

from engine.analysis.model import Chord, Curve, MelodyNote, Section
from engine.errors import NrxError
from engine.generation.arranger import arrange, invent_song
from engine.generation.arranger.feel import swing_position, swung
from engine.generation.arranger.form import groove_multiple
from engine.generation.arranger.players.drums import PIECES
from engine.generation.arranger.symbols import parse_chord
from engine.presets import list_styles, load_style
from engine.tempo import TempoMap

STYLES = list_styles()


def arranged(
    style_id="lofi_chill", analysis=None, *, target_bpm=None, numerator=4, denominator=4, seed=1, **extra
):
    analysis = analysis or song()
    source = TempoMap.constant(analysis.tempo_bpm, numerator=numerator, denominator=denominator)
    target = source if target_bpm is None else source.steady(target_bpm)
    return arrange(analysis, source, target, load_style(style_id), seed=seed, **extra)


def onsets(arrangement) -> int:
    return sum(len(part.notes) for part in arrangement.parts)


def loudness(arrangement) -> float:
    """Energy of all notes: velocity squared times length, with the parts' levels."""
    return sum(
        (note.velocity / 127) ** 2 * min(note.duration_beats, 1.0) * 10 ** (part.level_db / 10)
        for part in arrangement.parts
        for note in part.notes
    )


# -- the song stays recognisable ----------------------------------------------------------------------------------


def beat_chroma(parts, beats: int) -> np.ndarray:
    """Pitch classes heard in each beat, with the first overtones that real instruments have."""
    overtones = ((0, 1.0), (7, 0.5), (4, 0.2))
    chroma = np.zeros((beats, 12))
    for part in parts:
        if part.is_drums or part.role == "fx":
            continue
        for note in part.notes:
            start, end = note.start_beat, note.start_beat + note.duration_beats
            for beat in range(max(0, int(start)), min(beats, int(np.ceil(end)))):
                heard = min(end, beat + 1) - max(start, beat)
                for step, share in overtones:
                    chroma[beat, (note.pitch + step) % 12] += share * heard * (note.velocity / 127) ** 2
    return chroma


def heard_chords(parts, beats: int) -> list[tuple[int, str]]:
    """The best triad template for each beat, with a little of its neighbours, as recognisers smooth."""
    names = [(root, mode) for root in range(12) for mode in ("maj", "min")]
    templates = np.zeros((24, 12))
    for row, (root, mode) in zip(templates, names, strict=True):
        row[[root, (root + (4 if mode == "maj" else 3)) % 12, (root + 7) % 12]] = 1 / np.sqrt(3)
    chroma = beat_chroma(parts, beats)
    smooth = chroma.copy()
    smooth[1:] += 0.5 * chroma[:-1]
    smooth[:-1] += 0.5 * chroma[1:]
    return [names[int(np.argmax(templates @ row))] for row in smooth]


PROGRESSIONS = (FOUR_CHORDS, ("A:min", "F:maj", "C:maj", "E:maj"), ("C:maj", "A:min", "D:min", "G:maj"))


@pytest.mark.parametrize("style_id", STYLES)
@pytest.mark.parametrize(
    ("progression", "energy"),
    [(PROGRESSIONS[0], 0.5), (PROGRESSIONS[0], 2.0), (PROGRESSIONS[1], 1.0), (PROGRESSIONS[2], 1.0)],
)
def test_the_parts_together_sound_the_songs_chords(style_id, progression, energy):
    key = ("E", "minor") if progression is FOUR_CHORDS else ("C", "major")
    analysis = song(chords=progression, key=key, melody=False)
    heard = heard_chords(arranged(style_id, analysis, energy=energy).parts, 192)
    agree = 0
    for beat, (root, mode) in enumerate(heard):
        wanted = parse_chord(progression[(beat // 4) % 4])
        same_mode = style_id == "rock" or mode == ("maj" if wanted.third == 4 else "min")
        agree += root == wanted.root and same_mode
    assert agree / len(heard) >= 0.8


@pytest.mark.parametrize("style_id", STYLES)
def test_two_chords_in_a_bar_are_both_played(style_id):
    beat_s = 0.6
    halves = [Chord(i * 2 * beat_s, (i + 1) * 2 * beat_s, FOUR_CHORDS[i % 4]) for i in range(96)]
    analysis = dataclasses.replace(song(melody=False), chords=tuple(halves))
    heard = heard_chords(arranged(style_id, analysis).parts, 192)
    roots = [parse_chord(FOUR_CHORDS[(beat // 2) % 4]).root for beat in range(192)]
    assert np.mean([root == wanted for (root, _), wanted in zip(heard, roots, strict=True)]) >= 0.75


@pytest.mark.parametrize("style_id", STYLES)
def test_the_bass_states_the_root_of_each_chord(style_id):
    bass = next(part for part in arranged(style_id).parts if part.role == "bass")
    first: dict[int, int] = {}
    for note in bass.notes:
        first.setdefault(int((note.start_beat + 0.2) // 4), note.pitch)
    roots = [parse_chord(FOUR_CHORDS[bar % 4]).root for bar in first]
    assert np.mean([pitch % 12 == root for pitch, root in zip(first.values(), roots, strict=True)]) >= 0.95


@pytest.mark.parametrize("style_id", STYLES)
def test_layers_follow_the_songs_energy(style_id):
    arrangement = arranged(style_id)

    def busy(section: int) -> int:
        return sum(
            section * 32 <= note.start_beat < (section + 1) * 32
            for part in arrangement.parts
            for note in part.notes
        )

    def layers(section: int) -> set[str]:
        return {
            part.name
            for part in arrangement.parts
            if any(section * 32 <= note.start_beat < (section + 1) * 32 for note in part.notes)
        }

    intro, verse, chorus = busy(0), busy(1), busy(2)
    assert intro < verse < chorus
    assert busy(5) < verse
    assert len(layers(0)) <= len(layers(1)) <= len(layers(2)) or style_id == "orchestral"
    assert layers(0) != layers(2)


def test_the_melody_keeps_its_notes_where_no_voice_sings():
    analysis = song()
    vibes = next(
        part for part in arranged("synthwave", analysis, keep=frozenset()).parts if part.name == "Lead"
    )
    played = {(round(note.start_beat), note.pitch % 12) for note in vibes.notes}
    wanted = {
        (round(note.start_s / 0.6), note.pitch % 12)
        for note in analysis.melody
        if 32 <= round(note.start_s / 0.6) < 160
    }
    assert len(wanted & played) / len(wanted) > 0.9


def test_a_melody_outside_the_scale_is_moved_into_it():
    analysis = song()
    wrong = tuple(dataclasses.replace(note, pitch=63) for note in analysis.melody)
    lead = next(
        part
        for part in arranged("synthwave", dataclasses.replace(analysis, melody=wrong), keep=frozenset()).parts
        if part.name == "Lead"
    )
    assert {note.pitch % 12 for note in lead.notes} <= {4, 6, 7, 9, 11, 0, 2}


@pytest.mark.parametrize("style_id", STYLES)
def test_the_lead_leaves_room_where_the_voice_sings(style_id):
    def lead_notes(sings):
        parts = arranged(style_id, song(sings=sings)).parts
        return sum(len(part.notes) for part in parts if part.role == "lead")

    assert lead_notes(1.0) < 0.75 * lead_notes(0.0)


# -- feel -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style_id", STYLES)
@pytest.mark.parametrize(("bpm", "energy"), [(100.0, 1.0), (72.0, 2.0), (165.0, 0.5)])
def test_every_note_lies_within_swing_push_and_scatter_of_the_grid(style_id, bpm, energy):
    style = load_style(style_id)
    arrangement = arranged(style_id, song(bpm=bpm), energy=energy)
    multiple = arrangement.groove_multiple
    position = swing_position(style, bpm * multiple)
    straight = np.arange(-8, 192 * multiple * 8 + 8) / 8
    grid = swung(straight, style.swing, position) / multiple
    for part, declared in zip(arrangement.parts, style_parts(style, arrangement), strict=True):
        chord_notes = 6
        roll_ms = getattr(declared, "roll_ms", (0.0, 0.0))[1] * (chord_notes - 1)
        starts = np.array([note.start_beat for note in part.notes])
        for note, start in zip(part.notes, starts, strict=True):
            low, high = declared.push_ms
            if part.is_drums:
                low, high = declared.piece_push_ms.get(PIECES[note.pitch], declared.push_ms)
            earliest_ms, latest_ms = (
                low - declared.humanise_ms - 0.01,
                high + declared.humanise_ms + roll_ms + 0.01,
            )
            offsets_ms = (start - grid) * 60_000 / bpm
            assert np.any((offsets_ms >= earliest_ms) & (offsets_ms <= latest_ms)) or start <= 1e-9, (
                part.name,
                note,
            )


def style_parts(style, arrangement):
    by_name = {part.name: part for part in style.parts}
    return [by_name[part.name] for part in arrangement.parts]


@pytest.mark.parametrize("style_id", ["synthwave", "edm"])
def test_machine_styles_are_exactly_on_the_grid(style_id):
    for part in arranged(style_id, song(bpm=124.0)).parts:
        eighths = np.array([note.start_beat for note in part.notes]) * 8
        assert np.max(np.abs(eighths - np.round(eighths))) < 1e-6


def test_swing_delays_the_off_beat_and_keeps_the_beat():
    style = load_style("jazz")
    bent = swung(np.array([0.0, 0.25, 0.5, 0.75, 1.0, 1.5]), style.swing, 0.66)
    assert bent == pytest.approx([0.0, 0.33, 0.66, 0.83, 1.0, 1.66])


@pytest.mark.parametrize("style_id", ["lofi_chill", "neo_soul", "jazz"])
def test_swung_styles_swing_less_when_faster(style_id):
    style = load_style(style_id)
    low, high = style.tempo_range_bpm
    assert swing_position(style, low) > swing_position(style, high) > 0.5
    assert swing_position(style, low * 0.5) == swing_position(style, low)


def test_the_lofi_snare_is_late_and_its_kick_is_not():
    arrangement = arranged("lofi_chill", song(bpm=80.0))
    drums = next(part for part in arrangement.parts if part.is_drums)

    def lateness_ms(pitch, cells):
        late = [
            (note.start_beat - round(note.start_beat)) * 750
            for note in drums.notes
            if note.pitch == pitch and abs(note.start_beat % 4 - cells) < 0.12
        ]
        return float(np.median(late))

    assert lateness_ms(38, 1) > lateness_ms(36, 0) + 4


# -- energy, seed, variety ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style_id", STYLES)
def test_density_and_loudness_rise_with_energy(style_id):
    results = [arranged(style_id, energy=energy) for energy in (0.5, 0.7, 1.0, 1.4, 2.0)]
    counts = [onsets(each) for each in results]
    levels = [loudness(each) for each in results]
    assert all(a < b for a, b in pairwise(counts)), counts
    assert all(a < b for a, b in pairwise(levels)), levels


@pytest.mark.parametrize("style_id", STYLES)
def test_brightness_never_lowers_the_register(style_id):
    def mean_pitch(brightness):
        parts = arranged(style_id, brightness=brightness).parts
        return np.mean(
            [note.pitch for part in parts if not part.is_drums and part.role != "fx" for note in part.notes]
        )

    assert mean_pitch(0.5) <= mean_pitch(1.0) + 1e-9 <= mean_pitch(2.0) + 2e-9


@pytest.mark.parametrize("style_id", STYLES)
def test_the_same_seed_gives_the_same_notes_and_another_seed_others(style_id):
    assert arranged(style_id, seed=7) == arranged(style_id, seed=7)
    other = arranged(style_id, seed=8)
    drums = [
        next(part.notes for part in each.parts if part.is_drums)
        for each in (arranged(style_id, seed=7), other)
    ]
    assert drums[0] != drums[1]


def test_a_part_does_not_depend_on_the_others():
    alone = arranged("neo_soul", only="bass").parts
    together = arranged("neo_soul").parts
    assert alone == tuple(part for part in together if part.role == "bass")


@pytest.mark.parametrize("style_id", STYLES)
@pytest.mark.parametrize("seed", [1, 2])
def test_no_part_repeats_a_bar_more_than_four_times(style_id, seed):
    analysis = song(chords=("A:min",), key=("A", "minor"), melody=False, energies=(0.5,), bars=32)
    for energy in (0.5, 1.0, 2.0):
        for part in arranged(style_id, analysis, energy=energy, seed=seed).parts:
            if part.role == "fx":
                continue
            bars: list[frozenset] = []
            for bar in range(32):
                inside = [note for note in part.notes if bar * 4 - 0.15 <= note.start_beat < bar * 4 + 3.85]
                bars.append(
                    frozenset((round((note.start_beat - bar * 4) * 4), note.pitch) for note in inside)
                )
            run = longest = 1
            for before, now in pairwise(bars):
                run = run + 1 if before == now and now else 1
                longest = max(longest, run)
            assert longest <= 4, (part.name, energy)


# -- metres, tempo, limits ------------------------------------------------------------------------------------------

METRES = [(3, 4), (6, 8), (5, 4), (7, 8), (2, 4), (12, 8), (1, 4)]


@pytest.mark.parametrize("style_id", STYLES)
@pytest.mark.parametrize(("numerator", "denominator"), METRES)
def test_every_metre_is_played_in_all_its_bars(style_id, numerator, denominator):
    bar_beats = numerator * 4 / denominator
    analysis = song(beats_per_bar=bar_beats, bars=36, bpm=110.0)
    arrangement = arranged(style_id, analysis, numerator=numerator, denominator=denominator)
    assert arrangement.length_beats == pytest.approx(36 * bar_beats)
    assert len(arrangement.parts) >= 4
    starts = np.array([note.start_beat for part in arrangement.parts for note in part.notes])
    heard = np.histogram(starts + 0.1, bins=np.arange(37) * bar_beats)[0]
    assert np.mean(heard[6:] > 0) > 0.95
    bass = next(part for part in arrangement.parts if part.role == "bass")
    assert len(bass.notes) >= 9


def test_a_waltz_has_a_backbeat_on_two_or_three_and_none_on_one():
    analysis = song(beats_per_bar=3.0, bars=48)
    drums = next(part for part in arranged("rock", analysis, numerator=3).parts if part.is_drums)
    snares = [round(note.start_beat) % 3 for note in drums.notes if note.pitch == 38 and note.velocity > 85]
    assert snares.count(0) < 0.2 * len(snares)


@pytest.mark.parametrize(
    ("bpm", "tempo_range", "multiple"),
    [
        (80, (70, 90), 1.0), (160, (70, 90), 0.5), (150, (70, 90), 0.5), (60, (120, 140), 2.0),
        (95, (70, 90), 1.0), (105, (70, 90), 1.0), (120, (70, 90), 0.5), (140, (70, 90), 0.5),
        (100, (100, 180), 1.0), (90, (60, 120), 1.0),
    ],
)  # fmt: skip
def test_the_groove_goes_half_or_double_time_where_that_comes_closer(bpm, tempo_range, multiple):
    assert groove_multiple(bpm, tempo_range) == multiple


def test_half_time_puts_the_backbeat_on_three():
    arrangement = arranged("lofi_chill", song(bpm=160.0, energies=(0.2, 0.5, 0.9)))
    assert arrangement.groove_multiple == 0.5
    drums = next(part for part in arrangement.parts if part.is_drums)
    strong = [round(note.start_beat) % 4 for note in drums.notes if note.pitch == 38 and note.velocity >= 75]
    assert strong.count(2) > 0.9 * len(strong)


def test_an_arrangement_follows_the_target_tempo_only_in_its_feel():
    analysis = song(bpm=100.0)
    slow, fast = (arranged("edm", analysis, target_bpm=bpm) for bpm in (122.0, 138.0))
    assert [part.notes for part in slow.parts] == [part.notes for part in fast.parts]


@pytest.mark.parametrize("energies", [(0.5,), (0.5, 0.5), (0.0, 1.0), (0.0, 0.0, 0.0, 0.0)])
@pytest.mark.parametrize("has_beat", [True, False])
def test_something_is_played_whatever_the_form(energies, has_beat):
    for style_id in STYLES:
        assert onsets(arranged(style_id, song(bars=16, energies=energies, has_beat=has_beat), energy=0.5)) > 0


def test_chords_of_a_bar_that_began_before_the_audio_are_heard_from_its_start():
    analysis = song(bpm=100.0, bars=8, energies=(0.5,))
    source = TempoMap.constant(100.0, start_s=1.8)
    arrangement = arrange(analysis, source, source, load_style("synthwave"), seed=1)
    pad = next(part for part in arrangement.parts if part.name == "Pad")
    assert min(note.start_beat for note in pad.notes) == pytest.approx(-3.0)


@pytest.mark.parametrize("seed", range(6))
def test_irregular_songs_are_arranged_inside_their_bounds(seed):
    """Wandering beats, any metre, ragged chords and sections, a melody of noise."""
    random = np.random.default_rng(seed)
    beats = np.cumsum(np.r_[random.uniform(0, 2), 0.5 * (1 + 0.1 * random.standard_normal(90).clip(-3, 3))])
    per_bar = int(random.integers(2, 8))
    source = TempoMap.from_beats(beats, downbeats_s=beats[seed % per_bar :: per_bar], beats_per_bar=per_bar)
    edges = np.sort(np.r_[0.0, random.uniform(0, 40, 25), 40.0])
    labels = ("N", "X", "C:maj", "E:min7", "F#:hdim7", "Bb:7/3", "A:sus4", "D:5", "G:aug", "C:1", "E:min(9)")
    starts = np.sort(random.uniform(0, 40, 50))
    analysis = dataclasses.replace(
        song(),
        duration_s=40.0,
        chords=tuple(Chord(float(a), float(b), labels[int(random.integers(11))]) for a, b in pairwise(edges)),
        sections=tuple(
            Section(float(a), float(b), "A", float(random.random())) for a, b in pairwise(edges[::6])
        ),
        melody=tuple(
            MelodyNote(float(a), float(a + 0.7), int(random.integers(20, 110)), 0.9) for a in starts
        ),
    )
    for style_id in STYLES:
        arrangement = arrange(analysis, source, source.steady(110.0), load_style(style_id), seed=seed)
        assert len(arrangement.parts) >= 3
        for part in arrangement.parts:
            assert part.notes[0].start_beat >= source.beats(0.0) - 1e-6
            assert max(n.start_beat + n.duration_beats for n in part.notes) <= arrangement.length_beats + 1e-9


def test_a_ramp_needs_nothing_special():
    analysis = song(bpm=100.0)
    ramp = TempoMap.from_points([(0.0, 100.0, "linear_in_beats"), (192.0, 130.0, "constant")])
    arrangement = arrange(analysis, TempoMap.constant(100.0), ramp, load_style("neo_soul"), seed=1)
    assert arrangement.length_beats == pytest.approx(192.0)
    assert len(arrangement.parts) >= 4


@pytest.mark.parametrize("style_id", STYLES)
def test_all_notes_lie_inside_the_song_and_are_playable(style_id):
    arrangement = arranged(style_id)
    for part in arrangement.parts:
        assert list(part.notes) == sorted(part.notes)
        for note in part.notes:
            assert note.start_beat >= 0.0
            assert note.start_beat + note.duration_beats <= arrangement.length_beats + 1e-9
            assert note.duration_beats > 0.0
            assert 1 <= note.velocity <= 127
            assert 0 <= note.pitch <= 127
            if not part.is_drums and part.role != "fx":
                assert 24 <= note.pitch <= 108


@pytest.mark.parametrize("style_id", STYLES)
def test_no_pitch_of_a_part_overlaps_itself(style_id):
    for part in arranged(style_id).parts:
        ends: dict[int, float] = {}
        for note in part.notes:
            assert note.start_beat >= ends.get(note.pitch, 0.0) - 1e-9
            ends[note.pitch] = note.start_beat + note.duration_beats


def test_a_pickup_before_beat_zero_may_hold_notes_but_none_before_the_audio():
    analysis = song(bpm=100.0)
    source = TempoMap.constant(100.0, start_s=1.2)
    arrangement = arrange(analysis, source, source, load_style("synthwave"), seed=1)
    starts = [note.start_beat for part in arrangement.parts for note in part.notes]
    assert min(starts) >= source.beats(0.0) - 1e-9
    assert min(starts) < 0.0
    assert arrangement.length_beats == pytest.approx(source.beats(analysis.duration_s))


@pytest.mark.parametrize("style_id", STYLES)
@pytest.mark.parametrize("duration_s", [0.6, 2.0, 2.4, 9.0])
def test_very_short_songs_are_arranged(style_id, duration_s):
    analysis = song(bars=4, energies=(0.5,))
    short = dataclasses.replace(analysis, duration_s=duration_s, chords=analysis.chords[:1], melody=())
    arrangement = arranged(style_id, short)
    assert onsets(arrangement) > 0
    assert arrangement.length_beats == pytest.approx(duration_s / 0.6)


@pytest.mark.parametrize("style_id", STYLES)
def test_a_song_without_chords_is_held_on_its_key(style_id):
    analysis = dataclasses.replace(song(chords=("N",), melody=False), chords=())
    parts = [
        part for part in arranged(style_id, analysis, keep=frozenset({"vocals"})).parts if part.role != "fx"
    ]
    held = [
        note.pitch % 12 for part in parts if part.role in {"chords", "pad", "strings"} for note in part.notes
    ]
    assert set(held) <= {4, 11}
    assert any(part.is_drums for part in parts)


@pytest.mark.parametrize("style_id", STYLES)
def test_without_a_beat_there_are_held_chords_and_no_drums(style_id):
    parts = arranged(style_id, song(has_beat=False)).parts
    assert not any(part.is_drums or part.role == "bass" for part in parts)
    assert any(part.role in {"chords", "pad", "strings"} for part in parts)


def test_nothing_is_played_in_the_silence_around_the_song():
    analysis = song(bars=48)
    values = tuple(-120.0 if i < 20 or i > 200 else -14.0 for i in range(len(analysis.energy.values)))
    arrangement = arranged("rock", dataclasses.replace(analysis, energy=Curve(0.5, values)))
    starts = [note.start_beat for part in arrangement.parts for note in part.notes]
    assert min(starts) >= 12
    assert max(starts) <= 172


def test_sections_of_equal_energy_still_get_a_shape():
    arrangement = arranged("edm", song(energies=(0.5, 0.5, 0.5, 0.5, 0.5)))
    drums = next(part for part in arrangement.parts if part.is_drums)
    counts = np.histogram([note.start_beat for note in drums.notes], bins=np.linspace(0, 192, 6))[0]
    assert counts[0] < 0.7 * counts[2]


def test_a_song_without_sections_falls_into_phrases():
    analysis = dataclasses.replace(song(), sections=())
    values = tuple(-24.0 if i < 76 else -12.0 for i in range(len(analysis.energy.values)))
    arrangement = arranged("rock", dataclasses.replace(analysis, energy=Curve(0.5, values)))
    notes = [note.start_beat for part in arrangement.parts for note in part.notes]
    assert sum(note < 60 for note in notes) / 60 < 0.8 * sum(note >= 64 for note in notes) / 128


def test_a_build_rolls_and_the_drop_is_silent_before_it():
    analysis = song(bars=64, bpm=126.0, energies=(0.2, 0.3, 0.95, 0.95))
    arrangement = arranged("edm", analysis)
    drums = next(part for part in arrangement.parts if part.is_drums)
    bass = next(part for part in arrangement.parts if part.role == "bass")
    assert not [note for note in (*drums.notes, *bass.notes) if 127.0 <= note.start_beat < 128.0 - 1e-6]
    snares = np.array(
        [note.start_beat for note in drums.notes if note.pitch == 38 and 96 <= note.start_beat < 127]
    )
    assert np.sum(snares < 112) < np.sum(snares >= 112)
    assert any(note.pitch == 0 for part in arrangement.parts if part.role == "fx" for note in part.notes)


def test_a_fill_comes_before_each_new_section():
    arrangement = arranged("rock", song(energies=(0.1, 0.6, 0.95, 0.6)))
    drums = next(part for part in arrangement.parts if part.is_drums)
    for end in (48, 96, 144):
        pieces = [PIECES[note.pitch] for note in drums.notes if end - 2.1 <= note.start_beat < end - 0.1]
        assert sum(piece.startswith(("snare", "tom")) for piece in pieces) >= 3


# -- what is asked for ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "only", ["drums", "bass", "chords", "pad", "arp", "lead", "strings", "fx", "keys", "other"]
)
@pytest.mark.parametrize("style_id", STYLES)
def test_a_single_stem_can_be_asked_for(style_id, only):
    arrangement = arranged(style_id, song(energies=(0.5,)), only=only)
    assert onsets(arrangement) > 0
    if only in {"drums", "bass"}:
        assert {part.role for part in arrangement.parts} == {only}


def test_a_kept_stem_is_not_played_anew():
    assert "drums" not in {part.role for part in arranged("rock", keep=frozenset({"vocals", "drums"})).parts}
    assert {part.role for part in arranged("rock", keep=frozenset({"other"})).parts} <= {
        "drums",
        "bass",
        "fx",
    }


@pytest.mark.parametrize(
    "wrong", [{"energy": 7.0}, {"energy": float("nan")}, {"brightness": 0.1}, {"only": "kazoo"}]
)
def test_what_is_not_allowed_is_refused(wrong):
    with pytest.raises(NrxError) as caught:
        arranged(**wrong)
    assert caught.value.code == "request.invalid"
    assert str(next(iter(wrong.values()))) in caught.value.sentence


@pytest.mark.slow
def test_an_hour_is_arranged():
    analysis = song(bars=1500, energies=tuple(np.tile(ENERGIES, 20)))
    assert onsets(arranged("rock", analysis)) > 20_000


@pytest.mark.parametrize("style_id", STYLES)
def test_invented_songs_can_be_arranged(style_id):
    style = load_style(style_id)
    analysis = invent_song(style, seed=3, duration_s=30.0)
    low, high = style.tempo_range_bpm
    assert low <= analysis.tempo_bpm <= high
    assert analysis.duration_s == pytest.approx(30.0, abs=2.5)
    assert analysis == invent_song(style, seed=3, duration_s=30.0)
    assert analysis.chords != invent_song(style, seed=4, duration_s=30.0).chords
    source = TempoMap.constant(analysis.tempo_bpm)
    assert onsets(arrange(analysis, source, source, style, seed=3, keep=frozenset())) > 100
