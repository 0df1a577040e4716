"""Turns a part into sound: notes to seconds by the tempo map, a voice, the voice's own effects, then the part's.

Level and pan of the part are left to the mixer. Rendering is deterministic in (part, map, rate, length, seed,
brightness) and keeps no state, so parts may be rendered on several threads.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from engine.audio.buffer import Audio, Samples
from engine.errors import NrxError
from engine.generation.arranger.effects import apply_effects, check_effects
from engine.generation.arranger.effects.context import TimeMap
from engine.generation.arranger.effects.table import EFFECTS
from engine.generation.arranger.voices.external import is_external, play_external
from engine.generation.arranger.voices.model import Setup
from engine.generation.arranger.voices.player import TimedNote, play
from engine.generation.arranger.voices.table import VOICES
from engine.generation.model import Part
from engine.progress import SILENT, Monitor

MOST_TUNING_CENTS = 100.0
_END_FADE_S = 0.08
_CUTOFFS = {"low_pass": ("cutoff_hz",), "filter_sweep": ("from_hz", "to_hz")}


def render_part(
    part: Part,
    target_map: TimeMap,
    *,
    sample_rate: int,
    length_frames: int,
    seed: int,
    brightness: float = 1.0,
    sidechain_beats: ArrayLike = (),
    tuning_cents: float = 0.0,
    monitor: Monitor = SILENT,
) -> Audio:
    """Render a part, effects included, as exactly `length_frames` stereo frames that end in a short fade.

    Args:
        part: Notes in beats of `target_map`, the voice and the effects; `level_db` and `pan` are not applied.
        target_map: Tempo map with `seconds(beats)` and `beats(seconds)`.
        sample_rate: In Hz.
        length_frames: Length of the result.
        seed: Seed of all chance in the sound.
        brightness: 0.5 to 2; opens or closes filters and tilts the spectrum, 1 changes nothing.
        sidechain_beats: Beats of the kicks that the `sidechain` effect follows.
        tuning_cents: -100 to 100; how far all pitched voices sound from A4 = 440 Hz. Drums and effects of noise
            stay as they are.
        monitor: Progress and cancel.

    Raises:
        NrxError: "request.invalid" for a tuning out of range; "preset.invalid" for an unknown voice, effect or
        parameter; "backend.missing" for a SoundFont or plug-in voice that cannot be played here.
    """
    if not abs(tuning_cents) <= MOST_TUNING_CENTS:
        raise NrxError(
            "request.invalid",
            f"Parts can be tuned at most {MOST_TUNING_CENTS:g} cents away from A4 = 440 Hz, not {tuning_cents:g}.",
        )
    check_effects(part.effects)
    part_seed = seed_of(part, seed)
    notes = timed_notes(part, target_map)
    sounding = monitor.part(0.0, 0.7)
    if is_external(part.voice):
        samples = play_external(
            part.voice, notes, part.is_drums, sample_rate, length_frames, sounding, tuning_cents
        )
    else:
        setup = Setup(sample_rate, part_seed, brightness, tuning_cents)
        samples = play(part.voice, notes, setup, length_frames, sounding)
    chain = chain_of(part, brightness)
    audio = Audio(samples, sample_rate)
    if chain and length_frames:
        kicks = np.asarray(sidechain_beats, dtype=np.float64).reshape(-1)
        audio = apply_effects(
            audio,
            chain,
            target_map=target_map,
            kick_times_s=target_map.seconds(kicks) if kicks.size else (),
            seed=part_seed,
            in_place=True,
            monitor=monitor.part(0.7, 1.0),
        )
    gain = fade_gain(part, target_map, sample_rate, 0, length_frames)
    if gain is not None:
        audio.samples[:, -len(gain) :] *= gain
    _fade_end(audio.samples, sample_rate)
    monitor.report(1.0)
    return audio


def seed_of(part: Part, seed: int) -> int:
    """Return the seed of all chance in a part's sound."""
    return zlib.crc32(f"{seed}/{part.name}/{part.voice}".encode())


def chain_of(part: Part, brightness: float) -> list[Mapping[str, Any]]:
    """Return the effects that a part's sound goes through: the voice's own, brightness, and the part's."""
    own: Sequence[Mapping[str, Any]] = () if is_external(part.voice) else VOICES[part.voice].effects
    return [*own, *_tilt(brightness), *(_brightened(effect, brightness) for effect in part.effects)]


def timed_notes(part: Part, target_map: TimeMap) -> list[TimedNote]:
    """Return the notes of a part in seconds."""
    if not part.notes:
        return []
    starts = np.array([note.start_beat for note in part.notes], dtype=np.float64)
    lengths = np.array([note.duration_beats for note in part.notes], dtype=np.float64)
    start_s = np.asarray(target_map.seconds(starts), dtype=np.float64)
    end_s = np.asarray(target_map.seconds(starts + lengths), dtype=np.float64)
    return [
        TimedNote(float(first), float(last), note.pitch, note.velocity)
        for note, first, last in zip(part.notes, start_s, end_s, strict=True)
    ]


def _tilt(brightness: float) -> list[dict[str, Any]]:
    octaves = float(np.log2(brightness))
    if abs(octaves) < 0.01:
        return []
    return [
        {"type": "low_shelf", "frequency_hz": 220.0, "gain_db": -1.5 * octaves},
        {"type": "high_shelf", "frequency_hz": 1600.0, "gain_db": 5.0 * octaves},
    ]


def _brightened(effect: Mapping[str, Any], brightness: float) -> Mapping[str, Any]:
    kind = str(effect["type"])
    if brightness == 1.0 or kind not in _CUTOFFS:
        return effect
    changed = dict(effect)
    for name in _CUTOFFS[kind]:
        parameter = EFFECTS[kind].parameters[name]
        value = float(changed.get(name, parameter.default)) * brightness
        changed[name] = float(
            np.clip(value, getattr(parameter, "low", value), getattr(parameter, "high", value))
        )
    return changed


def fade_gain(
    part: Part, target_map: TimeMap, sample_rate: int, start_frame: int, end_frame: int
) -> Samples | None:
    """Return how the level falls, effects and all, as the part's `fade` says: gains of the last frames of a range.

    Before them the gain is 1; None where it is so in the whole range.
    """
    if not part.fade:
        return None
    points_s = np.asarray(target_map.seconds(np.array([beat for beat, _ in part.fade])), dtype=np.float64)
    first = min(end_frame, max(start_frame, int(points_s[0] * sample_rate)))
    if first == end_frame:
        return None
    gain_db = np.interp(np.arange(first, end_frame) / sample_rate, points_s, [db for _, db in part.fade])
    return np.asarray(10.0 ** (gain_db / 20.0), dtype=np.float32)


def _fade_end(samples: Samples, sample_rate: int) -> None:
    frames = min(int(_END_FADE_S * sample_rate), samples.shape[1])
    if frames:
        fade = 0.5 + 0.5 * np.cos(np.pi * np.arange(1, frames + 1) / frames)
        samples[:, -frames:] *= fade.astype(np.float32)
