"""The middle of a hybrid model in OpenVINO, for one length: converted once, kept on disk, run on the processor.

The cache holds a folder a network, named by the hash of all that it depends on: the checkpoint's bytes, the length, the
versions of what made it. A second folder holds what OpenVINO has made of it for this processor, which loads in half
of the time; its name depends on the processor too. A folder is built under another name and renamed into place, so that
two processes never see half of one; one that is damaged is built anew. Conversion reads the traced model through
OpenVINO's front end for PyTorch, without its converter's command, which would send telemetry.
"""

import hashlib
import json
import os
import shutil
import time
import uuid
import warnings
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.devices import thread_count
from engine.progress import Monitor
from engine.separation.neural.core import RealCore
from engine.separation.neural.rearranged import rearrange
from engine.separation.neural.runtime import fused_attention

LAYOUT = 3
"""Counts how the networks that are kept have changed."""
UNUSED_S, ABANDONED_S = 60 * 86400.0, 86400.0
"""A network that was not used for so long is removed when another is kept, and so is one that was never finished."""
_POLL_MS = 100
_KEPT, _COMPILED, _BUILDING = "demucs-", "compiled-", ".building-"
_NETWORK, _BLOB, _RECORD = "core.xml", "core.blob", "core.json"
_HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}


class OpenVinoCore:
    """A network that is compiled for this processor."""

    def __init__(self, compiled: Any, lanes: int, held: Any = None) -> None:
        """Run `compiled`, which works on `lanes` stretches side by side; `held` is memory that it may lie in."""
        import openvino

        self._held = held
        self._tensor = openvino.Tensor
        self.depth = lanes if lanes == 1 else lanes + 1  # one waits, so that no lane does
        # Made before any of them runs: making one waits for a lane.
        self._free = [compiled.create_infer_request() for _ in range(self.depth)]

    def begin(self, spectra: Any, mix: Any, levels: Any) -> "OpenVinoAnswer":
        """Begin with a stretch; at most `depth` of them may be at hand."""
        request = self._free.pop()
        inputs = [value.numpy() for value in (spectra, mix, levels)]
        for index, values in enumerate(inputs):
            request.set_input_tensor(index, self._tensor(values, shared_memory=True))
        request.start_async()
        return OpenVinoAnswer(request, inputs, self._free)


class OpenVinoAnswer:
    """A stretch that a request of a compiled network works on; afterwards the request goes back to the `free` ones."""

    def __init__(self, request: Any, inputs: list[Any], free: list[Any]) -> None:
        """Take a request that runs, and what it reads, which it does not hold itself."""
        self._request, self._inputs, self._free = request, inputs, free

    def wait(self, monitor: Monitor) -> tuple[Any, Any]:
        """Return both branches' output, in buffers that belong to the request; a cancel is heard while it runs."""
        while not self._request.wait_for(_POLL_MS):
            monitor.check()
        masked, waves = (torch.from_numpy(self._request.get_output_tensor(index).data) for index in (0, 1))
        return masked, waves

    def release(self) -> None:
        """Stop, if it still runs, and give the request back."""
        request, self._request = self._request, None
        if request is None:
            return
        if not request.wait_for(0):
            request.cancel()
            with suppress(RuntimeError):  # which says that it was cancelled
                request.wait()
        self._inputs.clear()
        self._free.append(request)


