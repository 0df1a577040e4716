"""The table of separation backends: name -> where it lives. Loading one imports what it needs, and nothing before."""

from importlib import import_module
from typing import cast

from engine.backends import Backends
from engine.errors import NrxError
from engine.separation.protocol import Separator

BACKENDS: dict[str, str] = {
    "spectral": "engine.separation.spectral.backend:SpectralSeparator",
}
"""Backend name -> "module:class" of a `Separator` that is made without arguments and without weights."""


def load_backend(name: str) -> Separator:
    """Return the backend called `name`.

    Raises:
        NrxError: `backend.missing` if there is no backend of that name.
    """
    if name not in BACKENDS:
        known = ", ".join(BACKENDS)
        raise NrxError("backend.missing", f"There is no separation backend {name!r}; choose one of: {known}.")
    module, _, attribute = BACKENDS[name].partition(":")
    return cast(Separator, getattr(import_module(module), attribute)())


def separator_of(backends: Backends) -> Separator:
    """Return the separator that was chosen. Making one is cheap: a neural one loads its weights when it separates.

    Raises:
        NrxError: whatever the choice refuses; `model.damaged` for files that are no model.
    """
    choice = backends.separator()
    model = choice.model
    if model is None:
        return load_backend(choice.backend)
    from engine.separation.neural.backend import DemucsSeparator

    options = backends.separation
    return DemucsSeparator(
        model.folder,
        model.name,
        device=backends.device,
        shifts=options.shifts,
        overlap=options.overlap,
        segment_s=options.segment_s,
        precision=options.precision,
        residual=options.residual,
        cache=backends.cache,
    )
