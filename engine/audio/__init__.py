"""Sound in and out of memory: read, probe, write, resample."""

from engine.audio.buffer import Audio, Samples

__all__ = ["Audio", "Samples"]
