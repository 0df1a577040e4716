"""From a stream of blocks to whole stems."""

from collections.abc import Iterable

import numpy as np

from engine.audio.buffer import Audio, Samples
from engine.separation.protocol import StemBlock


def collect(blocks: Iterable[StemBlock], audio: Audio, roles: tuple[str, ...]) -> dict[str, Audio]:
    """Return the stems `roles` of shape (channels, frames) of `audio`, filled from consecutive `blocks`."""
    stems: dict[str, Samples] = {role: np.zeros(audio.samples.shape, dtype=np.float32) for role in roles}
    start = 0
    for block in blocks:
        stop = start
        for role in roles:
            stop = start + block[role].shape[1]
            stems[role][:, start:stop] = block[role]
        start = stop
    return {role: Audio(samples, audio.sample_rate) for role, samples in stems.items()}
