"""From a checked `Request` to something that can run: the table of actions, each a function that prepares a `Recipe`.

Preparing opens the inputs by their headers, loads the style, and refuses what can't work, before any work is done.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from bridge.backends import backends_of
from bridge.config import Settings
from bridge.protocol import Request
from engine.actions.model import Deliver, Outcome, Song, SourceFile
from engine.actions.source import PROGRAM_BYTES, open_source, refuse_what_is_too_long
from engine.audio import Limits, best_subtype
from engine.backends import Backends, Choice, built_in_only
from engine.errors import NrxError
from engine.presets import Style, list_styles, load_style
from engine.stages import Stages
from engine.tempo import TempoMap, map_and_report
from engine.thrift import at_a_time

Sources = tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A job that is ready to run.

    `name` is what the return's folder will be called, `plan` the stages with their shares, `disk_bytes` what the return
    needs at most, `subtype` what its tracks are written as.
    """

    name: str
    plan: tuple[tuple[str, float], ...]
    run: Callable[[Stages, Deliver], Outcome]
    disk_bytes: int
    subtype: str
    sources: Sources = ()
    style: Style | None = None
    start_frame: int = 0
    backends: Backends = field(default_factory=built_in_only)


def prepare(request: Request, settings: Settings, opened: Sources | None = None) -> Recipe:
    """Return the recipe for a request.

    Args:
        request: what is asked.
        settings: limits and folders.
        opened: the inputs, in their order, where they have been opened already (a daemon works on snapshots).

    Raises:
        NrxError: any `input.*`, `style.unknown`, `preset.invalid`, `request.invalid`; any `model.*` for a backend that
            was asked for by name and cannot be used.
    """
    sources = _placed(opened or open_inputs(request, settings), request)
    backends = backends_of(settings, request)
    if request.action in SEPARATING and any(source.role is None for source in sources):
        backends.separator()
    if request.action == "separate":
        _refuse_stems_that_do_not_come(request, backends)
    if request.action in GENERATING:
        _refuse_what_is_not_played(request, backends.generator(melody=bool(request.inputs)))
    recipe = PREPARE[request.action](request, settings, sources)
    return replace(recipe, backends=backends, plan=_weighed(recipe.plan, backends, request))


def _refuse_stems_that_do_not_come(request: Request, backends: Backends) -> None:
    """Refuse a stem that the chosen separator does not give."""
    from engine.separation import separator_of, stem_names

    stem_names(request.two_stems, separator_of(backends).info.stems)


OPENED_AT_ONCE = 2
SEPARATING = ("remix", "separate", "analyze", "generate", "sync")
"""Actions that separate what comes without roles."""
GENERATING = ("remix", "generate")
"""Actions that play something new."""
NEURAL_WEIGHTS = {"separate": 8.0, "generate": 40.0}
"""How much longer stages take with a neural backend than with the built-in one, for progress."""


def _weighed(
    plan: tuple[tuple[str, float], ...], backends: Backends, request: Request
) -> tuple[tuple[str, float], ...]:
    """Return the plan with its shares as the backends take them."""
    stages = {stage for stage, _ in plan}
    neural = {"separate"} if "separate" in stages and backends.separator().is_neural else set()
    if request.action in GENERATING and backends.generator(melody=bool(request.inputs)).is_neural:
        neural.add("generate")
    return tuple(
        (stage, share * (NEURAL_WEIGHTS[stage] if stage in neural else 1.0)) for stage, share in plan
    )


def _refuse_what_is_not_played(request: Request, choice: Choice) -> None:
    """Refuse a stem that the chosen generator does not play; the arranger has its own list."""
    if choice.is_neural and request.stem is not None:
        from engine.generation.prompts import stem_row

        stem_row(request.stem)


def open_inputs(request: Request, settings: Settings) -> tuple[SourceFile, ...]:
    """Open the inputs by their headers, a few at a time: their bytes are hashed.

    Raises:
        NrxError: any `input.*`, and `request.invalid` for a role that there is not; of the first that has one.
    """
    limits = Limits(max_bytes=int(settings.input_max_gb * 1e9))
    with ThreadPoolExecutor(at_a_time(OPENED_AT_ONCE), thread_name_prefix="nrx-open") as pool:
        opened = pool.map(
            lambda item: open_source(Path(item.path).expanduser(), limits, item.role), request.inputs
        )
        return tuple(opened)


def _placed(sources: Sources, request: Request) -> Sources:
    """Return the inputs where the request's timeline says that they start."""
    if request.timeline is None:
        return sources
    start_s = request.timeline.start_s
    return tuple(
        replace(
            source,
            info=replace(source.info, time_reference_frames=round(start_s * source.info.sample_rate)),
        )
        for source in sources
    )


