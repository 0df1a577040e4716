"""The delay pattern of MusicGen: codebook k of a frame is chosen k steps after codebook 0.

Source: Copet et al., "Simple and Controllable Music Generation" (2023), section 2.2, figure 1. In stereo models left
and right of a codebook are neighbours (L0 R0 L1 R1 ...) and share its delay.

Step s has one column of codes (B, K): codebook k belongs to frame s - delay(k). Before frame 0 and after the last one a
column holds the special code. The column of step -1 is special throughout; column s - 1 goes into the model at step s.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]


def delays(codebooks: int, channels: int) -> NDArray[np.int64]:
    """Return how many steps each codebook comes after the first."""
    return np.arange(codebooks, dtype=np.int64) // (2 if channels == 2 else 1)


def delayed(codes: Codes, delay: NDArray[np.int64], special: int) -> Codes:
    """Return columns (B, K, T + greatest delay) of codes (B, K, T), with the special code where there is none."""
    rows, codebooks, frames = codes.shape
    columns = np.full((rows, codebooks, frames + int(delay.max())), special, dtype=np.int64)
    for codebook, steps in enumerate(delay):
        columns[:, codebook, steps : steps + frames] = codes[:, codebook]
    return columns


def undelayed(columns: Codes, delay: NDArray[np.int64]) -> Codes:
    """Return codes (B, K, T) of columns (B, K, T + greatest delay)."""
    frames = columns.shape[-1] - int(delay.max())
    return np.stack([columns[:, k, steps : steps + frames] for k, steps in enumerate(delay)], axis=1)


@dataclass(slots=True)
class DelayedTakes:
    """The columns of a batch as they are chosen, with what the pattern and a prompt fix already.

    Args:
        prompt: codes (B, K, P) that come first; P may be 0.
        frames: how many frames follow the prompt.
        delay: of each codebook, in steps.
        special: the code that stands where no frame is.
    """

    prompt: Codes
    frames: int
    delay: NDArray[np.int64]
    special: int
    _columns: Codes = None  # type: ignore[assignment]  # made in __post_init__ from the others

    def __post_init__(self) -> None:
        rows, codebooks, _ = self.prompt.shape
        free = np.full((rows, codebooks, self.frames), -1, dtype=np.int64)
        self._columns = delayed(np.concatenate([self.prompt, free], -1), self.delay, self.special)

    @property
    def steps(self) -> int:
        """How many columns there are."""
        return int(self._columns.shape[-1])

    @property
    def first_step(self) -> int:
        """The first step that chooses anything: the columns before it are known."""
        return int(self.prompt.shape[-1])

    def opening(self) -> Codes:
        """Return what goes into the model before the first choice (B, K, P + 1)."""
        rows, codebooks, length = self.prompt.shape
        start = np.full((rows, codebooks, 1), self.special, dtype=np.int64)
        return np.concatenate([start, self._columns[:, :, :length]], -1)

    def column(self, row: int, step: int) -> Codes:
        """Return the column (K,) of a row at this step, -1 where it is to be chosen."""
        return self._columns[row, :, step].copy()

    def put(self, step: int, chosen: Codes) -> Codes:
        """Keep the chosen codes (B, K) where this step is free; return the whole column."""
        column = self._columns[:, :, step]
        column[:] = np.where(column < 0, chosen, column)
        return column.copy()

    def frame_after(self, step: int) -> Codes | None:
        """Return the new frame (B, K) that this step completes, if it does."""
        frame = step - int(self.delay.max())
        if frame < self.first_step:
            return None
        return self._columns[:, np.arange(len(self.delay)), frame + self.delay].copy()
