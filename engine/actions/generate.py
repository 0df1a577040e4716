"""Make new music in a style: from words or settings alone, like a given song, or a single stem.

The arranger plays parts of notes; a generator that plays from weights gives a take, fitted to the timeline.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.actions.analyze import analysis_of, stems_and_mix
from engine.actions.finish import finish
from engine.actions.model import Deliver, Outcome, Song, keep_for_later
from engine.actions.perform import console_of, render_parts
from engine.actions.played import Played, arranged, one_take
from engine.actions.source import Mix
from engine.actions.taken import NeuralWishes, TakeTrack, from_words, like_song
from engine.actions.timeline import map_of
from engine.analysis import Analysis
from engine.audio import Audio
from engine.backends import Choice
from engine.errors import NrxError
from engine.generation.arranger import arrange, invent_song, invented_map
from engine.generation.arranger.words import parse_metre
from engine.presets import Style
from engine.progress import Monitor
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
LISTENED = 0.9
"""Where in the stage a take from words has been made, and is listened to for its chords and form."""


@dataclass(frozen=True, slots=True)
class GenerateParameters:
    """What is wanted. `key` as "F# minor", `bpm`, `duration_s`: None leaves the choice to style and words.

    `style` is the nearest to the words unless it was asked for (`style_was_asked`); only one that was asked for is told
    to a generator that plays from weights. `neural` is for those alone; their seed is `seed` too.
    """

    style: Style
    words: str = ""
    stem: str | None = None
    key: str | None = None
    bpm: float | None = None
    duration_s: float | None = None
    energy: float = 1.0
    brightness: float = 1.0
    seed: int = 0
    style_was_asked: bool = False
    neural: NeuralWishes = field(default_factory=NeuralWishes)

    @property
    def told_style(self) -> Style | None:
        """The style that a neural generator is told."""
        return self.style if self.style_was_asked else None

    @property
    def wishes(self) -> NeuralWishes:
        """What is asked of a neural generator, with words and seed."""
        sampling = replace(self.neural.sampling, seed=self.seed)
        return replace(self.neural, words=self.neural.words or self.words, sampling=sampling)


@dataclass(frozen=True, slots=True)
class _Followed:
    """The song that new music is like: what was heard of it, its stems and mix, its own timeline and the new one."""

    analysis: Analysis
    stems: Mapping[str, Path | Audio]
    mix: Mix
    own: TempoMap
    timeline: TempoMap

    def length_s(self, wanted_s: float | None) -> float:
        """Return how long the new music is: the song on the new timeline, or less."""
        whole_s = self.timeline.seconds(self.own.beats(self.analysis.duration_s))
        return whole_s if wanted_s is None else min(whole_s, wanted_s)


@dataclass(frozen=True, slots=True)
class _Piece:
    """New music before it is mixed. `analysis` is None where nothing musical was heard in it."""

    played: Played
    analysis: Analysis | None
    timeline: TempoMap
    length_s: float
    sample_rate: int


def generate(
    song: Song | None, wanted: GenerateParameters, stages: Stages, deliver: Deliver = keep_for_later
) -> Outcome:
    """Play new music; with `song`, on that song's tempo, with its chords, form and melody."""
    followed = None if song is None else _listened(song, wanted, stages)
    choice = stages.backends.generator(melody=song is not None)
    with stages.stage("generate") as monitor:
        if not choice.is_neural:
            piece = _arranged(followed, wanted, choice, monitor)
        elif followed is None:
            piece = _from_words(wanted, stages, monitor)
        else:
            piece = _like(followed, wanted, stages, monitor)
    done = finish(
        piece.played.tracks, piece.played.placed, console_of(wanted.style, wanted.energy), stages, deliver
    )
    analysis = piece.analysis
    given = song.tempo_map if song is not None else None
    return Outcome(
        tracks=done.tracks,
        sample_rate=piece.sample_rate,
        duration_s=piece.length_s,
        length_s=piece.length_s,
        analysis=analysis,
        target_map=piece.timeline,
        timeline_source="generated" if song is None else "estimated" if given is None else "tempo map",
        arrangement=piece.played.arrangement,
        loudness=done.loudness,
        backends=(piece.played.backend,),
        takes=piece.played.takes,
        notes=(*piece.played.notes, *done.notes),
        chords=analysis.chords if analysis is not None else (),
        sections=analysis.sections if analysis is not None else (),
    )


