"""Invent a song where there is none: form, chords and a melody, as an `Analysis` like that of a recording.

For `nrx demo` and for generating from words. The tempo is constant and beat 0 lies at 0 s.
"""

import math
import re
from dataclasses import dataclass

import numpy as np

from engine.analysis.harte import chord_label, tonic_name
from engine.analysis.model import Analysis, Chord, Curve, Extent, Key, MelodyNote, Section, TempoCandidate
from engine.errors import NrxError
from engine.generation.arranger.chance import random_for
from engine.generation.arranger.metre import CELLS_PER_BEAT
from engine.generation.arranger.symbols import MAJOR, MINOR, parse_chord, pitch_class
from engine.presets.grids import metre_cells
from engine.presets.style import Style
from engine.tempo import TempoMap

CURVE_HOP_S = 0.5
LOUDNESS_LUFS = -14.0
FOUR_BARS = 4
FORM_START, FORM_CYCLE, FORM_END = "I", "VVCCVVCCBCC", "O"
ENERGIES = {"I": 0.2, "V": 0.5, "C": 0.95, "B": 0.35, "O": 0.15}
NUMERALS = {"i": 0, "ii": 1, "iii": 2, "iv": 3, "v": 4, "vi": 5, "vii": 6}
DEGREE = re.compile(r"^(b?)([ivIV]+)(o?)(7?)$")
DARK_WORDS = frozenset(
    {"sad", "dark", "melancholy", "melancholic", "moody", "minor", "night", "lonely", "tense"}
)
LIGHT_WORDS = frozenset({"happy", "bright", "joyful", "uplifting", "sunny", "major", "cheerful", "summer"})
RHYTHMS = (
    (0.0, 1.0, 1.5, 2.0, 3.0), (0.0, 0.75, 1.5, 2.5), (0.5, 1.0, 2.0, 2.5, 3.5), (0.0, 1.5, 2.0),
    (0.0, 0.5, 1.0, 2.0, 2.5, 3.0),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Bar:
    start_s: float
    end_s: float
    section: str
    numeral: str


def invent_song(
    style: Style,
    *,
    seed: int,
    key: str | None = None,
    bpm: float | None = None,
    duration_s: float = 60.0,
    words: str = "",
) -> Analysis:
    """Return the analysis of a song that does not exist.

    `key` as in "F# minor" (else chosen by the seed; `words` such as "sad" or "happy" choose the mode), `bpm`
    else the middle of the style's range; `duration_s` is rounded to whole bars, at least one.

    Raises:
        NrxError: `request.invalid` for a key, tempo or duration that cannot be used.
    """
    random = random_for(seed, "invent", style.id)
    tempo_bpm = float(bpm) if bpm is not None else round(sum(style.tempo_range_bpm) / 2)
    if not 20.0 <= tempo_bpm <= 400.0:
        raise NrxError("request.invalid", f"The tempo is {tempo_bpm:g} BPM; use one from 20 to 400.")
    if not 0.5 <= duration_s <= 7200.0:
        raise NrxError("request.invalid", f"The duration is {duration_s:g} s; use one from 0.5 to 7200.")
    if key:
        tonic, mode = parse_key(key)
    else:
        mode = _mode(style, words)
        tonic = tonic_name(int(random.integers(12)), mode)
    bar_beats = metre_cells(style.invention.metre) / CELLS_PER_BEAT
    bars = _bars(style, 60.0 / tempo_bpm * bar_beats, duration_s)
    labels = {numeral: _label(numeral, tonic, mode, style) for numeral in {bar.numeral for bar in bars}}
    chords = [Chord(bar.start_s, bar.end_s, labels[bar.numeral]) for bar in bars]
    end_s = bars[-1].end_s
    beats = [bar.start_s + i * 60.0 / tempo_bpm for bar in bars for i in range(math.ceil(bar_beats))]
    sections = _section_spans(bars)
    energy = _energy(sections, end_s)
    found = Key(tonic, mode, 1.0)
    return Analysis(
        duration_s=end_s,
        tempo_bpm=tempo_bpm,
        tempo_candidates=(TempoCandidate(tempo_bpm, 1.0),),
        tempo_source="tempo map",
        steady=True,
        has_beat=True,
        beats_s=tuple(beats),
        downbeats_s=tuple(bar.start_s for bar in bars),
        beats_per_bar=max(1, round(bar_beats)),
        key=found,
        key_candidates=(found,),
        chords=tuple(chords),
        sections=sections,
        energy=energy,
        brightness=Curve(CURVE_HOP_S, (2000.0,) * len(energy.values)),
        vocal_activity=Curve(CURVE_HOP_S, (0.0,) * len(energy.values)),
        melody=_melody(bars, chords, tonic, mode, 60.0 / tempo_bpm, bar_beats, random),
        loudness_lufs=LOUDNESS_LUFS,
        mean_brightness_hz=2000.0,
        notes=("invented: there is no recording behind this",),
        extent=_extent(bars),
        metre=style.invention.metre,
    )


def parse_key(text: str) -> tuple[str, str]:
    """Return (tonic, mode) of a key such as "F# minor", "Bbm" or "C", the tonic spelled as it was written.

    Raises:
        NrxError: `request.invalid`.
    """
    found = re.fullmatch(r"\s*([A-Ga-g])([#b♯♭]?)\s*(m|min|minor|maj|major)?\s*", text)
    if not found:
        raise NrxError("request.invalid", f"{text!r} is not a key; write it as C major, F# minor or Bbm.")
    letter, accidental, mode = found.groups()
    tonic = letter.upper() + accidental.replace("♯", "#").replace("♭", "b")
    return tonic, "minor" if mode in {"m", "min", "minor"} else "major"


def _mode(style: Style, words: str) -> str:
    said = set(re.findall(r"[a-z]+", words.lower()))
    if said & DARK_WORDS:
        return "minor"
    return "major" if said & LIGHT_WORDS else style.invention.mode


def _bars(style: Style, bar_s: float, duration_s: float) -> list[_Bar]:
    count = max(1, round(duration_s / bar_s))
    blocks = max(1, round(count / FOUR_BARS))
    if blocks < 3:
        form = "VC"[:blocks]
    else:
        cycle = FORM_CYCLE * (blocks // len(FORM_CYCLE) + 1)
        form = FORM_START + cycle[: blocks - 2] + FORM_END
    progressions = style.invention.progressions
    home = "i" if style.invention.mode == "minor" else "I"
    bars: list[_Bar] = []
    for i in range(count):
        section = form[min(i // FOUR_BARS, len(form) - 1)]
        loop = progressions[1] if section == "C" else progressions[-1] if section == "B" else progressions[0]
        numeral = home if section == FORM_END and i == count - 1 else loop[i % len(loop)]
        bars.append(_Bar(i * bar_s, (i + 1) * bar_s, section, numeral))
    return bars


def _extent(bars: list[_Bar]) -> Extent:
    """A piece with a form ends on its last bar; a loop goes on."""
    end_s = bars[-1].end_s
    if bars[-1].section != FORM_END:
        return Extent(0.0, end_s, end_s, "cut")
    return Extent(0.0, end_s, bars[-1].start_s, "stop")


def _label(numeral: str, tonic: str, mode: str, style: Style) -> str:
    found = DEGREE.match(numeral)
    if not found or found.group(2).lower() not in NUMERALS:
        raise NrxError(
            "preset.invalid",
            f"The style {style.id} has the chord {numeral!r}; use numerals such as i, IV or V7.",
        )
    flat, letters, diminished, seventh = found.groups()
    degree = NUMERALS[letters.lower()]
    scale = MINOR if mode == "minor" else MAJOR
    root = (pitch_class(tonic) + scale[degree] - (1 if flat else 0)) % 12
    if mode == style.invention.mode:
        quality = "dim" if diminished else "maj" if letters.isupper() else "min"
    else:
        third, fifth = ((scale[(degree + n) % 7] - scale[degree]) % 12 for n in (2, 4))
        quality = "dim" if fifth == 6 else "maj" if third == 4 else "min"
    sevenths = {"maj": "7", "min": "min7", "dim": "hdim7"}
    return chord_label(root, sevenths[quality] if seventh else quality, _spelling(tonic, mode))


def _spelling(tonic: str, mode: str) -> tuple[str, str]:
    """Return the key by which chords are spelled: with flats or sharps as the tonic has them."""
    if tonic.endswith("b"):
        return "F", "major"
    return ("G", "major") if tonic.endswith("#") else (tonic, mode)


def invented_map(style: Style, analysis: Analysis) -> TempoMap:
    """Return the tempo map of an invented song: one tempo, in the style's metre, from 0 s."""
    top, _, bottom = style.invention.metre.partition("/")
    return TempoMap.constant(analysis.tempo_bpm, numerator=int(top), denominator=int(bottom))


def _section_spans(bars: list[_Bar]) -> tuple[Section, ...]:
    spans: list[Section] = []
    for bar in bars:
        if spans and spans[-1].label == bar.section:
            spans[-1] = Section(spans[-1].start_s, bar.end_s, bar.section, ENERGIES[bar.section])
        else:
            spans.append(Section(bar.start_s, bar.end_s, bar.section, ENERGIES[bar.section]))
    return tuple(spans)


def _energy(sections: tuple[Section, ...], end_s: float) -> Curve:
    times = np.arange(0.0, end_s, CURVE_HOP_S)
    starts = np.array([section.start_s for section in sections])
    index = np.searchsorted(starts, times, side="right") - 1
    levels = np.array([LOUDNESS_LUFS - 8.0 + 10.0 * section.energy for section in sections])
    return Curve(CURVE_HOP_S, tuple(float(level) for level in levels[index]))


def _melody(
    bars: list[_Bar],
    chords: list[Chord],
    tonic: str,
    mode: str,
    beat_s: float,
    bar_beats: float,
    random: np.random.Generator,
) -> tuple[MelodyNote, ...]:
    """Motifs of two bars for each kind of section: chord tones on the beat, steps of the scale between."""
    scale = sorted((pitch_class(tonic) + step) % 12 for step in (MINOR if mode == "minor" else MAJOR))
    ladder = [p for p in range(55, 86) if p % 12 in scale]
    motifs = {
        section: [
            (RHYTHMS[int(random.integers(len(RHYTHMS)))], random.integers(-2, 3, 8).tolist())
            for _ in range(2)
        ]
        for section in "VCB"
    }
    nearest: dict[str, list[int]] = {}
    notes: list[MelodyNote] = []
    for number, (bar, chord) in enumerate(zip(bars, chords, strict=True)):
        if bar.section not in motifs:
            continue
        on_beat = nearest.get(chord.label)
        if on_beat is None:
            on_beat = nearest[chord.label] = _nearest_tones(chord.label, ladder, scale)
        at = 10 + 3 * (bar.section == "C")
        rhythm, moves = motifs[bar.section][number % 2]
        onsets = [onset for onset in rhythm if onset < bar_beats]
        if number % FOUR_BARS == FOUR_BARS - 1:
            onsets = onsets[: max(2, len(onsets) // 2)]
        for i, onset in enumerate(onsets):
            at = min(max(at + moves[i], 2), len(ladder) - 3)
            pitch = on_beat[at] if onset == int(onset) else ladder[at]
            following = onsets[i + 1] if i + 1 < len(onsets) else min(bar_beats, onset + 1.5)
            start_s = bar.start_s + onset * beat_s
            notes.append(MelodyNote(start_s, bar.start_s + following * beat_s, pitch, 1.0))
    return tuple(notes)


def _nearest_tones(label: str, ladder: list[int], scale: list[int]) -> list[int]:
    """Return for each pitch of `ladder` the nearest one there that belongs to a chord."""
    symbol = parse_chord(label)
    tones = symbol.pitch_classes if symbol else frozenset(scale)
    inside = [pitch for pitch in ladder if pitch % 12 in tones]
    return [min(inside, key=lambda there: abs(there - pitch)) for pitch in ladder]
