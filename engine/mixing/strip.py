"""One channel strip: panning, low cut and the dip under the voice, in one pass over blocks of two seconds.

Blocks keep memory small, let a cancel through, and keep decaying filters away from denormal numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, log10, pi, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.loudness.meter import BLOCK_S, NEGLIGIBLE_STATE, LoudnessMeter
from engine.mixing.ducking import band_sos, dip_at
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

    The low cut is a second-order Butterworth; 0 means none. A mono track is worked on in mono and
    spread at the end; stereo samples that may be overwritten are worked on in place.
    """
    from scipy.signal import butter, sosfilt

    rate, channels = audio.sample_rate, min(2, audio.channels)
    left, right = pan_gains(pan, mono=channels == 1)
    in_place = may_overwrite and audio.channels == 2 and audio.samples.flags.writeable
    out = audio.samples if in_place else np.empty((2, audio.frames), dtype=np.float32)
    meter = LoudnessMeter(channels, rate)
    cut = butter(2, low_cut_hz, "highpass", fs=rate, output="sos") if 0.0 < low_cut_hz < 0.45 * rate else None
    cut_state = np.zeros((1, channels, 2))
    band = band_sos(rate)
    band_state = np.zeros((1, channels, 2))
    dips = (
        presence_by_hop if depth_db > 0.0 and presence_by_hop is not None and presence_by_hop.any() else None
    )
    step = int(BLOCK_S * rate)
    deepest = 1.0
    for start in range(0, audio.frames, step):
        monitor.report(start / audio.frames)
        block = audio.samples[:channels, start : start + step].astype(np.float64)
        sounds = bool(block.any())
        if cut is not None and (sounds or _settle(cut_state)):
            block, cut_state = sosfilt(cut, block, zi=cut_state)
        meter.add(block)
        if dips is not None and (sounds or _settle(band_state)):
            gain = dip_at(dips, depth_db, start, block.shape[1], rate)
            in_band, band_state = sosfilt(band, block, zi=band_state)
            lowest = float(gain.min())
            if lowest < 1.0:
                deepest = min(deepest, lowest)
                gain -= 1.0
                in_band *= gain
                block += in_band
        np.multiply(block[0], left, out=out[0, start : start + step], casting="same_kind")
        np.multiply(block[-1], right, out=out[1, start : start + step], casting="same_kind")
    peak = max(float(out.max(initial=0.0)), -float(out.min(initial=0.0)))
    spread_lu = 10.0 * log10(left * left + right * right) if channels == 1 else 0.0
    return Strip(out, peak, meter, meter.integrated_lufs + spread_lu, -20.0 * log10(deepest))


def _settle(state: NDArray[np.float64]) -> bool:
    """Zero what a filter no longer needs to remember, and return whether anything is left of it."""
    state[np.abs(state) < NEGLIGIBLE_STATE] = 0.0
    return bool(state.any())
