"""What every separation backend is: a description of itself, and a generator of blocks of stems."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.audio.buffer import Audio, Samples
from engine.progress import SILENT, Monitor

STEMS = ("vocals", "drums", "bass", "other")
"""The four roles of separation, in the order in which stems are listed. `other` is what the first three leave."""

StemBlock = Mapping[str, Samples]
"""A stretch of all stems: role -> float32 (channels, frames of the stretch)."""


@dataclass(frozen=True, slots=True)
class SeparatorInfo:
    """What a backend is, for manifests and for people.

    `grade` is an honest word for how good it is ("karaoke-grade"); `stems` are the roles that it gives. A neural one
    also tells, after a separation, on which `device` it ran, and in `steps` what it had to do otherwise than was wished
    (less memory, another runtime), each in a sentence.
    """

    name: str
    version: str
    description: str
    grade: str
    licence: str
    stems: tuple[str, ...] = STEMS
    device: str | None = None
    steps: tuple[str, ...] = ()


class Separator(Protocol):
    """A way to take a mix apart.

    A backend yields consecutive blocks that together cover the mix exactly once, so that a caller who writes as it
    reads needs memory for one block only. Each block has every role of `info.stems`, and they sum to the mix.
    """

    @property
    def info(self) -> SeparatorInfo:
        """What this backend is."""
        ...

    def stream(self, audio: Audio, monitor: Monitor = SILENT) -> Iterator[StemBlock]:
        """Yield blocks of stems, in time order; `monitor` is told of progress and asked about cancelling."""
        ...

    def separate(self, audio: Audio, monitor: Monitor = SILENT) -> dict[str, Audio]:
        """Return all stems at full length."""
        ...
