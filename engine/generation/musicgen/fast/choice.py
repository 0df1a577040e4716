"""Which way to run the language model: the fastest that this machine has, for the device and precision asked for."""

from pathlib import Path

from engine.errors import NrxError
from engine.generation.musicgen.checkpoint import Checkpoint
from engine.generation.musicgen.fast.core import LanguageModel
from engine.generation.musicgen.fast.torch_core import TorchLanguageModel
from engine.generation.musicgen.layout import Layout

DEVICES = ("cpu", "cuda", "mps")
PRECISIONS = ("int8", "bfloat16", "float16", "float32")


def pick(device: str, precision: str) -> tuple[str, str]:
    """Return the device and precision that `auto` stands for on this machine.

    Raises:
        NrxError: `request.invalid` for names that there are not, or a device that is not there.
    """
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        device = next(name for name in ("cuda", "mps", "cpu") if there[name])
    if device not in DEVICES or not there[device]:
        found = ", ".join(name for name in DEVICES if there[name])
        raise NrxError("request.invalid", f"The device {device} is not there; this machine has {found}.")
    if precision == "auto":
        if device == "cpu":
            precision = "int8"
        else:
            precision = "bfloat16" if device == "cuda" and torch.cuda.is_bf16_supported() else "float16"
    if precision not in PRECISIONS:
        raise NrxError(
            "request.invalid", f"There is no precision {precision}; choose one of {', '.join(PRECISIONS)}."
        )
    return device, precision


def load_language_model(
    checkpoint: Checkpoint, layout: Layout, device: str, precision: str, cache: Path | None
) -> LanguageModel:
    """Return the language model of a checkpoint, on a device and in a precision that `pick` gave."""
    if precision == "int8":
        precision = "float32" if device == "cpu" else "bfloat16"
    return TorchLanguageModel(checkpoint, layout, device, precision)
