"""Effects that move: chorus, phaser, tremolo, rotary loudspeaker, tape wow and flutter, swept filter."""

import numpy as np
import pedalboard

from engine.audio.buffer import Samples
from engine.generation.arranger.effects.context import Context, Process
from engine.generation.arranger.effects.streaming import (
    MovingDelay,
    SosFilter,
    butterworth,
    cascade,
    control,
    spread,
    two_sides,
)

_SWEEP_FRAMES = 1024


def chorus(
    context: Context, *, rate_hz: float, depth: float, centre_delay_ms: float, feedback: float, mix: float
) -> Process:
    """One chorus each side at slightly different rate and delay, so that the sound grows wide."""
    units = [
        pedalboard.Chorus(rate_hz * rate, depth, centre_delay_ms * delay, feedback, mix)
        for rate, delay in ((1.0, 1.0), (1.13, 1.21))
    ]
    return _each_side(context, units)


def phaser(
    context: Context, *, rate_hz: float, depth: float, centre_hz: float, feedback: float, mix: float
) -> Process:
    """One phaser each side with the right a little ahead."""
    units = [pedalboard.Phaser(rate_hz, depth, centre_hz * shift, feedback, mix) for shift in (1.0, 1.18)]
    return _each_side(context, units)


def _each_side(context: Context, units: list[pedalboard.Plugin]) -> Process:
    def process(block: Samples, _start: int) -> Samples:
        sides = [
            unit.process(np.ascontiguousarray(side[None]), context.sample_rate, reset=False)
            for side, unit in zip(two_sides(block), units, strict=True)
        ]
        return np.concatenate(sides).astype(np.float32, copy=False)

    return process


def tremolo(context: Context, *, rate_hz: float, beats: float, depth: float, stereo: float) -> Process:
    """Sine on the level; with `beats` above 0 a cycle lasts that many beats; `stereo` sets the sides apart in phase."""

    def process(block: Samples, start: int) -> Samples:
        times = control(start, block.shape[1], context.sample_rate)
        cycles = context.beats_at(times) / beats if beats > 0 else times * rate_hz
        swing = [
            spread(
                1 - depth * (0.5 - 0.5 * np.cos(2 * np.pi * (cycles + 0.5 * stereo * side))), block.shape[1]
            )
            for side in ((0, 1) if stereo else (0,))
        ]
        return block * np.stack(swing)

    return process


_ROTOR_HZ = {"slow": (0.8, 0.66), "fast": (6.7, 5.7)}


def rotary(context: Context, *, speed: str, depth: float) -> Process:
    """Horn above 800 Hz and drum below, each with its own speed; two microphones at a right angle."""
    horn_hz, drum_hz = _ROTOR_HZ[speed]
    split = SosFilter(cascade([butterworth("lowpass", 800, 12, context.sample_rate)]))
    doppler_s = 0.00035 * depth
    line = MovingDelay(2.2 * doppler_s + 0.001, context.sample_rate)
    angles = np.array([[0.0], [0.5 * np.pi]])

    def process(block: Samples, start: int) -> Samples:
        mono = np.repeat(block.mean(axis=0, dtype=np.float32)[None], 2, axis=0)
        low = split(mono)
        times = control(start, block.shape[1], context.sample_rate)
        turn = np.sin(2 * np.pi * horn_hz * times + angles)
        horn = line(mono - low, doppler_s * (1 + turn))
        for side in (0, 1):
            horn[side] *= spread(1 - 0.28 * depth * (1 + turn[side]), block.shape[1])
            swell = np.sin(2 * np.pi * drum_hz * times - angles[side])
            low[side] *= spread(1 - 0.14 * depth * (1 + swell), block.shape[1])
        return low + horn

    return process


def wow_flutter(
    context: Context, *, wow_hz: float, wow_cents: float, flutter_hz: float, flutter_cents: float
) -> Process:
    """Pitch drift by a moving delay; the delay swings around as little as it can, so onsets stay in time."""
    rng = np.random.default_rng([context.seed, 0x3077])
    phases = rng.uniform(0, 2 * np.pi, 4)
    to_s = np.log(2) / 1200 / (2 * np.pi)
    swings = [
        (wow_hz, 0.75 * wow_cents * to_s / wow_hz, phases[0]),
        (wow_hz * 0.43, 0.25 * wow_cents * to_s / (wow_hz * 0.43), phases[1]),
        (flutter_hz, 0.7 * flutter_cents * to_s / flutter_hz, phases[2]),
        (flutter_hz * 1.71, 0.3 * flutter_cents * to_s / (flutter_hz * 1.71), phases[3]),
    ]
    centre_s = sum(amplitude for _, amplitude, _ in swings)
    line = MovingDelay(2 * centre_s, context.sample_rate)

    def process(block: Samples, start: int) -> Samples:
        times = control(start, block.shape[1], context.sample_rate)
        delay = centre_s + sum(
            amplitude * np.sin(2 * np.pi * hz * times + phase) for hz, amplitude, phase in swings
        )
        return line(block, delay[None])

    return process


def filter_sweep(
    context: Context, *, from_hz: float, to_hz: float, period_beats: float, shape: str, resonance: float
) -> Process:
    """Ladder low-pass whose cutoff moves with the beats."""
    ladder = pedalboard.LadderFilter(
        pedalboard.LadderFilter.Mode.LPF24, min(from_hz, 0.45 * context.sample_rate), resonance
    )

    def process(block: Samples, start: int) -> Samples:
        out = np.empty_like(block)
        starts = np.arange(0, block.shape[1], _SWEEP_FRAMES)
        turns = context.beats_at((start + starts) / context.sample_rate) / period_beats
        place = turns % 1.0 if shape == "rise" else 0.5 - 0.5 * np.cos(2 * np.pi * turns)
        cutoffs = np.minimum(from_hz * (to_hz / from_hz) ** place, 0.45 * context.sample_rate)
        for first, cutoff in zip(starts, cutoffs, strict=True):
            ladder.cutoff_hz = float(cutoff)
            part = slice(first, first + _SWEEP_FRAMES)
            out[:, part] = ladder.process(
                np.ascontiguousarray(block[:, part]), context.sample_rate, reset=False
            )
        return out

    return process
