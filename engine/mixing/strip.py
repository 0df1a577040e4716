"""One channel strip: panning, low cut and the dip under the voice, in one pass over blocks of a few seconds.

Blocks keep memory small and let a cancel through.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, log10, pi, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.loudness.meter import LoudnessMeter
from engine.mixing.ducking import dip_at
from engine.mixing.filters import BlockFilter, strip_filters
from engine.progress import Monitor


@dataclass(slots=True, eq=False)
class Strip:
    """What a strip made of a track.

    Stereo samples and their peak, the meter that heard it before dip and panning, its gated loudness with
    panning, and the deepest dip.
    """

    samples: NDArray[np.float32]
    peak: float
    meter: LoudnessMeter
    loudness_lufs: float
    ducked_db: float


def pan_gains(pan: float, *, mono: bool) -> tuple[float, float]:
    """Return the gains of left and right for `pan`, -1 to 1: constant power if mono, balance if stereo."""
    pan = min(1.0, max(-1.0, pan))
    if mono:
        angle = (pan + 1.0) * pi / 4.0
        return (sqrt(2.0) * cos(angle), sqrt(2.0) * sin(angle)) if pan else (1.0, 1.0)
    return min(1.0, 1.0 - pan), min(1.0, 1.0 + pan)


def _spread_lu(power: NDArray[np.float64], left: float, right: float, channels: int) -> float:
    """Return what panning does to the loudness of channels with this power."""
    if channels == 1:
        return 10.0 * log10(left * left + right * right)
    panned = float(power[0] * left * left + power[1] * right * right)
    return 10.0 * log10(panned / float(power.sum())) if panned > 0.0 else 0.0


def run_strip(
    audio: Audio,
    *,
    pan: float,
    low_cut_hz: float,
    depth_db: float,
    may_overwrite: bool = False,
    presence_by_hop: NDArray[np.float64] | None,
    monitor: Monitor,
) -> Strip:
    """Process a track: low cut, dip by `depth_db` where the voice is, and pan.

    The low cut is a second-order Butterworth; 0 means none. A mono track, or one that is the same on both
    sides, is worked on in mono and spread at the end; stereo samples that may be overwritten are worked on in
    place.
    """
    rate, channels = audio.sample_rate, min(2, audio.channels)
    left, right = pan_gains(pan, mono=channels == 1)
    in_place = may_overwrite and audio.channels == 2 and audio.samples.flags.writeable
    out = audio.samples if in_place else np.empty((2, audio.frames), dtype=np.float32)
    if channels == 2 and np.array_equal(audio.samples[0], audio.samples[1]):
        channels = 1
    filters = strip_filters(rate, low_cut_hz if low_cut_hz < 0.45 * rate else 0.0)
    stream = BlockFilter(filters, channels)
    meter = LoudnessMeter(channels, rate)
    dips = (
        presence_by_hop if depth_db > 0.0 and presence_by_hop is not None and presence_by_hop.any() else None
    )
    deepest = 1.0
    power = np.zeros(2)
    for start in range(0, audio.frames, filters.block_frames):
        monitor.report(start / audio.frames)
        block = audio.samples[:channels, start : start + filters.block_frames]
        end = start + block.shape[1]
        if not stream.feed(block):
            meter.add(block)
            out[:, start:end] = 0.0
            continue
        cut = stream.cut()
        meter.add(cut)
        if dips is not None:
            gain = dip_at(dips, depth_db, start, block.shape[1], rate)
            lowest = float(gain.min())
            if lowest < 1.0:
                deepest = min(deepest, lowest)
                in_band = stream.in_band()
                in_band *= gain - np.float32(1.0)
                cut += in_band
        power += (np.vdot(cut[0], cut[0]), np.vdot(cut[-1], cut[-1]))
        np.multiply(cut[0], np.float32(left), out=out[0, start:end])
        np.multiply(cut[-1], np.float32(right), out=out[1, start:end])
    peak = max(float(out.max(initial=0.0)), -float(out.min(initial=0.0)))
    spread_lu = _spread_lu(power, left, right, channels)
    return Strip(out, peak, meter, meter.integrated_lufs + spread_lu, -20.0 * log10(deepest))
