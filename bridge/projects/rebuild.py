"""Rebuilds a project's track from its clips' files, as it sounds before its effects: a request for plain audio then.

A clip without warping (and without a change of pitch) is copied to the sample. A warped one is copied where its tempo
is the project's, resampled in Re-Pitch (tempo moves pitch), and else stretched with Rubber Band R3 through its warp
markers, which differs from Live's own stretching in sound, not in time. The file that results carries its start on the
project's timeline (BWF), and the request gets the tempo map in seconds from the file's start.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.config import Settings
from bridge.inputs import Snapshots
from bridge.projects.model import REPITCH, ProjectClip, ProjectTrack
from bridge.protocol import InputFile, Request
from engine.audio import Audio, Limits, best_subtype, probe, read_audio, resample, to_stereo, write_wav
from engine.errors import NrxError
from engine.tempo import TempoMap

Floats = NDArray[np.float64]
SAME_TEMPO = 1e-6
"""Relative difference of tempo that is taken for none; it shifts an hour by less than 4 ms."""
SAME_BPM = 0.011
"""Difference between the DAW's tempo and the saved Set's that rounding explains."""
RIM_S = 0.25
"""Audio beyond a piece's ends that the stretching hears as well."""


def as_plain_audio(request: Request, settings: Settings, *, keep_in: Path | None = None) -> Request:
    """Return the request with its project's track as its only input; one without a project is returned as it is.

    Raises:
        NrxError: any `input.*`; `input.tempo_map` where the saved Set is not what the DAW shows.
    """
    if request.project is None:
        return request
    folder = keep_in or settings.home / "inputs"
    folder.mkdir(parents=True, exist_ok=True)
    files = [Path(item.path).expanduser() for item in request.inputs]
    tempo_map = project_tempo_map(request.project, files)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".track-") as scratch:
        written = Path(scratch) / "track.wav"
        start_s = write_track(request.project, files, tempo_map, written, settings)
        kept = Snapshots(folder).take(written, f"{request.project.name}.wav")
    own_map = request.tempo_map if request.tempo_map is not None else tempo_map.shifted(-start_s).to_json()
    return request.model_copy(
        update={
            "project": None,
            "inputs": (InputFile(path=str(kept.path), name=kept.name),),
            "tempo_map": own_map,
        }
    )


def project_tempo_map(track: ProjectTrack, files: list[Path]) -> TempoMap:
    """Return the project's tempo map, beat 0 at 0 s: the saved Set's, else the constant tempo.

    Raises:
        NrxError: `input.tempo_map` where Set and DAW differ at the playhead; what reading the Set raises.
    """
    if track.live_set is None:
        return TempoMap.constant(track.bpm, numerator=track.signature[0], denominator=track.signature[1])
    from bridge.projects.als import read_live_set

    saved = read_live_set(files[track.live_set])
    there = float(saved.tempo_map.bpm_at(max(0.0, track.at_beat)))
    if abs(there - track.bpm) > SAME_BPM:
        raise NrxError(
            "input.tempo_map",
            f"The saved Set has {there:.2f} BPM at beat {track.at_beat:g}, and Live shows {track.bpm:.2f}; save the "
            "Set and try again.",
        )
    return saved.tempo_map


