"""The part of a hybrid Demucs between its two transforms, as a network of real numbers.

The model's own `forward` runs, with its transforms taken out: what they would have given comes in, and what would have
gone to them comes out. So every variant of `HTDemucs` and `HDemucs` that masks by complex numbers as channels is
covered, exactly, and can be traced into another runtime, which has no complex numbers.
"""

from typing import Any

import torch


def is_splittable(outline: Any) -> bool:
    """Return whether a model, by its outline, is a hybrid whose transforms can be taken out."""
    from demucs.hdemucs import HDemucs
    from demucs.htdemucs import HTDemucs

    is_hybrid = issubclass(outline.klass, HTDemucs) or (issubclass(outline.klass, HDemucs) and outline.hybrid)
    return bool(is_hybrid and outline.cac)


class _Measured:
    """A tensor whose mean and deviation are known: what `forward` of the models asks of their inputs, and no more.

    Summing millions of squares in float32, as other runtimes do, costs more accuracy than all of the network does.
    """

    def __init__(self, tensor: Any, mean: Any, deviation: Any) -> None:
        shape = (1,) * tensor.dim()
        self._tensor, self._mean, self._deviation = tensor, mean.reshape(shape), deviation.reshape(shape)
        self.shape, self.device = tensor.shape, tensor.device

    def to(self, _device: Any) -> "_Measured":
        return self

    def mean(self, dim: Any, keepdim: bool) -> Any:
        return self._mean

    def std(self, dim: Any, keepdim: bool) -> Any:
        return self._deviation

    def __sub__(self, other: Any) -> Any:
        return self._tensor - other


def levels_of(spectra: Any, mix: Any) -> Any:
    """Return mean and deviation of the spectra, then of the mix: float32 (4,), summed with care."""
    return torch.stack([level for values in (spectra, mix) for level in (values.mean(), values.std())])


class RealCore(torch.nn.Module):  # type: ignore[misc]  # PyTorch is not typed here
    """A hybrid model without its transforms; `model` may not be used elsewhere while this runs."""

    def __init__(self, model: Any) -> None:
        """Wrap `model`."""
        super().__init__()
        self.model = model

    def forward(self, spectra: Any, mix: Any, levels: Any) -> Any:
        """Return what the two branches give.

        Args:
            spectra: (channels, columns, bins, 2), as `Spectrum.analyse` gives it.
            mix: (1, channels, frames).
            levels: as `levels_of` gives it.

        Returns:
            Spectra (stems, channels, columns, bins, 2) and audio (stems, channels, frames), to be added.
        """
        channels, columns, bins, _ = spectra.shape
        as_channels = spectra.permute(0, 3, 2, 1).reshape(1, 2 * channels, bins, columns)
        taken: list[Any] = []

        def keep(masked: Any, _length: int) -> float:
            taken.append(masked)
            return 0.0

        replaced = {
            "_spec": lambda _mix: None,
            "_magnitude": lambda _spectra: _Measured(as_channels, levels[0], levels[1]),
            "_mask": lambda _spectra, masked: masked,
            "_ispec": keep,
            "use_train_segment": False,
        }
        before = {name: self.model.__dict__[name] for name in replaced if name in self.model.__dict__}
        self.model.__dict__.update(replaced)
        try:
            waves = self.model(_Measured(mix, levels[2], levels[3]))
        finally:
            for name in replaced:
                del self.model.__dict__[name]
            self.model.__dict__.update(before)
        stems = waves.shape[1]
        masked = taken[0].reshape(stems, channels, 2, bins, columns).permute(0, 1, 4, 3, 2)
        return masked.contiguous(), waves.reshape(stems, channels, -1)
