"""Takes in the order of how well they fit: to the words that they were asked with, and to the song that they follow.

A model of sound and words (CLAP, `engine.embedding`) hears each take as it was made. Where its weights are not on the
machine, takes stay in the order of their seeds. Vectors are kept in the cache, so the jobs of several takes, each with
a return of its own, hear every take once and agree on the order.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.actions.model import Ranking
from engine.audio import Audio
from engine.backends import AUTO, Backends, Choice
from engine.embedding import Embedder, Ranked, embedder_of, rank
from engine.errors import NrxError
from engine.progress import Monitor
from engine.stages import Stages

VERSION = 1
_VECTOR = "vector.npy"
_ABSENT = ("model.missing", "model.extra_missing")

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A take to be ranked: its seed, all that it was made from as plain data, and the way to its sound."""

    seed: int
    made_from: Mapping[str, Any]
    sound: Callable[[], Audio]


def judge(backends: Backends) -> tuple[Choice | None, str | None]:
    """Return the model that ranks; None where there is none, with a note if a person would have expected one."""
    try:
        return backends.embedder(), None
    except NrxError as error:
        if error.code in _ABSENT and backends.embed == AUTO:
            return None, None
        return (
            None,
            f"Takes are in the order of their seeds, since they could not be ranked: {error.sentence}",
        )


def ranked(
    candidates: Sequence[Candidate],
    choice: Choice,
    prompt: str,
    like: Callable[[], Audio] | None,
    stages: Stages,
    monitor: Monitor,
) -> list[Ranked]:
    """Return the takes by their seeds, the best first; of equals the one with the lower seed.

    Args:
        candidates: in the order of their seeds.
        choice: the model that ranks.
        prompt: the words that they were asked with.
        like: the song that they follow, if any.
        stages: keeps the vectors.
        monitor: told of progress; each take that is new is heard for seconds.
    """
    model = choice.key
    loaded: list[Embedder] = []

    def vector(made_from: Mapping[str, Any], compute: Callable[[Embedder], Vector]) -> Vector:
        monitor.check()

        def fill(folder: Path) -> None:
            if not loaded:
                loaded.append(embedder_of(stages.backends))
            np.save(folder / _VECTOR, compute(loaded[0]), allow_pickle=False)

        folder, _ = stages.kept("embed", {**made_from, "model": model, "ranking": VERSION}, fill)
        found: Vector = np.load(folder / _VECTOR, allow_pickle=False)
        return found

    vectors: dict[str, Vector] = {}
    for index, candidate in enumerate(candidates):
        vectors[str(candidate.seed)] = vector({"take": dict(candidate.made_from)}, partial(_heard, candidate))
        monitor.report((index + 1) / (len(candidates) + 1))
    wanted = vector({"words": prompt}, lambda ears: ears.words([prompt])[0])
    song: Vector | None = None
    if like is not None:
        source = like()
        key = sha256(source.samples.tobytes()).hexdigest()
        song = vector({"sound": key, "rate": source.sample_rate}, lambda ears: ears.sound(source))
    monitor.report(1.0)
    return rank(vectors, prompt=wanted, like=song)


def _heard(candidate: Candidate, ears: Embedder) -> Vector:
    return ears.sound(candidate.sound())


def told(order: Sequence[Ranked], place: int, choice: Choice) -> Ranking:
    """Return what there is to tell of the take at `place` (0 is the best)."""
    assert choice.model is not None  # whatever embeds is a model
    here = order[place]

    def rounded(value: float | None) -> float | None:
        return None if value is None else round(value, 4)

    return Ranking(
        place=place + 1,
        of=len(order),
        score=round(here.score, 4),
        by_prompt=rounded(here.by_prompt),
        by_likeness=rounded(here.by_likeness),
        seeds=tuple(int(item.name) for item in order),
        model=choice.model.name,
        revision=choice.model.revision,
        licence=choice.model.card.licence,
    )
