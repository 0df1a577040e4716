"""Saturation and loudspeakers: distortion, tape, guitar amplifier, cabinet, early-sampler bit reduction."""

import numpy as np
import pedalboard

from engine.audio.buffer import Samples
from engine.generation.arranger.effects.context import Context, Process
from engine.generation.arranger.effects.streaming import (
    Gain,
    Series,
    SoftClip,
    SosFilter,
    bell,
    butterworth,
    cascade,
    shelf,
)


def distortion(context: Context, *, drive_db: float, tone_hz: float, mix: float) -> Process:
    """Soft clip with drive; the level stays about the same for input near -12 dBFS peak."""
    clip = SoftClip(10 ** (drive_db / 20))
    tone = SosFilter(cascade([butterworth("lowpass", tone_hz, 12, context.sample_rate)]))
    pivot = 0.25 * 10 ** (drive_db / 20)
    level = np.float32(0.25 * np.sqrt(1 + pivot * pivot) / pivot)
    if mix == 1:
        return Series(clip, tone, Gain(float(level)))
    share = np.float32(mix)

    def process(block: Samples, _start: int) -> Samples:
        return tone(clip(block)) * (level * share) + block * (1 - share)

    return process


def tape(context: Context, *, drive_db: float, bump_db: float, treble_hz: float) -> Process:
    """Tape: soft knee around the record level, head bump at 70 Hz, treble loss."""
    gain = 10 ** (drive_db / 20)
    clip = SoftClip(gain)
    sos = cascade(
        [
            bell(70, bump_db, 0.8, context.sample_rate),
            butterworth("lowpass", treble_hz, 12, context.sample_rate),
        ]
    )
    colour = SosFilter(sos)
    pivot = 0.12 * gain
    return Series(clip, colour, Gain(float(0.12 * np.sqrt(1 + pivot * pivot) / pivot)))


def amp(context: Context, *, drive_db: float, bass_db: float, middle_db: float, treble_db: float) -> Process:
    """Two clipping stages with coupling filters between, and a three-band tone stack behind them."""
    rate = context.sample_rate
    before = SosFilter(
        cascade(
            [
                butterworth("highpass", 95, 6, rate),
                bell(750, 5, 0.6, rate),
                butterworth("lowpass", 6500, 12, rate),
            ]
        )
    )
    between = SosFilter(
        cascade([butterworth("highpass", 60, 6, rate), butterworth("lowpass", 7500, 6, rate)])
    )
    first, second = (
        SoftClip(10 ** (0.6 * drive_db / 20) * 2, bias=0.22),
        SoftClip(10 ** (0.4 * drive_db / 20), bias=-0.1),
    )
    stack = SosFilter(
        cascade(
            [
                shelf("low", 180, bass_db, rate),
                bell(650, middle_db, 0.7, rate),
                shelf("high", 2200, treble_db, rate),
                butterworth("highpass", 30, 12, rate),
            ]
        )
    )
    return Series(before, first, between, second, stack, Gain(0.3))


def cabinet(context: Context, *, cutoff_hz: float, body_db: float, presence_db: float) -> Process:
    """Closed 4x12 with a dynamic microphone: cone resonance, presence, and a steep fall above the cutoff."""
    rate = context.sample_rate
    sos = cascade(
        [
            butterworth("highpass", 75, 12, rate),
            bell(115, body_db, 1.1, rate),
            bell(420, -2.5, 0.9, rate),
            bell(0.55 * cutoff_hz, presence_db, 1.0, rate),
            butterworth("lowpass", cutoff_hz, 24, rate),
        ]
    )
    return SosFilter(sos)


def bitcrush(context: Context, *, bits: float, rate_hz: float) -> Process:
    """Quantise to `bits` and hold samples at `rate_hz` between a gentle filter before and one after."""
    crush = pedalboard.Bitcrush(bits)
    step = context.sample_rate / rate_hz
    smooth = SosFilter(cascade([butterworth("lowpass", 0.45 * rate_hz, 12, context.sample_rate)]))
    guard = SosFilter(cascade([butterworth("lowpass", 0.45 * rate_hz, 12, context.sample_rate)]))
    last = np.zeros((1, 1), dtype=np.float32)

    def quantised(block: Samples, _start: int) -> Samples:
        return np.asarray(crush.process(block, context.sample_rate, reset=False), dtype=np.float32)

    def held(block: Samples, start: int) -> Samples:
        nonlocal last
        line = np.empty((block.shape[0], block.shape[1] + 1), dtype=np.float32)
        line[:, :1], line[:, 1:] = last, block
        # Frame n holds what came in at ceil(floor(n / step) * step), or the last of the block before.
        place = np.arange(start, start + block.shape[1], dtype=np.float64)
        place /= step
        np.floor(place, out=place)
        place *= step
        np.ceil(place, out=place)
        place -= start - 1
        np.maximum(place, 0, out=place)
        out = line.take(place.astype(np.int64), axis=1)
        last = out[:, -1:].copy()
        return out

    return Series(guard, quantised) if step <= 1 else Series(guard, quantised, held, smooth)
