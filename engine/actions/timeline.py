"""Which tempo map the new parts are laid on: the project's own, the style's, or a number."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from engine.actions.source import Mix
from engine.analysis import Analysis, Chord, Section
from engine.tempo import TempoMap, nearest_octave

Tempo = Literal["project", "style"] | float
NO_CHANGE = 1e-3
"""Relative difference of tempo below which nothing is stretched."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The song as it is felt now, the map of its own time, and the map of the new timeline (same beat numbers)."""

    analysis: Analysis
    source_map: TempoMap
    target_map: TempoMap
    source: str

    def length_frames(self, mix: Mix) -> int:
        """Return how long the remix of `mix` is, in frames."""
        if self.target_map is self.source_map:
            return mix.frames
        return round(self.target_map.seconds(self.source_map.beats(mix.duration_s)) * mix.sample_rate)


def map_of(analysis: Analysis, given: TempoMap | None) -> TempoMap:
    """Return the song's own tempo map: the one that came with it, or one through its measured beats."""
    if given is not None:
        return given
    if analysis.steady and _bars_are_regular(analysis):
        first = analysis.downbeats_s[0] if analysis.downbeats_s else analysis.beats_s[0]
        return TempoMap.constant(analysis.tempo_bpm, numerator=analysis.beats_per_bar, start_s=first)
    return TempoMap.from_beats(
        analysis.beats_s, downbeats_s=analysis.downbeats_s, beats_per_bar=analysis.beats_per_bar
    )


def _bars_are_regular(analysis: Analysis) -> bool:
    numbers = [analysis.beats_s.index(time) for time in analysis.downbeats_s]
    return all(after - here == analysis.beats_per_bar for here, after in pairwise(numbers))


def felt_at(analysis: Analysis, multiple: float) -> Analysis:
    """Return the same song with twice (2), or half (0.5), as many beats; bars keep their number of beats."""
    if multiple == 1:
        return analysis
    per_bar = analysis.beats_per_bar
    first = analysis.beats_s.index(analysis.downbeats_s[0]) if analysis.downbeats_s else 0
    if multiple == 2:
        beats: list[float] = []
        for here, after in zip(analysis.beats_s, analysis.beats_s[1:], strict=False):
            beats += [here, (here + after) / 2]
        beats.append(analysis.beats_s[-1])
        first *= 2
    else:
        beats = list(analysis.beats_s[first % 2 :: 2])
        first //= 2
    return replace(
        analysis,
        tempo_bpm=analysis.tempo_bpm * multiple,
        beats_s=tuple(beats),
        downbeats_s=tuple(beats[first % per_bar :: per_bar]),
    )


def plan_timeline(
    analysis: Analysis, given: TempoMap | None, tempo: Tempo, style_range_bpm: tuple[float, float]
) -> Plan:
    """Choose the new timeline.

    `project` keeps the song's own map. `style` takes the tempo in the style's range that moves the song least, feeling
    it in half or double time where that comes closer; a number is taken as it is.
    """
    if tempo == "project":
        own = map_of(analysis, given)
        return Plan(analysis, own, own, "tempo map" if given is not None else "estimated")
    if tempo == "style":
        low, high = style_range_bpm
        multiple = nearest_octave(analysis.tempo_bpm, (low, high))
        if given is not None and len(given.signatures) > 1:
            multiple = 1.0  # bars of several metres can't be halved or doubled without breaking them
        felt = felt_at(analysis, multiple)
        bpm = min(max(felt.tempo_bpm, low), high)
        own = map_of(felt, None if given is None else _felt_map(given, multiple))
        source = "style"
    else:
        felt, own, bpm, source = analysis, map_of(analysis, given), float(tempo), "number"
    if own.is_constant() and abs(own.average_bpm() / bpm - 1) < NO_CHANGE:
        return Plan(felt, own, own, source)
    return Plan(felt, own, own.steady(bpm), source)


def _felt_map(own: TempoMap, multiple: float) -> TempoMap:
    segments = tuple(
        replace(
            segment,
            start_beat=segment.start_beat * multiple,
            bpm=segment.bpm * multiple,
            end_bpm=segment.end_bpm * multiple,
        )
        for segment in own.segments
    )
    return TempoMap(segments, own.signatures)


def moved_markers(plan: Plan) -> tuple[tuple[Chord, ...], tuple[Section, ...]]:
    """Return the song's chords and sections in seconds of the new timeline."""

    def moved(time_s: float) -> float:
        return plan.target_map.seconds(plan.source_map.beats(time_s))

    if plan.target_map is plan.source_map:
        return plan.analysis.chords, plan.analysis.sections
    return (
        tuple(
            replace(item, start_s=moved(item.start_s), end_s=moved(item.end_s))
            for item in plan.analysis.chords
        ),
        tuple(
            replace(item, start_s=moved(item.start_s), end_s=moved(item.end_s))
            for item in plan.analysis.sections
        ),
    )
