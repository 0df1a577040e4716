"""Rebuilds a project's track from its clips' files, as it sounds before its effects: plain audio then.

In three steps: `settled` reads the saved Set, when the job is accepted; `plan_track` says from headers what the track
will be, so that what cannot work is refused then; `built` decodes and stretches, as the job's first stage.

A clip without warping (and without a change of pitch) is copied to the sample. A warped one is copied where its tempo
is the project's, resampled in Re-Pitch (tempo moves pitch), and else stretched with Rubber Band R3 through its warp
markers, which differs from Live's own stretching in sound, not in time. The file that results carries its start on the
project's timeline (BWF), and the request gets the tempo map in seconds from the file's start.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.config import Settings
from bridge.projects.model import REPITCH, ProjectClip, ProjectTrack
from bridge.protocol import InputFile, Request
from engine.actions.model import SourceFile
from engine.actions.source import open_source
from engine.audio import Audio, AudioInfo, Limits, best_subtype, read_audio, resample, to_stereo, write_wav
from engine.errors import NrxError
from engine.progress import Monitor
from engine.stages import Stages
from engine.tempo import TempoMap

Floats = NDArray[np.float64]
STAGE, FILE = "rebuild", "track.wav"
SHARE = 0.1
"""How much of a job's time building its track is taken for; for progress."""
VERSION = 2
"""What is kept of tracks that were built before is built anew when this changes."""
GRID_FRAMES = 32
"""How often a warped clip's place in its file is reckoned; between, it moves in a line."""
BLOCK_FRAMES = 1 << 16
SHORTEST_FRAMES = 64
"""What is shorter cannot be stretched, nor heard."""
SAME_TEMPO = 1e-6
"""Relative difference of tempo that is taken for none; it shifts an hour by less than 4 ms."""
RIM_S = 0.25
"""Audio beyond a piece's ends that the stretching hears as well."""


@dataclass(frozen=True, slots=True)
class TrackPlan:
    """A track before it is built: what its file's header will say, and the tempo map of the project.

    `first` is the project frame at which it starts; `infos` are the headers of the inputs that its clips play.
    """

    track: ProjectTrack
    tempo_map: TempoMap
    first: int
    frames: int
    channels: int
    sample_rate: int
    subtype: str
    infos: dict[int, AudioInfo]

    @property
    def name(self) -> str:
        """What the track's file is called."""
        return self.track.name.replace("/", "-").replace("\\", "-") + ".wav"

    def plain(self, request: Request, path: Path) -> Request:
        """Return the request for plain audio that the track's file at `path` makes."""
        own_map = request.tempo_map
        if own_map is None:
            own_map = self.tempo_map.shifted(-self.first / self.sample_rate).to_json()
        inputs = (InputFile(path=str(path), name=self.name),)
        return request.model_copy(update={"project": None, "inputs": inputs, "tempo_map": own_map})

    def source(self, path: Path) -> SourceFile:
        """Return the source that the track will be, for checks that need its header only."""
        info = AudioInfo(
            path,
            "WAV",
            self.subtype,
            self.sample_rate,
            self.channels,
            self.frames,
            self.frames * self.channels * 4,
            time_reference_frames=self.first,
        )
        return SourceFile(path, info, "", None, Path(self.name))


def settled(request: Request) -> Request:
    """Return a request whose project knows its tempo map, and needs the DAW's own file no more.

    Raises:
        NrxError: `input.tempo_map` where the saved Set is not what the DAW shows; what reading the Set raises.
    """
    track = request.project
    if track is None or (track.tempo_map is not None and track.live_set is None):
        return request
    files = [Path(item.path).expanduser() for item in request.inputs]
    if track.live_set is None:
        numerator, denominator = track.signature
        tempo_map = TempoMap.constant(track.bpm, numerator=numerator, denominator=denominator)
    else:
        from bridge.projects.als import read_live_set
        from bridge.projects.fresh import agreed

        saved = read_live_set(files[track.live_set])
        track, tempo_map = agreed(track, saved, files), saved.tempo_map
    left = [index for index in range(len(files)) if index != track.live_set]
    clips = tuple(clip.model_copy(update={"input": left.index(clip.input)}) for clip in track.clips)
    project = track.model_copy(
        update={
            "clips": clips,
            "tempo_map": tempo_map.to_json(),
            "bpm": float(tempo_map.bpm_at(track.start_beat)),
            "at_beat": track.start_beat,
            "live_set": None,
        }
    )
    return request.model_copy(
        update={"project": project, "inputs": tuple(request.inputs[index] for index in left)}
    )


def plan_track(track: ProjectTrack, infos: Sequence[AudioInfo], settings: Settings) -> TrackPlan:
    """Say what a settled track will be, from the headers of its files; nothing is decoded.

    Raises:
        NrxError: `input.empty`, `input.too_long`, `input.tempo_map`.
    """
    limits = Limits(max_bytes=int(settings.input_max_gb * 1e9))
    used = {index: infos[index] for index in sorted({clip.input for clip in track.clips})}
    tempo_map = TempoMap.from_json(track.tempo_map)
    info = used[track.clips[0].input]
    rate = info.sample_rate
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
    channels = 1 if all(one.channels == 1 for one in used.values()) else 2
    as_it_was = len(track.clips) == 1 and _is_copied(track.clips[0])
    subtype = best_subtype(info) if as_it_was else "FLOAT"
    return TrackPlan(track, tempo_map, first, frames, channels, rate, subtype, used)


