"""Pickled checkpoints, converted once to safetensors by a process that is thrown away afterwards.

A pickle can run code when it is opened. So files are opened by a process of its own, which has none of this one's
variables, with PyTorch's `weights_only` reader and a list of the classes that Demucs' files name. A user's own file
that names others is opened in full only if the user said that it is to be trusted.

Run as `python -m engine.models.pickled SOURCE TARGET {checked|trusted}`; what is wrong is written to standard error in
one line, and the exit status is 3.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import NrxError
from engine.models.own import PICKLED
from engine.progress import SILENT, Monitor

REFUSED = 3
KEPT_VARIABLES = (
    "PATH",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "PYTHONPATH",
)
DEMUCS_CLASSES = ("demucs.htdemucs:HTDemucs", "demucs.hdemucs:HDemucs", "demucs.demucs:Demucs")
_HASH_IN_NAME = re.compile(r"-[0-9a-f]{8}$")


def hash_in_name(file: Path) -> str | None:
    """Return the first eight digits of the SHA-256 that Demucs writes into a file's name; None if there are none."""
    found = _HASH_IN_NAME.search(file.stem)
    return found[0][1:] if found is not None and file.suffix == ".th" else None


def convert_all(folder: Path, monitor: Monitor = SILENT, *, trusted: bool = False) -> None:
    """Convert every pickled file in `folder`, and remove what it was converted from.

    Raises:
        NrxError: `model.untrusted` if a file asks for more than weights, `model.damaged` if it cannot be read.
    """
    for file in sorted(path for path in folder.iterdir() if path.suffix in PICKLED):
        convert(file, file.with_name(safe_name(file.name)), monitor, trusted=trusted)
        file.unlink()
    _rename_index(folder)


def safe_name(name: str) -> str:
    """Return what a converted file is called: as its loader looks for it, without the digits of the old file's hash."""
    stem = Path(name).stem
    if name.endswith(".th"):
        return f"{_HASH_IN_NAME.sub('', stem)}.safetensors"
    return f"{stem.replace('pytorch_model', 'model', 1)}.safetensors"


def _rename_index(folder: Path) -> None:
    """Let the index of a checkpoint in several files name the converted ones."""
    old = folder / "pytorch_model.bin.index.json"
    if not old.is_file():
        return
    index = json.loads(old.read_text(encoding="utf-8"))
    index["weight_map"] = {key: safe_name(file) for key, file in index["weight_map"].items()}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    old.unlink()


def convert(source: Path, target: Path, monitor: Monitor = SILENT, *, trusted: bool = False) -> None:
    """Convert one file in a process that is thrown away.

    Raises:
        NrxError: `model.untrusted`, `model.damaged`; `Cancelled`, after the process was ended.
    """
    building = target.with_name(f"{target.name}.building")
    command = [
        sys.executable,
        "-m",
        __name__,
        str(source),
        str(building),
        "trusted" if trusted else "checked",
    ]
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    process = subprocess.Popen(
        command,
        env=kept,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while True:
            try:
                _, said = process.communicate(timeout=0.2)
                break
            except subprocess.TimeoutExpired:
                monitor.check()
        if process.returncode == REFUSED:
            raise NrxError(
                "model.untrusted",
                f"{source} holds more than weights ({said.strip()}); if you trust where it comes from, add --trust.",
            )
        if process.returncode != 0:
            last = said.strip().splitlines()[-1] if said.strip() else f"exit status {process.returncode}"
            raise NrxError("model.damaged", f"{source} cannot be read as a checkpoint: {last}.")
        building.replace(target)
    finally:
        process.kill()
        process.wait()
        building.unlink(missing_ok=True)


def _main(source: Path, target: Path, mode: str) -> int:
    import pickle

    import torch
    from safetensors.torch import save_file

    try:
        package = _load(source, torch)
    except pickle.UnpicklingError as error:
        if mode != "trusted":
            sys.stderr.write(_first_line(error))
            return REFUSED
        package = torch.load(source, map_location="cpu", weights_only=False)
    tensors, metadata = _tensors(package, torch)
    save_file(tensors, target, metadata)
    return 0


def _load(source: Path, torch: Any) -> Any:
    """Open a checkpoint as weights, and if it names them, as Demucs' classes."""
    import pickle

    try:
        return torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "demucs." not in str(error):
            raise
    with torch.serialization.safe_globals(_demucs_classes()):
        return torch.load(source, map_location="cpu", weights_only=True)


def _demucs_classes() -> list[Any]:
    """Return what Demucs' files name beside weights."""
    from fractions import Fraction
    from importlib import import_module

    entries = (entry.partition(":") for entry in DEMUCS_CLASSES)
    return [Fraction, *(getattr(import_module(module), name) for module, _, name in entries)]


def _tensors(package: Any, torch: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the tensors of a checkpoint with the metadata that its loader reads."""
    if not isinstance(package, Mapping):
        raise TypeError("it holds no table of weights")
    metadata = {"format": "pt"}
    state: Any = package
    if "klass" in package and "state" in package:
        klass = package["klass"]
        metadata["klass"] = f"{klass.__module__}.{klass.__qualname__}"
        metadata["args"] = json.dumps(_plain(package["args"]))
        metadata["kwargs"] = json.dumps(_plain(package["kwargs"]))
        state = package["state"]
    elif isinstance(package.get("state_dict"), Mapping):
        state = package["state_dict"]
    if "__quantized" in state:
        raise TypeError("it is quantised with diffq, which nrx does not read")
    tensors = {
        str(key): value.detach().clone().contiguous()
        for key, value in state.items()
        if isinstance(value, torch.Tensor)
    }
    if not tensors:
        raise TypeError("it holds no weights")
    return tensors, metadata


def _plain(value: Any) -> Any:
    """Return arguments of a model as JSON has them; fractions as Demucs' own loader reads them."""
    from fractions import Fraction

    if isinstance(value, Fraction):
        return {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _first_line(error: BaseException) -> str:
    words = str(error).split("WeightsUnpickler error:")[-1].strip().splitlines()
    return (words[0] if words else type(error).__name__)[:200]


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
