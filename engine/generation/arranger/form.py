"""The song's form on a grid: bars, chords, sections, melody and voice in beats, as the arranger needs them.

Positions are *groove beats*: the song's quarter notes times the groove's multiple. Where the tempo lies
outside the style's range the groove may go half- or double-time (multiple 0.5 or 2), and then a groove bar
spans two song bars or half of one, so that every player can go on thinking in bars of a normal tempo. Bars
start again with each section.
"""

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.analysis.model import Analysis, Curve
from engine.generation.arranger.metre import CELLS_PER_BEAT, is_compound, pulses
from engine.generation.arranger.symbols import Symbol, parse_chord, pedal, pitch_class, scale_of
from engine.tempo import TempoMap

MULTIPLES = (1.0, 0.5, 2.0)
SHORT_BAR_BEATS, LONG_BAR_BEATS = 3.0, 6.0
"""Bars shorter than the one are joined, simple bars as long as the other are halved, for the groove."""
QUIET_BELOW_SONG_DB, QUIET_LUFS = 28.0, -58.0
PHRASE_BARS = 8
SHORTEST_CHORD_BEATS = 0.75


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the groove: `cells` sixteenths from `start` (groove beats)."""

    start: float
    cells: int
    compound: bool
    section: int
    number: int
    """Counted from 0 in its section."""
    left: int
    """Bars of the section from this one on, itself included."""

    @property
    def end(self) -> float:
        """Where the next bar starts."""
        return self.start + self.cells / CELLS_PER_BEAT

    @property
    def metre(self) -> str:
        """The metre by which a style may give patterns of its own."""
        if self.compound:
            return f"{self.cells // 2}/8"
        return f"{self.cells // 4}/4" if self.cells % 4 == 0 else f"{self.cells // 2}/8"


@dataclass(frozen=True, slots=True)
class ChordSpan:
    """A chord from `start` to `end` in groove beats."""

    start: float
    end: float
    symbol: Symbol


@dataclass(frozen=True, slots=True)
class SongSection:
    """A section in groove beats; `energy` as analysed, `label` as analysed."""

    start: float
    end: float
    label: str
    energy: float


@dataclass(frozen=True, slots=True)
class MelodyTone:
    """A melody note in groove beats, not yet moved to any grid or scale."""

    start: float
    end: float
    pitch: int
    confidence: float


@dataclass(frozen=True)
class SongForm:
    """All that the players know of the song. `chords` cover it without gaps."""

    multiple: float
    start: float
    end: float
    bpm: float
    """Tempo of the groove, its median over the song."""
    bars: tuple[Bar, ...]
    chords: tuple[ChordSpan, ...]
    sections: tuple[SongSection, ...]
    melody: tuple[MelodyTone, ...]
    voice: NDArray[np.float32]
    """Vocal activity, 0 to 1, of each sixteenth from `start`."""
    tonic: int
    mode: str
    has_beat: bool

    @cached_property
    def scale(self) -> frozenset[int]:
        """Pitch classes of the key."""
        return scale_of(self.tonic, self.mode)

    @cached_property
    def _chord_starts(self) -> list[float]:
        return [span.start for span in self.chords]

    @cached_property
    def _bar_starts(self) -> list[float]:
        return [bar.start for bar in self.bars]

    def chord_index(self, beat: float) -> int:
        """Return the index of the chord at `beat`."""
        return max(0, bisect.bisect_right(self._chord_starts, beat + 1e-6) - 1)

    def chord_at(self, beat: float) -> ChordSpan:
        """Return the chord at `beat`."""
        return self.chords[self.chord_index(beat)]

    def bar_at(self, beat: float) -> Bar:
        """Return the bar that holds `beat`."""
        return self.bars[max(0, bisect.bisect_right(self._bar_starts, beat + 1e-6) - 1)]

    def sings(self, start: float, end: float) -> float:
        """Return the mean vocal activity between two beats."""
        first = int((start - self.start) * CELLS_PER_BEAT)
        last = max(first + 1, math.ceil((end - self.start) * CELLS_PER_BEAT))
        span = self.voice[max(0, first) : max(0, last)]
        return float(span.mean()) if span.size else 0.0


def groove_multiple(bpm: float, tempo_range_bpm: tuple[float, float]) -> float:
    """Return 1, 0.5 or 2: what brings `bpm` nearest to the style's range; 1 where nothing is gained."""
    low, high = tempo_range_bpm

    def distance(multiple: float) -> float:
        return max(0.0, math.log(low / (bpm * multiple)), math.log(bpm * multiple / high))

    return min(MULTIPLES, key=lambda multiple: (round(distance(multiple), 9), MULTIPLES.index(multiple)))


