"""A step of a minute model of known answer: kernels are compiled, and known to run, before they are needed."""

import numpy as np

from engine.generation.musicgen.conditioning import Conditioning
from engine.generation.musicgen.fast import kernels
from engine.generation.musicgen.fast.int8_core import Int8LanguageModel, places
from engine.generation.musicgen.fast.quantise import packed
from engine.generation.musicgen.fast.vector_ir import GROUP
from engine.generation.musicgen.layout import Layout

LAYOUT = Layout(
    kind="musicgen",
    hidden=32,
    layers=1,
    heads=2,
    inner=64,
    codebooks=2,
    codes=4,
    channels=1,
    special=4,
    end=None,
    activation="gelu",
    text_hidden=32,
    chroma_bins=0,
    chroma_frames=0,
    sample_rate=32000,
    frame_rate=50,
    max_frames=1500,
)


def rehearse() -> bool:
    """Return whether a model whose layers add nothing gives the logits that its heads say."""
    rng = np.random.default_rng(0)
    table = places(LAYOUT)
    total = int((table[..., kernels.PART_ROWS] * table[..., kernels.PART_SIZE]).sum())
    weights, scales = np.zeros(total, dtype=np.int8), np.zeros(total // GROUP, dtype=np.float32)
    heads = rng.standard_normal((8, LAYOUT.hidden)).astype(np.float32)
    numbers, factors = packed(heads)
    weights[-len(numbers) :], scales[-len(factors) :] = numbers, factors
    norms = np.zeros((1, 3, 2, LAYOUT.hidden), dtype=np.float32)
    final_norm = np.stack([np.zeros(LAYOUT.hidden), rng.standard_normal(LAYOUT.hidden)]).astype(np.float32)
    embeddings = rng.standard_normal((2, 5, LAYOUT.hidden)).astype(np.float32)
    model = Int8LanguageModel.of(
        LAYOUT, kernels.Weights(weights, scales, table, norms, final_norm, embeddings), threads=2
    )
    seen = np.ones((1, 3, LAYOUT.hidden), dtype=np.float32)
    session = model.begin(Conditioning(seen, np.array([3]), np.zeros((2, 0, LAYOUT.hidden), np.float32)), 2)
    codes = np.zeros((2, 2, 1), dtype=np.int64)
    wanted = (heads @ final_norm[1]).reshape(2, 4)
    return all(bool(np.allclose(session.forward(codes), wanted, rtol=0.05, atol=0.05)) for _ in range(2))
