"""Analyse a song: separate first (chords and downbeats are heard far better in stems), then listen. Cached as JSON."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

from engine.actions.model import Outcome, Song
from engine.actions.roles import STEM_GROUPS
from engine.actions.separate import (
    about_separator,
    depends_on,
    known_files,
    known_mix,
    load_stem,
    separated_by,
    separated_files,
    separation_notes,
    stem_tracks,
)
from engine.actions.source import MOST_CHANNELS, Mix, mix_of, read_mix, read_stems, sum_of
from engine.actions.timeline import map_of
from engine.analysis import ANALYSIS_VERSION, Analysis
from engine.audio import Audio
from engine.mixing.roles import ALIASES
from engine.progress import Monitor
from engine.separation.protocol import STEMS
from engine.stages import Stages

PLAN = (("read", 0.05), ("separate", 0.7), ("analyze", 0.25))
_JSON: TypeAdapter[Analysis] = TypeAdapter(Analysis)
_FILE = "analysis.json"
BYTES_PER_FRAME = 55.0


def analysis_of(
    song: Song, mix: Mix, stems: Mapping[str, Path | Audio], stages: Stages, monitor: Monitor
) -> Analysis:
    """Return the analysis of a song from its stems, from the cache or made now."""
    listened_to = {
        "audio": [[source.sha256, source.role] for source in song.sources],
        "stems": None if song.has_stems else [*separated_by(stages.backends), sorted(stems)],
        "tempo_map": song.tempo_map.to_json() if song.tempo_map is not None else None,
        "tempo_range_bpm": list(song.tempo_range_bpm or ()),
        "version": ANALYSIS_VERSION,
    }

    def fill(folder: Path) -> None:
        from engine.analysis import analyze  # only where it is needed: it loads a lot

        loaded = {role: stem if isinstance(stem, Audio) else load_stem(stem) for role, stem in stems.items()}
        result = analyze(
            loaded,
            mix.sound(),
            tempo_map=song.tempo_map,
            tempo_range_bpm=song.tempo_range_bpm,
            monitor=monitor,
        )
        (folder / _FILE).write_bytes(_JSON.dump_json(result))

    return _JSON.validate_json((stages.cached("analyze", listened_to, fill) / _FILE).read_bytes())


def origin_of(song: Song, stages: Stages) -> dict[str, object]:
    """Return all that the stems from `stems_and_mix` depend on, to be hashed."""
    if song.has_stems:
        return {"stems": [[source.sha256, source.role] for source in song.sources]}
    return depends_on(song, _channels(song), stages.backends)


def _channels(song: Song) -> int:
    return min(song.sources[0].info.channels, MOST_CHANNELS)


def stems_and_mix(song: Song, stages: Stages) -> tuple[dict[str, Path | Audio], Mix]:
    """Run the stages `read` and `separate`: role -> stem (a file where it was separated, sound where it was given)."""
    if song.has_stems:
        with stages.stage("read") as monitor:
            given = read_stems(song, monitor)
        with stages.stage("separate"):
            return dict(given), mix_of(
                sum_of(list(given.values())), lambda _monitor: sum_of(list(given.values()))
            )
    channels = _channels(song)

    def read(monitor: Monitor) -> Audio:
        return read_mix(song, monitor)

    with stages.stage("read") as monitor:
        mix = known_mix(song, channels, stages, read) or mix_of(read(monitor), read)
    with stages.stage("separate") as monitor:
        return four_stems(separated_files(song, mix, channels, stages, monitor)), mix


def separated_of(song: Song, stages: Stages) -> dict[str, Path]:
    """Return the files that `stems_and_mix` has separated, role -> file; none where stems were given."""
    return {} if song.has_stems else known_files(song, _channels(song), stages)


def how_separated(song: Song, stages: Stages) -> tuple[str, ...]:
    """Return what a person should know of how a song was separated; nothing where stems were given."""
    return () if song.has_stems else separation_notes(song, _channels(song), stages)


def four_stems(files: Mapping[str, Path]) -> dict[str, Path | Audio]:
    """Return vocals, drums, bass and other of a separation into these or more: what is more goes into its group."""
    groups: dict[str, list[Path]] = {}
    for role, file in files.items():
        groups.setdefault(STEM_GROUPS[ALIASES.get(role, role)], []).append(file)
    return {
        role: groups[role][0]
        if len(groups[role]) == 1
        else sum_of([load_stem(file) for file in groups[role]])
        for role in STEMS
        if role in groups
    }


def analyze_song(song: Song, stages: Stages) -> Outcome:
    """Analyse a song; the outcome has no tracks."""
    stems, mix = stems_and_mix(song, stages)
    with stages.stage("analyze") as monitor:
        analysis = analysis_of(song, mix, stems, stages, monitor)
    return Outcome(
        tracks=(),
        sample_rate=mix.sample_rate,
        duration_s=mix.duration_s,
        length_s=mix.duration_s,
        analysis=analysis,
        target_map=map_of(analysis, song.tempo_map),
        pictured=tuple(stem_tracks(separated_of(song, stages))),
        chords=analysis.chords,
        sections=analysis.sections,
        timeline_source=analysis.tempo_source,
        backends=() if song.has_stems else (about_separator(stages.backends),),
        notes=(*song.notes, *how_separated(song, stages), *analysis.notes),
    )
