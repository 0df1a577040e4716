"""The decoder in compiled code: int8 weights, int16 activations and memory, float32 between, on several threads.

A step of the model reads all its weights and does little else, so it is as fast as memory. Each weight is read once a
step for all rows. Every thread runs the whole of `forward` and takes the work of a phase in pieces from a counter. A
phase begins when all pieces of the one before are done, by whichever threads: one that the system holds up, or that has
not started yet, holds up the others only while it has a piece in hand. No sum depends on which thread worked it out:
results are the same with any number of threads.

Source of the error function: Abramowitz and Stegun, formula 7.1.26 (error below 1.5e-7).
"""

# mypy: disable-error-code="misc, no-untyped-call, untyped-decorator"
# (numba's decorators have no types)

from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from engine.generation.musicgen.fast import vector_ir
from engine.generation.musicgen.fast.vector_ir import GROUP, ROWS, call, fetch, fetch_add, float_of_bits

PIECE_BYTES = 32768
"""How many bytes of weights are one piece of work."""
SPINS = 4000
"""How often a waiting thread looks before it offers its processor to others."""
EPSILON = np.float32(1e-5)
"""Of the normalisations."""
FULL = np.float32(32767.0)
"""The largest activation in int16. GROUP products with int8 stay below 2**31."""
LINE = 8
"""int64 numbers a cache line: counters lie so far apart."""
PHASES_A_LAYER, PHASES_AROUND = 14, 4

QKV, SELF_OUT, INNER_IN, INNER_OUT, CROSS_QUERY, CROSS_OUT, CROSS_KEY_VALUE = range(7)
"""The matrices of a layer, in the order of `Weights.places`."""
SELF_NORM, INNER_NORM, CROSS_NORM = range(3)
PART_OFFSET, PART_SCALES, PART_ROWS, PART_SIZE = range(4)
"""What `Weights.places` says of a matrix: first weight, first scale, rows, weights a row (padded)."""

tile1, tile2, tile4 = vector_ir.make_tile(1), vector_ir.make_tile(2), vector_ir.make_tile(4)
dot = vector_ir.make_dot()


FLOATS = {"reassoc", "contract", "nsz"}
"""What may be done to float arithmetic: sums in another order, but no pretending that there are no infinities."""

_part = numba.njit(nogil=True, fastmath=FLOATS, boundscheck=False)
"""Compiles what others call. Not kept on disk: from there it would come too finished to be made one with its caller."""


def _whole(function: Any) -> Any:
    """Compile a function and all that it calls when it is first called; keep the result, if a place can be written."""
    for is_kept in (True, False):
        try:
            return numba.njit(nogil=True, cache=is_kept, fastmath=FLOATS, boundscheck=False)(function)
        except RuntimeError:  # numba found no folder
            continue
    raise AssertionError


class Weights(NamedTuple):
    """A model: int8 weights and float32 scales as `quantise.packed` lays them out, and where each matrix lies.

    places (layers + 1, 7, 4): the last layer's first matrix is the heads. norms (layers, 3, 2, hidden); final_norm
    (2, hidden); embeddings (codebooks, codes + 1, hidden).
    """

    weights: NDArray[np.int8]
    scales: NDArray[np.float32]
    places: NDArray[np.int64]
    norms: NDArray[np.float32]
    final_norm: NDArray[np.float32]
    embeddings: NDArray[np.float32]


class Memory(NamedTuple):
    """What a session remembers: int16 keys and values with a float32 scale each, for every place of every head.

    keys, values (layers, rows, heads, capacity, padded head size); *_scales (layers, rows, heads, capacity).
    origin (rows, capacity): the row in which the memory of a place lies (beams share what they have in common).
    seen_* are the same of what is looked at, for the first rows only, with seen_lengths (rows with conditions,).
    """

    keys: NDArray[np.int16]
    values: NDArray[np.int16]
    key_scales: NDArray[np.float32]
    value_scales: NDArray[np.float32]
    origin: NDArray[np.int32]
    seen_keys: NDArray[np.int16]
    seen_values: NDArray[np.int16]
    seen_key_scales: NDArray[np.float32]
    seen_value_scales: NDArray[np.float32]
    seen_lengths: NDArray[np.int64]


