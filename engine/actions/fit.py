"""Fit a kept stem of the song to the new timeline: time, the small natural pitch change, then the style's effects."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from engine.actions.model import Song, SyncSummary
from engine.actions.separate import load_shape, load_stem
from engine.actions.source import Mix, power
from engine.actions.timeline import Plan
from engine.analysis import Analysis
from engine.audio import Audio, Envelope, read_audio, to_stereo, write_wav
from engine.errors import NrxError
from engine.generation.arranger.effects import apply_effects
from engine.presets import Style
from engine.progress import Monitor
from engine.stages import Stages
from engine.sync import PitchRule, conform, pitch_for_tempo_change
from engine.tempo import TempoMap

INAUDIBLE_DB = 15.0
"""A kept stem this far below the song is what leaks from the others, not a voice: it is left out."""


MOST_TUNING_CENTS = 100.0
AUDIBLE_CENTS = 5.0
LEAST_STRETCH, MOST_STRETCH = 0.3, 3.5
CONFORM_VERSION = 1
"""Counts how fitting has come to sound different, for what an earlier release left in the cache."""
PITCHED = frozenset({"vocals", "bass", "other"})
"""Stems that take the natural pitch change of a new tempo together, and the new parts with them."""


_SOUND, _SUMMARY = "fitted.wav", "fitted.json"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A stem of the song on the new timeline, and what was done to it, now or (`was_known`) in an earlier job."""

    name: str
    role: str
    audio: Audio
    summary: SyncSummary
    was_known: bool = False


def really_there(
    stems: Mapping[str, Path | Audio], keep: frozenset[str], mix: Mix
) -> tuple[frozenset[str], list[str]]:
    """Return which of the stems in `keep` hold more than leaks, and a sentence for each that does not."""
    there, notes = set(), []
    loud_enough = mix.power * 10 ** (-INAUDIBLE_DB / 10)
    for role in sorted(keep & set(stems)):
        stem = stems[role]
        heard = shape_power(load_shape(stem)) if isinstance(stem, Path) else power(stem)
        if heard >= loud_enough:
            there.add(role)
        else:
            notes.append(f"Hardly any {role} were heard in this song, so none were kept.")
    return frozenset(there), notes


def singer_notes(song: Song, analysis: Analysis, keep: frozenset[str]) -> list[str]:
    """Say so where what is kept as vocals may be no voice. Stems that were given by role are what they are called."""
    heard = analysis.vocals
    if "vocals" not in keep or song.has_stems or heard is None or heard.singer == "voice":
        return []
    signs = ["its pitch stands still"] * (heard.pitch_moves is False)
    signs += ["no consonants are heard in it"] * (not heard.has_consonants)
    may_be = "is probably" if heard.singer == "instrument" else "may be"
    return [
        f"What is kept as vocals {may_be} an instrument ({' and '.join(signs)}); if nobody sings here, use --keep none."
    ]


def refuse_extreme_stretch(plan: Plan, name: str) -> None:
    """Refuse a tempo that a voice can't be stretched to, before anything is made.

    Raises:
        NrxError: `request.invalid`.
    """
    end_s = plan.analysis.duration_s
    new_end_s = plan.target_map.seconds(plan.source_map.beats(end_s))
    if not LEAST_STRETCH <= new_end_s / end_s <= MOST_STRETCH:
        raise NrxError(
            "request.invalid",
            f"At that tempo {name} would be stretched to {new_end_s / end_s:.2f} times its length, and "
            f"{LEAST_STRETCH:g} to {MOST_STRETCH:g} times can be done; choose a tempo nearer to "
            f"{plan.analysis.tempo_bpm:.0f} BPM, or keep nothing with --keep none.",
        )


def fit_stems(
    stems: Mapping[str, Path | Audio],
    keep: frozenset[str],
    mix: Mix,
    plan: Plan,
    style: Style,
    origin: Mapping[str, object],
    stages: Stages,
    monitor: Monitor,
) -> list[Fitted]:
    """Fit the stems that are kept, all of which are in `stems`; `origin` is all that these depend on.

    What is stretched is kept in the cache: another style at the same tempo and pitch takes it from there.
    """
    wanted = sorted(keep)
    return [
        fit_stem(
            role,
            stems[role],
            mix,
            plan,
            style,
            origin,
            stages,
            monitor.part(index / len(wanted), (index + 1) / len(wanted)),
        )
        for index, role in enumerate(wanted)
    ]


def shape_power(shape: Envelope) -> float:
    """Return the mean square of a waveform that only its picture is kept of."""
    return float(np.mean(np.square(shape.rms, dtype=np.float64)))


