"""Recursive filters, as cascades of second-order sections, run by matrix products; and Butterworth's designs.

scipy.signal has both. But to import it costs as long as to filter twenty minutes of stereo, since it brings splines,
statistics and optimisation along; here numpy is enough, at the same speed.

A cascade in direct form II transposed is a linear system, x' = A x + b u, y = c x + d u. Over a row of `ROW_FRAMES`
frames the output is T u + O x with T the triangular matrix of the impulse response and O the rows c A^k, and the state
behind the row is A^ROW x + K u. So all rows of a block are filtered by one product, as if each began in silence; the
states between rows follow by doubling (1, 2, 4 … rows at a time, until the filter has forgotten), and O adds what they
contribute: a block realisation (C. S. Burrus, "Block realization of digital filters", IEEE Trans. Audio Electroacoust.
20, 1972). All arithmetic is in float64, and agrees with the recursion within 1e-9 of the loudest sample.

Sections are rows (b0, b1, b2, 1, a1, a2), as scipy writes them.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Sos = NDArray[np.float64]
State = NDArray[np.float64]
"""What a filter holds between two blocks, shape (channels, 2 * sections); zeros are silence."""

ROW_FRAMES = 32
PRODUCT_ROWS = 128
"""Rows in one matrix product: so few that BLAS does not start threads for it; parts are filtered side by side."""
BLOCK_VALUES = 1 << 18
"""Multiplications in the largest product of states, which bounds the rows of a block for filters of high order."""
FORGOTTEN = 1e-20
QUIET = 1e-60
"""States below this are silence: numbers near the end of float64's range would be slow."""


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """A cascade's matrices, transposed to stand on the right of rows; `leaps[i]` is A^(ROW * 2^i)."""

    step: NDArray[np.float64]
    response: NDArray[np.float64]
    heard: NDArray[np.float64]
    driven: NDArray[np.float64]
    leaps: tuple[NDArray[np.float64], ...]
    block_rows: int


def filtered(sos: Sos, samples: NDArray[Any]) -> NDArray[Any]:
    """Return samples (channels, frames) or (frames,) behind a filter that starts from silence; same shape and type."""
    return sosfilt(sos, samples, None)[0]


def sosfilt(sos: Sos, samples: NDArray[Any], state: State | None) -> tuple[NDArray[Any], State]:
    """Filter a block of a stream.

    Args:
        sos: Sections, shape (sections, 6).
        samples: float32 or float64 of shape (channels, frames) or (frames,).
        state: What the block before left, or None at the start.

    Returns:
        The filtered samples, same shape and type, and the state behind them.
    """
    rows = _rows(sos.tobytes())
    lines = np.atleast_2d(samples)
    held = np.zeros((len(lines), 2 * len(sos))) if state is None else state
    out = np.empty(lines.shape, lines.dtype)
    frames = lines.shape[1]
    whole = frames - frames % ROW_FRAMES
    block, product = rows.block_rows * ROW_FRAMES, PRODUCT_ROWS * ROW_FRAMES
    start = 0
    while start < whole:
        stop = min(whole, start + block)
        if stop - start > product:
            stop -= (stop - start) % product
        out[:, start:stop], held = _filter_rows(rows, lines[:, start:stop], held)
        start = stop
    if whole < frames:
        out[:, whole:], held = _filter_rest(rows, lines[:, whole:], held)
    held = np.where(np.abs(held) < QUIET, 0.0, held)
    return out.reshape(samples.shape), held


def _filter_rows(rows: _Rows, samples: NDArray[Any], state: State) -> tuple[NDArray[np.float64], State]:
    """Filter whole rows of samples (channels, frames); return them and the state behind them."""
    channels, frames = samples.shape
    count = frames // ROW_FRAMES
    together = min(count, PRODUCT_ROWS)
    heard = np.ascontiguousarray(samples, dtype=np.float64).reshape(channels, -1, together, ROW_FRAMES)
    states = np.empty((channels, count + 1, state.shape[1]))
    states[:, 0] = state
    states[:, 1:] = (heard @ rows.driven).reshape(channels, count, -1)
    reach = 1
    for leap in rows.leaps:
        if reach > count:
            break
        states[:, reach:] += states[:, :-reach] @ leap
        reach *= 2
    made: NDArray[np.float64] = (heard @ rows.response).reshape(channels, count, ROW_FRAMES)
    made += states[:, :-1] @ rows.heard
    return made.reshape(channels, frames), states[:, -1]


def _filter_rest(rows: _Rows, samples: NDArray[Any], state: State) -> tuple[NDArray[np.float64], State]:
    """Filter what is less than a row."""
    count = samples.shape[1]
    heard = samples.astype(np.float64)
    made = heard @ rows.response[:count, :count] + state @ rows.heard[:, :count]
    behind = heard @ rows.driven[-count:] + state @ np.linalg.matrix_power(rows.step, count)
    return made, behind


@lru_cache(maxsize=256)
def _rows(sections: bytes) -> _Rows:
    made = row_matrices(np.frombuffer(sections).reshape(-1, 6), ROW_FRAMES)
    size = len(made.step)
    leap = np.linalg.matrix_power(made.step, ROW_FRAMES)
    leaps: list[NDArray[np.float64]] = []
    while np.abs(leap).max() > FORGOTTEN and len(leaps) < 48:
        leaps.append(leap)
        leap = leap @ leap
    most = BLOCK_VALUES // (size * max(size, ROW_FRAMES)) // PRODUCT_ROWS
    block_rows = PRODUCT_ROWS * min(8, max(1, most))
    return _Rows(made.step, made.response, made.heard, made.driven, tuple(leaps), block_rows)


