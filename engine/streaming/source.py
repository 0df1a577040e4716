"""What makes a stream's audio, in words: light, so that processes that only pass it on need no arrays."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """What makes the audio, for people and manifests."""

    name: str
    version: str
    what: str
    licence: str
    commercial_use: bool = True