class Scratch(NamedTuple):
    """Room for what is between: tokens M are rows x columns. `scores` and `query` are one for each thread.

    short (M, padded hidden) and long (M, padded inner) are int16 activations with factors (M,); wide (M, widest).
    """

    short: NDArray[np.int16]
    long: NDArray[np.int16]
    factors: NDArray[np.float32]
    wide: NDArray[np.float32]
    mixed: NDArray[np.float32]
    scores: NDArray[np.float32]
    query: NDArray[np.int16]


class Team(NamedTuple):
    """How threads work together.

    sync has two lines a phase, zero at the start: how many pieces were taken, and how many are done. pause is the
    address of the function that lets other threads run.
    """

    sync: NDArray[np.int64]
    pause: int


@_part
def _take(team: Any, phase: Any) -> Any:
    """Return the number of the next piece of a phase that nobody has taken."""
    return fetch_add(team.sync.ctypes.data + 16 * LINE * phase, 1)


@_part
def _next(team: Any, phase: Any) -> Any:
    """Say that the piece taken last is done; return the next one."""
    fetch_add(team.sync.ctypes.data + 16 * LINE * phase + 8 * LINE, 1)
    return _take(team, phase)


@_part
def _wait(team: Any, phase: Any, pieces: Any) -> None:
    """Wait until all pieces of a phase are done, by whichever threads."""
    address = team.sync.ctypes.data + 16 * LINE * phase + 8 * LINE
    spins = 0
    while fetch(address) < pieces:
        spins += 1
        if spins > SPINS:
            call(team.pause)


@_part
def exponential(x: Any) -> Any:
    """Return e**x for x at most 88, to 1e-7 of it; 0 below -87. Made of what vectors can do."""
    x = np.float32(x)
    kept = max(x, np.float32(-87.0))
    whole = np.floor(kept * np.float32(1.4426950408889634) + np.float32(0.5))
    rest = kept - whole * np.float32(0.693359375) + whole * np.float32(2.12194440e-4)
    series = np.float32(1.0 / 720.0)
    for factor in (1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0):
        series = series * rest + np.float32(factor)
    power = float_of_bits((np.int32(whole) + np.int32(127)) << np.int32(23))
    return series * power if x >= np.float32(-87.0) else np.float32(0.0)


@_part
def gelu(x: Any) -> Any:
    """Return x times the normal distribution's share below x."""
    scaled = abs(x) * np.float32(0.7071067811865476)
    t = np.float32(1.0) / (np.float32(1.0) + np.float32(0.3275911) * scaled)
    series = np.float32(1.061405429)
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = series * t + np.float32(factor)
    tail = np.float32(0.5) * series * t * exponential(-scaled * scaled)
    return x * (np.float32(1.0) - tail if x > 0 else tail)


@_part
def shorten(vector: Any, out: Any, full: Any) -> Any:
    """Write a float vector as int16 from -full to full; return what to multiply it by."""
    largest = np.float32(0.0)
    for i in range(vector.shape[0]):
        largest = max(largest, abs(vector[i]))
    if largest == np.float32(0.0):
        for i in range(vector.shape[0]):
            out[i] = 0
        return largest
    scale = full / largest
    for i in range(vector.shape[0]):
        out[i] = np.int16(np.floor(vector[i] * scale + np.float32(0.5)))
    return largest / full


