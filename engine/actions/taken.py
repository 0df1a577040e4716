"""A remix or a new piece played by a neural generator: what is asked of it, and its take as a track like any other.

Where the arranger gives parts of notes, a generator gives one track of sound. It is asked in words (style, tempo, key,
energy, brightness, and the person's own), follows the song's melody if the model can, is fitted to the timeline by the
beats that it really plays, and is mixed and mastered as the arranger's parts are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import log2, log10
from pathlib import Path

import numpy as np

from engine.actions.finish import finite
from engine.actions.model import Backend, OutputTrack, TakeSummary
from engine.actions.palette import ROLE_COLOURS
from engine.actions.perform import PARTS_DB_PER_DOUBLE_ENERGY
from engine.actions.separate import load_shape, load_stem
from engine.actions.source import Mix, power
from engine.actions.takes import TRIES, Order, Take, play
from engine.actions.timeline import Plan
from engine.analysis import Analysis, Extent
from engine.audio import Audio
from engine.backends import Choice
from engine.generation.melody import Melody
from engine.generation.musicgen.sampling import Sampling
from engine.generation.prompts import BEATLESS, Said, brightness_of, energy_of, prompt_for, stem_row
from engine.generation.registry import generator_of
from engine.mixing import MixedTrack, MixTrack
from engine.mixing.roles import balance_of
from engine.presets import Style
from engine.progress import SILENT, Monitor
from engine.stages import Stages
from engine.tempo import TempoMap

NAME, ROLE = "Instrumental", "instrumental"
MELODIC = ("other", "vocals")
"""Stems whose sum the melody models were trained to follow."""
AUDIBLE_DB = 30.0
RING_S = 0.5
_UNLED = (
    "{model} can't follow a melody: it was told the song's tempo and key alone; with musicgen-melody the song "
    "itself is followed."
)


@dataclass(frozen=True, slots=True)
class NeuralWishes:
    """What a person may ask of a neural generator beside what any generator is asked.

    `words` lead the prompt; `mood` is a word or two. `ahead` is how many takes with the next seeds will be asked for in
    jobs of their own, and `before` how many with the seeds before were: they are made together and ranked. `tries` is
    how many seeds are tried until a take can be fitted.
    """

    words: str = ""
    mood: str = ""
    sampling: Sampling = field(default_factory=Sampling)
    ahead: int = 0
    before: int = 0
    tries: int = TRIES


@dataclass(frozen=True, slots=True)
class TakeTrack:
    """A take as a track: what the mixer gets of it, and what the return shows."""

    name: str
    role: str
    take: Take
    backend: Backend
    notes: tuple[str, ...]

    @property
    def summary(self) -> TakeSummary:
        """What there is to tell of the take."""
        return self.take.summary

    def to_mix(self, style: Style, energy: float) -> dict[str, MixTrack]:
        """Return it for the mixer; energy moves it against what is kept of the song.

        A whole instrumental stands where all parts of the style together would.
        """
        level_db = PARTS_DB_PER_DOUBLE_ENERGY * log2(energy)
        if self.role == ROLE:
            level_db += band_db(style) - balance_of(ROLE, dict(style.balance_db.items()))
        return {self.name: MixTrack(self.take.audio, self.role, level_db=level_db, may_overwrite=True)}

    def placed(self, mixed: Mapping[str, MixedTrack]) -> list[OutputTrack]:
        """Return it as it stands in the mix."""
        track = mixed[self.name]
        return [
            OutputTrack(
                name=self.name,
                role=self.role,
                kind="generated",
                colour=ROLE_COLOURS.get(self.role, ROLE_COLOURS[ROLE]),
                audio=track.audio,
                gain_db=track.gain_db,
                pan=track.pan,
                loudness_lufs=finite(track.loudness_lufs),
            )
        ]


def band_db(style: Style) -> float:
    """Return the loudness of all roles that a style plays together, in LU relative to the vocals."""
    roles = {part.role for part in style.parts}
    return 10.0 * log10(sum(10.0 ** (style.balance_db[role] / 10.0) for role in roles))


def instrumental_for(
    plan: Plan,
    stems: Mapping[str, Path | Audio],
    mix: Mix,
    style: Style,
    wanted: NeuralWishes,
    *,
    keep: frozenset[str],
    energy: float,
    brightness: float,
    tuning_cents: float,
    stages: Stages,
    monitor: Monitor,
) -> TakeTrack:
    """Return an instrumental in `style` on the plan's timeline, that follows the melody of the song's stems.

    Raises:
        NrxError: whatever keeps the generator from playing.
    """
    length_frames = plan.length_frames(mix)
    length_s = length_frames / mix.sample_rate
    said = Said(
        words=wanted.words,
        mood=wanted.mood,
        style=style,
        bpm=plan.target_map.average_bpm(0.0, length_s),
        key=plan.analysis.key.name,
        energy=energy_of(energy, style),
        brightness=brightness_of(brightness),
        voiceless=True,
    )
    order = Order(
        prompt=prompt_for(said),
        melody=None,
        sampling=wanted.sampling,
        role=ROLE,
        length_frames=length_frames,
        sample_rate=mix.sample_rate,
        timeline=plan.target_map,
        from_first_bar=False,
        pitch_semitones=tuning_cents / 100.0,
        ahead=wanted.ahead,
        before=wanted.before,
        tries=wanted.tries,
    )
    track = taken(
        stages.backends.generator(melody=True),
        order,
        _Follow(stems, mix, plan.source_map, plan.target_map, keep),
        NAME,
        stages,
        monitor,
    )
    extent = plan.analysis.extent
    if extent is None:
        return track
    return replace(track, take=replace(track.take, audio=within_song(track.take.audio, extent, plan)))


def like_song(
    analysis: Analysis,
    own: TempoMap,
    timeline: TempoMap,
    stems: Mapping[str, Path | Audio],
    mix: Mix,
    style: Style | None,
    wanted: NeuralWishes,
    *,
    stem: str | None,
    length_frames: int,
    energy: float,
    brightness: float,
    stages: Stages,
    monitor: Monitor,
) -> TakeTrack:
    """Return a variation of a song (or one stem for it) on `timeline`: its key, tempo, energy, brightness and melody.

    Raises:
        NrxError: whatever keeps the generator from playing.
    """
    said = Said(
        words=wanted.words,
        mood=wanted.mood,
        style=style,
        stem=stem,
        bpm=timeline.average_bpm(0.0, length_frames / mix.sample_rate),
        key=analysis.key.name,
        energy=energy_of(energy, style, analysis.loudness_lufs),
        brightness=brightness_of(brightness, analysis.mean_brightness_hz),
    )
    role, name = _role_and_name(stem)
    order = Order(
        prompt=prompt_for(said),
        melody=None,
        sampling=wanted.sampling,
        role=role,
        length_frames=length_frames,
        sample_rate=mix.sample_rate,
        timeline=timeline,
        from_first_bar=False,
        pitch_semitones=analysis.tuning_cents / 100.0,
        may_lack_beat=stem in BEATLESS,
        ahead=wanted.ahead,
        before=wanted.before,
        tries=wanted.tries,
    )
    follow = _Follow(stems, mix, own, timeline, frozenset())
    return taken(stages.backends.generator(melody=True), order, follow, name, stages, monitor)


def from_words(
    style: Style | None,
    wanted: NeuralWishes,
    *,
    stem: str | None,
    key: str | None,
    bpm: float | None,
    metre: tuple[int, int],
    length_frames: int,
    sample_rate: int,
    energy: float,
    brightness: float,
    stages: Stages,
    monitor: Monitor,
) -> TakeTrack:
    """Return new music, or one stem, from words alone; without `bpm` in the tempo that it turns out to be played in.

    Raises:
        NrxError: whatever keeps the generator from playing; `request.invalid` for an unknown stem.
    """
    said = Said(
        words=wanted.words,
        mood=wanted.mood,
        style=style,
        stem=stem,
        bpm=bpm,
        key=key,
        energy=energy_of(energy, style),
        brightness=brightness_of(brightness),
    )
    role, name = _role_and_name(stem)
    timeline = None if bpm is None else TempoMap.constant(bpm, numerator=metre[0], denominator=metre[1])
    order = Order(
        prompt=prompt_for(said),
        melody=None,
        sampling=wanted.sampling,
        role=role,
        length_frames=length_frames,
        sample_rate=sample_rate,
        timeline=timeline,
        from_first_bar=True,
        may_lack_beat=stem in BEATLESS,
        ahead=wanted.ahead,
        before=wanted.before,
        tries=wanted.tries,
    )
    return taken(stages.backends.generator(), order, None, name, stages, monitor)


@dataclass(frozen=True, slots=True)
class _Follow:
    """The song that is followed: stems, mix, the map of its own time and of the wanted one, and what is kept of it."""

    stems: Mapping[str, Path | Audio]
    mix: Mix
    own: TempoMap
    timeline: TempoMap
    keep: frozenset[str]

    def song(self) -> Audio:
        """Return the song itself."""
        return self.mix.audio or self.mix.read(SILENT)

    def melody(self, monitor: Monitor) -> Melody:
        """Return what a generator is to follow."""
        audio = melodic_part(self.stems, self.mix, self.keep)
        if self.own is self.timeline:
            return Melody.of(audio, monitor=monitor)
        own, timeline = self.own, self.timeline
        return Melody.of(audio, lambda wanted_s: np.asarray(own.seconds(timeline.beats(wanted_s))), monitor)


def taken(
    choice: Choice, order: Order, follow: _Follow | None, name: str, stages: Stages, monitor: Monitor
) -> TakeTrack:
    """Play an order with the backend that was chosen.

    Raises:
        NrxError: whatever keeps the generator from playing.
    """
    generator = generator_of(choice, stages.backends)
    info = generator.info
    notes = info.notes
    if follow is not None:
        order = replace(order, like=follow.song)
    if follow is not None and not info.follows_melody:
        notes = (*notes, _UNLED.format(model=info.model))
    elif follow is not None:
        order = replace(order, melody=follow.melody(monitor.part(0.0, 0.03)))
    take = play(generator, order, stages, monitor.part(0.03, 1.0))
    if take.summary.device:
        stages.backends.used_device = take.summary.device.partition(" ")[0]
    backend = Backend(
        "generate",
        choice.name,
        info.version,
        info.description,
        info.licence,
        commercial_use=info.commercial_use,
        model=info.model,
        revision=info.revision,
        device=take.summary.device or None,
        why=choice.why,
    )
    return TakeTrack(name, order.role, take, backend, (*notes, *take.notes))


def melodic_part(stems: Mapping[str, Path | Audio], mix: Mix, keep: frozenset[str]) -> Audio:
    """Return what of a song carries the melody for a generator, in mono.

    It is the instruments without drums and bass, with the voice if that is not kept; else the bass, else the whole mix.
    """
    audible = mix.power * 10.0 ** (-AUDIBLE_DB / 10.0)
    for roles in (tuple(role for role in MELODIC if role not in keep), ("bass",)):
        there = [stems[role] for role in roles if role in stems and _power(stems[role]) > audible]
        if there:
            total = np.zeros(0, np.float32)
            for stem in there:
                mono = (load_stem(stem) if isinstance(stem, Path) else stem).mono()
                total = mono if total.size == 0 else total + mono
            return Audio(total[None, :], mix.sample_rate)
    return Audio(mix.sound().mono()[None, :], mix.sample_rate)


def _power(stem: Path | Audio) -> float:
    if isinstance(stem, Path):
        return float(np.mean(np.square(load_shape(stem).rms, dtype=np.float64)))
    return power(stem)


def within_song(audio: Audio, extent: Extent, plan: Plan) -> Audio:
    """Return an instrumental that starts and ends where the song sounds, and fades as it does."""
    points = [(0.0, -120.0), (extent.starts_s, -120.0)] if extent.starts_s > RING_S else []
    points += [(extent.starts_s + 0.001, 0.0)]
    if extent.ending == "fade" and extent.fade:
        points += list(extent.fade)
    elif extent.ending == "stop":
        points += [
            (extent.last_attack_s + RING_S, 0.0),
            (max(extent.ends_s, extent.last_attack_s + 2 * RING_S), -60.0),
        ]
    moments_s = np.array([at for at, _ in points])
    moved_s = np.asarray(plan.target_map.seconds(plan.source_map.beats(moments_s)))
    levels_db = np.array([level for _, level in points])
    samples = audio.samples.copy()
    block = 1 << 16
    for first in range(0, audio.frames, block):
        at_s = np.arange(first, min(audio.frames, first + block)) / audio.sample_rate
        samples[:, first : first + block] *= 10.0 ** (np.interp(at_s, moved_s, levels_db) / 20.0)
    return Audio(samples, audio.sample_rate)


def _role_and_name(stem: str | None) -> tuple[str, str]:
    if stem is None:
        return ROLE, NAME
    role, word, _ = stem_row(stem)
    return role, word.capitalize()
