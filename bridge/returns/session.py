"""A return as a DAW session: tracks in project time, a tempo map that starts at zero, markers. Formats write it out.

Project time is the source's own where its file says where it starts (BWF time reference), else it starts with the
audio. A DAW's bars start at time zero, so the timeline gets a lead-in (`engine.tempo.with_lead_in`) up to its first
downbeat. Where a format has not a ramp's law, the ramp becomes constant pieces that are exact at their joints.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from uuid import NAMESPACE_URL, UUID, uuid5

from bridge.protocol import ChordInfo, Manifest, SectionInfo, Track
from engine.tempo import TempoMap, TimeSignature, with_lead_in
from engine.tempo.segments import Law

STEP_BEATS = 0.5
UNTOLD_BPM = 120.0
"""The tempo of a return that has no timeline."""


@dataclass(frozen=True, slots=True)
class Region:
    """A named span of project time."""

    start_s: float
    end_s: float
    name: str


@dataclass(frozen=True, slots=True)
class TempoPoint:
    """A tempo from a beat (and its time) on; `ramps` if it moves to the next point's tempo by the format's law."""

    beat: float
    at_s: float
    bpm: float
    ramps: bool


@dataclass(frozen=True, slots=True)
class Session:
    """What a DAW opens. `tempo_map` has beat, bar and time zero together; None where the return has no timeline.

    `bpm` is the song's own tempo where it begins: what a DAW shows as the project's, and not that of a lead-in.
    """

    name: str
    identity: str
    sample_rate: int
    tracks: tuple[Track, ...]
    tempo_map: TempoMap | None
    sections: tuple[Region, ...]
    chords: tuple[Region, ...]
    notes: tuple[str, ...]
    bpm: float = UNTOLD_BPM

    @property
    def length_s(self) -> float:
        """Return where the last track ends."""
        return max((track.start_s + track.frames / track.sample_rate for track in self.tracks), default=0.0)

    def id_of(self, what: str) -> UUID:
        """Return an id for a part of the session: the same for the same return, so that files are reproducible."""
        return uuid5(NAMESPACE_URL, f"nrx:{self.identity}:{what}")


def session_of(manifest: Manifest, name: str) -> Session:
    """Return the session of a return; times of its timeline are moved into project time."""
    timeline = manifest.timeline
    start_s = timeline.start_s if timeline is not None else 0.0
    tempo_map, bpm = None, UNTOLD_BPM
    if timeline is not None:
        own = TempoMap.from_json(timeline.tempo_map).shifted(start_s)
        tempo_map, bpm = with_lead_in(own).tempo_map, float(own.bpm_at(own.beats(0.0)))
    return Session(
        name=name,
        identity=manifest.id,
        sample_rate=manifest.tracks[0].sample_rate if manifest.tracks else 44100,
        tracks=manifest.tracks,
        tempo_map=tempo_map,
        bpm=bpm,
        sections=_regions(timeline.sections if timeline is not None else (), start_s),
        chords=_regions(timeline.chords if timeline is not None else (), start_s),
        notes=manifest.notes,
    )


def _regions(items: Sequence[SectionInfo | ChordInfo], start_s: float) -> tuple[Region, ...]:
    return tuple(Region(start_s + item.start_s, start_s + item.end_s, item.label) for item in items)


def tempo_points(tempo_map: TempoMap, native: Law) -> list[TempoPoint]:
    """Return the tempo points of a format whose ramps follow the law `native`, from time zero on.

    A ramp is kept where it ends in the next point's tempo; any other becomes steps.
    """
    backwards: list[TempoPoint] = []
    following = None
    for segment in reversed(tempo_map.segments):
        if segment.law == "constant" or following is None:
            own = [TempoPoint(segment.start_beat, segment.start_s, segment.bpm, ramps=False)]
        elif segment.law == native and backwards[-1].bpm == segment.end_bpm:
            own = [TempoPoint(segment.start_beat, segment.start_s, segment.bpm, ramps=True)]
        else:
            own = _steps(tempo_map, segment.start_beat, following.start_beat)
        backwards += reversed(own)
        following = segment
    first = backwards[-1]
    if (
        first.beat > 0
    ):  # a map goes on before its first segment as that begins; a format's list of points does not
        backwards.append(TempoPoint(0.0, float(tempo_map.seconds(0.0)), first.bpm, ramps=False))
    return backwards[::-1]


def map_as_written(points: Sequence[TempoPoint], native: Law) -> TempoMap:
    """Return the tempo map that a format's reader will make of `points`."""
    return TempoMap.from_points(
        [(point.beat, point.bpm, native if point.ramps else "constant") for point in points],
        start_s=points[0].at_s,
    )


def _steps(tempo_map: TempoMap, first_beat: float, last_beat: float) -> list[TempoPoint]:
    """Return constant pieces of about `STEP_BEATS` whose joints lie where the map has them."""
    count = max(1, round((last_beat - first_beat) / STEP_BEATS))
    beats = [first_beat + (last_beat - first_beat) * step / count for step in range(count + 1)]
    times = [float(tempo_map.seconds(beat)) for beat in beats]
    return [
        TempoPoint(beat, at_s, 60.0 * (next_beat - beat) / (until_s - at_s), ramps=False)
        for (beat, next_beat), (at_s, until_s) in zip(pairwise(beats), pairwise(times), strict=True)
    ]


def placed_signatures(tempo_map: TempoMap) -> list[tuple[float, TimeSignature]]:
    """Return each time signature with the beat of its bar; the first stands at beat zero."""
    placed = [
        (float(tempo_map.beat_of_bar(float(at.start_bar))), at)
        for at in tempo_map.signatures
        if at.start_bar > 0
    ]
    return [(0.0, tempo_map.signature_at(0)), *placed]
