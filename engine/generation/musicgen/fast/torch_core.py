"""The language model in torch: float32 as the reference, bfloat16 or half precision on GPUs.

The memory of a session is allocated once. Keys and values of the conditioning are worked out once. On CUDA a step of
one column is captured as a graph after a few eager steps and then replayed, since at batch sizes of one or two the time
goes into launching kernels, not into running them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import NrxError
from engine.generation.musicgen.checkpoint import Checkpoint
from engine.generation.musicgen.conditioning import Conditioning
from engine.generation.musicgen.fast import names
from engine.generation.musicgen.fast.core import positions
from engine.generation.musicgen.layout import Layout

EAGER_STEPS = 3  # before a graph is captured: libraries set themselves up in the first ones


@dataclass(slots=True)
class _Norm:
    weight: Any
    bias: Any


@dataclass(slots=True)
class _Layer:
    """The weights of one layer; `query_key_value` is (3 hidden, hidden)."""

    self_norm: _Norm
    query_key_value: Any
    self_out: Any
    inner_norm: _Norm
    inner_in: Any
    inner_out: Any
    cross_norm: Any = None
    cross_query: Any = None
    cross_key_value: Any = None
    cross_out: Any = None


class TorchLanguageModel:
    """The decoder's weights on a device, in one floating-point type."""

    def __init__(self, checkpoint: Checkpoint, layout: Layout, device: str, precision: str) -> None:
        """Load the weights.

        Args:
            checkpoint: where they are.
            layout: their sizes.
            device: `cpu`, `cuda` or `mps`.
            precision: `float32`, `bfloat16` or `float16`.
        """
        import torch
        from transformers.activations import ACT2FN

        self.layout, self.device, self.precision = layout, device, precision
        self.dtype = getattr(torch, precision)
        self.activation = ACT2FN[layout.activation]

        def take(*wanted: str) -> Any:
            parts = [checkpoint.tensor(name).to(device=device, dtype=self.dtype) for name in wanted]
            return parts[0] if len(parts) == 1 else torch.cat(parts)

        def norm(name: str) -> _Norm:
            return _Norm(take(f"{name}.weight"), take(f"{name}.bias"))

        def layer(index: int) -> _Layer:
            def weights(block: str, *parts: str) -> Any:
                return take(*(names.layer(index, f"{block}.{part}") for part in parts))

            made = _Layer(
                self_norm=norm(names.layer(index, names.SELF_NORM)),
                query_key_value=weights(names.SELF, names.QUERY, names.KEY, names.VALUE),
                self_out=weights(names.SELF, names.OUT),
                inner_norm=norm(names.layer(index, names.INNER_NORM)),
                inner_in=take(names.layer(index, names.INNER_IN)),
                inner_out=take(names.layer(index, names.INNER_OUT)),
            )
            if not layout.has_melody:
                made.cross_norm = norm(names.layer(index, names.CROSS_NORM))
                made.cross_query = weights(names.CROSS, names.QUERY)
                made.cross_key_value = weights(names.CROSS, names.KEY, names.VALUE)
                made.cross_out = weights(names.CROSS, names.OUT)
            return made

        self.layers = [layer(index) for index in range(layout.layers)]
        self.final_norm = norm(names.FINAL_NORM)
        # One table for all codebooks: code c of codebook k is row k * (V + 1) + c.
        self.embeddings = take(*(names.embedding(codebook) for codebook in range(layout.codebooks)))
        self.heads = take(*(names.head(codebook) for codebook in range(layout.codebooks)))

    @property
    def description(self) -> str:
        """How it runs."""
        return f"{self.precision}, torch, {self.device}"

    def begin(self, conditioning: Conditioning, steps: int) -> "TorchSession":
        """Return a session for the conditioning's rows with room for `steps` columns of codes."""
        return TorchSession(self, conditioning, steps)


