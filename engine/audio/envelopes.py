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
    edges = (np.arange(columns + 1) * audio.frames) // columns
    lowest, highest, power = (np.zeros(columns, np.float32) for _ in range(3))
    for samples in audio.samples:
        for column in range(columns):
            piece = samples[edges[column] : max(edges[column + 1], min(edges[column] + 1, audio.frames))]
            if piece.size:
                lowest[column] = min(lowest[column], piece.min())
                highest[column] = max(highest[column], piece.max())
                power[column] += np.dot(piece, piece) / piece.size
    return Envelope(lowest, highest, np.sqrt(power / max(1, audio.channels)), audio.duration_s)