def natural_pitch(plan: Plan, style: Style) -> float:
    """Return the small pitch change in semitones that makes a voice sound natural at the new tempo."""
    if plan.target_map is plan.source_map:
        return 0.0
    end_s = plan.analysis.duration_s
    new_end_s = plan.target_map.seconds(plan.source_map.beats(end_s))
    rule = PitchRule(
        dead_zone=style.sync.free_percent / 100.0,
        semitones_per_octave=style.sync.semitones_per_octave,
        max_semitones=style.sync.max_semitones,
    )
    return pitch_for_tempo_change(
        plan.source_map.average_bpm(0.0, end_s), plan.target_map.average_bpm(0.0, new_end_s), rule
    )


def tuning_notes(plan: Plan, style: Style, cents: float) -> list[str]:
    """Return what a person must know of the tuning, if it is off A4 = 440 Hz by more than ears let pass."""
    pitch = natural_pitch(plan, style)
    if abs(cents) < AUDIBLE_CENTS:
        return []
    moved = f"What is kept moves {pitch:+.2f} semitones with the tempo, as sounds natural; " if pitch else ""
    said = f"{moved}the new parts are tuned to {'it' if pitch else 'the song'}, {cents:+.0f} cents from A4 = 440 Hz."
    return [said[0].upper() + said[1:]]


def tuning_cents(plan: Plan, style: Style, keep: frozenset[str]) -> float:
    """Return how the new parts are tuned, in cents from A4 = 440 Hz: as what is kept of the song will sound."""
    moved = 100.0 * natural_pitch(plan, style) if keep & PITCHED else 0.0
    return min(MOST_TUNING_CENTS, max(-MOST_TUNING_CENTS, plan.analysis.tuning_cents + moved))


def anchors(source_map: TempoMap, target_map: TempoMap, duration_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the times in seconds of the same beats on both maps, covering `duration_s` of the source."""
    first = np.floor(source_map.beats(0.0))
    last = np.ceil(source_map.beats(duration_s))
    beats = np.arange(first, last + 1.0)
    return source_map.seconds(beats), target_map.seconds(beats)


def fit_stem(
    role: str,
    stem: Path | Audio,
    mix: Mix,
    plan: Plan,
    style: Style,
    origin: Mapping[str, object],
    stages: Stages,
    monitor: Monitor,
) -> Fitted:
    """Return a stem in stereo on the plan's timeline, as long as that has it; effects go on vocals only."""
    if plan.target_map is plan.source_map:
        audio, known = _stereo(stem), False
        summary = SyncSummary(role, 1.0, 1.0, 1.0, 0.0, None, None, "none")
    else:
        pitch = natural_pitch(plan, style) if role in PITCHED else 0.0
        audio, summary, known = _conformed(
            role, stem, mix, plan, pitch, origin, stages, monitor.part(0.0, 0.9)
        )
    if role == "vocals" and style.vocal_effects:
        audio = apply_effects(
            audio, style.vocal_effects, target_map=plan.target_map, monitor=monitor.part(0.9, 1.0)
        )
    return Fitted(f"{role.capitalize()} (kept)", role, audio, summary, known)


def _conformed(
    role: str,
    stem: Path | Audio,
    mix: Mix,
    plan: Plan,
    pitch_semitones: float,
    origin: Mapping[str, object],
    stages: Stages,
    monitor: Monitor,
) -> tuple[Audio, SyncSummary, bool]:
    """Stretch a stem, or take it from the cache; say also whether it was there."""
    source_s, target_s = anchors(plan.source_map, plan.target_map, mix.duration_s)
    length_frames = plan.length_frames(mix)
    made: list[Audio] = []

    def fill(folder: Path) -> None:
        fitted, report = conform(
            _stereo(stem),
            source_s,
            target_s,
            pitch_semitones=pitch_semitones,
            length_frames=length_frames,
            monitor=monitor,
        )
        summary = SyncSummary(
            role,
            report.stretch_min,
            report.stretch_mean,
            report.stretch_max,
            report.pitch_semitones,
            report.residual_median_ms,
            report.residual_worst_ms,
            report.engine,
        )
        write_wav(folder / _SOUND, fitted, "FLOAT")
        (folder / _SUMMARY).write_text(json.dumps(asdict(summary)))
        made.append(fitted)

    folder, known = stages.kept(
        "sync",
        {
            "origin": origin,
            "role": role,
            "beats": hashlib.sha256(source_s.tobytes() + target_s.tobytes()).hexdigest(),
            "pitch_semitones": pitch_semitones,
            "length_frames": length_frames,
            "version": CONFORM_VERSION,
        },
        fill,
    )
    summary = SyncSummary(**json.loads((folder / _SUMMARY).read_bytes()))
    return made[0] if made else read_audio(folder / _SOUND), summary, known


def _stereo(stem: Path | Audio) -> Audio:
    return to_stereo(load_stem(stem) if isinstance(stem, Path) else stem)
