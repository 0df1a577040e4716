"""`Audio`: sound in memory.

float32, shape (channels, frames), nominal full scale at ±1.0; values may exceed it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """Samples, float32 of shape (channels, frames), C-contiguous, and their rate in Hz."""

    samples: Samples
    sample_rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.dtype != np.float32:
            raise TypeError(
                f"Audio wants float32 (channels, frames), got {self.samples.dtype} {self.samples.shape}."
            )

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[0])

    @property
    def frames(self) -> int:
        """Number of frames (samples per channel)."""
        return int(self.samples.shape[1])

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate

    def mono(self) -> NDArray[np.float32]:
        """Return the mean of the channels, float32 of shape (frames,)."""
        mean: NDArray[np.float32] = self.samples.mean(axis=0, dtype=np.float32)
        return mean

    def with_samples(self, samples: NDArray[np.floating]) -> "Audio":
        """Return other samples of shape (channels, frames) at this rate."""
        return Audio(np.ascontiguousarray(samples, dtype=np.float32), self.sample_rate)
