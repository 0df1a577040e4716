"""The language model on a CPU with int8 weights: `kernels`, and what they need around them.

Weights are quantised once and kept on disk, if there is a place for them; the next time they are read in a second.
"""

import shutil
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import NrxError
from engine.generation.musicgen.checkpoint import Checkpoint, checkpoint_key
from engine.generation.musicgen.conditioning import Conditioning
from engine.generation.musicgen.fast import kernels, names
from engine.generation.musicgen.fast.core import positions
from engine.generation.musicgen.fast.quantise import packed, padded
from engine.generation.musicgen.fast.team import Pace, pause_address, run_together, thread_count
from engine.generation.musicgen.fast.vector_ir import BLOCK, GROUP
from engine.generation.musicgen.layout import Layout
from engine.stages import content_key

VERSION = 1
"""Of the files: to be raised when what is written changes."""
COLUMNS_AT_ONCE = 64
"""How many columns of a prompt are taken in at once."""


def matrices(layout: Layout) -> list[list[tuple[int, list[str], int, int]]]:
    """Return for each layer, and last for the heads: (place, names of what is stacked, rows, weights a row)."""
    hidden, inner = layout.hidden, layout.inner

    def attention(block: str, index: int, *parts: str) -> list[str]:
        return [names.layer(index, f"{block}.{part}") for part in parts]

    def of_layer(index: int) -> list[tuple[int, list[str], int, int]]:
        own = [
            (
                kernels.QKV,
                attention(names.SELF, index, names.QUERY, names.KEY, names.VALUE),
                3 * hidden,
                hidden,
            ),
            (kernels.SELF_OUT, attention(names.SELF, index, names.OUT), hidden, hidden),
            (kernels.INNER_IN, [names.layer(index, names.INNER_IN)], inner, hidden),
            (kernels.INNER_OUT, [names.layer(index, names.INNER_OUT)], hidden, inner),
        ]
        if layout.has_melody:
            return own
        both = attention(names.CROSS, index, names.KEY, names.VALUE)
        return [
            *own,
            (kernels.CROSS_QUERY, attention(names.CROSS, index, names.QUERY), hidden, hidden),
            (kernels.CROSS_OUT, attention(names.CROSS, index, names.OUT), hidden, hidden),
            (kernels.CROSS_KEY_VALUE, both, 2 * hidden, hidden),
        ]

    heads = [names.head(codebook) for codebook in range(layout.codebooks)]
    return [
        *(of_layer(index) for index in range(layout.layers)),
        [(0, heads, layout.codebooks * layout.codes, hidden)],
    ]


def places(layout: Layout) -> NDArray[np.int64]:
    """Return where each matrix lies (layers + 1, 7, 4), as `kernels.Weights.places`."""
    table = np.zeros((layout.layers + 1, 7, 4), dtype=np.int64)
    offset = 0
    for layer, of_layer in enumerate(matrices(layout)):
        for place, _, rows, size in of_layer:
            table[layer, place] = offset, offset // GROUP, rows, padded(size)
            offset += rows * padded(size)
    return table


