"""The table of backends that play from weights, and the way from what was chosen to a `Generator`."""

from collections.abc import Callable

from engine.backends import Backends, Choice
from engine.errors import NrxError
from engine.generation.protocol import Generator


def _musicgen(choice: Choice, backends: Backends) -> Generator:
    from engine.generation.musicgen.backend import MusicGenGenerator

    assert choice.model is not None  # the family is that of a model
    return MusicGenGenerator(choice.model, device=backends.device, cache=backends.cache)


def _audiocraft(choice: Choice, backends: Backends) -> Generator:
    from engine.generation.apart.backend import ApartGenerator

    assert choice.model is not None  # the family is that of a model
    return ApartGenerator(choice.model, backends.models, device=backends.device)


def _cloud(choice: Choice, _backends: Backends) -> Generator:
    from engine.generation.cloud.backend import CloudGenerator

    assert choice.cloud is not None  # the family is that of a service
    return CloudGenerator(choice.cloud)


GENERATORS: dict[str, Callable[[Choice, Backends], Generator]] = {
    "musicgen": _musicgen,
    "audiocraft": _audiocraft,
    "huggingface": _cloud,
    "replicate": _cloud,
}
"""Backend of a choice -> what makes a generator of it."""


def generator_of(choice: Choice, backends: Backends) -> Generator:
    """Return the generator that was chosen; its weights are read when it first plays.

    Raises:
        NrxError: `backend.missing` for a choice that plays from no weights.
    """
    make = GENERATORS.get(choice.backend)
    if make is None or not choice.is_neural:
        raise NrxError(
            "backend.missing",
            f"The backend {choice.name} makes no takes; choose one of {', '.join(GENERATORS)}.",
        )
    return make(choice, backends)
