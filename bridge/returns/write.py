"""Writes what an action made into a return's folder: tracks, MIDI, picture, and last the manifest."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bridge.protocol import (
    AnalysisInfo,
    BackendInfo,
    ChordInfo,
    CurveInfo,
    KeyInfo,
    LoudnessInfo,
    Manifest,
    MelodyInfo,
    SectionInfo,
    SourceFile,
    SyncInfo,
    TakeInfo,
    TempoCandidateInfo,
    TimelineInfo,
    TimeSignatureAt,
    Track,
)
from bridge.returns.folder import MANIFEST, safe_name, write_file, writing_to
from bridge.returns.report import write_report
from engine.actions.model import Outcome, OutputTrack
from engine.analysis.model import Analysis, Curve
from engine.audio import AudioInfo, Envelope, envelope, probe, write_wav
from engine.progress import Monitor
from engine.thrift import at_a_time

if TYPE_CHECKING:
    from bridge.recipes import Recipe
    from bridge.returns.overview import OverviewTrack

_T = TypeVar("_T")

WRITERS = 2
"""Files written at a time."""
PLACES = {"mix": "mix.wav", "master": "master.wav"}


@dataclass(frozen=True, slots=True)
class _Writing:
    """A track on its way to the disk: its waveform is there first, then the header of the finished file."""

    item: OutputTrack
    file: str
    shape: Future[Envelope]
    header: Future[AudioInfo]


class TrackWriter:
    """Writes tracks while later stages still run: hand each over as it is finished, then ask for all of them.

    What is told of a track may still be filled in while it is written; its sound must not change any more.
    """

    def __init__(self, folder: Path, subtype: str, start_frame: int) -> None:
        self._folder, self._subtype, self._start_frame = folder, subtype, start_frame
        self._pool = ThreadPoolExecutor(at_a_time(WRITERS), thread_name_prefix="nrx-writer")
        self._places: set[str] = set()
        self._given: list[_Writing] = []

    def submit(self, item: OutputTrack) -> None:
        """Start to write a track."""
        place = _place(item, self._places)
        with writing_to(self._folder):
            (self._folder / place).parent.mkdir(exist_ok=True)
        shape: Future[Envelope] = Future()
        header = self._pool.submit(self._write, item, self._folder / place, shape)
        self._given.append(_Writing(item, place, shape, header))

    def shapes(self, items: Sequence[OutputTrack], monitor: Monitor) -> list[Envelope]:
        """Return the waveforms of `items`, which may still be being written; those not handed over yet are now.

        Raises:
            NrxError: what writing failed with.
        """
        for item in items:
            if not any(given.item is item for given in self._given):
                self.submit(item)
        return [_result(self._of(item).shape, monitor) for item in items]

    def finish(self, items: Sequence[OutputTrack], monitor: Monitor) -> list[Track]:
        """Return what the manifest says of `items`, all of which have been handed over, once they are written.

        Raises:
            NrxError: what writing failed with.
        """
        written = []
        for index, item in enumerate(items):
            writing = self._of(item)
            written.append(self._track(writing, _result(writing.header, monitor)))
            monitor.report((index + 1) / len(items))
        return written

    def close(self) -> None:
        """Start no more writing, and wait for what is being written."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _of(self, item: OutputTrack) -> _Writing:
        return next(given for given in self._given if given.item is item)

    def _write(self, item: OutputTrack, path: Path, shape: Future[Envelope]) -> AudioInfo:
        try:
            drawn = _shape_of(item)
        except BaseException as error:
            shape.set_exception(error)
            raise
        shape.set_result(drawn)
        _write_audio(path, item, drawn, self._subtype, self._start_frame)
        return probe(path)

    def _track(self, writing: _Writing, info: AudioInfo) -> Track:
        item = writing.item
        return Track(
            name=item.name,
            role=item.role,
            kind=item.kind,
            file=writing.file,
            start_s=self._start_frame / info.sample_rate,
            start_frame=self._start_frame,
            frames=info.frames or 0,
            sample_rate=info.sample_rate,
            channels=info.channels,
            subtype=info.subtype,
            colour=item.colour,
            gain_db=round(item.gain_db, 4),
            pan=item.pan,
            muted=item.muted,
            loudness_lufs=_or_none(item.loudness_lufs),
            midi=_midi_place(item.part) if item.has_midi and item.part is not None else None,
        )


def _result(future: Future[_T], monitor: Monitor) -> _T:
    """Wait for a future, listening for a cancel."""
    while not future.done():
        monitor.check()
        wait([future], timeout=0.2)
    return future.result()