def _is_copied(clip: ProjectClip) -> bool:
    return clip.gain_db == 0 and not clip.warped and clip.semitones == 0


@dataclass(frozen=True, slots=True)
class TrackToBuild:
    """A track and the files that it is made of. Its two answers are what `recipes.prepare` is called with."""

    plan: TrackPlan
    sources: tuple[SourceFile, ...]

    @classmethod
    def of(
        cls, request: Request, settings: Settings, opened: tuple[SourceFile, ...] | None
    ) -> "TrackToBuild":
        """Plan the track of a request that has a project; `opened` are its inputs, where they are open already.

        Raises:
            NrxError: any `input.*`.
        """
        from bridge.recipes import open_inputs

        request = settled(request)
        sources = opened if opened is not None else open_inputs(request, settings)
        if request.project is None:
            raise ValueError("the request has no project")
        return cls(plan_track(request.project, [source.info for source in sources], settings), sources)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the manifest says of it."""
        return self.plan.track.notes

    def stages(self, whole: float) -> tuple[tuple[str, float], ...]:
        """Return its stage and its share, beside stages whose shares sum to `whole`."""
        return ((STAGE, SHARE * whole),)

    def promised(
        self, request: Request, settings: Settings
    ) -> tuple[Request, Settings, tuple[SourceFile, ...]]:
        """Return what to prepare from before the track is there: headers are enough for every check."""
        path = Path(self.plan.name)
        return self.plan.plain(request, path), settings, (self.plan.source(path),)

    def built(
        self, request: Request, settings: Settings, stages: Stages
    ) -> tuple[Request, Settings, tuple[SourceFile, ...]]:
        """Build the track as the stage `rebuild`, or find it as it was built before; return what to prepare from.

        Raises:
            NrxError: any `input.*`, `output.*`; `Cancelled`.
        """
        depends_on = {
            "track": self.plan.track.model_dump(mode="json", exclude={"notes", "at_beat", "bpm"}),
            "inputs": [self.sources[index].sha256 for index in self.plan.infos],
            "version": VERSION,
        }
        with stages.stage(STAGE) as monitor:
            folder = stages.cached(
                STAGE,
                depends_on,
                lambda folder: write_track(self.plan, self.sources, folder / FILE, settings, monitor),
            )
        limits = Limits(max_bytes=int(settings.input_max_gb * 1e9))
        source = replace(open_source(folder / FILE, limits), original=Path(self.plan.name))
        return self.plan.plain(request, source.path), settings, (source,)


def write_track(
    plan: TrackPlan, sources: Sequence[SourceFile], target: Path, settings: Settings, monitor: Monitor
) -> None:
    """Write a track as a WAV that carries its start on the project's timeline.

    Raises:
        NrxError: any `input.*`, `output.*`; `Cancelled`.
    """
    limits = Limits(max_bytes=int(settings.input_max_gb * 1e9))
    mix = np.zeros((plan.channels, plan.frames), np.float32)
    done, total = 0.0, sum(clip.end_beat - clip.start_beat for clip in plan.track.clips) or 1.0
    for index in plan.infos:
        monitor.check()
        audio = read_audio(sources[index].path, limits=limits)
        if plan.channels == 2:
            audio = to_stereo(audio)
        if audio.sample_rate != plan.sample_rate:
            audio = resample(audio, plan.sample_rate)
        for clip in plan.track.clips:
            if clip.input != index:
                continue
            share = (clip.end_beat - clip.start_beat) / total
            _lay(mix, plan.first, clip, audio, plan.tempo_map, monitor.part(done, min(1.0, done + share)))
            done += share
    write_wav(target, Audio(mix, plan.sample_rate), plan.subtype, time_reference_frames=plan.first)


def _lay(
    mix: NDArray[np.float32],
    first: int,
    clip: ProjectClip,
    audio: Audio,
    tempo_map: TempoMap,
    monitor: Monitor,
) -> None:
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
            share = (
                (beat - clip.start_beat) / (clip.end_beat - clip.start_beat)
                for beat in (piece_beat, piece_end)
            )
            part = monitor.part(*share)
            part.report(0.0)
            played = _warped(clip, audio, tempo_map, piece_beat, content, until - at, part)
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
    clip: ProjectClip,
    audio: Audio,
    tempo_map: TempoMap,
    beat: float,
    content: float,
    frames: int,
    monitor: Monitor,
) -> NDArray[np.float32]:
    """Return `frames` frames from project beat `beat` on, which play the file from its beat `content` on."""
    rate = audio.sample_rate
    begin_s = float(tempo_map.seconds(beat))
    grid = np.append(np.arange(0, frames, GRID_FRAMES, dtype=np.float64), float(frames))
    positions = _seconds_of(clip, content + tempo_map.beats(begin_s + grid / rate) - beat) * rate
    speed = float(positions[-1] - positions[0]) / max(1, frames)
    straight = positions[0] + speed * grid
    if np.max(np.abs(positions - straight)) < 0.5 and abs(speed - 1.0) < SAME_TEMPO * max(1.0, 1e5 / frames):
        if clip.semitones == 0:
            return _from(audio.samples, float(positions[0]), 1.0, frames)
    elif clip.mode == REPITCH:
        return _at(audio.samples, lambda at: np.interp(at, grid, positions), frames)
    return _stretched(clip, audio, grid, positions, frames, monitor)


def _stretched(
    clip: ProjectClip, audio: Audio, grid: Floats, positions: Floats, frames: int, monitor: Monitor
) -> NDArray[np.float32]:
    """Return `frames` frames through Rubber Band; `positions` are the file's frames that those of `grid` play.

    Phrase by phrase, none longer than some seconds: R3 takes ever longer for a second of a long piece, and a cancel
    is heard between two.
    """
    from engine.sync.conform import LOWEST_RATE
    from engine.sync.joining import Timeline
    from engine.sync.phrases import phrases
    from engine.sync.rubber_band import stretched

    rate = audio.sample_rate
    if rate < LOWEST_RATE:
        fine = -(-LOWEST_RATE // rate)
        finer = resample(audio, fine * rate)
        played = _stretched(clip, finer, fine * grid, fine * positions, fine * frames, monitor)
        return _from(resample(Audio(played, fine * rate), rate).samples, 0.0, 1.0, frames)
    rim = round(RIM_S * rate)
    low = max(0, int(np.floor(positions[0])) - rim)
    high = min(audio.frames, int(np.ceil(positions[-1])) + rim)
    timeline = Timeline(audio.samples.shape[0], frames, rate)
    previous_end = 0
    for piece in phrases(audio.samples[:, low:high], rate) if high > low else ():
        first, last = max(0, low + piece.start - rim), min(audio.frames, low + piece.end + rim)
        if last - first < SHORTEST_FRAMES:
            continue
        played, at = stretched(
            np.ascontiguousarray(audio.samples[:, first:last]),
            rate,
            _targets(np.arange(first, last, dtype=np.float64), grid, positions),
            pitch_semitones=clip.semitones,
            preserve_formants=False,
        )
        edges = np.array([low + piece.start, low + piece.end], dtype=np.float64)
        start, end = (round(float(edge)) for edge in _targets(edges, grid, positions))
        if not piece.joins_before:
            timeline.finish_phrase(previous_end)
        timeline.lay(played, at, start, end, joins_before=piece.joins_before)
        previous_end = end
        monitor.report(min(1.0, max(0.0, end / max(1, frames))))
    timeline.finish_phrase(previous_end)
    return timeline.samples


def _targets(asked: Floats, grid: Floats, positions: Floats) -> Floats:
    """Return where frames of the file are played; beyond the ends the slopes there go on."""
    slope_in = max(1e-3, float((positions[1] - positions[0]) / (grid[1] - grid[0])))
    slope_out = max(1e-3, float((positions[-1] - positions[-2]) / (grid[-1] - grid[-2])))
    targets = np.interp(asked, positions, grid)
    before, after = asked < positions[0], asked > positions[-1]
    targets[before] = (asked[before] - positions[0]) / slope_in
    targets[after] = grid[-1] + (asked[after] - positions[-1]) / slope_out
    return targets


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
        return _at(samples, lambda at: start + speed * at, frames)
    begin = round(start)
    out = np.zeros((samples.shape[0], frames), np.float32)
    left, right = max(0, begin), min(samples.shape[1], begin + frames)
    if left < right:
        out[:, left - begin : right - begin] = samples[:, left:right]
    return out


def _at(samples: NDArray[np.float32], place: Callable[[Floats], Floats], frames: int) -> NDArray[np.float32]:
    """Return `frames` frames of a file at any places, by a cubic through the four nearest; silence outside."""
    padded = np.pad(samples, ((0, 0), (2, 3)))
    out = np.empty((samples.shape[0], frames), np.float32)
    for begin in range(0, frames, BLOCK_FRAMES):
        end = min(frames, begin + BLOCK_FRAMES)
        positions = place(np.arange(begin, end, dtype=np.float64))
        whole = np.floor(positions).astype(np.int64)
        x = (positions - whole).astype(np.float32)
        i = np.clip(whole, -2, samples.shape[1]) + 2
        a, b, c, d = (padded[:, np.clip(i + k, 0, padded.shape[1] - 1)] for k in (-1, 0, 1, 2))
        out[:, begin:end] = b + 0.5 * x * (
            c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a))
        )
    return out


def _fade(sound: NDArray[np.float32], fade_in: int, fade_out: int) -> None:
    """Fade in over the first and out over the last so many frames, in place."""
    into, out = min(sound.shape[1], fade_in), min(sound.shape[1], fade_out)
    sound[:, :into] *= (np.arange(into, dtype=np.float32) + 0.5) / max(1, into)
    sound[:, sound.shape[1] - out :] *= (np.arange(out, dtype=np.float32)[::-1] + 0.5) / max(1, out)
