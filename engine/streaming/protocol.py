"""What every source of streamed audio is."""

from collections.abc import Iterator
from typing import Protocol

from engine.audio.buffer import Samples
from engine.streaming.source import Source


class AudioStream(Protocol):
    """Audio in the making: iterate over it for chunks.

    A chunk is float32 of shape (channels, frames); one without frames means that work was done and that there is
    nothing to hear of it yet, so that whoever runs several streams can turn to another. Chunks follow one another
    without gaps. No step takes long: half a second at the very most on a machine that is fast enough for the source.
    """

    @property
    def sample_rate(self) -> int:
        """Rate in Hz."""

    @property
    def channels(self) -> int:
        """Number of channels."""

    @property
    def length_frames(self) -> int | None:
        """How many frames there will be; None if it goes on until it is stopped."""

    @property
    def times_real_time(self) -> float | None:
        """How many seconds of audio are made in a second; None where that is not known, or plenty."""

    @property
    def source(self) -> Source:
        """What makes the audio."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user is to know before it starts, such as that the machine is slower than real time."""

    def __iter__(self) -> Iterator[Samples]:
        """Yield chunks."""
