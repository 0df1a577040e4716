"""Compressor, limiter, and the side-chain pump that follows given kick times."""

import numpy as np
import pedalboard

from engine.audio.buffer import Samples
from engine.generation.arranger.effects.context import Context, Process
from engine.generation.arranger.effects.streaming import control, spread


def compressor(
    context: Context,
    *,
    threshold_db: float,
    ratio: float,
    attack_ms: float,
    release_ms: float,
    makeup_db: float,
) -> Process:
    """Feed-forward compressor with make-up gain."""
    unit = pedalboard.Compressor(threshold_db, ratio, attack_ms, release_ms)
    factor = np.float32(10 ** (makeup_db / 20))

    def process(block: Samples, _start: int) -> Samples:
        return np.asarray(unit.process(block, context.sample_rate, reset=False) * factor, dtype=np.float32)

    return process


def limiter(context: Context, *, ceiling_db: float, release_ms: float) -> Process:
    """Fast 20:1 compressor, then a soft knee that no sample leaves: never above the ceiling."""
    unit = pedalboard.Compressor(ceiling_db - 2.0, 20.0, 0.3, release_ms)
    ceiling = np.float32(10 ** (ceiling_db / 20))
    knee = np.float32(0.8) * ceiling
    room = ceiling - knee

    def process(block: Samples, _start: int) -> Samples:
        held = np.asarray(unit.process(block, context.sample_rate, reset=False), dtype=np.float32)
        over = np.maximum(np.abs(held) - knee, 0)
        soft: Samples = np.sign(held) * (np.minimum(np.abs(held), knee) + room * np.tanh(over / room))
        return soft

    return process


def sidechain(
    context: Context, *, depth_db: float, attack_ms: float, hold_beats: float, release_beats: float
) -> Process:
    """Dip by `depth_db` at each kick, hold, and return along a half cosine; without kicks nothing changes."""
    beat_s = context.beat_s
    attack_s, hold_s, release_s = attack_ms / 1000, hold_beats * beat_s, release_beats * beat_s

    def dip(
        since_s: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        falling = np.clip(since_s / attack_s, 0, 1)
        rising = np.clip((since_s - attack_s - hold_s) / release_s, 0, 1)
        return np.where(since_s < attack_s + hold_s, falling, 0.5 + 0.5 * np.cos(np.pi * rising))

    def process(block: Samples, start: int) -> Samples:
        kicks = context.kicks_s()
        if kicks.size == 0 or depth_db == 0:
            return block
        times = control(start, block.shape[1], context.sample_rate)
        latest = np.searchsorted(kicks, times, side="right") - 1
        share = np.zeros_like(times)
        for back in (0, 1):
            index = latest - back
            since = times - kicks[np.maximum(index, 0)]
            share = np.maximum(share, np.where(index >= 0, dip(since), 0.0))
        return block * spread(10 ** (-depth_db * share / 20), block.shape[1])

    return process
