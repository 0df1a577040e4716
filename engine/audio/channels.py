"""Channel layouts: any number of channels to stereo.

Coefficients of Recommendation ITU-R BS.775-4, table 2: centre and each surround at -3 dB (0.7071) into the
side or sides that they lie between, the low-frequency effects channel left out, nothing scaled down (a sum
may exceed full scale; the samples are floats). Mono goes to both sides unchanged. Channels are in WAV's
order.
"""

import numpy as np

from engine.audio.buffer import Audio

_HALF_POWER = 0.7071
_LEFT = {
    1: (1.0,),
    2: (1.0, 0.0),
    3: (1.0, 0.0, _HALF_POWER),
    4: (1.0, 0.0, _HALF_POWER, 0.0),
    5: (1.0, 0.0, _HALF_POWER, _HALF_POWER, 0.0),
    6: (1.0, 0.0, _HALF_POWER, 0.0, _HALF_POWER, 0.0),
    7: (1.0, 0.0, _HALF_POWER, 0.0, 0.5, _HALF_POWER, 0.0),
    8: (1.0, 0.0, _HALF_POWER, 0.0, _HALF_POWER, 0.0, _HALF_POWER, 0.0),
}
"""What the left side takes: L R | L R C | L R Ls Rs | L R C Ls Rs | L R C LFE Ls Rs | L R C LFE Cs Ls Rs |
7.1."""

_MIRROR = {1: (0,), 2: (1, 0), 3: (1, 0, 2), 4: (1, 0, 3, 2), 5: (1, 0, 2, 4, 3), 6: (1, 0, 2, 3, 5, 4),
           7: (1, 0, 2, 3, 4, 6, 5), 8: (1, 0, 2, 3, 5, 4, 7, 6)}  # fmt: skip
"""For each channel, the one at its mirror image: the right side takes what the left side takes of that."""


def downmix_coefficients(channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the coefficients of the left and the right side for 1 to 8 channels."""
    left = _LEFT[channels]
    return left, tuple(left[mirror] for mirror in _MIRROR[channels])


def mirrored_pairs(channels: int) -> list[tuple[int, ...]]:
    """Return the pairs of channels that are each other's mirror image; (channel,) for one that is its own.

    Above 8 channels no layout is known, and every channel stands alone.
    """
    mirror = _MIRROR.get(channels, tuple(range(channels)))
    return [
        (channel,) if other == channel else (channel, other)
        for channel, other in enumerate(mirror)
        if channel <= other
    ]


def to_stereo(audio: Audio) -> Audio:
    """Return audio in stereo; stereo itself is returned as it is."""
    if audio.channels == 2:
        return audio
    coefficients = np.array(downmix_coefficients(audio.channels), np.float32)
    return Audio(np.ascontiguousarray(coefficients @ audio.samples), audio.sample_rate)
