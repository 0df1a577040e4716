"""Audio at the model's rate and channels as it is needed, and stems back at the song's rate, a stretch at a time.

Channels go through the model in the pairs that are each other's mirror image (left and right, surrounds); one that is
its own (mono, centre, low-frequency effects) goes alone, on both sides of the model. Conversion is soxr's at its very
high quality: linear phase, no delay. Memory is that of the stretches at hand.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio, Samples
from engine.audio.channels import mirrored_pairs

_BLOCK_FRAMES = 1 << 16
QUALITY = "VHQ"
_LEAST_DEVIATION = 1e-8
"""Added to the deviation, so that silence is not divided by zero. As in `demucs.api`."""


@dataclass(frozen=True, slots=True)
class Level:
    """The mean and the standard deviation of a song's mono mix; a deviation of exactly 0 is a constant."""

    mean: float
    deviation: float

    def restore(self, stems: Samples) -> Samples:
        """Return stems, which are used up, at the song's level again."""
        stems *= np.float32(self.deviation + _LEAST_DEVIATION)
        stems += np.float32(self.mean)
        return stems


AS_IT_IS = Level(0.0, 1.0)


def channel_groups(channels: int, model_channels: int) -> list[tuple[int, ...]]:
    """Return which channels go through a model together."""
    if model_channels == 1:
        return [(channel,) for channel in range(channels)]
    return mirrored_pairs(channels)


def frames_at(frames: int, rate: int, other_rate: int) -> int:
    """Return how many frames at `other_rate` last as long as `frames` at `rate`, rounded."""
    return (2 * frames * other_rate + rate) // (2 * rate)


class Source:
    """A group of a song's channels at the model's rate and level; read forwards, with what lies close behind kept."""

    def __init__(
        self, audio: Audio, group: tuple[int, ...], rate: int, channels: int, level: Level = AS_IT_IS
    ) -> None:
        """Give `channels` channels at `rate` of the channels `group` of `audio`, brought from `level` to 0 and 1."""
        self.frames = frames_at(audio.frames, audio.sample_rate, rate)
        self.level = level
        self._audio, self._group, self._channels = audio, group, channels
        self._read, self._start = 0, 0
        self._held = np.zeros((len(group), 0), np.float32)
        self._stream: Any = None
        if audio.sample_rate != rate:
            import soxr

            self._stream = soxr.ResampleStream(
                audio.sample_rate, rate, len(group), dtype="float32", quality=QUALITY
            )

    def read(self, start: int, frames: int) -> Samples:
        """Return (channels, frames) from `start` on, with silence outside of the song; `forget` says what is gone."""
        stop = start + frames
        if self._stream is None:
            inside = self._audio.samples[list(self._group), max(0, start) : max(0, min(stop, self.frames))]
        else:
            self._fill(min(stop, self.frames))
            inside = self._held[:, max(0, start - self._start) : max(0, stop - self._start)]
        out = np.zeros((self._channels, frames), np.float32)
        at = max(0, -start)
        part = out[:, at : at + inside.shape[1]]
        part[:] = inside  # one channel goes to all
        if self.level != AS_IT_IS:
            part -= self.level.mean
            part /= self.level.deviation + _LEAST_DEVIATION
        return out

    def forget(self, before: int) -> None:
        """Drop what lies before a position; it will not be read again."""
        gone = min(before - self._start, self._held.shape[1])
        if self._stream is not None and gone > 0:
            self._held = self._held[:, gone:].copy()
            self._start += gone

    def _fill(self, stop: int) -> None:
        pieces = [self._held]
        end = self._start + self._held.shape[1]
        while end < stop:
            last = self._read + _BLOCK_FRAMES >= self._audio.frames
            block = self._audio.samples[list(self._group), self._read : self._read + _BLOCK_FRAMES]
            self._read += block.shape[1]
            made = self._stream.resample_chunk(np.ascontiguousarray(block.T), last=last).T
            if last:  # a frame more or less by rounding
                made = made[:, : self.frames - end]
                made = np.pad(made, ((0, 0), (0, self.frames - end - made.shape[1])))
            pieces.append(made)
            end += made.shape[1]
        if len(pieces) > 1:
            self._held = np.concatenate(pieces, axis=1)


def level_of(source: Source) -> Level:
    """Return the level of a source that has not been read, by reading all of it.

    Source: the normalisation of `demucs.api.Separator.separate_tensor`: of the mono mix.
    """
    total, squares = 0.0, 0.0
    lowest, highest = np.inf, -np.inf
    for start in range(0, source.frames, _BLOCK_FRAMES):
        count = min(_BLOCK_FRAMES, source.frames - start)
        mono = source.read(start, count).mean(axis=0, dtype=np.float64)
        total += float(mono.sum())
        squares += float(mono @ mono)
        lowest, highest = min(lowest, float(mono.min())), max(highest, float(mono.max()))
        source.forget(start + count)
    mean = total / max(1, source.frames)
    variance = (squares - source.frames * mean * mean) / max(1, source.frames - 1)
    return Level(mean, float(np.sqrt(max(0.0, variance))) if highest > lowest else 0.0)


class Return:
    """Stems on their way back to the song's rate and number of frames."""

    def __init__(self, audio: Audio, rate: int, stems: int) -> None:
        """Bring `stems` stems of all channels of `audio` back from `rate`."""
        self._frames, self._shape = audio.frames, (stems, audio.channels)
        self._given = 0
        self._stream: Any = None
        if audio.sample_rate != rate:
            import soxr

            self._stream = soxr.ResampleStream(
                rate, audio.sample_rate, stems * audio.channels, dtype="float32", quality=QUALITY
            )

    def convert(self, stems: Samples, *, last: bool) -> Samples:
        """Return what is complete of the stems (stems, channels, frames), given in order; `last` ends the song."""
        if self._stream is None:
            return stems
        flat = stems.reshape(-1, stems.shape[-1]).T
        made = self._stream.resample_chunk(np.ascontiguousarray(flat), last=last).T
        made = made[:, : self._frames - self._given]
        if last:
            made = np.pad(made, ((0, 0), (0, self._frames - self._given - made.shape[1])))
        self._given += made.shape[1]
        result: NDArray[np.float32] = np.ascontiguousarray(made).reshape(*self._shape, made.shape[1])
        return result
