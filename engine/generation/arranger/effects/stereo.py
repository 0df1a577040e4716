"""Stereo width in mid and side."""

import numpy as np

from engine.audio.buffer import Samples
from engine.generation.arranger.effects.context import Context, Process
from engine.generation.arranger.effects.streaming import SosFilter, butterworth, cascade


def width(context: Context, *, width: float, mono_below_hz: float) -> Process:
    """Scale the side signal by `width`; below `mono_below_hz` (0: nowhere) the side is taken away."""
    narrow = SosFilter(cascade([butterworth("highpass", max(mono_below_hz, 5.0), 12, context.sample_rate)]))
    factor = np.float32(width)

    def process(block: Samples, _start: int) -> Samples:
        if len(block) == 1:
            return block  # it has no side
        middle = 0.5 * (block[0] + block[1])
        side = np.float32(0.5) * factor * (block[0] - block[1])
        if mono_below_hz > 0:
            side = narrow(np.stack([side, side]))[0]
        return np.stack([middle + side, middle - side]).astype(np.float32, copy=False)

    return process