def openvino_core(
    load: Callable[[], Any], spectra_shape: tuple[int, ...], mix_shape: tuple[int, ...],
    *, checkpoint_sha256: str, precision: str, lanes: int, cache: Path | None,
) -> OpenVinoCore:  # fmt: skip
    """Return a model's middle for inputs of these shapes, from the cache or converted now.

    Args:
        load: gives the model; called only if it is not in the cache.
        spectra_shape, mix_shape: of the inputs of `RealCore.forward`.
        checkpoint_sha256: hash of the file that the model comes from.
        precision: a key of `PRECISIONS`.
        lanes: how many stretches are worked on side by side.
        cache: the folder of all networks; None: nothing is kept.

    Raises:
        ImportError: without OpenVINO.
        Exception: whatever the conversion can't do.
    """
    import openvino

    core = openvino.Core()
    how = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "INFERENCE_NUM_THREADS": thread_count(),
        "NUM_STREAMS": lanes,
        "ENABLE_HYPER_THREADING": True,
    }
    if cache is None:
        network = _convert(load(), spectra_shape, mix_shape)
        return OpenVinoCore(core.compile_model(network, "CPU", how), lanes)
    folder = cache / f"{_KEPT}{_key(checkpoint_sha256, spectra_shape, mix_shape)}"
    here = [core.get_property("CPU", "FULL_DEVICE_NAME"), torch.backends.cpu.get_cpu_capability()]
    compiled_folder = cache / f"{_COMPILED}{_hashed(folder.name, here, how)}"
    if _is_whole(compiled_folder):
        with suppress(OSError, RuntimeError):  # it is compiled again then
            blob = openvino.Tensor(np.memmap(compiled_folder / _BLOB, np.uint8, "c"), shared_memory=True)
            return OpenVinoCore(core.import_model(blob, "CPU", how), lanes, blob)
    network = folder / _NETWORK
    if not _is_whole(folder):
        made = _convert(load(), spectra_shape, mix_shape)
        is_kept = _publish(
            folder, lambda to: openvino.save_model(made, to / _NETWORK, compress_to_fp16=False)
        )
        network = network if is_kept else made
    compiled = core.compile_model(network, "CPU", how)
    _publish(compiled_folder, lambda to: (to / _BLOB).write_bytes(compiled.export_model().getbuffer()))
    return OpenVinoCore(compiled, lanes)


def _key(checkpoint_sha256: str, *shapes: tuple[int, ...]) -> str:
    made_by = [version(package) for package in ("openvino", "torch", "demucs")]
    return _hashed(LAYOUT, checkpoint_sha256, shapes, made_by)


def _hashed(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40]


def _is_whole(folder: Path) -> bool:
    """Return whether a folder holds all that was written into it; what does not is removed."""
    try:
        sizes = json.loads((folder / _RECORD).read_bytes())
        if all((folder / name).stat().st_size == size for name, size in sizes.items()):
            os.utime(folder)
            return True
    except (OSError, ValueError, AttributeError):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    return False


def _publish(folder: Path, write: Callable[[Path], Any]) -> bool:
    """Let `write` fill a folder under another name and rename it into place; return whether it is there now."""
    _remove_old(folder.parent)
    building = folder.with_name(f"{_BUILDING}{os.getpid()}-{uuid.uuid4().hex}")
    try:
        building.mkdir(parents=True)
        write(building)
        sizes = {file.name: file.stat().st_size for file in building.iterdir()}
        (building / _RECORD).write_text(json.dumps(sizes), encoding="utf-8")
        building.rename(folder)
    except (OSError, RuntimeError):  # no place for it, or another process was first
        pass
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return (folder / _RECORD).is_file()


def _remove_old(cache: Path) -> None:
    ages = ((_KEPT, UNUSED_S), (_COMPILED, UNUSED_S), (_BUILDING, ABANDONED_S))
    for pattern, age_s in ((f"{prefix}*", age_s) for prefix, age_s in ages):
        for folder in cache.glob(pattern):
            with suppress(OSError):  # another process has just removed it
                if time.time() - folder.stat().st_mtime > age_s:
                    shutil.rmtree(folder, ignore_errors=True)


def _convert(model: Any, spectra_shape: tuple[int, ...], mix_shape: tuple[int, ...]) -> Any:
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    rearrange(model)  # which uses the model up: whoever needs it again loads it
    core = RealCore(model.to("cpu").float().requires_grad_(False)).eval()
    inputs = (torch.zeros(spectra_shape), torch.zeros(mix_shape), torch.ones(4))
    with torch.no_grad(), fused_attention(), warnings.catch_warnings():
        # Sizes become constants, which is meant; tracing itself is on PyTorch's list of what will go.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(core, inputs, check_trace=False, strict=False)
        front_end = FrontEndManager().load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(
            traced
        )  # has to outlive the conversion, which holds it only from C++
        network = front_end.convert(front_end.load(decoder))
    network.reshape({index: list(value.shape) for index, value in enumerate(inputs)})
    return network
