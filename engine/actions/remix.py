"""Remix a song in a style: separate, analyse, play anew, sync what is kept, mix, master.

The song's beats keep their numbers; only the tempo map under them may change. So parts are arranged on beats, or a
generator's take is fitted to them; kept stems are moved from the song's map to the new one; and all meet on the same
bars.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.actions.analyze import analysis_of, how_separated, origin_of, separated_of, stems_and_mix
from engine.actions.finish import finish, finite
from engine.actions.fit import (
    fit_stems,
    really_there,
    refuse_extreme_stretch,
    singer_notes,
    tuning_cents,
    tuning_notes,
)
from engine.actions.model import Deliver, Outcome, OutputTrack, Song, keep_for_later
from engine.actions.palette import ROLE_COLOURS
from engine.actions.perform import console_of, render_parts
from engine.actions.played import Played, arranged, one_take
from engine.actions.reroll import rerolled
from engine.actions.separate import about_separator, stem_tracks
from engine.actions.source import Mix
from engine.actions.taken import NAME, NeuralWishes, instrumental_for
from engine.actions.timeline import Plan, Tempo, moved_markers, plan_timeline
from engine.audio import Audio
from engine.errors import NrxError
from engine.generation.arranger import arrange
from engine.mixing import MixedTrack, MixTrack
from engine.presets import Style
from engine.progress import Monitor
from engine.stages import Stages

PLAN = (
    ("read", 0.03), ("separate", 0.42), ("analyze", 0.12), ("generate", 0.2), ("sync", 0.08), ("mix", 0.07),
    ("master", 0.08),
)  # fmt: skip
BYTES_PER_FRAME = 90.0


@dataclass(frozen=True, slots=True)
class RemixParameters:
    """What the person chose. `part_seeds`: part name -> a seed for that part alone.

    `neural` is for generators that play from weights; their seed is `seed` too.
    """

    style: Style
    energy: float = 1.0
    brightness: float = 1.0
    tempo: Tempo = "project"
    keep: frozenset[str] = frozenset({"vocals"})
    seed: int = 0
    part_seeds: Mapping[str, int] = field(default_factory=dict)
    neural: NeuralWishes = field(default_factory=NeuralWishes)


def remix(
    song: Song, parameters: RemixParameters, stages: Stages, deliver: Deliver = keep_for_later
) -> Outcome:
    """Remix `song`; separation and analysis are cached, so another style of the same song repeats neither."""
    style = parameters.style
    stems, mix = stems_and_mix(song, stages)
    separated = stem_tracks(separated_of(song, stages))
    for track in separated:
        deliver(track)
    with stages.stage("analyze") as monitor:
        analysis = analysis_of(song, mix, stems, stages, monitor)
    mix.let_go()
    plan = plan_timeline(analysis, song.tempo_map, parameters.tempo, style.tempo_range_bpm)
    keep, notes = really_there(stems, parameters.keep, mix)
    notes += singer_notes(song, analysis, keep)
    if keep:
        refuse_extreme_stretch(plan, song.name)
    cents = tuning_cents(plan, style, keep)
    length_frames = plan.length_frames(mix)
    # Fitting the voice and playing the parts need nothing of each other.
    with ThreadPoolExecutor(1) as beside:
        quiet = Monitor(is_cancelled=stages.is_cancelled)
        fitting = beside.submit(
            fit_stems, stems, keep, mix, plan, style, origin_of(song, stages), stages, quiet
        )
        with stages.stage("generate") as monitor:
            played = _played(plan, stems, mix, parameters, keep, cents, stages, monitor)
        with stages.stage("sync") as monitor:
            while not fitting.done():
                monitor.check()
                wait([fitting], timeout=0.2)
            kept = fitting.result()
            if kept and all(item.was_known for item in kept):
                stages.was_cached()
    roles = {item.name: item.role for item in kept}
    sync = tuple(item.summary for item in kept)
    tracks = {item.name: MixTrack(item.audio, item.role, may_overwrite=True) for item in kept}
    tracks |= played.tracks
    played.tracks.clear()
    kept.clear()

    def placed(mixed: Mapping[str, MixedTrack]) -> list[OutputTrack]:
        voices = [fitted_track(name, role, mixed[name]) for name, role in roles.items()]
        return [*voices, *played.placed(mixed)]

    done = finish(
        tracks, placed, console_of(style, parameters.energy, analysis.loudness_lufs), stages, deliver
    )
    chords, sections = moved_markers(plan)
    return Outcome(
        tracks=(*done.tracks[:-2], *separated, *done.tracks[-2:]),
        sample_rate=mix.sample_rate,
        duration_s=mix.duration_s,
        length_s=length_frames / mix.sample_rate,
        analysis=analysis,
        target_map=plan.target_map,
        timeline_source=plan.source,
        arrangement=played.arrangement,
        loudness=done.loudness,
        sync=sync,
        backends=((about_separator(stages.backends),) if separated else ()) + (played.backend,),
        takes=played.takes,
        notes=(
            *song.notes,
            *how_separated(song, stages),
            *analysis.notes,
            *notes,
            *tuning_notes(plan, style, cents),
            *played.notes,
            *done.notes,
        ),
        chords=chords,
        sections=sections,
    )


def _played(
    plan: Plan,
    stems: Mapping[str, Path | Audio],
    mix: Mix,
    parameters: RemixParameters,
    keep: frozenset[str],
    tuning_cents: float,
    stages: Stages,
    monitor: Monitor,
) -> Played:
    """Return what the chosen backend plays in place of what is not kept."""
    choice = stages.backends.generator(melody=True)
    energy, brightness = parameters.energy, parameters.brightness
    if choice.is_neural:
        track = instrumental_for(
            plan,
            stems,
            mix,
            parameters.style,
            _seeded(parameters),
            keep=keep,
            energy=energy,
            brightness=brightness,
            tuning_cents=tuning_cents,
            stages=stages,
            monitor=monitor,
        )
        return one_take(track, parameters.style, energy)
    arrangement = rerolled(
        lambda seed: arrange(
            plan.analysis,
            plan.source_map,
            plan.target_map,
            parameters.style,
            seed=seed,
            energy=energy,
            brightness=brightness,
            keep=keep,
        ),
        parameters.seed,
        parameters.part_seeds,
    )
    frames = plan.length_frames(mix)
    rendered = render_parts(
        arrangement, plan.target_map, mix.sample_rate, frames, brightness, monitor, tuning_cents
    )
    return arranged(arrangement, rendered, energy, choice)


def _seeded(parameters: RemixParameters) -> NeuralWishes:
    """Return what is asked of a neural generator, with the seed of its one part.

    Raises:
        NrxError: `request.invalid` for a part that it does not play.
    """
    for name in parameters.part_seeds:
        if name != NAME:
            raise NrxError(
                "request.invalid",
                f"There is no part {name!r} to play anew; this generator plays one, {NAME}.",
            )
    seed = parameters.part_seeds.get(NAME, parameters.seed)
    wanted = parameters.neural
    return replace(wanted, sampling=replace(wanted.sampling, seed=seed))


def fitted_track(name: str, role: str, mixed: MixedTrack) -> OutputTrack:
    """Return a kept stem as a track to publish, as it stands in the mix."""
    return OutputTrack(
        name=name,
        role=role,
        kind="fitted",
        colour=ROLE_COLOURS.get(role, ROLE_COLOURS["other"]),
        audio=mixed.audio,
        gain_db=mixed.gain_db,
        pan=mixed.pan,
        loudness_lufs=finite(mixed.loudness_lufs),
    )
