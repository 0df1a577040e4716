"""Tensors of a checkpoint, one at a time, from safetensors (one file, or shards with an index).

Files are mapped, not read: a tensor takes memory once it is asked for, and only while its user keeps it.
Pickled checkpoints (`pytorch_model.bin`) run code when opened; the model store converts them once, nothing here does.
"""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

from engine.errors import NrxError
from engine.stages import content_key

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of a checkpoint's folder, in order.

    Raises:
        NrxError: `model.missing` when there is none; `model.damaged` when the index names a file that is not there.
    """
    index = folder / INDEX
    if index.is_file():
        try:
            names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        except (ValueError, KeyError, AttributeError) as error:
            raise NrxError("model.damaged", f"{index} cannot be read; fetch the model again.") from error
        files = [folder / Path(name).name for name in names]
        for file in files:
            if not file.is_file():
                raise NrxError(
                    "model.damaged", f"{file.name} of the model in {folder} is missing; fetch it again."
                )
        return files
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    pickled = sorted(folder.glob("*.bin"))
    if pickled:
        raise NrxError(
            "model.missing",
            f"The weights in {folder} are pickled ({pickled[0].name}), which can run code; "
            "convert them with `nrx models fetch`, or name the folder with --trust.",
        )
    raise NrxError("model.missing", f"There are no weights ({SINGLE}) in {folder}; fetch the model first.")


def checkpoint_key(folder: Path) -> str:
    """Return a short name for exactly these weights: from their headers, sizes and times of change.

    Weights that are replaced get another key, without reading gigabytes.
    """
    parts = {}
    for file in weight_files(folder):
        status = file.stat()
        with file.open("rb") as opened:
            head = opened.read(1 << 16)
        parts[file.name] = [status.st_size, status.st_mtime_ns, head.hex()]
    return content_key({"files": parts})[:24]


class Checkpoint(AbstractContextManager["Checkpoint"]):
    """The tensors of a folder by name. Use as a context; what was taken out stays valid afterwards."""

    def __init__(self, folder: Path) -> None:
        """Open every file of the checkpoint.

        Raises:
            NrxError: as `weight_files`; `model.damaged` for a truncated or foreign file.
        """
        from safetensors import SafetensorError, safe_open

        self.folder = folder
        self._files: list[Any] = []
        self._where: dict[str, Any] = {}
        for path in weight_files(folder):
            try:
                file: Any = safe_open(path, framework="pt", device="cpu")
                self._files.append(file)
                self._where.update(dict.fromkeys(file.keys(), file))
            except (SafetensorError, OSError) as error:
                raise NrxError(
                    "model.damaged", f"{path} is damaged or cut short ({error}); fetch the model again."
                ) from error

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._where.clear()
        self._files.clear()

    def names(self, prefix: str = "") -> Iterator[str]:
        """Yield the names of all tensors that begin with `prefix`."""
        return (name for name in self._where if name.startswith(prefix))

    def __contains__(self, name: str) -> bool:
        return name in self._where

    def tensor(self, name: str) -> Any:
        """Return a tensor as it is stored (a `torch.Tensor` on the CPU).

        Raises:
            NrxError: `model.damaged` when the checkpoint has none of that name.
        """
        if name not in self._where:
            raise NrxError(
                "model.damaged", f"The model in {self.folder} lacks the weights {name}; fetch it again."
            )
        return self._where[name].get_tensor(name)

    def part(self, prefix: str) -> dict[str, Any]:
        """Return all tensors under `prefix`, named without it."""
        return {name[len(prefix) :]: self.tensor(name) for name in self.names(prefix)}
