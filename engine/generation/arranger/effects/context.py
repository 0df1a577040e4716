"""What an effect is made from and what it is: the piece that it runs in, and a function from block to block."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Samples

Process = Callable[[Samples, int], Samples]
"""Takes a block (1 or 2, frames) and the frame at which it starts; returns as many frames, in 1 or 2 channels."""


class TimeMap(Protocol):
    """The part of a tempo map that effects need."""

    def seconds(self, beats: Any, /) -> Any:
        """Return the time of each beat."""

    def beats(self, seconds: Any, /) -> Any:
        """Return the beat at each time."""


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What effects may know of the piece: its rate, its tempo map (or 120 BPM), its kicks, and the seed.

    Where a piece is still being written, `kicks_so_far` gives the kicks that there are by now, in place of all.
    """

    sample_rate: int
    length_frames: int = 0
    target_map: TimeMap | None = None
    kick_times_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    seed: int = 0
    kicks_so_far: Callable[[], NDArray[np.float64]] | None = None

    def kicks_s(self) -> NDArray[np.float64]:
        """Return when kicks sound, in seconds, ascending."""
        return self.kick_times_s if self.kicks_so_far is None else self.kicks_so_far()

    def beats_at(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the beat position at each time in seconds."""
        if self.target_map is None:
            return seconds * 2.0
        return np.asarray(self.target_map.beats(seconds), dtype=np.float64)

    def seconds_at(self, beats: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the time in seconds of each beat position."""
        if self.target_map is None:
            return beats / 2.0
        return np.asarray(self.target_map.seconds(beats), dtype=np.float64)

    @property
    def beat_s(self) -> float:
        """The mean length of a beat over the piece, in seconds."""
        length_s = max(self.length_frames / self.sample_rate, 1.0)
        first, last = self.beats_at(np.array([0.0, length_s]))
        return length_s / float(last - first)
