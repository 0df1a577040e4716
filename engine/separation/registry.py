"""The table of separation backends: name -> where it lives. Loading one imports what it needs, and nothing before."""

from importlib import import_module
from typing import cast

from engine.errors import NrxError
from engine.separation.protocol import Separator

BACKENDS: dict[str, str] = {
    "spectral": "engine.separation.spectral.backend:SpectralSeparator",
}
"""Backend name -> "module:class" of a `Separator` that is made without arguments."""


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
