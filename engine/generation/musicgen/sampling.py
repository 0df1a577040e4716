"""How the next codes are drawn from logits: guidance, temperature, top-k, top-p, and a generator of one's own.

The order is that of `transformers` (guidance, temperature, top-k, top-p), so that greedy choices agree with it. Draws
come from PCG64 seeded with `seed + row`: take `i` of a batch is the take that `seed + i` gives alone, on any machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import NrxError

Logits = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How codes are chosen.

    Args:
        temperature: > 0; 0 chooses the likeliest code each time.
        top_k: how many of the likeliest codes may be drawn; 0 for all.
        top_p: the share of probability that may be drawn from, in (0, 1]; 1 for all.
        guidance: classifier-free guidance: `without + guidance * (with - without)`; at most 1 for none.
        seed: of the first row of a batch; the next rows have the next seeds.
        beams: more than 1 searches for the likeliest take in place of drawing one.
        length_penalty: a finished hypothesis scores its log-probability / frames**length_penalty (beams only).
        early_stopping: end once as many hypotheses as beams have finished, in place of when no other can win
            (beams only; hypotheses finish early only with checkpoints that have an end code).

    Raises:
        NrxError: `request.invalid` for a value out of range.
    """

    temperature: float = 1.0
    top_k: int = 250
    top_p: float = 1.0
    guidance: float = 3.0
    seed: int = 0
    beams: int = 1
    length_penalty: float = 1.0
    early_stopping: bool = False

    def __post_init__(self) -> None:
        for name, value, holds, range_ in (
            ("temperature", self.temperature, 0 <= self.temperature <= 10, "0 to 10"),
            ("top_k", self.top_k, self.top_k >= 0, "0 or more"),
            ("top_p", self.top_p, 0 < self.top_p <= 1, "above 0, up to 1"),
            ("guidance", self.guidance, 0 <= self.guidance <= 30, "0 to 30"),
            ("seed", self.seed, self.seed >= 0, "0 or more"),
            ("beams", self.beams, 1 <= self.beams <= 16, "1 to 16"),
            ("length_penalty", self.length_penalty, -5 <= self.length_penalty <= 5, "-5 to 5"),
        ):
            if not holds:
                raise NrxError("request.invalid", f"{name} is {value}; it must be {range_}.")

    @property
    def is_guided(self) -> bool:
        """Whether a branch without conditions runs beside the one with."""
        return self.guidance > 1


def guided(logits: Logits, guidance: float) -> Logits:
    """Return the logits (B, K, V) that guidance makes of those of both branches (2B, K, V): with, then without."""
    conditional, unconditional = np.split(logits, 2)
    return unconditional + (conditional - unconditional) * np.float32(guidance)


class Sampler:
    """Draws the codes of a batch, step by step; deterministic given `sampling.seed`."""

    def __init__(self, sampling: Sampling, rows: int) -> None:
        """Begin with `rows` takes, each with a generator of its own."""
        self._sampling = sampling
        self._generators = [np.random.Generator(np.random.PCG64(sampling.seed + row)) for row in range(rows)]

    def draw(self, logits: Logits) -> NDArray[np.int64]:
        """Return codes (B, K), one for each distribution of `logits` (B, K, V)."""
        rows, codebooks, codes = logits.shape
        if self._sampling.temperature == 0 or self._sampling.top_k == 1:
            return np.asarray(logits.argmax(-1))
        uniforms = np.stack([generator.random(codebooks) for generator in self._generators])
        return draw(logits.reshape(-1, codes), uniforms.ravel(), self._sampling).reshape(rows, codebooks)


def draw(logits: Logits, uniforms: NDArray[np.float64], sampling: Sampling) -> NDArray[np.int64]:
    """Return one code for each row of `logits` (N, V): the one in which `uniforms` (N,) in [0, 1) falls.

    Codes are ordered from the likeliest to the least likely, those of equal logits by number.
    """
    count = logits.shape[-1]
    kept = min(sampling.top_k, count) if sampling.top_k else count
    if kept < count:
        candidates = np.sort(np.argpartition(-logits, kept - 1, axis=-1)[:, :kept], axis=-1)
        logits = np.take_along_axis(logits, candidates, -1)
    else:
        candidates = np.broadcast_to(np.arange(count), logits.shape)
    order = np.argsort(-logits, axis=-1, kind="stable")
    scaled = np.take_along_axis(logits, order, -1).astype(np.float64) / sampling.temperature
    weights = np.exp(scaled - scaled[:, :1])
    cumulative = np.cumsum(weights, axis=-1)
    total = cumulative[:, -1]
    if sampling.top_p < 1:  # a code is kept while the probability of those before it is below top_p
        before = (cumulative - weights) / total[:, None]
        last = np.maximum((before < sampling.top_p).sum(-1) - 1, 0)
        total = np.take_along_axis(cumulative, last[:, None], -1)[:, 0]
    place = np.minimum((cumulative <= (uniforms * total)[:, None]).sum(-1), logits.shape[-1] - 1)
    chosen = np.take_along_axis(order, place[:, None], -1)
    return np.asarray(np.take_along_axis(candidates, chosen, -1)[:, 0], dtype=np.int64)


def log_softmax(logits: Logits) -> NDArray[np.float64]:
    """Return the log-probabilities over the last axis."""
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)))


def spread(rows: Sequence[int], branches: int, count: int) -> list[int]:
    """Return the rows of all branches that belong to `rows` of one branch, where each branch has `count` rows."""
    return [branch * count + row for branch in range(branches) for row in rows]
