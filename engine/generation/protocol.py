"""What every generation backend is: a description of itself, and a way to turn wishes into takes.

A backend makes sound from a prompt, and from a melody if it can follow one. It knows nothing of the song's timeline:
what it plays is measured and fitted afterwards, so it may be in any tempo. The same wish, sampling and seed give the
same take on the same device, whatever else is in the batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.audio.buffer import Audio
from engine.generation.melody import Melody
from engine.generation.musicgen.sampling import Sampling
from engine.progress import SILENT, Monitor


@dataclass(frozen=True, slots=True)
class Wish:
    """One take to make: what it should sound like, how long, and the melody that it follows."""

    prompt: str
    duration_s: float
    melody: Melody | None = None


@dataclass(frozen=True, slots=True)
class GeneratorInfo:
    """What a backend is, for manifests, caches and people.

    `model`, `revision` and `licence` are of the weights. `depends_on` is all that a take depends on beside its wish,
    sampling and seed, as plain data. `notes` are what a person must know of every take, whole sentences. Nothing is
    loaded to tell it.
    """

    name: str
    version: str
    description: str
    model: str
    revision: str
    licence: str
    commercial_use: bool
    follows_melody: bool
    depends_on: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Generator(Protocol):
    """A way to make takes."""

    @property
    def info(self) -> GeneratorInfo:
        """What this backend is."""
        ...

    @property
    def device(self) -> str:
        """What the last takes were really played on, and how: "cpu (int8)"; "" before the first."""
        ...

    def takes(self, wishes: Sequence[Wish], sampling: Sampling, monitor: Monitor = SILENT) -> list[Audio]:
        """Return one take for each wish, in order, at the model's rate, each as long as its wish.

        All wishes are as long as each other, and all or none follow a melody. Wish i is played from the seed
        `sampling.seed` + i.

        Raises:
            NrxError: whatever keeps the backend from playing.
            Cancelled: soon after the job was cancelled.
        """
        ...