@_part
def _normalise(vector: Any, norm: Any, out: Any) -> None:
    """Write a vector with mean 0 and variance 1, times norm[0], plus norm[1]."""
    size = vector.shape[0]
    mean = np.float32(0.0)
    for i in range(size):
        mean += vector[i]
    mean /= np.float32(size)
    variance = np.float32(0.0)
    for i in range(size):
        variance += (vector[i] - mean) * (vector[i] - mean)
    scale = np.float32(1.0) / np.sqrt(variance / np.float32(size) + EPSILON)
    for i in range(size):
        out[i] = (vector[i] - mean) * scale * norm[0, i] + norm[1, i]


@_part
def _shorten_all(team: Any, phase: Any, vectors: Any, size: Any, count: Any, out: Any, factors: Any) -> None:
    """Make int16 activations of the first `size` numbers of the first `count` vectors."""
    token = _take(team, phase)
    while token < count:
        factors[token] = shorten(vectors[token, :size], out[token], FULL)
        token = _next(team, phase)
    _wait(team, phase, count)


@_part
def _normalise_all(team: Any, phase: Any, hidden: Any, norm: Any, picked: Any, scratch: Any) -> None:
    """Make int16 activations of the normalised vectors of the tokens `picked`."""
    token = _take(team, phase)
    while token < picked.shape[0]:
        _normalise(hidden[picked[token]], norm, scratch.mixed[token])
        scratch.factors[token] = shorten(scratch.mixed[token], scratch.short[token], FULL)
        token = _next(team, phase)
    _wait(team, phase, picked.shape[0])


