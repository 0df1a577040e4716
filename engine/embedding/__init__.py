"""Embeddings: sound and words as points of one space, where what is alike lies close together (CLAP).

`embedder_of` is the way in. Vectors are float32 of length 1, so a dot product is the cosine of the angle between two.
"""

from engine.embedding.ranking import Ranked, rank, suggest_styles
from engine.embedding.registry import Embedder, about_embedder, embedder_of

__all__ = ["Embedder", "Ranked", "about_embedder", "embedder_of", "rank", "suggest_styles"]