def write_track(
    track: ProjectTrack, files: list[Path], tempo_map: TempoMap, target: Path, settings: Settings
) -> float:
    """Write a track as a WAV; return the second of the project at which it starts, a whole number of frames.

    Raises:
        NrxError: any `input.*`, `output.*`.
    """
    limits = Limits(max_bytes=int(settings.input_max_gb * 1e9))
    used = sorted({clip.input for clip in track.clips})
    infos = {index: probe(files[index]) for index in used}
    for info in infos.values():
        limits.check(info)
    rate = infos[track.clips[0].input].sample_rate
    first = round(float(tempo_map.seconds(track.start_beat)) * rate)
    frames = round(float(tempo_map.seconds(track.end_beat)) * rate) - first
    if frames <= 0:
        raise NrxError("input.empty", f'The track "{track.name}" has no length; its clips are empty.')
    if frames > limits.max_frames(rate, 2):
        raise NrxError(
            "input.too_long",
            f'The track "{track.name}" is {frames / rate / 60:.0f} minutes long; send a part.',
        )
    if first < 0:
        raise NrxError(
            "input.tempo_map", f'The track "{track.name}" starts before the song; move it to 1.1.1.'
        )
    channels = 1 if all(info.channels == 1 for info in infos.values()) else 2
    mix = np.zeros((channels, frames), np.float32)
    for index in used:
        audio = read_audio(files[index], limits=limits)
        if channels == 2:
            audio = to_stereo(audio)
        if audio.sample_rate != rate:
            audio = resample(audio, rate)
        for clip in track.clips:
            if clip.input == index:
                _lay(mix, first, clip, audio, tempo_map)
    audio = Audio(mix, rate)
    plain = all(clip.gain_db == 0 and not clip.warped and clip.semitones == 0 for clip in track.clips)
    subtype = best_subtype(infos[track.clips[0].input]) if plain and len(track.clips) == 1 else "FLOAT"
    write_wav(target, audio, subtype, time_reference_frames=first)
    return first / rate


def _lay(mix: NDArray[np.float32], first: int, clip: ProjectClip, audio: Audio, tempo_map: TempoMap) -> None:
    """Add a clip to the mix; `first` is the project frame at which the mix starts."""
    rate = audio.sample_rate
    edges = (clip.start_beat, clip.end_beat, clip.start_beat + clip.fade_in_beats)
    start, end, full = (round(float(tempo_map.seconds(beat)) * rate) - first for beat in edges)
    fading = round(float(tempo_map.seconds(clip.end_beat - clip.fade_out_beats)) * rate) - first
    sound = np.zeros((mix.shape[0], max(0, end - start)), np.float32)
    if clip.warped:
        for piece_beat, piece_end, content in _passes(clip):
            at = round(float(tempo_map.seconds(piece_beat)) * rate) - first - start
            until = round(float(tempo_map.seconds(piece_end)) * rate) - first - start
            played = _warped(clip, audio, tempo_map, piece_beat, content, until - at)
            sound[:, at:until] = played
    else:
        speed = 2.0 ** (clip.semitones / 12.0)
        sound[:] = _from(audio.samples, clip.offset * rate, speed, sound.shape[1])
    sound *= np.float32(10.0 ** (clip.gain_db / 20.0))
    _fade(sound, full - start, end - fading)
    left, right = max(0, start), min(mix.shape[1], end)
    if left < right:
        mix[:, left:right] += sound[:, left - start : right - start]


def _passes(clip: ProjectClip) -> Iterator[tuple[float, float, float]]:
    """Yield (project beat, its end, beat in the file) of each uninterrupted run through the file."""
    beat, content = clip.start_beat, clip.offset
    while beat < clip.end_beat - 1e-9:
        left = clip.end_beat - beat
        run = left if clip.loop is None or content >= clip.loop[1] else min(left, clip.loop[1] - content)
        yield beat, beat + run, content
        beat += run
        content = clip.loop[0] if clip.loop is not None else content + run


def _warped(
    clip: ProjectClip, audio: Audio, tempo_map: TempoMap, beat: float, content: float, frames: int
) -> NDArray[np.float32]:
    """Return `frames` frames from project beat `beat` on, which play the file from its beat `content` on."""
    rate = audio.sample_rate
    begin_s = float(tempo_map.seconds(beat))
    times = begin_s + np.arange(frames + 1) / rate
    positions = _seconds_of(clip, content + tempo_map.beats(times) - beat) * rate
    speed = float(positions[-1] - positions[0]) / max(1, frames)
    straight = positions[0] + speed * np.arange(frames + 1)
    if np.max(np.abs(positions - straight)) < 0.5 and abs(speed - 1.0) < SAME_TEMPO * max(1.0, 1e5 / frames):
        if clip.semitones == 0:
            return _from(audio.samples, float(positions[0]), 1.0, frames)
    elif clip.mode == REPITCH:
        return _at(audio.samples, positions[:-1])
    return _stretched(clip, audio, positions, frames)


