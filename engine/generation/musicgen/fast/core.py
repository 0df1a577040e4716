"""What every way to run the language model offers.

A `LanguageModel` holds weights and never changes; a `Session` is one batch being generated, with its memory of what
came before. Several sessions may share a model, each used by one thread at a time. Dropping an object frees its memory.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.generation.musicgen.conditioning import Conditioning
from engine.generation.musicgen.layout import Layout


class Session(Protocol):
    """One batch of sequences and what the model remembers of them."""

    def forward(self, codes: NDArray[np.int64], *, every: bool = False) -> NDArray[np.float32]:
        """Take in columns of codes (rows, K, S); return logits (rows, K, V) of what follows the last one.

        With `every`, logits (rows, S, K, V) of what follows each. The first call takes in the prefix too.

        Raises:
            NrxError: `request.invalid` when the session's capacity is exceeded.
        """
        ...

    def select(self, rows: NDArray[np.int64]) -> None:
        """Let each row go on from what the given row of now remembers (beam search); the number of rows stays."""
        ...


class LanguageModel(Protocol):
    """The weights of a decoder, ready to run."""

    @property
    def layout(self) -> Layout:
        """The sizes of the model."""
        ...

    @property
    def description(self) -> str:
        """How it runs, for people and benchmarks: precision, and by what."""
        ...

    def begin(self, conditioning: Conditioning, steps: int) -> Session:
        """Return a session for the conditioning's rows with room for `steps` columns of codes."""
        ...


def positions(first: int, count: int, hidden: int) -> NDArray[np.float32]:
    """Return the sinusoids (count, hidden) that tell positions apart: cosines, then sines, from `first` on."""
    half = hidden // 2
    rates = np.exp(np.arange(half, dtype=np.float32) * np.float32(-np.log(10000) / (half - 1)))
    angles = np.arange(first, first + count, dtype=np.float32)[:, None] * rates
    table = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    return np.pad(table, ((0, 0), (0, hidden % 2))).astype(np.float32)
