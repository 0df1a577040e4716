"""What can be computed on: the processor always; CUDA and Metal devices where PyTorch is installed and finds them.

PyTorch is imported only when it is installed; the weight-free backends run on the processor.
"""

import os
import platform
from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True, slots=True)
class Device:
    """A device by PyTorch's name for it (`cpu`, `cuda:0`, `mps`), with its memory and what should be known of it."""

    id: str
    name: str
    memory_gb: float
    default: bool
    note: str = ""


def find_devices() -> list[Device]:
    """Return the devices, the one that neural backends would use marked as default."""
    accelerators = _accelerators() if find_spec("torch") else []
    note = "" if find_spec("torch") else "PyTorch is not installed: graphics cards, if any, are not used."
    return [Device("cpu", processor_name(), memory_gb(), default=not accelerators, note=note), *accelerators]


def _accelerators() -> list[Device]:
    import torch

    found = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            card = torch.cuda.get_device_properties(index)
            found.append(Device(f"cuda:{index}", card.name, card.total_memory / 1e9, default=index == 0))
    if torch.backends.mps.is_available():
        found.append(
            Device("mps", "Apple GPU", memory_gb(), default=not found, note="shares the main memory")
        )
    return found


def processor_name() -> str:
    """Return the processor's name and how many threads it runs."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as table:  # noqa: PTH123 - Linux's own table, absent elsewhere
            name = next(
                (line.partition(":")[2].strip() for line in table if line.startswith("model name")), name
            )
    except OSError:
        pass
    return f"{name} ({os.cpu_count()} threads)"


def memory_gb() -> float:
    """Return the machine's memory."""
    import psutil

    return float(psutil.virtual_memory().total) / 1e9
