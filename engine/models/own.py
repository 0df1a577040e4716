"""A user's own files as a model: a folder or a file by its path, recognised by what it holds.

- MusicGen and CLAP: a folder as `transformers` saves it, with `config.json`.
- Demucs: a folder with `<name>.yaml` and its models, or one `.safetensors` or `.th` file.

Weights are taken as safetensors. Pickled ones (`.th`, `.bin`, `.pt`, `.ckpt`) can run code when they are opened; they
are for `nrx models fetch PATH --trust`, which converts them once.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.errors import NrxError
from engine.models.card import Family, ModelCard, Task

PICKLED = (".th", ".bin", ".pt", ".pth", ".ckpt", ".pkl")
FAMILIES: dict[str, tuple[Family, Task]] = {
    "musicgen": ("musicgen", "generate"),
    "musicgen_melody": ("musicgen", "generate"),
    "clap": ("clap", "embed"),
}
"""`model_type` in `config.json` -> what it is here."""

_DEMUCS = ModelCard(
    name="",
    task="separate",
    family="demucs",
    repo="",
    files=(),
    licence="your own files; their licence is for you to know",
    commercial=False,
    size_bytes=0,
    needs_bytes=int(2.5e9),
    description="your own model",
    revision="own",
)


def looks_like_path(name: str) -> bool:
    """Return whether a name means a file or folder rather than a model of the catalogue."""
    return name.startswith((".", "~", "/", "\\")) or "\\" in name or Path(name).is_absolute() or name.endswith(
        (*PICKLED, ".safetensors")
    )  # fmt: skip


def own_card(path: Path) -> ModelCard:
    """Return the card of a user's folder or file.

    Raises:
        NrxError: `model.missing` if there is nothing at the path; `model.unknown` if it is no model.
    """
    if not path.exists():
        raise NrxError("model.missing", f"There is no model at {path}; give a folder or a file that exists.")
    size = sum(file.stat().st_size for file in weights_of(path))
    if path.is_file():
        if path.suffix not in (".safetensors", *PICKLED):
            raise NrxError(
                "model.unknown",
                f"{path} is no model; a file must be .safetensors or .th, as Demucs saves it.",
            )
        return replace(_DEMUCS, name=path.stem, size_bytes=size)
    config = path / "config.json"
    if config.is_file():
        return _transformers_card(path, config, size)
    bags = sorted(path.glob("*.yaml"))
    if len(bags) == 1 and size:
        return replace(_DEMUCS, name=bags[0].stem, size_bytes=size)
    if not bags and len(weights_of(path)) == 1:
        return replace(_DEMUCS, name=weights_of(path)[0].stem, size_bytes=size)
    raise NrxError(
        "model.unknown",
        f"{path} is no model that nrx knows: it has neither a config.json as transformers writes it, nor one .yaml "
        f"with Demucs' models beside it.",
    )


def _transformers_card(folder: Path, config: Path, size: int) -> ModelCard:
    try:
        said: dict[str, Any] = json.loads(config.read_text(encoding="utf-8"))
        kind = str(said.get("model_type"))
        decoder = said.get("decoder") or {}
        channels = int(decoder.get("audio_channels", 1))
    except (OSError, ValueError, AttributeError) as error:
        raise NrxError(
            "model.damaged", f"{config} cannot be read as a model's configuration: {error}."
        ) from error
    if kind not in FAMILIES:
        raise NrxError(
            "model.unknown",
            f"{folder} holds a model of the type {kind!r}; nrx runs these: {', '.join(FAMILIES)}.",
        )
    family, task = FAMILIES[kind]
    return replace(
        _DEMUCS,
        name=folder.name,
        family=family,
        task=task,
        size_bytes=size,
        needs_bytes=size * 2,
        melody=kind == "musicgen_melody",
        channels=channels,
    )


def weights_of(path: Path) -> list[Path]:
    """Return the files with weights at a path: safetensors where there are some, else pickled ones."""
    if path.is_file():
        return [path]
    safe = sorted(path.glob("*.safetensors"))
    return safe or sorted(file for file in path.iterdir() if file.suffix in PICKLED)


def pickled_weights(path: Path) -> list[Path]:
    """Return the files that would have to be opened as pickles."""
    return [file for file in weights_of(path) if file.suffix in PICKLED]
