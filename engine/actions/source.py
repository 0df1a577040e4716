"""From files to sound: checks before anything is decoded, then one stereo (or mono) mix, or stems of equal length."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.actions.model import Song, SourceFile
from engine.actions.reference import REFERENCE_ROLE
from engine.actions.roles import STEM_GROUPS
from engine.audio import Audio, Limits, check_musical, probe, read_audio, resample, to_stereo
from engine.errors import NrxError
from engine.progress import SILENT, Monitor
from engine.stages import file_hash

PROGRAM_BYTES = 0.4e9
"""Memory of the program itself, with its libraries."""
MOST_CHANNELS = 2
"""Channels of a mix; more are mixed down."""


@dataclass(slots=True)
class Mix:
    """The mix of a song: its measures, and its sound for whoever asks.

    What is separated and analysed already need not be decoded again: only the measures are wanted then. `power` is
    the mean square of all samples; `read` decodes the song.
    """

    sample_rate: int
    frames: int
    power: float
    read: Callable[[Monitor], Audio]
    audio: Audio | None = None

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate

    def sound(self, monitor: Monitor = SILENT) -> Audio:
        """Return the sound, which is held until `let_go`."""
        if self.audio is None:
            self.audio = self.read(monitor)
        return self.audio

    def let_go(self) -> None:
        """Hold the sound no longer."""
        self.audio = None


def mix_of(audio: Audio, read: Callable[[Monitor], Audio]) -> Mix:
    """Return the mix that `audio` is; `read` makes the same again."""
    return Mix(audio.sample_rate, audio.frames, power(audio), read, audio)


def power(audio: Audio) -> float:
    """Return the mean square of all samples."""
    return float(np.mean([np.dot(channel, channel) / max(1, channel.size) for channel in audio.samples]))


def open_source(path: Path, limits: Limits, role: str | None = None) -> SourceFile:
    """Check a file by its header and hash its bytes.

    Raises:
        NrxError: any `input.*` code; `request.invalid` for an unknown role.
    """
    if role is not None and role not in STEM_GROUPS and role != REFERENCE_ROLE:
        raise NrxError(
            "request.invalid", f"There is no role {role!r}; the roles are: {', '.join(STEM_GROUPS)}."
        )
    info = probe(path)
    limits.check(info)
    return SourceFile(path, info, file_hash(path), role)


def refuse_what_is_too_long(song: Song, bytes_per_frame: float, memory_max_gb: float) -> None:
    """Refuse a song whose action would need more memory than allowed, before any work is done.

    Raises:
        NrxError: `input.too_long`.
    """
    frames = max(source.info.frames or 0 for source in song.sources)
    rate = song.sources[0].info.sample_rate
    longest_s = max(0.0, memory_max_gb * 1e9 - PROGRAM_BYTES) / bytes_per_frame / rate
    if frames / rate > longest_s:
        raise NrxError(
            "input.too_long",
            f"{song.sources[0].shown.name} lasts {frames / rate / 60:.0f} minutes, and this action can take at most "
            f"{longest_s / 60:.0f} minutes at {rate} Hz in {memory_max_gb:g} GB of memory; cut it into shorter files, "
            f"or raise memory_max_gb.",
        )


def read_whole(song: Song, monitor: Monitor) -> Audio:
    """Read a song's single input with the channels it has, and refuse what nothing can be made from."""
    audio = read_audio(song.sources[0].path, monitor=monitor)
    check_musical(audio)
    return audio


def read_mix(song: Song, monitor: Monitor) -> Audio:
    """Read a song's single input as mono or stereo; more channels are mixed down."""
    audio = read_whole(song, monitor)
    return to_stereo(audio) if audio.channels > MOST_CHANNELS else audio


def read_at_one_rate(song: Song, monitor: Monitor) -> list[Audio]:
    """Read every source in stereo at the first one's rate, each with its own length."""
    rate = song.sources[0].info.sample_rate
    read = []
    for index, source in enumerate(song.sources):
        part = monitor.part(index / len(song.sources), (index + 1) / len(song.sources))
        audio = to_stereo(read_audio(source.path, monitor=part))
        read.append(audio if audio.sample_rate == rate else resample(audio, rate))
    return read


def read_stems(song: Song, monitor: Monitor) -> dict[str, Audio]:
    """Read the stems of a song, padded to equal length; group (see `STEM_GROUPS`) -> sum of its stems."""
    every = read_at_one_rate(song, monitor)
    frames = max(audio.frames for audio in every)
    stems: dict[str, Audio] = {}
    for source, audio in zip(song.sources, every, strict=True):
        group = STEM_GROUPS[source.role or "other"]
        if group not in stems:
            stems[group] = Audio(np.zeros((2, frames), np.float32), audio.sample_rate)
        stems[group].samples[:, : audio.frames] += audio.samples
    check_musical(sum_of(list(stems.values())))
    return stems


def sum_of(parts: list[Audio]) -> Audio:
    """Return the plain sum of parts of equal shape."""
    total = parts[0].samples.copy()
    for part in parts[1:]:
        total += part.samples
    return Audio(total, parts[0].sample_rate)