def quantised_weights(checkpoint: Checkpoint, layout: Layout) -> kernels.Weights:
    """Return the model's weights, quantised one matrix after the other."""

    def array(name: str) -> Any:
        return checkpoint.tensor(name).float().numpy()

    table = places(layout)
    total = int((table[..., kernels.PART_ROWS] * table[..., kernels.PART_SIZE]).sum())
    weights, scales = np.empty(total, dtype=np.int8), np.empty(total // GROUP, dtype=np.float32)
    for layer, of_layer in enumerate(matrices(layout)):
        for place, wanted, rows, size in of_layer:
            offset = int(table[layer, place, kernels.PART_OFFSET])
            for name in wanted:
                matrix = array(name)
                if matrix.shape != (rows // len(wanted), size):
                    raise NrxError(
                        "model.damaged",
                        f"The weights {name} in {checkpoint.folder} have the shape {matrix.shape}, and "
                        f"{(rows // len(wanted), size)} is needed; fetch the model again.",
                    )
                numbers, factors = packed(matrix)
                weights[offset : offset + len(numbers)] = numbers
                scales[offset // GROUP : offset // GROUP + len(factors)] = factors
                offset += len(numbers)
    norms = np.ones((layout.layers, 3, 2, layout.hidden), dtype=np.float32)
    norm_names = {kernels.SELF_NORM: names.SELF_NORM, kernels.INNER_NORM: names.INNER_NORM}
    if not layout.has_melody:
        norm_names[kernels.CROSS_NORM] = names.CROSS_NORM
    for layer in range(layout.layers):
        for place, name in norm_names.items():
            norms[layer, place] = [array(f"{names.layer(layer, name)}.{part}") for part in ("weight", "bias")]
    final_norm = np.stack([array(f"{names.FINAL_NORM}.{part}") for part in ("weight", "bias")])
    embeddings = np.stack([array(names.embedding(codebook)) for codebook in range(layout.codebooks)])
    return kernels.Weights(weights, scales, table, norms, final_norm, embeddings)


def kept_weights(checkpoint: Checkpoint, layout: Layout, cache: Path) -> kernels.Weights:
    """Return the quantised weights from `cache`; make them and keep them there if they aren't.

    There is one folder a checkpoint; in it one of exactly these weights, and what was there of others is removed. It is
    published by a rename. What can't be read is made anew, what can't be written is not kept.
    """
    home = cache / content_key({"folder": str(checkpoint.folder.resolve())})[:16]
    kept = home / f"{checkpoint_key(checkpoint.folder)}-int8-{VERSION}"
    table = places(layout)
    try:
        read = {name: np.load(kept / f"{name}.npy") for name in kernels.Weights._fields if name != "places"}
        if read["weights"].size == (table[..., kernels.PART_ROWS] * table[..., kernels.PART_SIZE]).sum():
            return kernels.Weights(places=table, **read)
    except (OSError, ValueError, EOFError):
        pass  # not there yet, or damaged
    made = quantised_weights(checkpoint, layout)
    try:
        home.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=".building-", dir=home))
    except OSError:
        return made
    try:
        for name, values in made._asdict().items():
            np.save(building / f"{name}.npy", values)
        for other in home.iterdir():
            if other != building:
                shutil.rmtree(other, ignore_errors=True)
        building.rename(kept)
    except OSError:
        shutil.rmtree(building, ignore_errors=True)
    return made


class Int8LanguageModel:
    """The decoder's weights in int8, run by `kernels`."""

    def __init__(self, checkpoint: Checkpoint, layout: Layout, cache: Path | None, threads: int = 0) -> None:
        """Load and quantise, or load what was quantised before.

        Args:
            checkpoint: where the weights are.
            layout: their sizes.
            cache: folder for quantised weights, if they are to be kept.
            threads: how many run a step; 0 for as many as this process has cores.
        """
        made = quantised_weights if cache is None else partial(kept_weights, cache=cache)
        self._set(layout, made(checkpoint, layout), threads)

    @classmethod
    def of(cls, layout: Layout, weights: kernels.Weights, threads: int = 0) -> "Int8LanguageModel":
        """Return a model of weights that are quantised already."""
        model = cls.__new__(cls)
        model._set(layout, weights, threads)
        return model

    def _set(self, layout: Layout, weights: kernels.Weights, threads: int) -> None:
        self.layout, self.weights, self.threads = layout, weights, threads or thread_count()
        self.pace = Pace(self.threads)

    @property
    def description(self) -> str:
        """How it runs."""
        return f"int8, own kernels, {self.threads} threads"

    def begin(self, conditioning: Conditioning, steps: int) -> "Int8Session":
        """Return a session for the conditioning's rows with room for `steps` columns of codes."""
        return Int8Session(self, conditioning, steps)


@dataclass(slots=True)
class _Room:
    """Scratch space for some number of tokens."""

    tokens: int
    scratch: kernels.Scratch


class Int8Session:
    """A batch on its way through an `Int8LanguageModel`."""

    def __init__(self, model: Int8LanguageModel, conditioning: Conditioning, steps: int) -> None:
        """Set memory aside for `steps` columns (it is taken as it fills), and look at the conditioning once."""
        layout = model.layout
        self._model, self._prefix = model, conditioning.prefix
        self._rows, self._done = conditioning.rows, 0
        self._capacity = self._prefix.shape[1] + steps
        self._positions = positions(0, self._capacity, layout.hidden)
        # Products of whole vectors of this size stay below 2**31.
        self._full = np.float32(np.floor(np.sqrt(2**31 / layout.head_size)) - 1)
        self._pause = pause_address()
        wide_head = -(-layout.head_size // BLOCK) * BLOCK
        live, length = conditioning.cross.shape[:2]
        if layout.has_melody or length == 0:
            live = 0
        self._memory = kernels.Memory(
            *(self._room_for(self._rows, self._capacity, wide_head)),
            np.repeat(np.arange(self._rows, dtype=np.int32)[:, None], self._capacity, axis=1),
            *(self._room_for(live, length, wide_head)),
            conditioning.lengths.astype(np.int64),
        )
        self._room: _Room | None = None
        self._longest = max(self._capacity, length)
        if live:
            self._look(np.ascontiguousarray(conditioning.cross, dtype=np.float32))

    def _room_for(self, rows: int, capacity: int, size: int) -> tuple[Any, Any, Any, Any]:
        layout = self._model.layout
        shape = (layout.layers, rows, layout.heads, capacity)
        return (
            np.zeros((*shape, size), dtype=np.int16),
            np.zeros((*shape, size), dtype=np.int16),
            np.zeros(shape, dtype=np.float32),
            np.zeros(shape, dtype=np.float32),
        )

    def _scratch(self, tokens: int) -> kernels.Scratch:
        """Return scratch space for so many tokens, as exactly as it was there last."""
        if self._room is None or self._room.tokens < tokens:
            layout, threads = self._model.layout, self._model.threads
            widest = max(3 * layout.hidden, layout.inner)
            wide_head = -(-layout.head_size // BLOCK) * BLOCK
            scratch = kernels.Scratch(
                short=np.zeros((tokens, padded(layout.hidden)), dtype=np.int16),
                long=np.zeros((tokens, padded(layout.inner)), dtype=np.int16),
                factors=np.zeros(tokens, dtype=np.float32),
                wide=np.zeros((tokens, widest), dtype=np.float32),
                mixed=np.zeros((tokens, layout.hidden), dtype=np.float32),
                scores=np.zeros((threads, self._longest), dtype=np.float32),
                query=np.zeros((threads, wide_head), dtype=np.int16),
            )
            self._room = _Room(tokens, scratch)
        return self._room.scratch

    def _team(self, phases: int) -> kernels.Team:
        return kernels.Team(np.zeros(2 * phases * kernels.LINE, dtype=np.int64), self._pause)

    def _look(self, seen: NDArray[np.float32]) -> None:
        layout, model, length = self._model.layout, self._model.weights, seen.shape[1]
        vectors = seen.reshape(-1, layout.hidden)
        team, scratch = self._team(1 + 2 * layout.layers), self._scratch(len(vectors))

        def work(thread: int) -> None:
            kernels.look_once(
                thread, team, model, self._memory, scratch, vectors, length, layout.head_size, self._full
            )

        run_together(self._model.threads, work)
        self._room = None

    def forward(self, codes: NDArray[np.int64], *, every: bool = False) -> NDArray[np.float32]:
        """Take in columns of codes (rows, K, S); return logits, as `core.Session.forward`."""
        layout = self._model.layout
        vectors = self._model.weights.embeddings[np.arange(layout.codebooks)[:, None], codes].sum(1)
        first = self._prefix.shape[1] if self._done == 0 else 0
        if first:
            vectors = np.concatenate([self._prefix, vectors], axis=1)
        count = vectors.shape[1]
        if self._done + count > self._capacity:
            raise NrxError("request.invalid", f"The session has room for {self._capacity} steps and is full.")
        vectors = vectors + self._positions[self._done : self._done + count]
        made = []
        for begin in range(0, count, COLUMNS_AT_ONCE):
            end = min(count, begin + COLUMNS_AT_ONCE)
            wanted = range(max(first, begin), end) if every else range(count - 1, end)
            made.append(self._run(vectors[:, begin:end], [column - begin for column in wanted]))
        logits = np.concatenate(made, axis=1)
        return logits if every else logits[:, 0]

    def _run(self, vectors: NDArray[np.float32], wanted: list[int]) -> NDArray[np.float32]:
        """Run the layers on columns of vectors (rows, S, hidden); return logits (rows, wanted, K, V)."""
        layout, model = self._model.layout, self._model.weights
        rows, columns = vectors.shape[:2]
        hidden = np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1, layout.hidden)
        team = self._team(kernels.PHASES_A_LAYER * layout.layers + kernels.PHASES_AROUND)
        scratch = self._scratch(len(hidden))
        tokens = np.arange(len(hidden), dtype=np.int64)
        picked = tokens.reshape(rows, columns)[:, wanted].ravel()
        logits = np.empty((len(picked), layout.codebooks * layout.codes), dtype=np.float32)
        start = self._done
        self._memory.origin[:, start : start + columns] = np.arange(rows, dtype=np.int32)[:, None]

        def work(thread: int) -> None:
            kernels.forward(
                thread,
                team,
                model,
                self._memory,
                scratch,
                hidden,
                start,
                columns,
                layout.head_size,
                self._full,
                tokens,
                picked,
                logits,
            )

        self._model.pace.run(len(hidden), work)
        self._done += columns
        return logits.reshape(rows, len(wanted), layout.codebooks, layout.codes)

    def select(self, rows: NDArray[np.int64]) -> None:
        """Let each row go on from what the given row remembers: only where to find it is copied."""
        used = self._memory.origin[:, : self._done]
        used[:] = used[rows]
