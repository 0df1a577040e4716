"""What a network is to those that use it, and the precisions that it can run in. Imports nothing heavy."""

from typing import Protocol, runtime_checkable

from engine.audio.buffer import Samples
from engine.progress import SILENT, Monitor

PRECISIONS: dict[str, str] = {
    "float32": "exact",
    "bfloat16": "stems differ from float32 by -50 to -25 dB, the more the louder a model's inner branches are",
    "float16": "stems differ from float32 by -68 to -55 dB; what overflows is done again in float32",
}
"""Precision -> what it costs, measured with random weights and LayerScale from 1e-4 to 1.

What a processor can't do in a lower precision is done in float32.
"""


class Network(Protocol):
    """A model that is ready to run on stretches of one length."""

    def run(self, mix: Samples, monitor: Monitor = SILENT) -> Samples:
        """Return stems (stems, channels, frames) of `mix` (channels, frames); `monitor` is asked about cancelling."""
        ...


class Begun(Protocol):
    """A stretch that a network has begun with."""

    def stems(self, monitor: Monitor) -> Samples:
        """Wait for the stems (stems, channels, frames); `monitor` is asked about cancelling meanwhile."""
        ...

    def drop(self) -> None:
        """Stop, if it is still running, and let go of what it holds. May be called at any time, and again."""
        ...


@runtime_checkable
class Ahead(Network, Protocol):
    """A network that begins with stretches before those before them are done."""

    @property
    def depth(self) -> int:
        """How many stretches it should have at hand."""
        ...

    def begin(self, mix: Samples) -> Begun:
        """Begin with `mix` (channels, frames), and return at once."""
        ...
