"""What a waveform looks like at a given width: the lowest, highest and RMS value in each column of pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio

COLUMNS_AT_ONCE = 8
"""So few that the squares of a song's samples stay in the cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Envelope:
    """A waveform in columns that divide `duration_s` evenly. Arrays are float32 of shape (columns,)."""

    lowest: NDArray[np.float32]
    highest: NDArray[np.float32]
    rms: NDArray[np.float32]
    duration_s: float

    @property
    def columns(self) -> int:
        """Number of columns."""
        return len(self.rms)


def envelope(audio: Audio, columns: int = 1600) -> Envelope:
    """Return the envelope of all channels together, in `columns` columns.

    The peaks are exact over all channels; the RMS is that of the channels' mean power.
    """
    columns = max(1, columns)
    lowest, highest, power = (np.zeros(columns, np.float32) for _ in range(3))
    if audio.frames:
        edges = (np.arange(columns + 1) * audio.frames) // columns
        sizes = np.maximum(np.diff(edges), 1)
        for first in range(0, columns, COLUMNS_AT_ONCE):
            some = slice(first, min(columns, first + COLUMNS_AT_ONCE))
            begin, end = int(edges[some.start]), max(int(edges[some.stop]), int(edges[some.stop - 1]) + 1)
            starts = edges[some] - begin
            for samples in audio.samples[:, begin:end]:
                np.minimum(lowest[some], np.minimum.reduceat(samples, starts), out=lowest[some])
                np.maximum(highest[some], np.maximum.reduceat(samples, starts), out=highest[some])
                power[some] += np.add.reduceat(np.square(samples), starts) / sizes[some]
    return Envelope(lowest, highest, np.sqrt(power / max(1, audio.channels)), audio.duration_s)
