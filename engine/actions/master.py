"""Master songs: each to its loudness under the true-peak ceiling, alone or as an album, like references if wanted.

A master is cached by content like any stage: the same song with the same wishes and references is not made twice.
`mastered_file` is what other actions that end in a full master call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.actions.model import LoudnessSummary, Outcome, OutputTrack, Song, SourceFile
from engine.actions.palette import ROLE_COLOURS
from engine.actions.separate import load_shape, save_shape
from engine.actions.source import read_mix
from engine.audio import Audio, read_audio, to_stereo
from engine.mastering.wishes import MasterWishes
from engine.progress import SILENT, Monitor
from engine.stages import Stages

if TYPE_CHECKING:
    from engine.mastering.profile import Profile

PLAN = (("read", 0.05), ("master", 0.95))
BYTES_PER_FRAME = 44.0
VERSION = 2
"""Of everything that a master depends on beside its input: raise it when the chain sounds different."""

Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MasterParameters:
    """What `master_songs` is asked for, beside the songs."""

    wishes: MasterWishes
    references: tuple[SourceFile, ...] = ()
    album: bool = False
    codec_preview: bool = False


@dataclass(frozen=True, slots=True)
class MasteredFile:
    """A master on the disk, the loudness before and after, and its report as plain data."""

    path: Path
    before: LoudnessSummary
    after: LoudnessSummary
    report: Plain

    def track(self, name: str = "Master") -> OutputTrack:
        """Return the master as a track."""
        return OutputTrack(
            name=name,
            role="master",
            kind="master",
            colour=ROLE_COLOURS["master"],
            ready=self.path,
            shape=load_shape(self.path),
            muted=True,
            loudness_lufs=self.after.integrated_lufs,
            part=None if name == "Master" else name,
        )


def master_songs(songs: Sequence[Song], parameters: MasterParameters, stages: Stages) -> Outcome:
    """Master `songs`, one by one; several are an album and share a report."""
    with stages.stage("read") as monitor:
        reference = reference_of(parameters.references, monitor.part(0.0, 0.5))
        wishes = [parameters.wishes] * len(songs)
        if parameters.album and len(songs) > 1:
            wishes = _album_wishes(songs, parameters.wishes, reference, monitor.part(0.5, 1.0))
    with stages.stage("master") as monitor:
        notes = songs[0].notes
        if parameters.album and len(songs) > 1:
            first_round = replace(parameters, codec_preview=False)
            tried = _each(songs, wishes, first_round, reference, stages, monitor.part(0.0, 0.5))
            by = _lowered_by(tried, wishes)
            if by:
                wishes = [replace(wish, lufs=round((wish.lufs or 0.0) - by, 2)) for wish in wishes]
                notes = (
                    *notes,
                    f"The album is {by:.1f} LU softer than asked for, so that its songs keep their places.",
                )
            monitor = monitor.part(0.5, 1.0)
        made = _each(songs, wishes, parameters, reference, stages, monitor)
    first = made[0]
    tracks = tuple(
        file.track() if len(songs) == 1 else file.track(song.name)
        for song, file in zip(songs, made, strict=True)
    )
    loudness = {"source": first.before, "master": first.after}
    if len(songs) > 1:
        loudness = {song.name: file.after for song, file in zip(songs, made, strict=True)}
    longest_s = max(file.report["after"]["duration_s"] for file in made)
    return Outcome(
        tracks=tracks,
        sample_rate=first.report["after"]["sample_rate"],
        duration_s=sum(file.report["after"]["duration_s"] for file in made),
        length_s=longest_s,
        loudness=loudness,
        notes=notes,
        report={"masters": [file.report for file in made], "album": parameters.album and len(songs) > 1},
    )


def _each(
    songs: Sequence[Song],
    wishes: Sequence[MasterWishes],
    parameters: MasterParameters,
    reference: Profile | None,
    stages: Stages,
    monitor: Monitor,
) -> list[MasteredFile]:
    made = []
    for index, (song, wish) in enumerate(zip(songs, wishes, strict=True)):
        part = monitor.part(index / len(songs), (index + 1) / len(songs))

        def read(song: Song = song) -> Audio:
            return to_stereo(read_mix(song, SILENT))

        depends_on = {
            "input": song.sources[0].sha256,
            "references": [source.sha256 for source in parameters.references],
        }
        made.append(
            mastered_file(
                read,
                depends_on,
                song.name,
                wish,
                reference,
                stages,
                part,
                start_frame=song.start_frame,
                codec_preview=parameters.codec_preview,
            )
        )
    return made


def mastered_file(
    read: Callable[[], Audio],
    depends_on: Mapping[str, Any],
    name: str,
    wishes: MasterWishes,
    reference: Profile | None,
    stages: Stages,
    monitor: Monitor,
    *,
    start_frame: int = 0,
    codec_preview: bool = False,
) -> MasteredFile:
    """Return the master of what `read` gives (mono or stereo), from the cache if it has been made before.

    `depends_on` is what identifies the input and the references (hashes); wishes are added here. Call it within a
    stage that is called "master".
    """
    key = {
        **depends_on,
        "version": VERSION,
        "start_frame": start_frame,
        "wishes": asdict(wishes),
        "codec_preview": codec_preview,
    }

    def fill(folder: Path) -> None:
        from engine.mastering.codec_preview import preview_codecs
        from engine.mastering.describe import describe_master, describe_preview
        from engine.mastering.whole import make_master

        share = 0.5 if codec_preview else 1.0
        path = folder / "master.wav"
        made = make_master(
            read(),
            wishes,
            path,
            reference,
            time_reference_frames=start_frame,
            monitor=monitor.part(0.0, share),
        )
        report = describe_master(made, wishes, name)
        if codec_preview:
            ceiling = report["target"]["ceiling_dbtp"]
            report["codec_preview"] = describe_preview(
                preview_codecs(path, ceiling, monitor.part(share, 1.0))
            )
        save_shape(path.with_suffix(".npz"), made.shape)
        (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")

    folder = stages.cached("master", key, fill)
    report: Plain = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    report["name"] = name
    return MasteredFile(folder / "master.wav", _summary(report, "before"), _summary(report, "after"), report)


def _summary(report: Plain, which: str) -> LoudnessSummary:
    """Return the loudness before or after, with target and warnings where it is that of the master."""
    heard = report[which]
    levels = (heard["integrated_lufs"], heard["true_peak_dbtp"], heard["lra_lu"])
    if which == "before":
        return LoudnessSummary(*levels)
    return LoudnessSummary(
        *levels,
        target_lufs=report["target"]["lufs"],
        ceiling_dbtp=report["target"]["ceiling_dbtp"],
        warnings=tuple(report["warnings"]),
    )


def reference_of(sources: Sequence[SourceFile], monitor: Monitor) -> Profile | None:
    """Listen to the references, one at a time, and return their mean."""
    from engine.mastering.profile import average, profile_reference

    profiles = []
    for index, source in enumerate(sources):
        part = monitor.part(index / len(sources), (index + 1) / len(sources))
        audio = to_stereo(read_audio(source.path, monitor=part.part(0.0, 0.5)))
        profiles.append(profile_reference(audio))
        part.report(1.0)
    return average(profiles) if profiles else None


def _album_wishes(
    songs: Sequence[Song], wishes: MasterWishes, reference: Profile | None, monitor: Monitor
) -> list[MasterWishes]:
    """Return each song's wishes: the album's, at the loudness that the song has among the others."""
    from engine.loudness import integrated_lufs
    from engine.mastering.album import album_targets
    from engine.mastering.wishes import DEFAULT_LUFS

    loudness = []
    for index, song in enumerate(songs):
        loudness.append(integrated_lufs(to_stereo(read_mix(song, SILENT))))
        monitor.report((index + 1) / len(songs))
    target = wishes.lufs
    if target is None:
        target = reference.integrated_lufs if reference is not None else DEFAULT_LUFS
    return [replace(wishes, lufs=round(value, 2)) for value in album_targets(loudness, target)]


def _lowered_by(made: Sequence[MasteredFile], wishes: Sequence[MasterWishes]) -> float:
    """Return by how many LU the album comes down for a song that misses its place in it."""
    from engine.mastering.album import album_lowered_by

    targets = [wish.lufs or 0.0 for wish in wishes]
    reached = [file.after.integrated_lufs for file in made]
    return album_lowered_by(targets, [float("-inf") if value is None else value for value in reached])
