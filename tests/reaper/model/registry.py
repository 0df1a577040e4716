"""Which Python function answers which of REAPER's: `@offers("GetTrack")`, arguments as in `functions.txt`."""

from collections.abc import Callable
from typing import Any, TypeVar

Implementation = Callable[..., Any]
Offered = TypeVar("Offered", bound=Implementation)
IMPLEMENTATIONS: dict[str, Implementation] = {}


def offers(*names: str) -> Callable[[Offered], Offered]:
    """Register a function `(script, *arguments)`; handles come as the objects they mean."""

    def register(function: Offered) -> Offered:
        for name in names:
            assert name not in IMPLEMENTATIONS, f"{name} is offered twice"
            IMPLEMENTATIONS[name] = function
        return function

    return register
