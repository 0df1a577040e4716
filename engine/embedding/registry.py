"""From the chosen model to an embedder that is loaded: as long as the job's models are kept."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.backends import Backends
from engine.errors import NrxError
from engine.models.warm import WARM
from engine.progress import SILENT, Monitor


class Embedder(Protocol):
    """A model of sound and words."""

    @property
    def size(self) -> int:
        """How many numbers a vector has."""
        ...

    def sound(self, audio: Audio, monitor: Monitor = SILENT) -> NDArray[np.float32]:
        """Return the vector (size,) of a recording."""
        ...

    def words(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors (texts, size) of words."""
        ...


def embedder_of(backends: Backends) -> Embedder:
    """Return the embedder that was chosen, loaded.

    Raises:
        NrxError: any `model.*` where there is none that can be used, with what to do.
    """
    model = backends.embedder().model
    if model is None:
        raise NrxError("model.missing", "Embeddings need a model, and none was chosen.")

    def load() -> Embedder:
        from engine.embedding.clap import Clap

        return Clap(model.folder)

    return WARM.use(("embed", repr(model.key)), load)


def about_embedder(backends: Backends) -> dict[str, str]:
    """Return the name, revision and licence of the model that embeds."""
    model = backends.embedder().model
    if model is None:
        return {}
    return {"model": model.name, "revision": model.revision, "licence": model.card.licence}
