"""Whether there is anything in the audio to work on: long enough, finite, and not silent."""

import numpy as np

from engine.audio.buffer import Audio
from engine.audio.refusals import not_finite
from engine.errors import NrxError
from engine.progress import SILENT, Monitor

MIN_DURATION_S = 1.0
"""The shortest audio that is worked on: shorter than one bar of the fastest tempo (4 beats at 240 BPM) there
is no pulse."""

SILENCE_DBFS = -80.0
"""The peak, without constant offset, below which audio counts as silent: three steps of a 16-bit file, its
dither."""

_BLOCK_FRAMES = 1 << 20


def check_musical(
    audio: Audio,
    *,
    name: str = "The input",
    min_duration_s: float = MIN_DURATION_S,
    monitor: Monitor = SILENT,
) -> None:
    """Refuse audio in which there is nothing to work on.

    Args:
        audio: any rate and channels.
        name: what to call it in the message, as in 'The stem "vocals"'.
        min_duration_s: the shortest length that the action can use.
        monitor: asked for cancellation.

    Raises:
        NrxError: `input.too_short`, `input.not_finite`, or `input.silent` (silence, and a constant offset
            alone).
    """
    if audio.duration_s < min_duration_s:
        raise NrxError(
            "input.too_short",
            f"{name} is {audio.duration_s:.3g} s long and at least {min_duration_s:g} s are needed (a bar at"
            " 240 BPM) to find a beat; give a longer piece.",
        )
    lowest = np.full(audio.channels, np.inf)
    highest = np.full(audio.channels, -np.inf)
    for start in range(0, audio.frames, _BLOCK_FRAMES):
        monitor.check()
        block = audio.samples[:, start : start + _BLOCK_FRAMES]
        lowest = np.minimum(lowest, block.min(axis=1))  # NaN goes through min and max
        highest = np.maximum(highest, block.max(axis=1))
    if not (np.isfinite(lowest).all() and np.isfinite(highest).all()):
        raise not_finite(name)
    swing = float((highest - lowest).max()) / 2
    if swing < 10 ** (SILENCE_DBFS / 20):
        offset = float(np.abs(highest + lowest).max()) / 2
        what = f"holds only a constant offset of {offset:.2g}" if offset > 1e-4 else "is silent"
        raise NrxError(
            "input.silent",
            f"{name} {what}: nothing in it is louder than {SILENCE_DBFS:g} dBFS; check what was exported.",
        )