def song_form(
    analysis: Analysis, source_map: TempoMap, target_map: TempoMap, tempo_range_bpm: tuple[float, float]
) -> SongForm:
    """Return the form of a song; beat b of `source_map` is beat b of `target_map`."""
    first, last = source_map.beats(0.0), source_map.beats(analysis.duration_s)
    bpm = target_map.average_bpm(target_map.seconds(first), target_map.seconds(last))
    multiple = groove_multiple(bpm, tempo_range_bpm)
    start, end = first * multiple, last * multiple
    tonic = pitch_class(analysis.key.tonic)
    lines, compounds = _song_bars(source_map, first, last)
    sections = _sections(analysis, source_map, lines)
    bars = _groove_bars(lines, compounds, sections, multiple)
    chords = _chords(analysis, source_map, _pulse_grid(lines, compounds), tonic)
    melody = _melody(analysis, source_map, multiple)
    placed = tuple(
        SongSection(lines[a] * multiple, lines[b] * multiple, label, energy)
        for a, b, label, energy in sections
    )
    return SongForm(
        multiple=multiple,
        start=start,
        end=end,
        bpm=bpm * multiple,
        bars=bars,
        chords=tuple(ChordSpan(s * multiple, e * multiple, symbol) for s, e, symbol in chords),
        sections=placed,
        melody=melody,
        voice=_voice(analysis.vocal_activity, source_map, first, last, multiple),
        tonic=tonic,
        mode=analysis.key.mode,
        has_beat=analysis.has_beat,
    )


def _song_bars(source_map: TempoMap, first: float, last: float) -> tuple[list[float], list[bool]]:
    """Bar lines in song beats, from the bar that holds the start to the end of the one that holds the end."""
    a = math.floor(source_map.bar_of_beat(first) + 1e-6)
    b = max(a + 1, math.ceil(source_map.bar_of_beat(last) - 1e-6))
    numbers = np.arange(a, b + 1)
    lines = [float(beat) for beat in source_map.beat_of_bar(numbers)]
    signatures = [source_map.signature_at(int(number)) for number in numbers[:-1]]
    return lines, [is_compound(each.numerator, each.denominator) for each in signatures]


RawSection = tuple[int, int, str, float]
"""First bar, bar after the last, label, energy."""


def _sections(analysis: Analysis, source_map: TempoMap, lines: Sequence[float]) -> list[RawSection]:
    count = len(lines) - 1
    starts: dict[int, tuple[str, float]] = {}
    for section in analysis.sections:
        beat = source_map.beats(section.start_s)
        bar = (
            int(np.argmin([abs(line - beat) for line in lines[:-1]]))
            if count < 64
            else _nearest(lines, beat, count)
        )
        starts[bar] = (section.label, section.energy)
    if not starts:
        starts[0] = ("A", 0.5)
    ordered = sorted(starts)
    label, energy = starts[ordered[0]]
    found: list[RawSection] = [(0, 0, label, energy)]
    for bar in ordered:
        if bar - found[-1][0] >= 2 and count - bar >= 2:
            found.append((bar, bar, *starts[bar]))
        elif bar <= 1:
            found[-1] = (0, 0, *starts[bar])
    closed = [
        (a, found[i + 1][0] if i + 1 < len(found) else count, name, level)
        for i, (a, _, name, level) in enumerate(found)
    ]
    if len(closed) == 1 and count > PHRASE_BARS + PHRASE_BARS // 2:
        return _phrases(analysis.energy, source_map, lines, closed[0][2])
    return closed


def _nearest(lines: Sequence[float], beat: float, count: int) -> int:
    right = bisect.bisect_left(lines, beat)
    candidates = [i for i in (right - 1, right) if 0 <= i < count] or [count - 1]
    return min(candidates, key=lambda i: abs(lines[i] - beat))


