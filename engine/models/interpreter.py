"""Models that run in an interpreter of their own: where it is, what is in it, and which of its models are here.

audiocraft needs other versions of PyTorch and friends than ours, so it has a virtual environment of its own in the
store of models, made by `engine.generation.apart.install`:

    audiocraft/
      venv/                  the interpreter, put there by one rename
      nrx-interpreter.json   its version, how it was made, and what is in it
      hub/                   weights that were fetched for it, as the hub's own library keeps them

A model in it is asked for as `audiocraft` (the first that is there), `audiocraft:facebook/musicgen-small`, the path of
a folder as `audiocraft:~/my-model`, or `audiocraft:debug`: audiocraft's own small model with random weights.
"""

import json
import shutil
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import NrxError
from engine.models.card import InstalledModel, ModelCard
from engine.models.own import looks_like_path
from engine.models.store import OWN, ModelStore

AUDIOCRAFT = "audiocraft"
DEBUG = "debug"
RECORD = "nrx-interpreter.json"
VENV, HUB = "venv", "hub"
_NC = "CC BY-NC 4.0"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An interpreter that is there.

    `version` is audiocraft's; `made` says in words how it was made; `packages` are what is installed in it.
    """

    folder: Path
    version: str
    made: str
    packages: Mapping[str, str]

    @property
    def python(self) -> Path:
        """Its Python."""
        return python_in(self.folder / VENV)

    @property
    def hub(self) -> Path:
        """Where its weights are."""
        return self.folder / HUB


def python_in(venv: Path) -> Path:
    """Return the Python of a virtual environment."""
    return venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def is_apart(name: str) -> bool:
    """Return whether a name asks for a model in an interpreter of its own."""
    return name == AUDIOCRAFT or name.startswith(f"{AUDIOCRAFT}:")


def find_interpreter(root: Path) -> Interpreter | None:
    """Return the interpreter in a store; None if there is none that can be started."""
    folder = root / AUDIOCRAFT
    try:
        said: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        found = Interpreter(folder, str(said["version"]), str(said["made"]), dict(said["packages"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found.python.exists() else None


def require_interpreter(root: Path) -> Interpreter:
    """Return the interpreter in a store.

    Raises:
        NrxError: `model.missing`.
    """
    found = find_interpreter(root)
    if found is None:
        raise NrxError(
            "model.missing",
            f"{AUDIOCRAFT} is not installed; `nrx models install {AUDIOCRAFT}` gives it an interpreter of its own.",
        )
    return found


def weights_here(interpreter: Interpreter) -> dict[str, str]:
    """Return the models whose weights are here: repository -> commit."""
    found = {}
    for folder in sorted(interpreter.hub.glob("models--*--*")):
        try:
            commit = (folder / "refs" / "main").read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            continue
        if (folder / "snapshots" / commit / "state_dict.bin").is_file():
            found[folder.name.removeprefix("models--").replace("--", "/")] = commit
    return found


def model_apart(store: ModelStore, wanted: str, *, melody: bool = False) -> InstalledModel:
    """Return the model that a name asks for; `melody` prefers one that follows a melody where the name leaves it open.

    Raises:
        NrxError: `model.missing` without the interpreter or the weights; `model.not_commercial`.
    """
    interpreter = require_interpreter(store.root)
    name = wanted.partition(":")[2]
    here = weights_here(interpreter)
    if not name:
        if not here:
            raise NrxError(
                "model.missing",
                f"{AUDIOCRAFT} is installed, and no weights for it are here; "
                f"`nrx models install {AUDIOCRAFT} --weights facebook/musicgen-small` downloads some.",
            )
        name = min(here, key=lambda repo: ("melody" in repo) != melody)
    card = card_apart(name)
    refusal = store.licence_refusal(card)
    if refusal is not None:
        raise NrxError("model.not_commercial", refusal)
    if name == DEBUG:
        return InstalledModel(card, interpreter.folder, interpreter.version, {})
    if looks_like_path(name):
        return _own(card, Path(name).expanduser().absolute())
    if name not in here:
        raise NrxError(
            "model.missing",
            f"The weights of {name} are not here; `nrx models install {AUDIOCRAFT} --weights {name}` downloads them.",
        )
    return InstalledModel(card, interpreter.folder, here[name], {})


def card_apart(name: str) -> ModelCard:
    """Return the card of a model of audiocraft by its repository, its folder, or `debug`."""
    if name == DEBUG:
        licence, commercial = "none needed: its weights are random", True
    elif name.startswith("facebook/"):
        licence, commercial = _NC, False
    else:
        licence, commercial = "not known to nrx; its page says it", False
    return ModelCard(
        name=f"{AUDIOCRAFT}:{name}",
        task="generate",
        family="audiocraft",
        repo="" if name == DEBUG or looks_like_path(name) else name,
        files=(),
        licence=licence,
        commercial=commercial,
        size_bytes=0,
        needs_bytes=0,
        description="random weights, to try the way there" if name == DEBUG else f"{name} through audiocraft",
        melody="melody" in Path(name).name,
        channels=2 if "stereo" in name else 1,
        runs_in=AUDIOCRAFT,
    )


def remove_interpreter(root: Path) -> int:
    """Remove the interpreter with its weights; return the bytes that were freed.

    Raises:
        NrxError: `model.missing` if there is nothing of it.
    """
    folder = root / AUDIOCRAFT
    if not folder.is_dir():
        raise NrxError("model.missing", f"{AUDIOCRAFT} is not installed; nothing was removed.")
    freed = sum(file.lstat().st_size for file in folder.rglob("*") if not file.is_dir())
    gone = root / f".gone-{uuid.uuid4().hex}"
    folder.rename(gone)  # one rename takes it away whole
    shutil.rmtree(gone, ignore_errors=True)
    return freed


def _own(card: ModelCard, folder: Path) -> InstalledModel:
    """Return a user's own folder; what is known of its files is their size and time."""
    files = [folder / name for name in ("state_dict.bin", "compression_state_dict.bin")]
    for file in files:
        if not file.is_file():
            raise NrxError(
                "model.missing",
                f"{folder} has no {file.name}; a folder for {AUDIOCRAFT} holds state_dict.bin and "
                f"compression_state_dict.bin, as its export writes them.",
            )
    stamps = {file.name: f"{file.stat().st_size}-{file.stat().st_mtime_ns}" for file in files}
    return InstalledModel(card, folder, OWN, stamps)
