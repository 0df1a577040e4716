"""MusicGen as a generation backend: wishes in, takes out, of any length, several at once.

Weights are loaded with the first take, and let go with the job's models. A batch shares each step's reading of the
weights, which is what a step costs, so several takes are hardly dearer than one; `MOST_ROWS` bounds the memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.audio.buffer import Audio
from engine.generation.musicgen.long import codes_of, decoded
from engine.generation.musicgen.sampling import Sampling
from engine.generation.protocol import GeneratorInfo, Wish
from engine.models import InstalledModel
from engine.models.warm import WARM
from engine.progress import SILENT, Monitor
from engine.thrift import at_a_time

if TYPE_CHECKING:
    from engine.generation.musicgen import MusicGen

BACKEND_VERSION = "1"
"""Raised whenever the same wish would be played otherwise."""
MOST_ROWS = 4
LOADED, CHOSEN = 0.03, 0.95
"""Where in the progress of a batch the weights are loaded, and all codes are chosen."""


class MusicGenGenerator:
    """A MusicGen checkpoint that plays wishes; follows `engine.generation.protocol.Generator`.

    Args:
        model: the weights.
        device: "auto", "cpu", "cuda" or "mps".
        precision: as `MusicGen.load` takes it.
        cache: where what is derived from the weights is kept.
    """

    def __init__(
        self,
        model: InstalledModel,
        *,
        device: str = "auto",
        precision: str = "auto",
        cache: Path | None = None,
    ) -> None:
        self._installed, self._wanted, self._cache = model, (device, precision), cache
        self._device = ""

    @property
    def info(self) -> GeneratorInfo:
        """What plays."""
        card = self._installed.card
        return GeneratorInfo(
            name="musicgen",
            version=BACKEND_VERSION,
            description=f"MusicGen, {card.name}: {card.description}",
            model=card.name,
            revision=self._installed.revision,
            licence=card.licence,
            commercial_use=card.commercial,
            follows_melody=card.melody,
            depends_on={
                "model": self._installed.key,
                "version": BACKEND_VERSION,
                "device": self._wanted[0],
                "precision": self._wanted[1],
            },
        )

    @property
    def device(self) -> str:
        """How the last takes were played."""
        return self._device

    def takes(self, wishes: Sequence[Wish], sampling: Sampling, monitor: Monitor = SILENT) -> list[Audio]:
        """Play all wishes; see the protocol."""
        monitor.report(0.0)
        model = self._model()
        monitor.report(LOADED)
        made: list[Audio] = []
        for batch in _batches(wishes, at_a_time(MOST_ROWS) if sampling.beams == 1 else 1):
            first, last = (
                LOADED + (1 - LOADED) * at / len(wishes) for at in (len(made), len(made) + len(batch))
            )
            own = replace(sampling, seed=sampling.seed + len(made))
            made += self._batch(model, batch, own, monitor.part(first, last))
        return made

    def _model(self) -> "MusicGen":
        from engine.generation.musicgen.fast.choice import pick

        device, precision = self._wanted

        def load() -> "MusicGen":
            from engine.generation.musicgen import MusicGen

            return MusicGen.load(
                self._installed.folder, device=device, precision=precision, cache=self._cache
            )

        model = WARM.use(("musicgen", device, precision, repr(self._installed.key)), load)
        self._device = f"{pick(device, precision)[0]} ({model.language_model.description})"
        return model

    def _batch(
        self, model: "MusicGen", wishes: Sequence[Wish], sampling: Sampling, monitor: Monitor
    ) -> list[Audio]:
        frames = -(-round(wishes[0].duration_s * model.sample_rate) * model.frame_rate // model.sample_rate)
        melodies = [wish.melody for wish in wishes if wish.melody is not None]
        codes = codes_of(
            model,
            [wish.prompt for wish in wishes],
            max(1, frames),
            sampling,
            melodies if model.has_melody and melodies else None,
            monitor.part(0.0, CHOSEN),
        )
        sound = decoded(model, codes, monitor.part(CHOSEN, 1.0))
        length = round(wishes[0].duration_s * model.sample_rate)
        return [Audio(np.ascontiguousarray(row[:, :length]), model.sample_rate) for row in sound]


def _batches(wishes: Sequence[Wish], rows: int) -> Iterator[list[Wish]]:
    """Yield the wishes in order, up to `rows` at a time that have one prompt.

    A melody model also hears the padding of a shorter text beside a longer one: with it a take would not be the same as
    alone.
    """
    batch: list[Wish] = []
    for wish in wishes:
        if batch and (len(batch) == rows or wish.prompt != batch[0].prompt):
            yield batch
            batch = []
        batch.append(wish)
    if batch:
        yield batch
