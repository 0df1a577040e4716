"""K-weighted energy per 10 ms, from single-precision products: what loudness is made of, several times as fast.

A meter needs no K-weighted samples, only the sum of their squares in every hop. So a hop is cut into rows of some 48
frames, and all rows of a block are filtered by one product of float32 matrices (the block realisation that
`engine.audio.recursive` explains), squared and summed while they are in the processor's cache. Float32 is enough for
it because the states between rows are kept in coordinates in which they are as large as what they contribute: the
rows of their response are orthonormal there. The states themselves follow in float64. Sums agree with those of the
recursion in float64 within a few millionths (0.00002 LU).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.audio.recursive import row_matrices
from engine.loudness.weighting import k_weighting_sos

HOPS_PER_S = 100
ROW_FRAMES = range(40, 65)
"""Lengths of a row that are fast; it must divide a hop."""
NEAR_FRAMES = 48
PRODUCT_VALUES = 262_144
"""Multiplications in one product: OpenBLAS starts threads above this, which are of no use to so little work."""
BLOCK_FRAMES = 32_768
"""About as many frames at once as stay in the cache."""
FORGOTTEN, MOST_LEAPS = 1e-12, 24

State = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """The filter's matrices, to stand on the right of rows; `leaps[i]` takes states on by 2^i rows."""

    length: int
    together: int
    response: NDArray[np.float32]
    driven: NDArray[np.float32]
    leaps: tuple[NDArray[np.float64], ...]
    to_rows: NDArray[np.float64]
    from_rows: NDArray[np.float64]


def hop_is_whole(sample_rate: int) -> bool:
    """Return whether `weighted_energies` can be used at this rate: 10 ms are a whole number of rows."""
    return _row_frames(sample_rate) is not None


def weighted_energies(
    samples: NDArray[np.floating], sample_rate: int, state: State
) -> tuple[NDArray[np.float64], State]:
    """Return the energies of whole hops, and the state behind them.

    Args:
        samples: shape (channels, frames), frames a multiple of a hop.
        sample_rate: Hz; one for which `hop_is_whole`.
        state: of the K-weighting as `engine.audio.recursive.sosfilt` has it, shape (channels, 4).

    Returns:
        Sums of squares of the K-weighted samples, shape (channels, hops), and the state.
    """
    rows = _rows(sample_rate)
    channels, frames = samples.shape
    hop = sample_rate // HOPS_PER_S
    per_hop = hop // rows.length
    step = max(1, BLOCK_FRAMES // hop) * hop
    sums = np.empty((channels, frames // hop))
    held = state @ rows.to_rows
    for start in range(0, frames, step):
        block = samples[:, start : start + step]
        count = block.shape[1] // rows.length
        padded = -(-count // rows.together) * rows.together
        heard = np.zeros((channels, padded, rows.length + rows.driven.shape[1]), np.float32)
        heard[:, :count, : rows.length] = block.reshape(channels, count, rows.length)
        parts = heard.reshape(channels, -1, rows.together, heard.shape[2])
        states = np.empty((channels, count + 1, held.shape[1]))
        states[:, 0] = held
        driven = parts[..., : rows.length] @ rows.driven
        states[:, 1:] = driven.reshape(channels, padded, -1)[:, :count]
        for power, leap in enumerate(rows.leaps):
            reach = 1 << power
            if reach > count:
                break
            states[:, reach:] += states[:, :-reach] @ leap
        heard[:, :count, rows.length :] = states[:, :-1]
        held = states[:, -1]
        made = (parts @ rows.response).reshape(channels, padded, rows.length)[:, :count]
        by_row = np.einsum("crf,crf->cr", made, made)
        first = start // hop
        sums[:, first : first + count // per_hop] = by_row.reshape(channels, -1, per_hop).sum(
            axis=2, dtype=np.float64
        )
    return sums, held @ rows.from_rows


def _row_frames(sample_rate: int) -> int | None:
    if sample_rate % HOPS_PER_S:
        return None
    fitting = [length for length in ROW_FRAMES if (sample_rate // HOPS_PER_S) % length == 0]
    return min(fitting, key=lambda length: abs(length - NEAR_FRAMES)) if fitting else None


@lru_cache(maxsize=8)
def _rows(sample_rate: int) -> _Rows:
    length = _row_frames(sample_rate)
    if length is None:
        raise ValueError(f"a hundredth of a second at {sample_rate} Hz is no whole number of rows.")
    made = row_matrices(k_weighting_sos(sample_rate), length)
    orthonormal, triangle = np.linalg.qr(made.heard.T)
    back = np.linalg.inv(triangle.T)
    leap = back @ np.linalg.matrix_power(made.step, length) @ triangle.T
    leaps: list[NDArray[np.float64]] = []
    while np.abs(leap).max() > FORGOTTEN and len(leaps) < MOST_LEAPS:
        leaps.append(leap)
        leap = leap @ leap
    return _Rows(
        length,
        max(1, PRODUCT_VALUES // (length * (length + len(back)))),
        np.concatenate((made.response, orthonormal.T)).astype(np.float32),
        (made.driven @ triangle.T).astype(np.float32),
        tuple(leaps),
        triangle.T,
        back,
    )