@_part
def _multiply(
    team: Any,
    phase: Any,
    model: Any,
    place: Any,
    inputs: Any,
    factors: Any,
    count: Any,
    out: Any,
    then: Any,
    into: Any,
) -> None:
    """Multiply a matrix with the first `count` int16 vectors; `then` 1 applies gelu, 2 adds the result to `into`."""
    rows, size = place[PART_ROWS], place[PART_SIZE]
    groups = size // GROUP
    piece = max(ROWS, PIECE_BYTES // size // ROWS * ROWS)
    pieces = (rows + piece - 1) // piece
    out_size, token_size = out.shape[1], inputs.shape[1]
    number = _take(team, phase)
    while number < pieces:
        first, last = number * piece, min(rows, (number + 1) * piece)
        token = 0
        while token < count:
            together = 4 if count - token >= 4 else (2 if count - token >= 2 else 1)
            seen = inputs.ctypes.data + 2 * token * token_size
            scale = factors.ctypes.data + 4 * token
            target = out.ctypes.data + 4 * (token * out_size)
            for row in range(first, last, ROWS):
                weights = model.weights.ctypes.data + place[PART_OFFSET] + row * size
                scales = model.scales.ctypes.data + 4 * (place[PART_SCALES] + row * groups)
                if together == 4:
                    tile4(weights, scales, seen, scale, target + 4 * row, groups, token_size, out_size)
                elif together == 2:
                    tile2(weights, scales, seen, scale, target + 4 * row, groups, token_size, out_size)
                else:
                    tile1(weights, scales, seen, scale, target + 4 * row, groups, token_size, out_size)
            for one in range(token, token + together):
                if then == 1:
                    for row in range(first, last):
                        out[one, row] = gelu(out[one, row])
                elif then == 2:
                    for row in range(first, last):
                        into[one, row] += out[one, row]
            token += together
        number = _next(team, phase)
    _wait(team, phase, pieces)


@_part
def _store(vector: Any, places: Any, scales: Any, place: Any, full: Any) -> None:
    """Remember a vector at a place."""
    scales[place] = shorten(vector, places[place], full)


@_part
def _mix(
    query: Any,
    factor: Any,
    keys: Any,
    key_scales: Any,
    values: Any,
    value_scales: Any,
    head: Any,
    origin: Any,
    count: Any,
    scores: Any,
    out: Any,
) -> None:
    """Write the values of `count` places, each as much as its key is like the query. origin says each place's row."""
    blocks = keys.shape[3] // 16
    size = out.shape[0]
    highest = np.float32(-3e38)
    for place in range(count):
        row = origin[place]
        score = dot(query.ctypes.data, keys[row, head, place].ctypes.data, blocks)
        scores[place] = np.float32(score) * (factor * key_scales[row, head, place])
        highest = max(highest, scores[place])
    total = np.float32(0.0)
    for place in range(count):
        scores[place] = exponential(scores[place] - highest)
    for place in range(count):
        total += scores[place]
    out[:] = np.float32(0.0)
    for place in range(count):
        row = origin[place]
        share = scores[place] * value_scales[row, head, place] / total
        value = values[row, head, place]
        for i in range(size):
            out[i] += share * np.float32(value[i])


@_part
def _remember_and_attend(
    team: Any,
    phase: Any,
    thread: Any,
    memory: Any,
    layer: Any,
    start: Any,
    columns: Any,
    head_size: Any,
    full: Any,
    scratch: Any,
) -> None:
    """Attend to the past: a piece is one head of one row. Queries, keys and values lie in `scratch.wide`."""
    keys, values = memory.keys[layer], memory.values[layer]
    key_scales, value_scales = memory.key_scales[layer], memory.value_scales[layer]
    rows, heads = keys.shape[0], keys.shape[1]
    hidden = heads * head_size
    query, scores = scratch.query[thread], scratch.scores[thread]
    softness = np.float32(1.0) / np.sqrt(np.float32(head_size))
    piece = _take(team, phase)
    while piece < rows * heads:
        row, head = piece // heads, piece % heads
        here = head * head_size
        for column in range(columns):
            token, place = row * columns + column, start + column
            first = hidden + here
            _store(
                scratch.wide[token, first : first + head_size],
                keys[row, head],
                key_scales[row, head],
                place,
                full,
            )
            first += hidden
            _store(
                scratch.wide[token, first : first + head_size],
                values[row, head],
                value_scales[row, head],
                place,
                FULL,
            )
        for column in range(columns):
            token = row * columns + column
            factor = softness * shorten(scratch.wide[token, here : here + head_size], query, full)
            _mix(
                query,
                factor,
                keys,
                key_scales,
                values,
                value_scales,
                head,
                memory.origin[row],
                start + column + 1,
                scores,
                scratch.mixed[token, here : here + head_size],
            )
        piece = _next(team, phase)
    _wait(team, phase, rows * heads)


@_part
def _look(
    team: Any,
    phase: Any,
    thread: Any,
    memory: Any,
    layer: Any,
    columns: Any,
    head_size: Any,
    full: Any,
    scratch: Any,
) -> None:
    """Attend to the conditioning: a piece is one head of one row. Queries lie in `scratch.wide`."""
    keys, values = memory.seen_keys[layer], memory.seen_values[layer]
    key_scales, value_scales = memory.seen_key_scales[layer], memory.seen_value_scales[layer]
    rows, heads = keys.shape[0], keys.shape[1]
    query, scores = scratch.query[thread], scratch.scores[thread]
    softness = np.float32(1.0) / np.sqrt(np.float32(head_size))
    piece = _take(team, phase)
    while piece < rows * heads:
        row, head = piece // heads, piece % heads
        here = head * head_size
        count = memory.seen_lengths[row]
        origin = np.full(count, row, dtype=np.int32)
        for column in range(columns):
            token = row * columns + column
            factor = softness * shorten(scratch.wide[token, here : here + head_size], query, full)
            _mix(
                query,
                factor,
                keys,
                key_scales,
                values,
                value_scales,
                head,
                origin,
                count,
                scores,
                scratch.mixed[token, here : here + head_size],
            )
        piece = _next(team, phase)
    _wait(team, phase, rows * heads)


@_whole
def forward(
    thread: Any,
    team: Any,
    model: Any,
    memory: Any,
    scratch: Any,
    hidden: Any,
    start: Any,
    columns: Any,
    head_size: Any,
    full: Any,
    tokens: Any,
    picked: Any,
    logits: Any,
) -> None:
    """Run all layers on vectors `hidden` (M, hidden), changed in place, at the places from `start` on.

    tokens (M,) are 0..M-1; picked (P,) are those of which logits (P, codebooks * codes) are wanted.
    """
    count, size = hidden.shape
    live = memory.seen_keys.shape[1] * columns
    layers = model.norms.shape[0]
    phase = 0
    short, long, factors, wide, mixed = (
        scratch.short,
        scratch.long,
        scratch.factors,
        scratch.wide,
        scratch.mixed,
    )
    for layer in range(layers):
        places, norms = model.places[layer], model.norms[layer]
        _normalise_all(team, phase, hidden, norms[SELF_NORM], tokens, scratch)
        _multiply(team, phase + 1, model, places[QKV], short, factors, count, wide, 0, hidden)
        _remember_and_attend(team, phase + 2, thread, memory, layer, start, columns, head_size, full, scratch)
        _shorten_all(team, phase + 3, mixed, size, count, short, factors)
        _multiply(team, phase + 4, model, places[SELF_OUT], short, factors, count, wide, 2, hidden)
        if live:
            _normalise_all(team, phase + 5, hidden, norms[CROSS_NORM], tokens[:live], scratch)
            _multiply(team, phase + 6, model, places[CROSS_QUERY], short, factors, live, wide, 0, hidden)
            _look(team, phase + 7, thread, memory, layer, columns, head_size, full, scratch)
            _shorten_all(team, phase + 8, mixed, size, live, short, factors)
            _multiply(team, phase + 9, model, places[CROSS_OUT], short, factors, live, wide, 2, hidden)
        _normalise_all(team, phase + 10, hidden, norms[INNER_NORM], tokens, scratch)
        _multiply(team, phase + 11, model, places[INNER_IN], short, factors, count, wide, 1, hidden)
        inner = places[INNER_IN, PART_ROWS]
        _shorten_all(team, phase + 12, wide, inner, count, long, factors)
        _multiply(team, phase + 13, model, places[INNER_OUT], long, factors, count, wide, 2, hidden)
        phase += PHASES_A_LAYER
    _normalise_all(team, phase, hidden, model.final_norm, picked, scratch)
    heads = model.places[layers, 0]
    _multiply(team, phase + 1, model, heads, short, factors, picked.shape[0], logits, 0, logits)


@_whole
def look_once(
    thread: Any,
    team: Any,
    model: Any,
    memory: Any,
    scratch: Any,
    seen: Any,
    length: Any,
    head_size: Any,
    full: Any,
) -> None:
    """Work out keys and values of all layers for the vectors `seen` (rows * length, hidden) of the conditioning."""
    count = seen.shape[0]
    hidden = seen.shape[1]
    heads = hidden // head_size
    _shorten_all(team, 0, seen, hidden, count, scratch.short, scratch.factors)
    for layer in range(model.norms.shape[0]):
        place = model.places[layer, CROSS_KEY_VALUE]
        _multiply(
            team, 1 + 2 * layer, model, place, scratch.short, scratch.factors, count, scratch.wide, 0, seen
        )
        token = _take(team, 2 + 2 * layer)
        while token < count:
            row, where = token // length, token % length
            for head in range(heads):
                first = head * head_size
                _store(
                    scratch.wide[token, first : first + head_size],
                    memory.seen_keys[layer, row, head],
                    memory.seen_key_scales[layer, row, head],
                    where,
                    full,
                )
                first += hidden
                _store(
                    scratch.wide[token, first : first + head_size],
                    memory.seen_values[layer, row, head],
                    memory.seen_value_scales[layer, row, head],
                    where,
                    FULL,
                )
            token = _next(team, 2 + 2 * layer)
        _wait(team, 2 + 2 * layer, count)
