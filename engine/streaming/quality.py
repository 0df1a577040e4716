"""Fast, balanced and high quality: what is traded against first audio and processor time.

mode      arranger                                       MusicGen
fast      24 kHz, chunks of 0.17 s                       chunks of 0.4 s, no guidance: half the work of a step
balanced  44.1 kHz, chunks of 0.19 s                     chunks of 0.8 s, guidance as asked for
high      48 kHz, chunks of 0.34 s                       chunks of 1.6 s, guidance, weights at full precision
"""

from dataclasses import dataclass

from engine.errors import NrxError

DEFAULT_QUALITY = "balanced"


@dataclass(frozen=True, slots=True)
class Quality:
    """One mode. `block_frames` is a power of two from 1024 on; `context_s` is what is decoded again before a window."""

    name: str
    sample_rate: int
    block_frames: int
    window_s: float
    context_s: float
    fade_s: float
    guided: bool
    precision: str


QUALITIES: dict[str, Quality] = {
    "fast": Quality("fast", 24_000, 4096, 0.4, 0.5, 0.01, guided=False, precision="int8"),
    "balanced": Quality("balanced", 44_100, 8192, 0.8, 0.5, 0.02, guided=True, precision="int8"),
    "high": Quality("high", 48_000, 16_384, 1.6, 1.0, 0.02, guided=True, precision="float32"),
}
OTHER_NAMES = {"high_quality": "high"}


def quality_of(name: str) -> Quality:
    """Return the mode of that name.

    Raises:
        NrxError: `request.invalid`.
    """
    found = QUALITIES.get(OTHER_NAMES.get(name, name))
    if found is None:
        raise NrxError(
            "request.invalid", f"There is no quality {name!r}; choose one of {', '.join(QUALITIES)}."
        )
    return found
