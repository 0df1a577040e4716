"""Filling the modules of `transformers` from a checkpoint without a second copy of the weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import NrxError

RENAMED = {"weight_g": "parametrizations.weight.original0", "weight_v": "parametrizations.weight.original1"}
"""Weight normalisation as older files name it -> as today's modules do."""


def fill(model: Any, weights: Mapping[str, Any], folder: Path) -> Any:
    """Give a module made on the `meta` device its weights; return it, ready to run.

    Buffers that no file holds (constants of the architecture) must have been made by the caller.

    Raises:
        NrxError: `model.damaged` when weights are missing or have another shape.
    """
    renamed = {}
    for name, value in weights.items():
        stem, _, last = name.rpartition(".")
        renamed[f"{stem}.{RENAMED[last]}" if last in RENAMED else name] = value.float()
    wanted = {name: value.shape for name, value in model.state_dict().items()}
    for name, shape in wanted.items():
        if name not in renamed or renamed[name].shape != shape:
            found = tuple(renamed[name].shape) if name in renamed else "nothing"
            raise NrxError(
                "model.damaged",
                f"The model in {folder} should have weights {name} of shape {tuple(shape)} and has {found}; "
                "fetch it again.",
            )
    model.load_state_dict({name: renamed[name] for name in wanted}, assign=True)
    return model.eval().requires_grad_(False)
