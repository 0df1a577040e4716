"""What of NRX_HOME takes disk, and what of it can be freed without losing anything that people made."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bridge.config import Settings


@dataclass(frozen=True, slots=True)
class Part:
    """A part of NRX_HOME. `loses` says what freeing it costs; `folder` is emptied, and made again when needed."""

    name: str
    what: str
    loses: str
    folder: Callable[[Settings], Path]


PARTS: tuple[Part, ...] = (
    Part(
        "cache",
        "separations, analyses and other stages, kept for the next style",
        "they are worked out again",
        lambda settings: settings.cache_folder,
    ),
    Part(
        "returns", "what jobs gave back", "the remixes themselves", lambda settings: settings.returns_folder
    ),
    Part(
        "logs",
        "the daemon's log and details of errors",
        "nothing but the past",
        lambda settings: settings.home / "logs",
    ),
    Part(
        "demo", "the song that `nrx demo` makes", "it is made again", lambda settings: settings.home / "demo"
    ),
    Part(
        "inputs",
        "snapshots of accepted inputs, and uploads",
        "ended jobs can't be retried, uploads are gone",
        lambda settings: settings.home / "inputs",
    ),
)


def size_bytes(folder: Path) -> int:
    """Return how much the files below a folder take."""
    total = 0
    for file in folder.rglob("*") if folder.is_dir() else ():
        try:
            total += file.lstat().st_size
        except OSError:
            continue
    return total


def empty(folder: Path) -> int:
    """Remove everything in a folder and return how many bytes that freed; what is in use stays."""
    before = size_bytes(folder)
    for item in folder.iterdir() if folder.is_dir() else ():
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item, ignore_errors=True)
        else:
            try:
                item.unlink()
            except OSError:
                continue
    return before - size_bytes(folder)