@dataclass(frozen=True, slots=True, eq=False)
class RowMatrices:
    """A cascade over rows of some frames: all matrices stand on the right of rows and of states.

    `step` takes a state on by one frame, `response` is a row's output from silence, `heard` what a state adds to it,
    `driven` what a row adds to the state behind it.
    """

    step: NDArray[np.float64]
    response: NDArray[np.float64]
    heard: NDArray[np.float64]
    driven: NDArray[np.float64]


def row_matrices(sos: Sos, length: int) -> RowMatrices:
    """Return the matrices of a cascade for rows of `length` frames."""
    size = 2 * len(sos)
    step, into, seen, through = np.zeros((size, size)), np.zeros(size), np.zeros(size), 1.0
    for place, (b0, b1, b2, _, a1, a2) in zip(range(0, size, 2), sos, strict=True):
        enters = np.array([b1 - a1 * b0, b2 - a2 * b0])
        step[place : place + 2] += np.outer(enters, seen)
        step[place : place + 2, place : place + 2] = [[-a1, 1.0], [-a2, 0.0]]
        into[place : place + 2] = enters * through
        seen = b0 * seen
        seen[place] += 1.0
        through *= b0
    heard, driven = np.empty((size, length)), np.empty((length, size))
    row, column = seen, into
    for frame in range(length):
        heard[:, frame], driven[length - 1 - frame] = row, column
        row, column = row @ step, step @ column
    impulse = np.concatenate([[through], into @ heard[:, :-1]])
    response = np.zeros((length, length))
    for frame in range(length):
        response[frame, frame:] = impulse[: length - frame]
    return RowMatrices(np.ascontiguousarray(step.T), response, heard, driven)


Kind = Literal["lowpass", "highpass", "bandpass"]
_ZEROS: dict[str, tuple[float, float]] = {
    "lowpass": (-1.0, -1.0),
    "highpass": (1.0, 1.0),
    "bandpass": (1.0, -1.0),
}


@lru_cache(maxsize=512)
def butterworth(order: int, corner_hz: float | tuple[float, float], kind: Kind, sample_rate: float) -> Sos:
    """Return a Butterworth filter as sections: -3 dB at the corner, or at both for "bandpass".

    A band-pass has `order` on either side, so twice as many poles. By the bilinear transform, with corners warped to
    their places; the same filters as scipy.signal.butter gives.

    Raises:
        ValueError: for an order below 1, or corners that are not between 0 and half the rate, ascending.
    """
    corners = corner_hz if isinstance(corner_hz, tuple) else (corner_hz,)
    if order < 1 or len(corners) != (2 if kind == "bandpass" else 1):
        raise ValueError(f"a {kind} of order {order} cannot have the corners {corners}.")
    if not all(low < high for low, high in zip((0.0, *corners), (*corners, sample_rate / 2), strict=True)):
        raise ValueError(f"corners must lie between 0 and {sample_rate / 2:g} Hz, ascending, not {corners}.")
    warped = [2.0 * np.tan(np.pi * corner / sample_rate) for corner in corners]
    circle = np.exp(0.5j * np.pi * (1.0 + (2.0 * np.arange(order) + 1.0) / order))
    if kind == "bandpass":
        centre = float(np.sqrt(warped[0] * warped[1]))
        half = circle * (warped[1] - warped[0]) / 2.0
        apart = np.sqrt(half * half - centre * centre)
        poles = np.concatenate([half + apart, half - apart])
        unity = np.exp(2j * np.arctan(centre / 2.0))
    else:
        poles = circle * warped[0] if kind == "lowpass" else warped[0] / circle
        unity = np.complex128(1.0 if kind == "lowpass" else -1.0)
    sections = [
        _section(pair, _ZEROS[kind], unity) for pair in _pairs(np.asarray((2.0 + poles) / (2.0 - poles)))
    ]
    return np.array(sections)


def _pairs(poles: NDArray[np.complex128]) -> list[tuple[complex, ...]]:
    """Return conjugate poles in pairs, and real ones two by two; the last of an odd number stands alone."""
    is_real = np.abs(poles.imag) < 1e-12
    pairs: list[tuple[complex, ...]] = [
        (pole, pole.conjugate()) for pole in poles[~is_real & (poles.imag > 0)].tolist()
    ]
    real = sorted(poles[is_real].real.tolist())
    return pairs + [tuple(real[place : place + 2]) for place in range(0, len(real), 2)]


def _section(poles: tuple[complex, ...], zeros: tuple[float, float], unity: complex) -> NDArray[np.float64]:
    """Return a section with these poles and as many of the zeros, whose gain is 1 at the point `unity`."""
    below, above = (np.poly(roots).real for roots in (np.array(poles), np.array(zeros[: len(poles)])))
    section = np.zeros(6)
    section[: len(above)], section[3 : 3 + len(below)] = above, below
    section[:3] *= abs(np.polyval(below, unity) / np.polyval(above, unity))
    return section
