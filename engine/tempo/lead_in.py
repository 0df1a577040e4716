"""The same timeline with beat 0 at time 0, for formats that start at zero.

A song's first downbeat may lie later than its first sample (silence, a pick-up), so beats and ticks at time
0 are negative; Standard MIDI Files and most DAW timelines cannot say that. The lead-in is one bar (or whole
bars and a shorter first one) of an adapted time signature, whose first beat has an adapted tempo, so that
every whole beat after it keeps its time and every bar line stays one. It is a whole number of beats, or one
eighth or sixteenth, as a musician would write a pick-up; a first downbeat that comes sooner than that could be
written is put at time 0 itself, and its first beat lasts that much longer: no DAW is given a bar of 1/64.
"""

import math
from dataclasses import dataclass, replace

from engine.tempo.signatures import TimeSignature, signature_of
from engine.tempo.tempo_map import TempoMap

EXACT_S = 1e-7
NO_LEAD_BEATS = 0.125
"""A wait up to this, half a sixteenth, belongs to the first beat."""
SHORT_LEADS_BEATS = (1.0, 0.5, 0.25)


@dataclass(frozen=True, slots=True)
class LeadIn:
    """`tempo_map` has beat, bar and tick 0 at time 0; old beat b is its b + `shift_beats`, bars likewise."""

    tempo_map: TempoMap
    shift_beats: float
    shift_bars: int


def with_lead_in(tempo_map: TempoMap) -> LeadIn:
    """Return the map that starts at time 0 and equals `tempo_map` from its first whole beats on.

    Where a bar line lies exactly at time 0 nothing is bent. Otherwise the lead-in's first beat (or its eighth or
    sixteenth) lasts between half and one and a half times as long as it did; without a lead-in the first beat of the
    first bar lasts up to an eighth longer.
    """
    origin = tempo_map.beats(0.0)
    first_bar = math.ceil(tempo_map.bar_of_beat(tempo_map.beats(-EXACT_S)))
    downbeat = tempo_map.beat_of_bar(float(first_bar))
    if abs(tempo_map.seconds(downbeat)) <= EXACT_S:
        return LeadIn(_moved(tempo_map, 0.0 - downbeat, -first_bar, ()), 0.0 - downbeat, -first_bar)
    if first_bar < 0 and downbeat - origin < 1.0:  # no bar of its own for a breath before the pick-up
        first_bar += 1
        downbeat = tempo_map.beat_of_bar(float(first_bar))
    wait_beats = downbeat - origin
    lead_beats = _lead_beats(wait_beats)
    # The first whole beat, counted back from the downbeat, that keeps its time.
    kept = downbeat - max(math.ceil(lead_beats) - 1, 0) if lead_beats else downbeat + 1.0
    bar_beats = tempo_map.signature_at(first_bar - 1).bar_beats
    bars, rest = divmod(lead_beats, bar_beats)
    lengths = ([rest] if rest > 1e-9 else []) + [bar_beats] * int(bars)
    bent = tempo_map.through([downbeat - lead_beats, kept], [0.0, tempo_map.seconds(kept)])
    anchor = downbeat - lead_beats
    started = [s for s in bent.segments if s.start_beat <= anchor]
    later = [s for s in bent.segments if s.start_beat > anchor]
    trimmed = TempoMap((replace(started[-1], start_beat=anchor, start_s=0.0), *later), bent.signatures)
    shift_bars = len(lengths) - first_bar
    shift_beats = lead_beats - downbeat
    return LeadIn(_moved(trimmed, shift_beats, shift_bars, tuple(lengths)), shift_beats, shift_bars)


def _lead_beats(wait_beats: float) -> float:
    """The length nearest to `wait_beats` that can be notated: whole beats, a short note below that, or nothing."""
    if wait_beats <= NO_LEAD_BEATS:
        return 0.0
    if wait_beats >= 0.75:
        return float(max(1, math.floor(wait_beats + 0.5)))
    return min(SHORT_LEADS_BEATS, key=lambda beats: abs(math.log(wait_beats / beats)))


def _moved(tempo_map: TempoMap, by_beats: float, by_bars: int, lead_bars: tuple[float, ...]) -> TempoMap:
    """`tempo_map` with beats and bars renumbered, and bars of `lead_bars` beats put before its first bar."""
    first_bar = len(lead_bars) - by_bars
    signatures: list[TimeSignature] = []
    for bar, length in enumerate(lead_bars):
        numerator, denominator = signature_of(length) or (4, 4)
        natural = tempo_map.signature_at(first_bar - 1)
        same = length == natural.bar_beats
        signatures.append(
            replace(natural, start_bar=bar) if same else TimeSignature(bar, numerator, denominator)
        )
    here = tempo_map.signature_at(first_bar)
    signatures.append(replace(here, start_bar=len(lead_bars)))
    signatures += [
        replace(s, start_bar=s.start_bar + by_bars) for s in tempo_map.signatures if s.start_bar > first_bar
    ]
    segments = tuple(replace(s, start_beat=s.start_beat + by_beats) for s in tempo_map.segments)
    return TempoMap(segments, tuple(signatures))
