"""Which way to run the language model: the fastest that this machine has, for the device and precision asked for."""

import logging
from functools import cache as remembered
from pathlib import Path

from engine.devices import choose_device
from engine.errors import NrxError
from engine.generation.musicgen.checkpoint import Checkpoint
from engine.generation.musicgen.fast.core import LanguageModel
from engine.generation.musicgen.fast.torch_core import TorchLanguageModel
from engine.generation.musicgen.layout import Layout

log = logging.getLogger(__name__)

PRECISIONS = ("int8", "bfloat16", "float16", "float32")


def pick(device: str, precision: str) -> tuple[str, str]:
    """Return the device (in torch's words) and the precision that `auto` stands for on this machine.

    Raises:
        NrxError: `request.invalid` for names that there are not, for a device that is not there, and for int8 on a GPU.
    """
    chosen = choose_device(device)
    if precision == "auto":
        precision = "int8" if chosen.kind == "cpu" else _half_precision(chosen.kind)
    if precision not in PRECISIONS:
        raise NrxError(
            "request.invalid", f"There is no precision {precision}; choose one of {', '.join(PRECISIONS)}."
        )
    if precision == "int8" and chosen.kind != "cpu":
        raise NrxError(
            "request.invalid", f"On {chosen.id} MusicGen runs in bfloat16, float16 or float32, not in int8."
        )
    return chosen.id, precision


def _half_precision(kind: str) -> str:
    import torch

    return "bfloat16" if kind == "cuda" and torch.cuda.is_bf16_supported() else "float16"


def load_language_model(
    checkpoint: Checkpoint, layout: Layout, device: str, precision: str, cache: Path | None
) -> LanguageModel:
    """Return the language model of a checkpoint, on a device and in a precision that `pick` gave.

    Where the kernels for int8 can't be compiled, or the model's activation is none of theirs, it runs in float32;
    `description` says which it is.
    """
    if precision == "int8":
        if layout.activation == "gelu" and kernels_work():
            from engine.generation.musicgen.fast.int8_core import Int8LanguageModel

            return Int8LanguageModel(checkpoint, layout, cache)
        precision = "float32"
    return TorchLanguageModel(checkpoint, layout, device, precision)


@remembered
def kernels_work() -> bool:
    """Return whether the kernels compile and run here: numba knows most processors, not all.

    Compiling takes some ten seconds once; the result is kept on disk beside this module, or where numba keeps such.
    """
    try:
        from engine.generation.musicgen.fast.rehearsal import rehearse

        return rehearse()
    except Exception:
        log.exception("The kernels for int8 do not run here; MusicGen runs in float32")
        return False
