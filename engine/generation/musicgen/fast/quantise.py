"""Weights in 8 bits: rows in groups of 128 with a scale each, in the order in which the kernels read them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.generation.musicgen.fast.vector_ir import GROUP, ROWS

LARGEST = 127
AT_A_TIME = 1024


def padded(size: int) -> int:
    """Return the size of a row that has room for `size` weights in whole groups."""
    return -(-size // GROUP) * GROUP


def quantised(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return weights (N, padded K) in -127..127 and scales (N, groups): a weight is its number times its scale."""
    rows, size = matrix.shape
    wide = np.zeros((rows, padded(size)), dtype=np.float32)
    wide[:, :size] = matrix
    groups = wide.reshape(rows, -1, GROUP)
    scales = np.maximum(groups.max(-1), -groups.min(-1)) / LARGEST
    factors = np.divide(1.0, scales, out=np.zeros_like(scales), where=scales > 0)
    groups *= factors[..., None]
    return np.rint(groups, out=groups).astype(np.int8).reshape(rows, -1), scales.astype(np.float32)


def packed(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return `quantised` as flat arrays: [rows / ROWS][group][ROWS][GROUP] weights, [rows / ROWS][group][ROWS] scales.

    The number of rows must be a multiple of ROWS.
    """
    weights = np.empty(matrix.shape[0] * padded(matrix.shape[1]), dtype=np.int8)
    scales = np.empty(len(weights) // GROUP, dtype=np.float32)
    groups = padded(matrix.shape[1]) // GROUP
    for first in range(0, matrix.shape[0], AT_A_TIME):  # what is between stays small
        numbers, factors = quantised(matrix[first : first + AT_A_TIME])
        span = slice(first * groups, (first + len(numbers)) * groups)
        scales[span] = factors.reshape(-1, ROWS, groups).transpose(0, 2, 1).ravel()
        together = numbers.reshape(-1, ROWS, groups, GROUP).transpose(0, 2, 1, 3)
        weights[span.start * GROUP : span.stop * GROUP] = together.ravel()
    return weights, scales


def unpacked(weights: NDArray[np.int8], scales: NDArray[np.float32], rows: int, size: int) -> Any:
    """Return the float32 matrix (rows, size) that a packed one stands for."""
    groups = padded(size) // GROUP
    numbers = weights.reshape(-1, groups, ROWS, GROUP).astype(np.float32)
    whole = numbers * scales.reshape(-1, groups, ROWS, 1)
    return whole.transpose(0, 2, 1, 3).reshape(rows, -1)[:, :size]
