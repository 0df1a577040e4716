"""The way in: separate a mix into four stems, or into one role and the rest, with any backend."""

from collections.abc import Iterator

import numpy as np

from engine.audio.buffer import Audio
from engine.errors import NrxError
from engine.progress import SILENT, Monitor
from engine.separation.collect import collect
from engine.separation.protocol import STEMS, Separator, StemBlock
from engine.separation.registry import load_backend

REST_NAME = {"vocals": "instrumental"}
"""What the rest is called in two-stem mode where it has a name of its own; otherwise `no_<role>`."""


def stem_names(two_stems: str | None = None, stems: tuple[str, ...] = STEMS) -> tuple[str, ...]:
    """Return the names of the stems that `separate` gives.

    Raises:
        NrxError: `request.invalid` if `two_stems` is not one of `stems`.
    """
    if two_stems is None:
        return stems
    if two_stems not in stems:
        allowed = ", ".join(stems)
        raise NrxError("request.invalid", f"two_stems is {two_stems!r}; it must be one of: {allowed}.")
    return (two_stems, REST_NAME.get(two_stems, f"no_{two_stems}"))


def stream(
    audio: Audio,
    *,
    backend: str | Separator = "spectral",
    two_stems: str | None = None,
    monitor: Monitor = SILENT,
) -> Iterator[StemBlock]:
    """Yield consecutive blocks of stems, to be written as they come: memory stays small for any length.

    Arguments, names and errors are those of `separate`; blocks cover the mix exactly once and sum to it.
    """
    separator = load_backend(backend) if isinstance(backend, str) else backend
    names = stem_names(two_stems, separator.info.stems)
    blocks = separator.stream(audio, monitor)
    return blocks if two_stems is None else _two(blocks, audio, *names)


def _two(blocks: Iterator[StemBlock], audio: Audio, role: str, rest: str) -> Iterator[StemBlock]:
    start = 0
    for block in blocks:
        stop = start + block[role].shape[1]
        yield {role: block[role], rest: audio.samples[:, start:stop] - block[role]}
        start = stop


def separate(
    audio: Audio,
    *,
    backend: str | Separator = "spectral",
    two_stems: str | None = None,
    monitor: Monitor = SILENT,
) -> dict[str, Audio]:
    """Take a mix apart.

    Args:
        audio: the mix, any rate and number of channels.
        backend: a name in `BACKENDS`, or a separator.
        two_stems: a role, to get that stem and the rest (`vocals` and `instrumental`, otherwise `no_<role>`).
        monitor: told of progress, asked about cancelling.

    Returns:
        Stem name -> audio, each with the mix's rate, channels and frames. They sum to the mix within float32 rounding.

    Raises:
        NrxError: `backend.missing`, `request.invalid`, `input.empty`, `input.not_finite`, `cancelled`.
    """
    if audio.frames == 0 or audio.channels == 0:
        raise NrxError("input.empty", "The audio to separate has no frames; give a file with sound in it.")
    if not np.isfinite(audio.samples.sum(dtype=np.float64)):
        raise NrxError(
            "input.not_finite", "The audio to separate holds NaN or infinite samples; repair the file."
        )
    separator = load_backend(backend) if isinstance(backend, str) else backend
    names = stem_names(two_stems, separator.info.stems)
    return collect(stream(audio, backend=separator, two_stems=two_stems, monitor=monitor), audio, names)