def _listened(song: Song, wanted: GenerateParameters, stages: Stages) -> _Followed:
    stems, mix = stems_and_mix(song, stages)
    with stages.stage("analyze") as monitor:
        analysis = analysis_of(song, mix, stems, stages, monitor)
    own = map_of(analysis, song.tempo_map)
    return _Followed(analysis, stems, mix, own, own if wanted.bpm is None else own.steady(wanted.bpm))


def _arranged(
    followed: _Followed | None, wanted: GenerateParameters, choice: Choice, monitor: Monitor
) -> _Piece:
    if followed is None:
        analysis = invent_song(
            wanted.style,
            key=wanted.key,
            bpm=wanted.bpm,
            duration_s=wanted.duration_s or DURATION_S,
            seed=wanted.seed,
            words=wanted.words,
        )
        own = timeline = invented_map(wanted.style, analysis)
        rate = SAMPLE_RATE
    else:
        analysis, own, timeline = followed.analysis, followed.own, followed.timeline
        rate = followed.mix.sample_rate
    length_s = timeline.seconds(own.beats(analysis.duration_s))
    if wanted.duration_s is not None:
        length_s = min(length_s, wanted.duration_s)
    arrangement = arrange(
        analysis,
        own,
        timeline,
        wanted.style,
        seed=wanted.seed,
        energy=wanted.energy,
        brightness=wanted.brightness,
        keep=frozenset(),
        only=wanted.stem,
    )
    frames = round(length_s * rate)
    rendered = render_parts(arrangement, timeline, rate, frames, wanted.brightness, monitor)
    return _Piece(arranged(arrangement, rendered, wanted.energy, choice), analysis, timeline, length_s, rate)


def _from_words(wanted: GenerateParameters, stages: Stages, monitor: Monitor) -> _Piece:
    length_frames = round((wanted.duration_s or DURATION_S) * SAMPLE_RATE)
    track = from_words(
        wanted.told_style,
        wanted.wishes,
        stem=wanted.stem,
        key=wanted.key,
        bpm=wanted.bpm,
        metre=_metre(wanted.words),
        length_frames=length_frames,
        sample_rate=SAMPLE_RATE,
        energy=wanted.energy,
        brightness=wanted.brightness,
        stages=stages,
        monitor=monitor.part(0.0, LISTENED),
    )
    heard = _heard(track, monitor.part(LISTENED, 1.0))
    return _Piece(
        one_take(track, wanted.style, wanted.energy),
        heard,
        track.take.timeline,
        length_frames / SAMPLE_RATE,
        SAMPLE_RATE,
    )


def _metre(words: str) -> tuple[int, int]:
    """Return the time signature that words ask for; 4/4 where they ask for none, or for one that can't be counted."""
    try:
        beats, _, unit = (parse_metre(words) or "4/4").partition("/")
    except NrxError:
        return 4, 4
    return int(beats), int(unit)


def _heard(track: TakeTrack, monitor: Monitor) -> Analysis | None:
    """Return what a take sounds like, on the timeline that it lies on; None if there is nothing to hear in it."""
    from engine.analysis import analyze  # only where it is needed: it loads a lot

    lies_on = track.take.timeline if track.take.fit.is_fitted else None
    try:
        return analyze(None, track.take.audio, tempo_map=lies_on, monitor=monitor)
    except NrxError as error:
        if not error.code.startswith("input."):
            raise
        return None


def _like(followed: _Followed, wanted: GenerateParameters, stages: Stages, monitor: Monitor) -> _Piece:
    rate = followed.mix.sample_rate
    length_frames = round(followed.length_s(wanted.duration_s) * rate)
    track = like_song(
        followed.analysis,
        followed.own,
        followed.timeline,
        followed.stems,
        followed.mix,
        wanted.told_style,
        wanted.wishes,
        stem=wanted.stem,
        length_frames=length_frames,
        energy=wanted.energy,
        brightness=wanted.brightness,
        stages=stages,
        monitor=monitor,
    )
    return _Piece(
        one_take(track, wanted.style, wanted.energy),
        followed.analysis,
        followed.timeline,
        length_frames / rate,
        rate,
    )
