"""Echoes: feedback delay, ping-pong, slap. Each repeat is a little darker, as on tape."""

import numpy as np

from engine.audio.buffer import Samples
from engine.generation.arranger.effects.context import Context, Process
from engine.generation.arranger.effects.streaming import SosFilter, butterworth, cascade

_SHORTEST_S = 0.02


def _echo(
    context: Context, *, time_s: float, feedback: float, wet_db: float, tone_hz: float, across: bool
) -> Process:
    rate = context.sample_rate
    frames = max(1, round(max(time_s, _SHORTEST_S) * rate))
    loop = SosFilter(
        cascade([butterworth("lowpass", tone_hz, 6, rate), butterworth("highpass", 150, 6, rate)])
    )
    wet_gain, back = np.float32(10 ** (wet_db / 20)), np.float32(feedback)
    waiting = np.zeros((2 if across else 1, frames), dtype=np.float32)

    def once(block: Samples, _start: int) -> Samples:
        nonlocal waiting
        line = np.empty((block.shape[0], frames + block.shape[1]), dtype=np.float32)
        line[:, :frames], line[:, frames:] = waiting, block
        waiting = line[:, -frames:].copy()
        return block + wet_gain * loop(line[:, : block.shape[1]])

    def again_and_again(block: Samples, _start: int) -> Samples:
        nonlocal waiting
        out = np.repeat(block, 2, axis=0) if across and len(block) == 1 else block.copy()
        if len(waiting) < len(out):
            waiting = np.repeat(waiting, 2, axis=0)
        for first in range(0, block.shape[1], frames):
            dry = block[:, first : first + frames]
            count = dry.shape[1]
            heard = loop(waiting[:, :count])
            source = np.stack([dry.mean(axis=0), np.zeros(count, np.float32)]) if across else dry
            fresh = source + back * (heard[::-1] if across else heard)
            waiting = np.concatenate([waiting[:, count:], fresh], axis=1)
            out[:, first : first + count] += wet_gain * heard
        return out

    return once if feedback == 0 and not across else again_and_again


def _time_s(context: Context, beats: float, time_s: float) -> float:
    return beats * context.beat_s if beats > 0 else time_s


def delay(
    context: Context, *, beats: float, time_s: float, feedback: float, wet_db: float, tone_hz: float
) -> Process:
    """Feedback delay, both sides alike."""
    length_s = _time_s(context, beats, time_s)
    return _echo(context, time_s=length_s, feedback=feedback, wet_db=wet_db, tone_hz=tone_hz, across=False)


def ping_pong(
    context: Context, *, beats: float, time_s: float, feedback: float, wet_db: float, tone_hz: float
) -> Process:
    """Feedback delay whose repeats go left, right, left and so on."""
    length_s = _time_s(context, beats, time_s)
    return _echo(context, time_s=length_s, feedback=feedback, wet_db=wet_db, tone_hz=tone_hz, across=True)


def slap(context: Context, *, time_ms: float, wet_db: float) -> Process:
    """One echo."""
    return _echo(context, time_s=time_ms / 1000, feedback=0.0, wet_db=wet_db, tone_hz=5000.0, across=False)