def _song(request: Request, sources: Sources) -> Song:
    if len(sources) > 1 and any(source.role is None for source in sources):
        raise NrxError(
            "request.invalid", "Several files in one job need a role each, as vocals=a.wav drums=b.wav."
        )
    given: TempoMap | None = None
    notes: tuple[str, ...] = ()
    if request.tempo_map is not None:
        given, report = map_and_report(request.tempo_map)
        notes = (report.sentence,) if report is not None and report.differs else ()
    name = Path(request.inputs[0].name or sources[0].shown.name).stem
    return Song(name, sources, given, request.tempo_range_bpm, notes)


def _style(style_id: str, settings: Settings) -> Style:
    """Load a style, the user's own before ours, and check that all it names can be played."""
    from engine.generation.arranger.check import check_style

    style = load_style(style_id, (settings.styles_folder,))
    if _checked.get(style_id) is not style:
        check_style(style)
        _checked[style_id] = style
    return style


_checked: dict[str, Style] = {}
"""Styles that have been checked as they are; one that has changed is another object."""


def _of_song(
    settings: Settings,
    song: Song,
    *,
    name: str,
    plan: tuple[tuple[str, float], ...],
    run: Callable[[Stages, Deliver], Outcome],
    bytes_per_frame: float,
    tracks: int,
    style: Style | None = None,
) -> Recipe:
    """Complete the recipe of an action that works on a song of this length."""
    refuse_what_is_too_long(song, bytes_per_frame, settings.memory_max_gb)
    subtype = best_subtype(song.sources[0].info)
    frames = max(source.info.frames or 0 for source in song.sources)
    return Recipe(
        name=f"{song.name} - {name}",
        plan=plan,
        run=run,
        disk_bytes=frames * 2 * (4 if subtype == "FLOAT" else 3) * tracks + 20_000_000,
        subtype=subtype,
        sources=song.sources,
        style=style,
        start_frame=song.start_frame,
    )


def _remix(request: Request, settings: Settings, sources: Sources) -> Recipe:
    from bridge.generation_request import neural_wishes
    from engine.actions import remix

    style = _style(request.style or "", settings)
    song = _song(request, sources)
    parameters = remix.RemixParameters(
        style=style,
        energy=request.energy,
        brightness=request.brightness,
        tempo=request.tempo,
        keep=frozenset(request.keep),
        seed=request.seed,
        part_seeds=request.part_seeds,
        neural=neural_wishes(request),
    )
    return _of_song(
        settings,
        song,
        name=style.id,
        plan=remix.PLAN,
        run=lambda stages, deliver: remix.remix(song, parameters, stages, deliver),
        bytes_per_frame=remix.BYTES_PER_FRAME,
        tracks=13,
        style=style,
    )


def _separate(request: Request, settings: Settings, sources: Sources) -> Recipe:
    from engine.actions import separate

    song = _song(request, sources)
    return _of_song(
        settings,
        song,
        name="separated",
        plan=separate.PLAN,
        run=lambda stages, _deliver: separate.separate(song, stages, two_stems=request.two_stems),
        bytes_per_frame=separate.BYTES_PER_FRAME,
        tracks=8,
    )


def _analyze(request: Request, settings: Settings, sources: Sources) -> Recipe:
    from engine.actions import analyze

    song = _song(request, sources)
    return _of_song(
        settings,
        song,
        name="analysis",
        plan=analyze.PLAN,
        run=lambda stages, _deliver: analyze.analyze_song(song, stages),
        bytes_per_frame=analyze.BYTES_PER_FRAME,
        tracks=8,
    )