class TorchSession:
    """A batch on its way through a `TorchLanguageModel`."""

    def __init__(self, model: TorchLanguageModel, conditioning: Conditioning, steps: int) -> None:
        """Allocate memory for `steps` columns, and look at the conditioning once."""
        import torch

        self._torch, self._model = torch, model
        layout = model.layout
        place = {"device": model.device, "dtype": model.dtype}
        self._prefix = torch.from_numpy(conditioning.prefix).to(**place)
        self._rows, self._done = conditioning.rows, 0
        self._capacity = self._prefix.shape[1] + steps
        table = positions(0, self._capacity, layout.hidden)
        self._positions = torch.from_numpy(table).to(**place)
        self._offsets = torch.arange(layout.codebooks, device=model.device) * (
            len(model.embeddings) // layout.codebooks
        )
        shape = (layout.layers, 2, self._rows, layout.heads, self._capacity, layout.head_size)
        self._memory = torch.zeros(shape, **place)
        self._places = torch.arange(self._capacity, device=model.device)
        self._cross: list[Any] = []
        self._mask = None
        if conditioning.cross.shape[1] and not layout.has_melody:
            with torch.inference_mode():
                self._look_at(conditioning, place)
        self._graph: _Graph | None = None
        self._single_steps = 0

    def _look_at(self, conditioning: Conditioning, place: dict[str, Any]) -> None:
        torch, layout = self._torch, self._model.layout
        seen = torch.from_numpy(conditioning.cross).to(**place)
        lengths = torch.from_numpy(conditioning.lengths).to(self._model.device)
        rows, length, _ = seen.shape
        self._mask = (torch.arange(length, device=seen.device) < lengths[:, None])[:, None, None]
        for layer in self._model.layers:
            both = torch.nn.functional.linear(seen, layer.cross_key_value)
            both = both.view(rows, length, 2, layout.heads, layout.head_size)
            self._cross.append(both.permute(2, 0, 3, 1, 4).contiguous())

    def forward(self, codes: NDArray[np.int64], *, every: bool = False) -> NDArray[np.float32]:
        """Take in columns of codes (rows, K, S); return logits, as `core.Session.forward`."""
        torch = self._torch
        with torch.inference_mode():
            columns = torch.from_numpy(np.ascontiguousarray(codes)).to(self._model.device)
            first = self._prefix.shape[1] if self._done == 0 else 0
            if self._done + first + codes.shape[2] > self._capacity:
                raise NrxError(
                    "request.invalid", f"The session has room for {self._capacity} steps and is full."
                )
            if codes.shape[2] == 1 and first == 0 and self._model.device.startswith("cuda") and not every:
                logits = self._replayed(columns)
            else:
                logits = self._eager(columns, first, every)
            return np.asarray(logits.float().cpu().numpy())

    def _eager(self, columns: Any, first: int, every: bool) -> Any:
        torch = self._torch
        hidden = self._embedded(columns)
        if first:
            hidden = torch.cat([self._prefix, hidden], dim=1)
        count = hidden.shape[1]
        span = slice(self._done, self._done + count)
        hidden = hidden + self._positions[span]
        ones = torch.ones(count, span.stop, dtype=torch.bool, device=hidden.device)
        causal = None if count == 1 else ones.tril(self._done)

        def remember(index: int, key: Any, value: Any) -> tuple[Any, Any, Any]:
            memory = self._memory[index]
            memory[0, :, :, span], memory[1, :, :, span] = key, value
            return memory[0, :, :, : span.stop], memory[1, :, :, : span.stop], causal

        hidden = self._through(hidden, remember)
        self._done = span.stop
        return self._logits(hidden[:, first:] if every else hidden[:, -1:], every)

    def _embedded(self, columns: Any) -> Any:
        """Return the vectors (rows, S, hidden) of columns (rows, K, S)."""
        rows = columns.transpose(1, 2) + self._offsets
        return self._model.embeddings[rows].sum(2)

    def _logits(self, hidden: Any, every: bool) -> Any:
        norm, layout = self._model.final_norm, self._model.layout
        functional = self._torch.nn.functional
        hidden = functional.layer_norm(hidden, (layout.hidden,), norm.weight, norm.bias)
        logits = functional.linear(hidden, self._model.heads)
        logits = logits.view(*logits.shape[:2], layout.codebooks, layout.codes)
        return logits if every else logits[:, -1]

    def _through(self, hidden: Any, remember: Any) -> Any:
        """Return what the layers make of vectors (rows, S, hidden)."""
        functional, layout = self._torch.nn.functional, self._model.layout
        rows, count, width = hidden.shape

        def norm(vectors: Any, by: _Norm) -> Any:
            return functional.layer_norm(vectors, (width,), by.weight, by.bias)

        def attend(query: Any, key: Any, value: Any, mask: Any) -> Any:
            mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
            return mixed.transpose(1, 2).reshape(len(mixed), count, width)

        for index, layer in enumerate(self._model.layers):
            all_three = functional.linear(norm(hidden, layer.self_norm), layer.query_key_value)
            query, key, value = all_three.view(rows, count, 3, layout.heads, layout.head_size).permute(
                2, 0, 3, 1, 4
            )
            mixed = attend(query, *remember(index, key, value))
            hidden = hidden + functional.linear(mixed, layer.self_out)
            if self._cross:
                seen = self._cross[index]
                live = seen.shape[1]  # the branch without conditions sees nothing: nothing is added to it
                query = functional.linear(norm(hidden[:live], layer.cross_norm), layer.cross_query)
                query = query.view(live, count, layout.heads, layout.head_size).transpose(1, 2)
                mixed = attend(query, seen[0], seen[1], self._mask)
                hidden[:live] += functional.linear(mixed, layer.cross_out)
            inner = self._model.activation(functional.linear(norm(hidden, layer.inner_norm), layer.inner_in))
            hidden = hidden + functional.linear(inner, layer.inner_out)
        return hidden

    def select(self, rows: NDArray[np.int64]) -> None:
        """Let each row go on from what the given row remembers."""
        index = self._torch.from_numpy(np.ascontiguousarray(rows)).to(self._model.device)
        with self._torch.inference_mode():
            used = self._memory[..., : self._done, :]
            used.copy_(used.index_select(2, index))

    def fixed_step(self, columns: Any, position: Any) -> Any:
        """Return the logits of one column, all shapes fixed and the position (1,) as data, as a graph needs it."""
        seen = (self._places <= position)[None, None, None]

        def remember(index: int, key: Any, value: Any) -> tuple[Any, Any, Any]:
            memory = self._memory[index]
            memory[0].index_copy_(2, position, key)
            memory[1].index_copy_(2, position, value)
            return memory[0], memory[1], seen

        hidden = self._embedded(columns) + self._positions.index_select(0, position)
        return self._logits(self._through(hidden, remember), False)

    def _replayed(self, columns: Any) -> Any:
        """Run one step as a CUDA graph; the first ones eagerly."""
        self._single_steps += 1
        if self._single_steps <= EAGER_STEPS:
            return self._eager(columns, 0, False)
        if self._graph is None:
            self._graph = _Graph(self, columns, self._done)
        logits = self._graph.replay(columns, self._done)
        self._done += 1
        return logits


class _Graph:
    """One step of a session as a CUDA graph: `TorchSession.fixed_step`, recorded once."""

    def __init__(self, session: TorchSession, columns: Any, done: int) -> None:
        import torch

        self._columns = columns.clone()
        self._position = torch.full((1,), done, dtype=torch.long, device=columns.device)
        warming = torch.cuda.Stream()
        warming.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(warming):
            session.fixed_step(self._columns, self._position)
        torch.cuda.current_stream().wait_stream(warming)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._logits = session.fixed_step(self._columns, self._position)

    def replay(self, columns: Any, position: int) -> Any:
        """Return the logits of the step at `position`; valid until the next call."""
        self._columns.copy_(columns)
        self._position.fill_(position)
        self._graph.replay()
        return self._logits
