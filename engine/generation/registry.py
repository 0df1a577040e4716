"""The table of backends that play from weights, and the way from what was chosen to a `Generator`."""

from collections.abc import Callable

from engine.backends import Backends, Choice
from engine.errors import NrxError
from engine.generation.protocol import Generator
from engine.models import InstalledModel


def _musicgen(model: InstalledModel, backends: Backends) -> Generator:
    from engine.generation.musicgen.backend import MusicGenGenerator

    return MusicGenGenerator(model, device=backends.device, cache=backends.cache)


GENERATORS: dict[str, Callable[[InstalledModel, Backends], Generator]] = {"musicgen": _musicgen}
"""Backend of a choice -> what makes a generator from its model."""


def generator_of(choice: Choice, backends: Backends) -> Generator:
    """Return the generator that was chosen; its weights are read when it first plays.

    Raises:
        NrxError: `backend.missing` for a choice that plays from no weights.
    """
    make = GENERATORS.get(choice.backend)
    if make is None or choice.model is None:
        raise NrxError(
            "backend.missing",
            f"The backend {choice.name} makes no takes; choose one of {', '.join(GENERATORS)}.",
        )
    return make(choice.model, backends)
