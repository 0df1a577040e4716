"""An input whose bytes are kept."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RegisteredInput:
    """An input as it was accepted: its bytes lie at `path`, named by their hash, and do not change any more."""

    sha256: str
    path: Path
    name: str
    bytes: int
