"""A long piece is written a movement at a time, so that its beginning need not wait for its end.

A movement is some whole sections of the song. It is arranged together with the section before and the one after, which
it has to lead out of and into, and what is played inside it is kept. A piece that fits into one movement is arranged
exactly as it would be offline.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from engine.analysis.model import Analysis, Chord, Curve, Extent, MelodyNote, Section
from engine.generation.arranger.compose import arrange
from engine.generation.model import Arrangement, Note, Part
from engine.presets.style import Style
from engine.tempo import TempoMap

Spanned = TypeVar("Spanned", Chord, Section, MelodyNote)

WHOLE_UP_TO_S = 96.0
MOVEMENT_S = 48.0
BEFORE_DOWNBEAT_BEATS = 0.125
"""A note that is played this much before a movement's first downbeat belongs to it: it is pushed."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a song is to be played."""

    style: Style
    seed: int = 0
    energy: float = 1.0
    brightness: float = 1.0
    stem: str | None = None


def movements(analysis: Analysis, song_map: TempoMap, manner: Manner) -> Iterator[tuple[float, Arrangement]]:
    """Yield (end in seconds, arrangement) one after the other; each is written when it is asked for.

    Notes lie in beats of `song_map`, whose tempo must be steady from beat 0 at 0 s, as an invented song's is.
    """
    spans = _spans(analysis)
    for number, (first, last) in enumerate(spans):
        if len(spans) == 1:
            yield analysis.duration_s, _arranged(analysis, song_map, manner)
            return
        sections = analysis.sections
        with_before, with_after = max(0, first - 1), min(len(sections), last + 1)
        start_s, end_s = sections[first].start_s, sections[last - 1].end_s
        from_s = sections[with_before].start_s
        piece = cut(analysis, from_s, sections[with_after - 1].end_s)
        low, high = (float(song_map.beats(time_s)) - BEFORE_DOWNBEAT_BEATS for time_s in (start_s, end_s))
        is_last = number == len(spans) - 1
        yield (
            analysis.duration_s if is_last else end_s,
            _placed(
                _arranged(piece, song_map, manner),
                float(song_map.beats(from_s)),
                float("-inf") if number == 0 else low,
                float("inf") if is_last else high,
                keeps_fade=is_last,
            ),
        )


def _spans(analysis: Analysis) -> list[tuple[int, int]]:
    """Return (first section, section after the last) of each movement."""
    count = len(analysis.sections)
    if analysis.duration_s <= WHOLE_UP_TO_S or count < 3:
        return [(0, count)]
    spans: list[tuple[int, int]] = []
    first = 0
    for after in range(1, count + 1):
        length_s = analysis.sections[after - 1].end_s - analysis.sections[first].start_s
        if after == count or (length_s >= MOVEMENT_S and count - after >= 2):
            spans.append((first, after))
            first = after
    return spans


def _arranged(analysis: Analysis, song_map: TempoMap, manner: Manner) -> Arrangement:
    return arrange(
        analysis,
        song_map,
        song_map,
        manner.style,
        seed=manner.seed,
        energy=manner.energy,
        brightness=manner.brightness,
        keep=frozenset(),
        only=manner.stem,
    )


def _placed(
    arrangement: Arrangement, offset: float, low: float, high: float, *, keeps_fade: bool
) -> Arrangement:
    """Return an arrangement moved to its place, with only what starts from `low` to `high` (beats of the song)."""
    parts: list[Part] = []
    for part in arrangement.parts:
        moved = [replace(note, start_beat=note.start_beat + offset) for note in part.notes]
        notes: tuple[Note, ...] = tuple(note for note in moved if low <= note.start_beat < high)
        fade = tuple((beat + offset, db) for beat, db in part.fade) if keeps_fade else ()
        if notes:
            parts.append(replace(part, notes=notes, fade=fade))
    return replace(arrangement, parts=tuple(parts))


def cut(analysis: Analysis, start_s: float, end_s: float) -> Analysis:
    """Return what there is of a song from a bar line at `start_s` to another at `end_s`, with `start_s` at 0."""
    length_s = end_s - start_s

    def inside(times: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(time_s - start_s for time_s in times if start_s - 1e-6 <= time_s < end_s - 1e-6)

    def curve(whole: Curve) -> Curve:
        first = round(start_s / whole.hop_s)
        return Curve(whole.hop_s, whole.values[first : first + max(1, round(length_s / whole.hop_s))])

    def clipped(items: Sequence[Spanned]) -> tuple[Spanned, ...]:
        return tuple(
            replace(
                item, start_s=max(item.start_s, start_s) - start_s, end_s=min(item.end_s, end_s) - start_s
            )
            for item in items
            if item.start_s < end_s - 1e-6 and item.end_s > start_s + 1e-6
        )

    whole = analysis.extent
    is_end = whole is not None and end_s >= analysis.duration_s - 1e-6
    extent = (
        Extent(0.0, whole.ends_s - start_s, whole.last_attack_s - start_s, whole.ending)
        if whole is not None and is_end
        else Extent(0.0, length_s, length_s, "cut")
    )
    return replace(
        analysis,
        duration_s=length_s,
        beats_s=inside(analysis.beats_s),
        downbeats_s=inside(analysis.downbeats_s),
        chords=clipped(analysis.chords),
        sections=clipped(analysis.sections),
        melody=clipped(analysis.melody),
        energy=curve(analysis.energy),
        brightness=curve(analysis.brightness),
        vocal_activity=curve(analysis.vocal_activity),
        extent=extent,
    )