def _generate(request: Request, settings: Settings, sources: Sources) -> Recipe:
    from bridge.generation_request import neural_wishes
    from engine.actions import generate
    from engine.generation.arranger import check_stem, parse_key, parse_words, style_for_words
    from engine.generation.prompts import stem_row

    song = _song(request, sources) if request.inputs else None
    extra = (settings.styles_folder,)
    styles = [load_style(name, extra) for name in list_styles(extra)]
    near, bpm, key = parse_words(request.prompt or "", styles)
    style = _style(request.style or near, settings)
    told = style if request.style is not None else None
    is_neural = backends_of(settings, request).generator(melody=song is not None).is_neural
    if not is_neural:
        told = style = style_for_words(style, request.prompt or "")
    if request.key is not None:
        parse_key(request.key)
    if request.stem is not None:
        (stem_row if is_neural else check_stem)(request.stem)
    wanted = generate.GenerateParameters(
        style=style,
        words=request.prompt or "",
        stem=request.stem,
        key=request.key or key,
        bpm=request.bpm or bpm,
        duration_s=request.duration_s,
        energy=request.energy,
        brightness=request.brightness,
        seed=request.seed,
        style_was_asked=request.style is not None,
        neural=neural_wishes(request),
    )

    def run(stages: Stages, deliver: Deliver) -> Outcome:
        return generate.generate(song, wanted, stages, deliver)

    if song is not None:
        return _of_song(
            settings,
            song,
            name="like it" if told is None else f"like it, {told.id}",
            plan=generate.PLAN_LIKE,
            run=run,
            bytes_per_frame=generate.BYTES_PER_FRAME,
            tracks=10,
            style=told,
        )
    frames = (request.duration_s or generate.DURATION_S) * generate.SAMPLE_RATE
    room = max(0.0, settings.memory_max_gb * 1e9 - PROGRAM_BYTES)
    longest_s = room / generate.BYTES_PER_FRAME / generate.SAMPLE_RATE
    if frames > longest_s * generate.SAMPLE_RATE:
        raise NrxError(
            "request.invalid",
            f"A duration of {frames / generate.SAMPLE_RATE:.0f} s needs more memory than allowed; at most "
            f"{longest_s:.0f} s fit in {settings.memory_max_gb:g} GB.",
        )
    return Recipe(
        name=f"{request.prompt or request.stem or style.id} - generated",
        plan=generate.PLAN,
        run=run,
        disk_bytes=int(frames) * 60 + 20_000_000,
        subtype="PCM_24",
        style=told,
    )


def _sync(request: Request, settings: Settings, sources: Sources) -> Recipe:
    from engine.actions import sync

    song = _song(request.model_copy(update={"tempo_map": None}), sources)
    target, _ = map_and_report(request.tempo_map) if request.tempo_map is not None else (None, None)
    bpm = request.tempo if isinstance(request.tempo, float) else None
    if target is None and bpm is None:
        raise NrxError(
            "request.invalid", "sync needs what to fit to: --tempo with a number in BPM, or --tempo-map."
        )
    return _of_song(
        settings,
        song,
        name="synced",
        plan=sync.PLAN if request.bpm is None else sync.PLAN_KNOWN,
        run=lambda stages, _deliver: sync.sync(
            song, stages, source_bpm=request.bpm, target_bpm=bpm, target_map=target, pitch=request.pitch
        ),
        bytes_per_frame=sync.BYTES_PER_FRAME,
        tracks=4,
    )


def _mix(request: Request, settings: Settings, sources: Sources) -> Recipe:
    from bridge.mastering_request import split_references
    from bridge.mixing_request import mix_parameters
    from engine.actions import mix

    files, references = split_references(sources)
    parameters = mix_parameters(request, references)
    song = Song(files[0].shown.parent.name or "stems", files)
    recipe = _of_song(
        settings,
        song,
        name="mix",
        plan=mix.PLAN if parameters.wishes is not None else mix.PLAN_UNMASTERED,
        run=lambda stages, deliver: mix.mix_stems(song, parameters, stages, deliver),
        bytes_per_frame=mix.BYTES_PER_FRAME + mix.BYTES_PER_FRAME_AND_STEM * len(files),
        tracks=len(files) + 5 if parameters.tracks else 2,
    )
    return replace(recipe, sources=sources, start_frame=mix.start_frame_of(song))


def _master(request: Request, settings: Settings, sources: Sources) -> Recipe:
    from bridge.mastering_request import split_references, wishes_of
    from engine.actions import master

    files, references = split_references(sources)
    if len(files) > 1 and not request.mastering.album:
        raise NrxError("request.invalid", "Several songs in one master are an album: say so with --album.")
    songs = [Song(source.shown.stem, (source,)) for source in files]
    parameters = master.MasterParameters(
        wishes_of(request),
        references,
        album=request.mastering.album,
        codec_preview=request.mastering.codec_preview,
    )
    for song in songs:
        refuse_what_is_too_long(song, master.BYTES_PER_FRAME, settings.memory_max_gb)
    recipe = _of_song(
        settings,
        songs[0],
        name="master" if len(songs) == 1 else "album",
        plan=master.PLAN,
        run=lambda stages, _deliver: master.master_songs(songs, parameters, stages),
        bytes_per_frame=master.BYTES_PER_FRAME,
        tracks=len(songs),
    )
    return replace(recipe, sources=sources)


PREPARE: dict[str, Callable[[Request, Settings, Sources], Recipe]] = {
    "remix": _remix,
    "separate": _separate,
    "analyze": _analyze,
    "generate": _generate,
    "sync": _sync,
    "mix": _mix,
    "master": _master,
}
