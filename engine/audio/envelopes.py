"""What a waveform looks like at a given width: the lowest, highest and RMS value in each column of pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio


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
        starts, sizes = edges[:-1], np.maximum(np.diff(edges), 1)
        for samples in audio.samples:
            np.minimum(lowest, np.minimum.reduceat(samples, starts), out=lowest)
            np.maximum(highest, np.maximum.reduceat(samples, starts), out=highest)
            power += np.add.reduceat(np.square(samples), starts) / sizes
    return Envelope(lowest, highest, np.sqrt(power / max(1, audio.channels)), audio.duration_s)
