"""Where segments lie, and how they are joined: Demucs' own scheme, as positions and weights.

A song is separated in segments of a fixed length that overlap. Each is weighted by a triangle, summed, and divided by
the sum of the weights. With shifts, the whole is done again from another start up to half a second before the song, and
averaged. A segment at the end that is shorter is given what lies around it, in equal parts before and behind.

Positions are frames at the model's rate, counted from the song's start; what lies outside of the song is silence.
Source: `apply_model` of demucs 4.1 (MIT), whose results this gives for the same shifts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHIFT_S = 0.5
"""The largest shift, in seconds."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch [start, start + frames) of the song; the network sees `window` frames from `window_start` on."""

    start: int
    frames: int
    window_start: int
    window: int

    @property
    def stop(self) -> int:
        """The first frame behind it."""
        return self.start + self.frames

    @property
    def offset(self) -> int:
        """Where the stretch begins inside of the window."""
        return self.start - self.window_start


@dataclass(frozen=True, slots=True)
class Grid:
    """How a song of `length` frames is cut.

    `segment` is the length of a segment, `overlap` the share of it that the next one covers too, and `window` gives the
    length that the network sees of a segment of so many frames.
    """

    length: int
    segment: int
    overlap: float
    window: Callable[[int], int]

    @property
    def stride(self) -> int:
        """Frames from one segment's start to the next one's; at least 1."""
        return max(1, int((1 - self.overlap) * self.segment))

    @property
    def longest(self) -> int:
        """The longest stretch of the song that is looked at, at once."""
        return max(self.segment, self.window(self.segment))

    def count(self, origin: int = 0) -> int:
        """Return how many segments there are from `origin` (0, or before the song) to the song's end."""
        return -(-(self.length - origin) // self.stride)

    def segments(self, origin: int = 0) -> Iterator[Segment]:
        """Yield the segments from `origin` to the song's end, in order."""
        for start in range(origin, self.length, self.stride):
            frames = min(self.segment, self.length - start)
            window = self.window(frames)
            yield Segment(start, frames, start - (window - frames) // 2, window)


def triangle(frames: int) -> NDArray[np.float32]:
    """Return the weights of a whole segment: a triangle with its top, 1, in the middle."""
    half = frames // 2
    rise, fall = np.arange(1, half + 1), np.arange(frames - half, 0, -1)
    weights: NDArray[np.float32] = np.concatenate((rise, fall)).astype(np.float32)
    weights /= weights.max()
    return weights


class OverlapAdd:
    """Joins the segments of one pass over the song, and gives what is complete.

    Memory is that of one segment and what has not been taken yet.
    """

    def __init__(self, shape: tuple[int, ...], grid: Grid, origin: int) -> None:
        """Start a pass at `origin`; `shape` is that of a frame, as in (stems, channels)."""
        self._start = origin
        self._weights = triangle(grid.segment)
        self._sum = np.zeros((*shape, grid.segment), np.float32)
        self._weight = np.zeros(grid.segment, np.float32)

    def add(self, segment: Segment, samples: NDArray[np.float32]) -> None:
        """Add the samples (…, frames) of a segment; they are used up.

        Raises:
            ValueError: if the segment starts before what has been taken.
        """
        at = segment.start - self._start
        if at < 0:
            raise ValueError(f"segment at {segment.start} starts before {self._start}")
        self._grow(at + segment.frames)
        weights = self._weights[: segment.frames]
        samples *= weights
        self._sum[..., at : at + segment.frames] += samples
        self._weight[at : at + segment.frames] += weights

    def take(self, stop: int) -> NDArray[np.float32]:
        """Return the frames up to `stop` that have not been taken, which no later segment may touch."""
        count = stop - self._start
        done: NDArray[np.float32] = self._sum[..., :count] / self._weight[:count]
        self._sum = self._sum[..., count:].copy()
        self._weight = self._weight[count:].copy()
        self._start = stop
        return done

    def _grow(self, frames: int) -> None:
        missing = frames - self._weight.size
        if missing > 0:
            self._sum = np.concatenate(
                (self._sum, np.zeros((*self._sum.shape[:-1], missing), np.float32)), axis=-1
            )
            self._weight = np.concatenate((self._weight, np.zeros(missing, np.float32)))
