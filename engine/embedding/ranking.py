"""What embeddings are good for: which take fits a prompt and a song best, and which styles suit a song."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.presets import Style


@dataclass(frozen=True, slots=True)
class Ranked:
    """One of several, with how well it fits: `score` from -1 to 1, and what it is made of."""

    name: str
    score: float
    by_prompt: float | None = None
    by_likeness: float | None = None


def rank(
    takes: Mapping[str, NDArray[np.float32]],
    *,
    prompt: NDArray[np.float32] | None = None,
    like: NDArray[np.float32] | None = None,
) -> list[Ranked]:
    """Return takes, the best first.

    Args:
        takes: name -> vector (size,) of length 1.
        prompt: the vector of the words that they were to follow.
        like: the vector of the song that they were to be like; with both, the score is their mean.
    """
    found = []
    for name, vector in takes.items():
        parts = [float(vector @ wanted) if wanted is not None else None for wanted in (prompt, like)]
        counted = [part for part in parts if part is not None]
        found.append(Ranked(name, sum(counted) / len(counted) if counted else 0.0, parts[0], parts[1]))
    return sorted(found, key=lambda item: -item.score)


def words_of(style: Style) -> str:
    """Return what a style is called in words that a model of sound and words knows."""
    more = ", ".join(style.words[:6])
    return f"{style.name} music: {style.description}{f' ({more})' if more else ''}"


def suggest_styles(
    song: NDArray[np.float32], styles: Sequence[Style], vectors: NDArray[np.float32]
) -> list[Ranked]:
    """Return styles by how alike their words (`vectors`, one row a style) are to a song, the nearest first."""
    return rank({style.id: vector for style, vector in zip(styles, vectors, strict=True)}, like=song)