def _stretched(clip: ProjectClip, audio: Audio, positions: Floats, frames: int) -> NDArray[np.float32]:
    """Return `frames` frames through Rubber Band; `positions` are the file's frames that they play."""
    from engine.sync.rubber_band import stretched

    rate = audio.sample_rate
    rim = round(RIM_S * rate)
    low = max(0, int(np.floor(positions[0])) - rim)
    high = min(audio.frames, int(np.ceil(positions[-1])) + rim)
    out = np.zeros((audio.samples.shape[0], frames), np.float32)
    if high - low < 64:
        return out
    slope_in = max(1e-3, float(positions[1] - positions[0]))
    slope_out = max(1e-3, float(positions[-1] - positions[-2]))
    asked = np.arange(low, high, dtype=np.float64)
    targets = np.interp(asked, positions, np.arange(frames + 1, dtype=np.float64))
    before, after = asked < positions[0], asked > positions[-1]
    targets[before] = (asked[before] - positions[0]) / slope_in
    targets[after] = frames + (asked[after] - positions[-1]) / slope_out
    played, at = stretched(
        np.ascontiguousarray(audio.samples[:, low:high]),
        rate,
        targets,
        pitch_semitones=clip.semitones,
        preserve_formants=False,
    )
    left, right = max(0, at), min(frames, at + played.shape[1])
    if left < right:
        out[:, left:right] = played[:, left - at : right - at]
    return out


def _seconds_of(clip: ProjectClip, beats: Floats) -> Floats:
    """Return the file's seconds at beats of its warp markers; beyond them the nearest two go on."""
    markers = np.array(sorted(set(clip.markers), key=lambda marker: marker[1]))
    seconds, at = markers[:, 0], markers[:, 1]
    i = np.clip(np.searchsorted(at, beats, side="right") - 1, 0, len(at) - 2)
    slope = (seconds[i + 1] - seconds[i]) / np.maximum(at[i + 1] - at[i], 1e-9)
    found: Floats = seconds[i] + slope * (beats - at[i])
    return found


def _from(samples: NDArray[np.float32], start: float, speed: float, frames: int) -> NDArray[np.float32]:
    """Return `frames` frames of a file from frame `start` on, with silence around it; exact where speed is 1."""
    if speed != 1.0:
        return _at(samples, np.asarray(start + speed * np.arange(frames), np.float64))
    begin = round(start)
    out = np.zeros((samples.shape[0], frames), np.float32)
    left, right = max(0, begin), min(samples.shape[1], begin + frames)
    if left < right:
        out[:, left - begin : right - begin] = samples[:, left:right]
    return out


def _at(samples: NDArray[np.float32], positions: Floats) -> NDArray[np.float32]:
    """Return samples at any positions, by a cubic through the four nearest; silence outside."""
    whole = np.floor(positions).astype(np.int64)
    x = (positions - whole).astype(np.float32)
    padded = np.pad(samples, ((0, 0), (2, 3)))
    i = np.clip(whole, -2, samples.shape[1]) + 2
    a, b, c, d = (padded[:, np.clip(i + k, 0, padded.shape[1] - 1)] for k in (-1, 0, 1, 2))
    curve = b + 0.5 * x * (c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a)))
    result: NDArray[np.float32] = curve.astype(np.float32)
    return result


def _fade(sound: NDArray[np.float32], fade_in: int, fade_out: int) -> None:
    """Fade in over the first and out over the last so many frames, in place."""
    into, out = min(sound.shape[1], fade_in), min(sound.shape[1], fade_out)
    sound[:, :into] *= (np.arange(into, dtype=np.float32) + 0.5) / max(1, into)
    sound[:, sound.shape[1] - out :] *= (np.arange(out, dtype=np.float32)[::-1] + 0.5) / max(1, out)