def _phrases(curve: Curve, source_map: TempoMap, lines: Sequence[float], label: str) -> list[RawSection]:
    """A song of one section falls into phrases of eight bars, each with its own energy."""
    count = len(lines) - 1
    edges = [*range(0, count - PHRASE_BARS // 2, PHRASE_BARS), count]
    levels = [_mean_level(curve, *source_map.seconds([lines[a], lines[b]])) for a, b in pairwise(edges)]
    low, high = min(levels), max(levels)
    energies = [0.5 if high - low < 3.0 else (level - low) / (high - low) for level in levels]
    return [(a, b, label, e) for (a, b), e in zip(pairwise(edges), energies, strict=True)]


def _mean_level(curve: Curve, start_s: float, end_s: float) -> float:
    if not curve.values:
        return 0.0
    a = int(max(0.0, start_s) / curve.hop_s)
    values = curve.values[a : max(a + 1, int(end_s / curve.hop_s))] or curve.values[-1:]
    return float(np.mean(np.maximum(values, -70.0)))


def _groove_bars(
    lines: Sequence[float], compounds: Sequence[bool], sections: Sequence[RawSection], multiple: float
) -> tuple[Bar, ...]:
    bars: list[Bar] = []
    for index, (first, last, _, _) in enumerate(sections):
        spans: list[tuple[float, int, bool]] = []
        open_start: float | None = None
        for i in range(first, last):
            start, compound = lines[i] * multiple, compounds[i]
            start = open_start if open_start is not None else start
            length = lines[i + 1] * multiple - start
            may_join = i + 1 < last and compounds[i + 1] == compound
            if length < SHORT_BAR_BEATS - 1e-6 and may_join:
                open_start = start
                continue
            open_start = None
            cells = max(1, round(length * CELLS_PER_BEAT))
            if length >= LONG_BAR_BEATS - 1e-6 and not compound and cells % 2 == 0:
                half = cells // 2
                spans += [(start, half, compound), (start + half / CELLS_PER_BEAT, half, compound)]
            else:
                spans.append((start, cells, compound))
        bars += [Bar(s, c, k, index, n, len(spans) - n) for n, (s, c, k) in enumerate(spans)]
    return tuple(bars)


def _chords(
    analysis: Analysis, source_map: TempoMap, grid: NDArray[np.float64], tonic: int
) -> list[tuple[float, float, Symbol]]:
    """Chords in song beats, moved to the nearest pulse of `grid`, without gaps."""
    first, last = float(grid[0]), float(grid[-1])
    spans: list[tuple[float, float, Symbol]] = []
    if analysis.chords:
        edges = source_map.beats(np.array([[c.start_s, c.end_s] for c in analysis.chords]))
        for chord, (a, b) in zip(analysis.chords, _snapped(edges, grid), strict=True):
            symbol = parse_chord(chord.label) or pedal(tonic)
            if b - a >= SHORTEST_CHORD_BEATS:
                spans.append((float(a), float(b), symbol))
    whole: list[tuple[float, float, Symbol]] = []
    position = first
    for a, b, symbol in spans:
        a, b = max(a, position), min(b, last)
        if b - a < SHORTEST_CHORD_BEATS:
            continue
        if a - position >= 2.0 or (not whole and a > position):
            whole.append((position, a, pedal(tonic) if a - position >= 2.0 else symbol))
        elif whole and a > position:
            whole[-1] = (whole[-1][0], a, whole[-1][2])
        if whole and whole[-1][2] == symbol:
            whole[-1] = (whole[-1][0], b, symbol)
        else:
            whole.append((a, b, symbol))
        position = b
    if not whole:
        return [(first, last, pedal(tonic))]
    if last - position >= 2.0:
        whole.append((position, last, pedal(tonic)))
    else:
        whole[-1] = (whole[-1][0], last, whole[-1][2])
    return whole


def _pulse_grid(lines: Sequence[float], compounds: Sequence[bool]) -> NDArray[np.float64]:
    """Every pulse (quarter or dotted quarter) of the song's bars, in song beats, and the last bar line."""
    grid: list[float] = []
    for (start, end), compound in zip(pairwise(lines), compounds, strict=True):
        lengths = pulses(max(1, round((end - start) * CELLS_PER_BEAT)), compound)
        grid += [start + sum(lengths[:i]) / CELLS_PER_BEAT for i in range(len(lengths))]
    return np.array([*grid, lines[-1]])


def _snapped(beats: NDArray[np.float64], grid: NDArray[np.float64]) -> NDArray[np.float64]:
    right = np.clip(np.searchsorted(grid, beats), 1, grid.size - 1)
    left = right - 1
    nearest: NDArray[np.float64] = np.where(
        beats - grid[left] <= grid[right] - beats, grid[left], grid[right]
    )
    return nearest


def _melody(analysis: Analysis, source_map: TempoMap, multiple: float) -> tuple[MelodyTone, ...]:
    if not analysis.melody:
        return ()
    edges = source_map.beats(np.array([[n.start_s, n.end_s] for n in analysis.melody])) * multiple
    return tuple(
        MelodyTone(float(a), float(b), note.pitch, note.confidence)
        for note, (a, b) in zip(analysis.melody, edges, strict=True)
    )


def _voice(
    curve: Curve, source_map: TempoMap, first: float, last: float, multiple: float
) -> NDArray[np.float32]:
    cells = max(1, math.ceil((last - first) * multiple * CELLS_PER_BEAT))
    if not curve.values:
        return np.zeros(cells, dtype=np.float32)
    beats = first + (np.arange(cells) + 0.5) / (CELLS_PER_BEAT * multiple)
    index = (source_map.seconds(beats) / curve.hop_s).astype(np.int64)
    values = np.asarray(curve.values, dtype=np.float32)
    return values[np.clip(index, 0, values.size - 1)]


def sounding_range(analysis: Analysis) -> tuple[float, float]:
    """Return where the song sounds, in seconds, without the silence before and after."""
    values = np.asarray(analysis.energy.values, dtype=np.float64)
    if values.size == 0:
        return 0.0, analysis.duration_s
    loud = np.flatnonzero(values > max(analysis.loudness_lufs - QUIET_BELOW_SONG_DB, QUIET_LUFS))
    if loud.size == 0:
        return 0.0, analysis.duration_s
    hop_s = analysis.energy.hop_s
    return float(loud[0] * hop_s), min(analysis.duration_s, float((loud[-1] + 1) * hop_s))
