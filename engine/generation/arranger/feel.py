"""From the straight grid to a performance: swing, push, scatter, accents, positions in the song's beats.

Swing bends the grid: the off-beat of each pair moves to the style's position and everything between moves
with it. Push is a part's (or a drum's) steady lateness in ms, one value a song from the style's range;
scatter is the same for notes struck together by seven tenths, and never exceeds the style's `humanise_ms`. A
style with no scatter is a machine.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.generation.arranger.score import Event, Score
from engine.generation.model import Note
from engine.presets.parts import Drums, PartBase
from engine.presets.style import Style, Swing
from engine.tempo import TempoMap

Floats = NDArray[np.float64]
SHARED_SCATTER = 0.7
SHORTEST_NOTE_BEATS = 0.02
EDGE_BEATS = 1e-6
HELD_INTO_SONG_BEATS = 0.5
"""A note of a bar that began before the song is played from the song's start if this much of it is left."""
VELOCITY_PER_DOUBLING = 0.16


def swing_position(style: Style, bpm: float) -> float:
    """Return where the style's off-beat lies at a tempo of the groove, 0.5 for straight."""
    low, high = style.tempo_range_bpm
    share = min(1.0, max(0.0, (bpm - low) / (high - low))) if high > low else 0.0
    return style.swing.slowest + share * (style.swing.fastest - style.swing.slowest)


def swung(beats: Floats, swing: Swing, position: float) -> Floats:
    """Return straight positions (groove beats) on the swung grid; rises strictly, whole beats stay."""
    pair = 1.0 if swing.unit == "eighth" else 0.5
    whole = np.floor(beats / pair + 1e-9)
    inside = beats / pair - whole
    bent = np.where(inside < 0.5, inside * 2 * position, position + (inside - 0.5) * 2 * (1 - position))
    result: Floats = (whole + bent) * pair
    return result


def perform(
    events: Sequence[Event],
    part: PartBase,
    score: Score,
    target_map: TempoMap,
    energy: float,
    push_of: Callable[[int], tuple[float, float]] | None = None,
) -> tuple[Note, ...]:
    """Return the events as played: in beats of the target map, sorted, no pitch overlapping itself.

    `push_of` gives a pitch's own range of push in ms where it differs from the part's (a drum kit's pieces).
    """
    if not events:
        return ()
    ordered = sorted(events)
    form = score.form
    straight = np.array([event.start for event in ordered])
    pitches = np.array([event.pitch for event in ordered])
    position = swing_position(score.style, form.bpm)
    starts = swung(straight, score.style.swing, position) / form.multiple
    ends = swung(straight + [e.duration for e in ordered], score.style.swing, position) / form.multiple
    late_ms = np.array([event.late_ms for event in ordered])
    late_ms += _push(pitches, part, score, push_of) + _scatter(straight, part, score)
    beats_per_ms = np.asarray(target_map.bpm_at(starts)) / 60_000.0
    shifts = late_ms * beats_per_ms
    first, last = score.sounds_from / form.multiple, score.sounds_to / form.multiple
    last_start = score.starts_to / form.multiple
    placed = np.maximum(starts + shifts, first)
    closed = np.minimum(ends + np.minimum(shifts, 0.0), last)
    held_in = (ends >= first + HELD_INTO_SONG_BEATS) & (not isinstance(part, Drums))
    keep = (
        ((starts >= first - 1e-3) | held_in) & (starts < last_start) & (placed < last - SHORTEST_NOTE_BEATS)
    )
    velocities = _velocities(ordered, part, score, energy)
    notes = [
        (float(s), int(p), float(max(SHORTEST_NOTE_BEATS, e - s)), int(v))
        for s, p, e, v, wanted in zip(placed, pitches, closed, velocities, keep, strict=True)
        if wanted
    ]
    return _without_overlaps([Note(*each) for each in notes])


def _push(
    pitches: NDArray[np.int64],
    part: PartBase,
    score: Score,
    push_of: Callable[[int], tuple[float, float]] | None,
) -> Floats:
    share = float(score.random(part.name, "push").uniform())

    def of_range(bounds: tuple[float, float]) -> float:
        return bounds[0] + share * (bounds[1] - bounds[0])

    if push_of is None:
        return np.full(pitches.size, of_range(part.push_ms))
    by_pitch = {int(pitch): of_range(push_of(int(pitch))) for pitch in np.unique(pitches)}
    return np.array([by_pitch[int(pitch)] for pitch in pitches])


def _scatter(straight: Floats, part: PartBase, score: Score) -> Floats:
    """Lateness in ms of each note, within ±humanise_ms, mostly shared by notes struck together."""
    if part.humanise_ms <= 0.0:
        return np.zeros(straight.size)
    random = score.random(part.name, "scatter")
    groups, index = np.unique(np.round(straight, 4), return_inverse=True)
    shared = np.clip(random.normal(0.0, 0.45, groups.size), -1.0, 1.0)[index]
    own = np.clip(random.normal(0.0, 0.45, straight.size), -1.0, 1.0)
    result: Floats = part.humanise_ms * (SHARED_SCATTER * shared + (1.0 - SHARED_SCATTER) * own)
    return result


def _velocities(events: Sequence[Event], part: PartBase, score: Score, energy: float) -> NDArray[np.int64]:
    base = np.array([event.velocity for event in events])
    base *= 1.0 + VELOCITY_PER_DOUBLING * np.log2(energy)
    if part.velocity_spread:
        noise = np.clip(score.random(part.name, "velocity").normal(0.0, 0.5, base.size), -1.0, 1.0)
        base += part.velocity_spread * noise
    result: NDArray[np.int64] = np.clip(np.rint(base), 1, 127).astype(np.int64)
    return result


def _without_overlaps(notes: Sequence[Note]) -> tuple[Note, ...]:
    """Sort notes and end each pitch before it is struck again; of two at one instant the louder stays."""
    sounding: dict[int, int] = {}
    kept: list[Note | None] = []
    for note in sorted(notes):
        before = sounding.get(note.pitch)
        previous = kept[before] if before is not None else None
        if before is not None and previous is not None:
            room = note.start_beat - previous.start_beat
            if room < SHORTEST_NOTE_BEATS:
                if note.velocity > previous.velocity:
                    kept[before] = Note(previous.start_beat, note.pitch, note.duration_beats, note.velocity)
                continue
            if previous.duration_beats > room:
                kept[before] = Note(previous.start_beat, previous.pitch, room - EDGE_BEATS, previous.velocity)
        sounding[note.pitch] = len(kept)
        kept.append(note)
    return tuple(note for note in kept if note is not None)