def write_files(
    folder: Path, outcome: Outcome, recipe: "Recipe", tracks: TrackWriter, monitor: Monitor
) -> dict[str, Any]:
    """Write everything but the manifest; return the manifest's fields that tell of it."""
    with ThreadPoolExecutor(1) as beside:
        notes = beside.submit(write_midi_files, folder, outcome)
        shapes = tracks.shapes(outcome.tracks, monitor)
        shown = [_shown(item, shape) for item, shape in zip(outcome.tracks, shapes, strict=True)]
        shown = shown or [_pictured(item) for item in outcome.pictured]
        picture = _picture(outcome, recipe, shown) if shown else b""
        written = tracks.finish(outcome.tracks, monitor.part(0.0, 0.9))
        files = {f"midi {name}": path for name, path in notes.result().items()}
    if picture:
        with writing_to(folder):
            write_file(folder / "overview.png", picture)
        files["overview"] = "overview.png"
    for name, text in outcome.texts.items():
        with writing_to(folder):
            write_file(folder / name, text.encode())
        files[name] = name
    if outcome.report is not None:
        files.update(write_report(folder, outcome.report, recipe.name))
    monitor.report(1.0)
    return {
        "style": recipe.style.id if recipe.style is not None else None,
        "source": tuple(_source_info(source) for source in recipe.sources),
        "tracks": tuple(written),
        "files": files,
        "timeline": _timeline(outcome, recipe),
        "analysis": analysis_info(outcome.analysis) if outcome.analysis is not None else None,
        "sync": tuple(SyncInfo(**_fields(item)) for item in outcome.sync),
        "loudness": {name: LoudnessInfo(**_fields(item)) for name, item in outcome.loudness.items()},
        "backends": tuple(BackendInfo(**_fields(item)) for item in outcome.backends),
        "takes": tuple(TakeInfo.model_validate(asdict(item)) for item in outcome.takes),
        "licences": tuple(dict.fromkeys(_licences(outcome))),
        "notes": outcome.notes,
    }


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, last of all: a folder that has one is whole."""
    with writing_to(folder):
        (folder / MANIFEST).unlink(missing_ok=True)
        write_file(folder / MANIFEST, manifest.model_dump_json(indent=1).encode(), sync=True)


def write_midi_files(folder: Path, outcome: Outcome) -> dict[str, str]:
    """Write one MIDI file a part and `song.mid` with tempo map, markers and all parts; return name -> relative path."""
    if outcome.target_map is None:
        return {}
    from engine.generation.arranger.midi import write_part_midi, write_song_midi
    from engine.generation.model import Arrangement

    written: dict[str, str] = {}
    with writing_to(folder):
        (folder / "midi").mkdir()
        parts = outcome.arrangement.parts if outcome.arrangement is not None else ()
        for part in parts:
            written[part.name] = _midi_place(part.name)
            write_part_midi(folder / written[part.name], part, outcome.target_map)
        whole = outcome.arrangement or Arrangement(
            (), float(outcome.target_map.beats(outcome.duration_s)), 0, ""
        )
        written["song"] = "midi/song.mid"
        write_song_midi(
            folder / written["song"],
            whole,
            outcome.target_map,
            chords=outcome.chords,
            sections=outcome.sections,
        )
    return written


def _midi_place(part: str) -> str:
    return f"midi/{safe_name(part).lower().replace(' ', '_')}.mid"


def _place(item: OutputTrack, taken: set[str]) -> str:
    """Return the relative path of a track: `mix.wav` and `master.wav` at the top, everything else below `tracks/`."""
    name = PLACES.get(item.kind) if item.part is None else None
    if name is None:
        base = f"tracks/{item.kind}_{safe_name(item.part or item.role, 80).lower().replace(' ', '_')}"
        name, count = f"{base}.wav", 1
        while name in taken:
            count += 1
            name = f"{base}_{count}.wav"
    taken.add(name)
    return name


def _shape_of(item: OutputTrack) -> Envelope:
    if item.shape is not None:
        return item.shape
    if item.audio is None:
        raise ValueError(f"track {item.name} has neither sound nor waveform")
    return envelope(item.audio)


def _write_audio(path: Path, item: OutputTrack, shape: Envelope, subtype: str, start_frame: int) -> None:
    if item.ready is not None:
        with writing_to(path.parent):
            if item.disposable:
                shutil.move(item.ready, path)
            else:
                shutil.copyfile(item.ready, path)
        return
    if item.audio is None:
        raise ValueError(f"track {item.name} has no sound")
    exceeds = max(float(shape.highest.max(initial=0.0)), -float(shape.lowest.min(initial=0.0))) >= 1.0
    chosen = "PCM_24" if item.kind == "master" else "FLOAT" if exceeds else subtype
    write_wav(path, item.audio, chosen, time_reference_frames=start_frame, unread=True)
    item.audio = None


def _shown(item: OutputTrack, shape: Envelope) -> "OverviewTrack":
    from bridge.returns.overview import OverviewTrack

    return OverviewTrack(
        item.name,
        item.role,
        item.colour,
        shape,
        loudness_lufs=_or_none(item.loudness_lufs),
        muted=item.muted,
    )


def _pictured(item: OutputTrack) -> "OverviewTrack":
    from bridge.returns.overview import OverviewTrack

    if item.shape is None:
        raise ValueError(f"{item.name} has no waveform to draw")
    return OverviewTrack(item.role.capitalize(), item.role, item.colour, item.shape)


def _picture(outcome: Outcome, recipe: "Recipe", tracks: Sequence["OverviewTrack"]) -> bytes:
    """Draw the return's picture."""
    from bridge.returns.overview import draw_overview

    target, heard = outcome.target_map, outcome.analysis
    said = [f"{target.average_bpm(0.0, outcome.length_s):.1f} BPM"] if target is not None else []
    said += [heard.key.name] if heard is not None else []
    said += [
        f"{name} {level.integrated_lufs:.1f} LUFS"
        for name, level in outcome.loudness.items()
        if level.integrated_lufs is not None
    ]
    return draw_overview(
        None,
        tracks,
        bars_s=target.bar_starts_s(0.0, outcome.length_s).tolist() if target is not None else (),
        beats_per_bar=target.signatures[0].numerator if target is not None else 4,
        chords=outcome.chords,
        sections=outcome.sections,
        title=recipe.name,
        subtitle=" · ".join(said),
        duration_s=outcome.length_s,
    )


