"""Fit a vocal, or any audio, from its own tempo to another tempo or tempo map, in one pass of time-stretching."""

from typing import Literal

from engine.actions.analyze import analysis_of, stems_and_mix
from engine.actions.fit import anchors
from engine.actions.model import Backend, Outcome, OutputTrack, Song, SyncSummary
from engine.actions.palette import ROLE_COLOURS
from engine.actions.source import read_mix
from engine.actions.timeline import map_of
from engine.audio import to_stereo
from engine.errors import NrxError
from engine.stages import Stages
from engine.sync import conform, pitch_for_tempo_change
from engine.tempo import TempoMap

PLAN = (("read", 0.05), ("separate", 0.4), ("analyze", 0.15), ("sync", 0.4))
PLAN_KNOWN = (("read", 0.1), ("sync", 0.9))
BYTES_PER_FRAME = 60.0
Pitch = Literal["natural", "none"] | float
STRETCHER = Backend(
    "sync",
    "rubberband",
    "R3",
    "Rubber Band R3 through pedalboard, driven by the beats of both timelines",
    "GPL-2.0-or-later",
)


def _semitones(pitch: Pitch, tempo_ratio: float) -> float:
    if isinstance(pitch, str):
        return pitch_for_tempo_change(1.0, tempo_ratio) if pitch == "natural" else 0.0
    return pitch


def sync(
    song: Song,
    stages: Stages,
    *,
    source_bpm: float | None,
    target_bpm: float | None,
    target_map: TempoMap | None,
    pitch: Pitch = "natural",
) -> Outcome:
    """Fit `song` to `target_bpm` or `target_map`; its own tempo is `source_bpm`, or its tempo map, or is estimated.

    `pitch` is how far the pitch moves: "none", "natural" (the small change that suits that of the tempo), or semitones.
    """
    analysis = None
    if source_bpm is not None or song.tempo_map is not None:
        with stages.stage("read") as monitor:
            audio = read_mix(song, monitor)
        own = song.tempo_map or TempoMap.constant(source_bpm or 0.0)
    else:
        stems, mix = stems_and_mix(song, stages)
        with stages.stage("analyze") as monitor:
            analysis = analysis_of(song, mix, stems, stages, monitor)
        audio = mix.sound()
        own = map_of(analysis, None)
    if target_map is None:
        if target_bpm is None:
            raise NrxError(
                "request.invalid", "sync needs a tempo to fit to: a number in BPM, or a tempo map."
            )
        target_map = own.steady(target_bpm)
    length_s = target_map.seconds(own.beats(audio.duration_s))
    frames = round(length_s * audio.sample_rate)
    if frames < 1:
        raise NrxError(
            "input.tempo_map", "On that tempo map the audio would end before it starts; check its start."
        )
    source_s, target_s = anchors(own, target_map, audio.duration_s)
    ratio = target_map.average_bpm(0.0, length_s) / own.average_bpm(0.0, audio.duration_s)
    with stages.stage("sync") as monitor:
        fitted, report = conform(
            to_stereo(audio),
            source_s,
            target_s,
            pitch_semitones=_semitones(pitch, ratio),
            length_frames=frames,
            monitor=monitor,
        )
    role = song.sources[0].role or "vocals"
    return Outcome(
        tracks=(
            OutputTrack(
                name=f"{role.capitalize()} (fitted)",
                role=role,
                kind="fitted",
                colour=ROLE_COLOURS.get(role, ROLE_COLOURS["other"]),
                audio=fitted,
            ),
        ),
        sample_rate=audio.sample_rate,
        duration_s=audio.duration_s,
        length_s=length_s,
        analysis=analysis,
        target_map=target_map,
        timeline_source="number" if target_bpm is not None else "tempo map",
        sync=(
            SyncSummary(
                role,
                report.stretch_min,
                report.stretch_mean,
                report.stretch_max,
                report.pitch_semitones,
                report.residual_median_ms,
                report.residual_worst_ms,
                report.engine,
            ),
        ),
        backends=(STRETCHER,),
        notes=song.notes,
    )
