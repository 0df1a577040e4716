"""What runs a network on stretches of one length: PyTorch, or OpenVINO for the middle of a hybrid model on a CPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import torch

from engine.audio.buffer import Samples
from engine.devices import Device
from engine.progress import SILENT, Monitor
from engine.separation.neural.core import RealCore, levels_of
from engine.separation.neural.spectrum import Spectrum


class Answer(Protocol):
    """What a `Core` has begun to work out."""

    def wait(self, monitor: Monitor) -> tuple[Any, Any]:
        """Return spectra (stems, channels, columns, bins, 2) and audio (stems, channels, frames), which are lent."""
        ...

    def release(self) -> None:
        """Stop, if it is still running, and end the loan. May be called again."""
        ...


class Core(Protocol):
    """The middle of a hybrid model: see `RealCore.forward`."""

    depth: int
    """How many stretches it should have at hand."""

    def begin(self, spectra: Any, mix: Any, levels: Any) -> Answer:
        """Begin with a stretch."""
        ...


class Hybrid:
    """A hybrid model: its transforms here, its middle in a `Core`. For stretches of at most the transforms' frames."""

    def __init__(self, core: Core, spectrum: Spectrum) -> None:
        """Put both together."""
        self._core, self._spectrum = core, spectrum

    @property
    def depth(self) -> int:
        """How many stretches it should have at hand."""
        return self._core.depth

    def run(self, mix: Samples, monitor: Monitor = SILENT) -> Samples:
        """Return the stems; a shorter mix is seen with silence behind it."""
        return self.begin(mix).stems(monitor)

    def begin(self, mix: Samples) -> "HybridBegun":
        """Begin with a stretch; a shorter mix is seen with silence behind it."""
        length = mix.shape[-1]
        padded = np.zeros((mix.shape[0], self._spectrum.frames), np.float32)
        padded[:, :length] = mix
        with torch.inference_mode():
            audio = torch.from_numpy(padded).to(self._spectrum.device)
            spectra = self._spectrum.analyse(audio).contiguous()
            answer = self._core.begin(spectra, audio[None], levels_of(spectra, audio))
        return HybridBegun(answer, self._spectrum, length)


class HybridBegun:
    """A stretch of `length` frames whose spectra are in the middle of a model."""

    def __init__(self, answer: Answer, spectrum: Spectrum, length: int) -> None:
        """Take what the middle has begun with."""
        self._answer, self._spectrum, self._length = answer, spectrum, length

    def stems(self, monitor: Monitor) -> Samples:
        """Return the stems."""
        try:
            spectra, waves = self._answer.wait(monitor)
            with torch.inference_mode():
                stems = self._spectrum.synthesise(spectra)
                stems += waves
                result: Samples = stems[..., : self._length].cpu().numpy()
        finally:
            self.drop()
        return result

    def drop(self) -> None:
        """Stop."""
        self._answer.release()


class TorchCore:
    """The middle of a hybrid model in PyTorch, which works when it is waited for."""

    depth = 1

    def __init__(self, model: Any, device: Device, precision: str) -> None:
        """Put the model onto `device`."""
        self._core = RealCore(model.to(device.id)).eval()
        self._device, self._precision = device, precision

    def begin(self, spectra: Any, mix: Any, levels: Any) -> "TorchAnswer":
        """Keep the input."""
        return TorchAnswer(self, (spectra, mix, levels))

    def run(self, inputs: tuple[Any, ...]) -> tuple[Any, Any]:
        """Return both branches' output on the device that the input came from."""
        where = inputs[0].device
        with torch.inference_mode(), fused_attention():
            inputs = tuple(value.to(self._device.id) for value in inputs)
            masked, waves = _in_precision(self._core, inputs, self._device, self._precision)
            return masked.to(where), waves.to(where)


class TorchAnswer:
    """The input of a `TorchCore`, which it works on now."""

    def __init__(self, core: TorchCore, inputs: tuple[Any, ...]) -> None:
        """Keep the input."""
        self._core, self._inputs = core, inputs

    def wait(self, monitor: Monitor) -> tuple[Any, Any]:
        """Return both branches' output."""
        monitor.check()
        return self._core.run(self._inputs)

    def release(self) -> None:
        """Let go of the input."""
        self._inputs = ()


class Whole:
    """A model that has to run as it is, for stretches of any length: in PyTorch."""

    def __init__(self, model: Any, device: Device, precision: str) -> None:
        """Put the model onto `device`."""
        self._model = model.to(device.id).eval()
        self._device, self._precision = device, precision

    def run(self, mix: Samples, monitor: Monitor = SILENT) -> Samples:
        """Return the stems."""
        monitor.check()
        with torch.inference_mode(), fused_attention():
            audio = torch.from_numpy(mix)[None].to(self._device.id)
            (stems,) = _in_precision(
                lambda audio: (self._model(audio),), (audio,), self._device, self._precision
            )
            result: Samples = stems[0].cpu().numpy()
        return result


def _in_precision(function: Any, inputs: tuple[Any, ...], device: Device, precision: str) -> tuple[Any, ...]:
    """Return float32 tensors that `function` gives; what does not fit into a lower precision is done in float32."""
    if precision != "float32":
        with torch.autocast(device.kind, getattr(torch, precision)):
            results = tuple(result.float() for result in function(*inputs))
        if all(bool(torch.isfinite(result).all()) for result in results):
            return results
    return tuple(function(*inputs))


@contextmanager
def fused_attention() -> Iterator[None]:
    """Let attention go through PyTorch's fused kernel, which its own shortcut for inference goes around."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
