"""The last two stages of every action that plays: mix the tracks, master the mix, and say how loud each came out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from engine.actions.model import Deliver, LoudnessSummary, OutputTrack
from engine.actions.palette import ROLE_COLOURS
from engine.audio import Audio
from engine.loudness import measure
from engine.mastering import MasterSettings, master
from engine.mixing import MixedTrack, MixSettings, MixTrack, mix
from engine.stages import Stages

Placed = Callable[[Mapping[str, MixedTrack]], Sequence[OutputTrack]]
"""Turns mixed tracks into tracks to publish."""


@dataclass(frozen=True, slots=True)
class Finished:
    """All tracks to publish, `mix` and `master` last; the loudness of both; and what the mixer had to say."""

    tracks: tuple[OutputTrack, ...]
    loudness: dict[str, LoudnessSummary]
    notes: tuple[str, ...]


def finish(
    tracks: dict[str, MixTrack],
    placed: Placed,
    how: tuple[MixSettings, MasterSettings],
    stages: Stages,
    deliver: Deliver,
) -> Finished:
    """Run the stages `mix` and `master`; tracks are delivered as soon as they stand in the mix.

    `tracks` is emptied: from there on each track is held by its place in the return alone, until it is written.
    """
    with stages.stage("mix") as monitor:
        mixed = mix(tracks, how[0], monitor)
    single = tuple(placed(mixed.tracks))
    tracks.clear()
    mixed.tracks.clear()
    mix_track = sum_track("mix", mixed.mix)
    for track in (*single, mix_track):
        deliver(track)
    master_track, before, after = mastered(mixed.mix, how[1], stages)
    mix_track.loudness_lufs = before.integrated_lufs
    return Finished(
        tracks=(*single, mix_track, master_track),
        loudness={"mix": before, "master": after},
        notes=mixed.warnings,
    )


def mastered(
    audio: Audio, settings: MasterSettings, stages: Stages
) -> tuple[OutputTrack, LoudnessSummary, LoudnessSummary]:
    """Run the stage `master`: the finished track, and the loudness before and after, on what will be written."""
    with stages.stage("master") as monitor:
        result = master(audio, settings, monitor)
    said = result.report
    before = LoudnessSummary(
        finite(said.lufs_before), finite(said.true_peak_before_dbtp), finite(said.lra_before)
    )
    after = LoudnessSummary(
        finite(said.lufs_after),
        finite(said.true_peak_after_dbtp),
        finite(said.lra_after),
        target_lufs=settings.lufs,
        ceiling_dbtp=settings.ceiling_dbtp,
        warnings=tuple(said.warnings),
    )
    return sum_track("master", result.audio, after), before, after


def sum_track(kind: str, audio: Audio, loudness: LoudnessSummary | None = None) -> OutputTrack:
    """Return the mix or the master as a track: muted, since the tracks beside it play the same."""
    if kind not in ("mix", "master"):
        raise ValueError(kind)
    return OutputTrack(
        name=kind.capitalize(),
        role=kind,
        kind="mix" if kind == "mix" else "master",
        colour=ROLE_COLOURS[kind],
        audio=audio,
        muted=True,
        loudness_lufs=loudness.integrated_lufs if loudness is not None else None,
    )


def loudness_of(audio: Audio) -> LoudnessSummary:
    """Measure audio for the manifest."""
    heard = measure(audio)
    return LoudnessSummary(finite(heard.integrated_lufs), finite(heard.true_peak_dbtp), finite(heard.lra))


def finite(level: float) -> float | None:
    """Return a level rounded for people, or None for silence."""
    return round(level, 2) if isfinite(level) else None
