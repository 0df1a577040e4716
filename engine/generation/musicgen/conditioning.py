"""What a batch is conditioned on, as the language model takes it: plain arrays, both guidance branches in one batch.

Rows 0..B-1 are with conditions; with guidance, rows B..2B-1 are the same takes without. In `musicgen` the branch
without sees nothing (its cross-attention is exactly zero, since no projection has a bias), in `musicgen_melody` it sees
zeros for the text and a constant chroma. Both as in `transformers`' models of the same name.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import NrxError
from engine.generation.musicgen.checkpoint import Checkpoint
from engine.generation.musicgen.layout import Layout

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Conditioning:
    """The vectors that a batch is conditioned on.

    Args:
        cross: vectors to look at (C, L, hidden) for the first C rows; the other rows look at nothing.
        lengths: how many of the L vectors each of the C rows has (C,).
        prefix: vectors before the first codes (rows, P, hidden); P may be 0.
    """

    cross: Vectors
    lengths: NDArray[np.int64]
    prefix: Vectors

    @property
    def rows(self) -> int:
        """How many sequences run side by side."""
        return len(self.prefix)


class MelodyProjection:
    """Chroma (12 numbers a frame) to vectors of the model's width."""

    def __init__(self, checkpoint: Checkpoint, layout: Layout) -> None:
        """Load from a checkpoint of kind `musicgen_melody`."""
        self._weight: Any = checkpoint.tensor("audio_enc_to_dec_proj.weight").float().numpy()
        self._bias: Any = checkpoint.tensor("audio_enc_to_dec_proj.bias").float().numpy()
        self._layout = layout

    def vectors(self, chroma: NDArray[np.float32]) -> Vectors:
        """Return vectors (B, `chroma_frames`, hidden): chroma (B, T, bins) repeated, then cut, to that length.

        Raises:
            NrxError: `request.invalid` for another shape or for no frames.
        """
        layout = self._layout
        if chroma.ndim != 3 or chroma.shape[2] != layout.chroma_bins or chroma.shape[1] == 0:
            raise NrxError(
                "request.invalid",
                f"The chroma has the shape {chroma.shape}; (takes, frames, {layout.chroma_bins}) is needed.",
            )
        repeats = -(-layout.chroma_frames // chroma.shape[1])
        long = np.tile(chroma, (1, repeats, 1))[:, : layout.chroma_frames].astype(np.float32)
        return np.asarray(long @ self._weight.T + self._bias, dtype=np.float32)

    def nothing(self, rows: int) -> Vectors:
        """Return the vectors (rows, `chroma_frames`, hidden) that stand for no melody."""
        chroma = np.zeros((rows, 1, self._layout.chroma_bins), dtype=np.float32)
        chroma[:, :, 0] = 1
        return self.vectors(chroma)


def text_conditioning(states: Vectors, lengths: NDArray[np.int64], is_guided: bool) -> Conditioning:
    """Return the conditioning of a model without melody on hidden states of text (B, L, hidden)."""
    rows = len(states) * (2 if is_guided else 1)
    return Conditioning(states, lengths, np.zeros((rows, 0, states.shape[-1]), dtype=np.float32))


def melody_conditioning(
    states: Vectors, projection: MelodyProjection, chroma: NDArray[np.float32] | None, is_guided: bool
) -> Conditioning:
    """Return the conditioning of a melody model on text (B, L, hidden) and chroma (B, T, bins), if there is any."""
    rows, _, hidden = states.shape
    melody = projection.nothing(rows) if chroma is None else projection.vectors(chroma)
    prefix = np.concatenate([melody, states], axis=1)
    if is_guided:
        without = np.concatenate([projection.nothing(rows), np.zeros_like(states)], axis=1)
        prefix = np.concatenate([prefix, without])
    nothing = np.zeros((0, 0, hidden), dtype=np.float32)
    return Conditioning(nothing, np.zeros(0, dtype=np.int64), prefix)