def _source_info(source: Any) -> SourceFile:
    info = source.info
    return SourceFile(
        path=str(source.shown),
        sha256=source.sha256,
        role=source.role,
        format=info.format,
        subtype=info.subtype,
        sample_rate=info.sample_rate,
        channels=info.channels,
        frames=info.frames or 0,
        duration_s=(info.frames or 0) / info.sample_rate,
    )


def _timeline(outcome: Outcome, recipe: "Recipe") -> TimelineInfo | None:
    if outcome.target_map is None:
        return None
    return TimelineInfo(
        source=outcome.timeline_source,
        tempo_map=outcome.target_map.to_json(),
        signatures=tuple(
            TimeSignatureAt(start_bar=at.start_bar, numerator=at.numerator, denominator=at.denominator)
            for at in outcome.target_map.signatures
        ),
        tempo_bpm=round(outcome.target_map.average_bpm(0.0, outcome.length_s), 4),
        sample_rate=outcome.sample_rate,
        start_s=recipe.start_frame / outcome.sample_rate,
        duration_s=outcome.length_s,
        downbeats_s=_rounded(tuple(outcome.target_map.bar_starts_s(0.0, outcome.length_s).tolist())),
        chords=tuple(ChordInfo(start_s=c.start_s, end_s=c.end_s, label=c.label) for c in outcome.chords),
        sections=tuple(SectionInfo(**_fields(item)) for item in outcome.sections),
    )


def analysis_info(heard: Analysis) -> AnalysisInfo:
    """Turn the engine's analysis into the manifest's."""
    return AnalysisInfo(
        duration_s=heard.duration_s,
        tempo_bpm=round(heard.tempo_bpm, 4),
        tempo_candidates=tuple(TempoCandidateInfo(**_fields(item)) for item in heard.tempo_candidates),
        tempo_source=heard.tempo_source,
        steady=heard.steady,
        has_beat=heard.has_beat,
        time_signature=heard.time_signature,
        beats_s=_rounded(heard.beats_s),
        downbeats_s=_rounded(heard.downbeats_s),
        key=heard.key.name,
        key_confidence=heard.key.confidence,
        tuning_cents=heard.tuning_cents,
        key_candidates=tuple(
            KeyInfo(name=key.name, confidence=key.confidence) for key in heard.key_candidates
        ),
        chords=tuple(
            ChordInfo(start_s=item.start_s, end_s=item.end_s, label=item.label) for item in heard.chords
        ),
        sections=tuple(SectionInfo(**_fields(item)) for item in heard.sections),
        loudness_lufs=heard.loudness_lufs,
        mean_brightness_hz=heard.mean_brightness_hz,
        energy=_curve(heard.energy),
        brightness=_curve(heard.brightness),
        vocal_activity=_curve(heard.vocal_activity),
        melody=tuple(MelodyInfo(**_fields(item)) for item in heard.melody),
        notes=heard.notes,
    )


def _curve(curve: Curve) -> CurveInfo:
    return CurveInfo(hop_s=curve.hop_s, values=tuple(round(value, 3) for value in curve.values))


def _rounded(times_s: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(round(time_s, 6) for time_s in times_s)


def _fields(item: Any) -> Mapping[str, Any]:
    return {name: getattr(item, name) for name in item.__dataclass_fields__}


def _licences(outcome: Outcome) -> Iterator[str]:
    """Yield what was used with its licence: the backends, and what ranked takes."""
    for backend in outcome.backends:
        yield f"{backend.name}: {backend.licence}"
    for take in outcome.takes:
        if take.ranking is not None:
            yield f"{take.ranking.model}: {take.ranking.licence}"


def _or_none(level: float | None) -> float | None:
    return None if level is None or level == float("-inf") else round(level, 2)
