"""Where neural networks run: the choice of a device, what "out of memory" looks like there, and giving memory back.

A device is PyTorch's own word for it: `cpu`, `cuda`, `cuda:1`, `mps`. `auto` is the variable `DEVICE` where it is set,
else the first of CUDA, Metal and the processor that is there. A device that was asked for and is not there is refused:
nothing falls back in silence. PyTorch is imported by the functions that need it.
"""

import ctypes
import gc
import os
import sys
from dataclasses import dataclass

from engine.errors import NrxError

AUTO = "auto"
VARIABLE = "DEVICE"
"""The environment variable that stands in for `auto`."""

_MEMORY_WORDS = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
    "failed to allocate",
    "bad_alloc",
)
"""How PyTorch, CUDA, Metal, OpenVINO and the C++ library say that there is no memory left."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device by PyTorch's word for it, and its name for people."""

    id: str
    name: str

    @property
    def kind(self) -> str:
        """The word without the card's number: `cpu`, `cuda` or `mps`."""
        return self.id.partition(":")[0]


CPU = Device("cpu", "processor")


def choose_device(wanted: str = AUTO) -> Device:
    """Return the device to use.

    Args:
        wanted: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.

    Raises:
        NrxError: `request.invalid` if there is no such device on this machine, with those that there are.
    """
    if wanted == AUTO:
        wanted = os.environ.get(VARIABLE, "").strip().lower() or AUTO
    there = available_devices() if wanted != "cpu" else {"cpu": CPU}
    if wanted == AUTO:
        return next(iter(there.values()))
    if wanted == "cuda" and "cuda:0" in there:
        return there["cuda:0"]
    if wanted not in there:
        found = ", ".join(reversed(there))
        raise NrxError(
            "request.invalid",
            f"The device {wanted!r} is not there; this machine has {found}. Choose one of them, or auto.",
        )
    return there[wanted]


def available_devices() -> dict[str, Device]:
    """Return the devices of this machine by their word, the one that `auto` takes first."""
    import torch

    found: dict[str, Device] = {}
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            found[f"cuda:{index}"] = Device(f"cuda:{index}", str(torch.cuda.get_device_name(index)))
    if torch.backends.mps.is_available():
        found["mps"] = Device("mps", "Apple GPU")
    return {**found, "cpu": CPU}


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that a device or the machine has no memory left for the work."""
    if isinstance(error, MemoryError):
        return True
    if not isinstance(error, RuntimeError):
        return False
    words = str(error).lower()
    return type(error).__name__ == "OutOfMemoryError" or any(word in words for word in _MEMORY_WORDS)


def give_memory_back() -> None:
    """Hand what is no longer used back to the device and to the system."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch is not None and torch.backends.mps.is_available():
        torch.mps.empty_cache()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # the GNU C library's; others have none
        if trim is not None:
            trim(0)


def thread_count() -> int:
    """Return how many threads this process may keep busy: the processors that it is allowed to run on."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
