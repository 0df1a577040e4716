"""The melody that a generator is to follow: a recording, and where its moments lie on the timeline that is wanted.

Generators that follow a melody take it as chroma (see `engine.generation.musicgen.chroma`), window by window. The
recording is read where the wanted timeline says, so a new tempo needs no stretching of it. What is longer than the
recording follows it from its start again, as the released models do.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.generation.musicgen.chroma import HOP_S, RATE, Chroma, as_heard, chroma_at
from engine.progress import SILENT, Monitor

Moments = NDArray[np.float64]
LONGEST_GAP_S = 1.0
"""How far beyond its end a recording is still read as it is, before it starts again."""


def _as_it_is(moments_s: Moments) -> Moments:
    return moments_s


@dataclass(frozen=True, slots=True, eq=False)
class Melody:
    """A recording to follow: `mono` float32 (frames,) at 32 kHz.

    `in_recording` turns seconds of the wanted timeline into seconds of the recording.
    """

    mono: NDArray[np.float32]
    in_recording: Callable[[Moments], Moments] = _as_it_is

    @classmethod
    def of(
        cls,
        audio: Audio,
        in_recording: Callable[[Moments], Moments] = _as_it_is,
        monitor: Monitor = SILENT,
    ) -> "Melody":
        """Return the melody of a recording at any rate, in mono or stereo."""
        return cls(as_heard(audio, monitor), in_recording)

    @property
    def duration_s(self) -> float:
        """Length of the recording in seconds."""
        return self.mono.size / RATE

    def chroma(self, start_s: float, frames: int) -> Chroma:
        """Return `frames` chroma frames from second `start_s` of the wanted timeline on, shape (frames, 12)."""
        return chroma_at(self.mono, self._moments(start_s, frames))

    def sha256(self, duration_s: float) -> str:
        """Return a hash of all that a generator can hear of this melody over so many seconds."""
        digest = hashlib.sha256(self.mono.tobytes())
        digest.update(self._moments(0.0, 1 + int(duration_s / HOP_S)).tobytes())
        return digest.hexdigest()

    def _moments(self, start_s: float, frames: int) -> Moments:
        wanted = start_s + HOP_S * np.arange(frames, dtype=np.float64)
        moments = np.asarray(self.in_recording(wanted), dtype=np.float64)
        beyond = moments > self.duration_s + LONGEST_GAP_S
        return np.where(beyond, np.mod(moments, max(self.duration_s, HOP_S)), moments)
