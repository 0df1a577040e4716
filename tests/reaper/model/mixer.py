"""What a track sounds like: its items read from their files, effects, faders, folders, sends, mutes and solos.

Audio is float64 (frames, channels) over one stretch of the timeline. A track's output is post-effects and post-fader.
Fades are linear; a pan turns the other side down (REAPER's balance with a 0 dB law). Time stretching changes the pitch
here, which no script of ours asks for.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np

from tests.reaper.model.project import Project
from tests.reaper.model.state import Item, Samples, Source, Take, Track, frames_of
from tests.reaper.model.tempo import TempoMap


class Mixer:
    """Plays a project from `start_s` on, `frames` frames at `rate`."""

    def __init__(self, project: Project, start_s: float, frames: int, rate: int) -> None:
        self._project = project
        self._start_s = start_s
        self._frames = frames
        self._rate = rate
        self._tempo: TempoMap = project.tempo_map()
        self._playing: list[int] = []

    def master(self) -> Samples:
        """Return the master mix."""
        mix = self._silence()
        for track in self._project.tracks:
            if self._project.parent_of(track) is None:
                mix += self.track(track)
        return self.through_master(mix)

    def through_master(self, mix: Samples) -> Samples:
        """Return what the master's effects and fader make of a mix."""
        return self._through(self._project.content.master, mix)

    def track(self, track: Track, *, fader: bool = True) -> Samples:
        """Return the output of a track, what lies in it (folder) and what it receives included."""
        mix = self._silence()
        if not self._sounds(track) or track.uid in self._playing:
            return mix
        self._playing.append(track.uid)
        for item in track.items:
            self._add_item(mix, track, item)
        for child in self._project.children_of(track):
            mix += self.track(child)
        for send in self._project.content.sends:
            if send.target_uid == track.uid and not send.muted:
                source = next(other for other in self._project.tracks if other.uid == send.source_uid)
                mix += self.track(source) * send.volume
        self._playing.pop()
        return self._through(track, mix, fader=fader)

    def _silence(self) -> Samples:
        return np.zeros((self._frames, 2))

    def _sounds(self, track: Track) -> bool:
        if track.muted:
            return False
        soloed = [other for other in self._project.tracks if other.solo]
        if not soloed:
            return True
        return any(
            other is track or self._inside(track, other) or self._inside(other, track) for other in soloed
        )

    def _inside(self, track: Track, folder: Track) -> bool:
        parent = self._project.parent_of(track)
        return parent is not None and (parent is folder or self._inside(parent, folder))

    def _through(self, track: Track, mix: Samples, *, fader: bool = True) -> Samples:
        for fx in track.fx:
            if (
                fx.enabled
                and not fx.offline
                and not fx.instrument
                and fx.process is not None
                and not track.frozen
            ):
                mix = fx.process(mix, self._rate)
        if not fader:
            return mix
        return mix * track.volume * _balance(track.pan)

    def _add_item(self, mix: Samples, track: Track, item: Item) -> None:
        take = item.take
        if item.muted or take is None or take.source is None or take.source.offline:
            return
        frames = frames_of(item.length_s, self._rate)
        sound = self._take_sound(track, item, take, take.source, frames)
        if sound is None:
            return
        sound = sound * _fade(item, frames, self._rate)[:, np.newaxis]
        sound *= item.volume * take.volume * _balance(take.pan)
        at = frames_of(item.position_s - self._start_s, self._rate)
        first, last = max(0, at), min(self._frames, at + frames)
        if last > first:
            mix[first:last] += sound[first - at : last - at]

    def _take_sound(
        self, track: Track, item: Item, take: Take, source: Source, frames: int
    ) -> Samples | None:
        if source.kind == "MIDI":
            has_instrument = any(fx.instrument and fx.enabled and not fx.offline for fx in track.fx)
            return self._play_notes(item, source, frames) if has_instrument else None
        if source.path is None or not source.path.is_file():
            return None
        stamp = source.path.stat().st_mtime_ns
        samples = _read(source.path, stamp, source.sample_rate * take.playrate, self._rate)
        first = frames_of(take.offset_s / take.playrate, self._rate)
        wanted = np.arange(first, first + frames)
        if item.loop_source and len(samples):
            return samples[wanted % len(samples)]
        inside = (wanted >= 0) & (wanted < len(samples))
        sound = np.zeros((frames, 2))
        sound[inside] = samples[wanted[inside]]
        return sound

    def _play_notes(self, item: Item, source: Source, frames: int) -> Samples:
        sound = np.zeros((frames, 2))
        start_qn = self._tempo.qn_at(item.position_s)
        for note in source.notes:
            begin = frames_of(self._tempo.time_at(start_qn + note.start_qn) - item.position_s, self._rate)
            end = frames_of(self._tempo.time_at(start_qn + note.end_qn) - item.position_s, self._rate)
            begin, end = max(0, begin), min(frames, end)
            if end > begin:
                t = np.arange(end - begin) / self._rate
                tone = np.sin(2 * np.pi * 440 * 2 ** ((note.pitch - 69) / 12) * t) * 0.2 * note.velocity / 127
                sound[begin:end] += tone[:, np.newaxis]
        return sound


def _balance(pan: float) -> Samples:
    return np.array([min(1.0, 1.0 - pan), min(1.0, 1.0 + pan)])


def _fade(item: Item, frames: int, rate: int) -> Samples:
    gain = np.ones(frames)
    fade_in = item.auto_fade_in_s if item.auto_fade_in_s >= 0 else item.fade_in_s
    fade_out = item.auto_fade_out_s if item.auto_fade_out_s >= 0 else item.fade_out_s
    rising = min(frames, frames_of(fade_in, rate))
    falling = min(frames, frames_of(fade_out, rate))
    if rising:
        gain[:rising] *= np.arange(rising) / rising
    if falling:
        gain[frames - falling :] *= np.arange(falling, 0, -1) / falling
    return gain


@lru_cache(maxsize=16)
def _read(path: Path, _stamp: int, source_rate: float, rate: int) -> Samples:
    import soundfile

    samples, _ = soundfile.read(str(path), dtype="float64", always_2d=True)
    if samples.shape[1] == 1:
        samples = np.repeat(samples, 2, axis=1)
    samples = samples[:, :2]
    if source_rate != rate:
        import soxr

        samples = soxr.resample(samples, source_rate, rate)
    sound: Samples = samples
    return sound
