"""Make new music in a style: from words or settings alone, like a given song, or a single stem."""

from dataclasses import dataclass

from engine.actions.analyze import analysis_of, stems_and_mix
from engine.actions.finish import finish
from engine.actions.model import Deliver, Outcome, Song, keep_for_later
from engine.actions.perform import ARRANGER, console_of, generated_tracks, render_parts, to_mix
from engine.actions.timeline import map_of
from engine.analysis import Analysis
from engine.generation.arranger import arrange, invent_song, invented_map
from engine.presets import Style
from engine.stages import Stages
from engine.tempo import TempoMap

PLAN = (("generate", 0.7), ("mix", 0.15), ("master", 0.15))
PLAN_LIKE = (
    ("read", 0.03),
    ("separate", 0.45),
    ("analyze", 0.15),
    *((name, share * 0.37) for name, share in PLAN),
)
BYTES_PER_FRAME = 90.0
SAMPLE_RATE = 44100
DURATION_S = 30.0


@dataclass(frozen=True, slots=True)
class GenerateParameters:
    """What is wanted. `key` as "F# minor", `bpm`, `duration_s`: None leaves the choice to style and words."""

    style: Style
    words: str = ""
    stem: str | None = None
    key: str | None = None
    bpm: float | None = None
    duration_s: float | None = None
    energy: float = 1.0
    brightness: float = 1.0
    seed: int = 0


def generate(
    song: Song | None, wanted: GenerateParameters, stages: Stages, deliver: Deliver = keep_for_later
) -> Outcome:
    """Arrange and play new music; with `song`, on that song's tempo, chords, form and melody."""
    rate = SAMPLE_RATE
    if song is None:
        analysis = invent_song(
            wanted.style,
            key=wanted.key,
            bpm=wanted.bpm,
            duration_s=wanted.duration_s or DURATION_S,
            seed=wanted.seed,
            words=wanted.words,
        )
        own = timeline = invented_map(wanted.style, analysis)
    else:
        stems, mix = stems_and_mix(song, stages)
        rate = mix.sample_rate
        with stages.stage("analyze") as monitor:
            analysis = analysis_of(song, mix, stems, stages, monitor)
        own = map_of(analysis, song.tempo_map)
        timeline = own if wanted.bpm is None else own.steady(wanted.bpm)
    return _play(
        analysis,
        own,
        timeline,
        rate,
        wanted,
        song,
        stages,
        deliver,
    )


def _play(
    analysis: Analysis,
    source_map: TempoMap,
    target_map: TempoMap,
    rate: int,
    wanted: GenerateParameters,
    song: Song | None,
    stages: Stages,
    deliver: Deliver,
) -> Outcome:
    length_s = target_map.seconds(source_map.beats(analysis.duration_s))
    if wanted.duration_s is not None:
        length_s = min(length_s, wanted.duration_s)
    with stages.stage("generate") as monitor:
        arrangement = arrange(
            analysis,
            source_map,
            target_map,
            wanted.style,
            seed=wanted.seed,
            energy=wanted.energy,
            brightness=wanted.brightness,
            keep=frozenset(),
            only=wanted.stem,
        )
        frames = round(length_s * rate)
        rendered = render_parts(arrangement, target_map, rate, frames, wanted.brightness, monitor)
    done = finish(
        to_mix(arrangement, rendered, wanted.energy),
        lambda mixed: generated_tracks(arrangement, mixed),
        console_of(wanted.style, wanted.energy),
        stages,
        deliver,
    )
    return Outcome(
        tracks=done.tracks,
        sample_rate=rate,
        duration_s=length_s,
        length_s=length_s,
        analysis=analysis,
        target_map=target_map,
        timeline_source="generated"
        if song is None
        else "estimated"
        if song.tempo_map is None
        else "tempo map",
        arrangement=arrangement,
        loudness=done.loudness,
        backends=(ARRANGER,),
        notes=done.notes,
        chords=analysis.chords,
        sections=analysis.sections,
    )
