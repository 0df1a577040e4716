"""Compression as a curve of gain over time: level, curve with a soft knee, release, attack.

After Giannoulis, Massberg and Reiss, "Digital dynamic range compressor design", JAES 60 (2012): the gain computer
first, smoothing of its output after it, in decibels. Release is a decaying maximum, which needs no loop; attack
a one-pole filter. Curves have one value for each hop; state is kept, so that blocks of any size give the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp

import numpy as np
from numpy.typing import NDArray

from engine.audio.recursive import sosfilt
from engine.mixing.session.strips import Compressor, Parallel

HOP_FRAMES = 64
DETECTOR_S = 0.006
SILENT_DB = -120.0
HOPS_AT_ONCE = 8192
DUST_DB = 1e-4

Curve = NDArray[np.float64]


def hop_powers(samples: NDArray[np.float32]) -> Curve:
    """Return the mean power of both sides in each hop of `HOP_FRAMES` frames of (channels, frames)."""
    channels, frames = samples.shape
    whole = frames // HOP_FRAMES
    sums = np.zeros(-(-frames // HOP_FRAMES), np.float32)
    for channel in samples:  # sums of products that need no copy of the samples
        rows = channel[: whole * HOP_FRAMES].reshape(whole, HOP_FRAMES)
        sums[:whole] += np.einsum("hf,hf->h", rows, rows)
        sums[whole:] += np.square(channel[whole * HOP_FRAMES :]).sum()
    counts = np.full(len(sums), HOP_FRAMES * channels)
    counts[whole:] = (frames - whole * HOP_FRAMES) * channels
    return np.asarray(sums / counts, dtype=np.float64)


def in_decibels(power: Curve) -> Curve:
    """Return powers in dB, silence at -120."""
    return np.asarray(10.0 * np.log10(np.maximum(power, 1e-12)))


def computed_reduction(level_db: Curve, threshold_db: float, ratio: float, knee_db: float) -> Curve:
    """Return the static reduction in dB (0 or more) for levels."""
    over = level_db - threshold_db
    half = knee_db / 2.0
    if half > 0.0:
        over = np.where(over > half, over, np.square(np.maximum(over + half, 0.0)) / (4.0 * half))
    return np.asarray(np.maximum(over, 0.0) * (1.0 - 1.0 / ratio))


@dataclass(slots=True)
class GainComputer:
    """One compressor's state over a stream of hops that last `hop_s` seconds each."""

    settings: Compressor | Parallel
    hop_s: float
    _power: float = 0.0
    _released: float = 0.0
    _attacked: float = 0.0
    _scale: tuple[float, float, float] = field(init=False)

    def __post_init__(self) -> None:
        self._scale = (
            exp(-self.hop_s / DETECTOR_S),
            self.settings.release_ms / 1000.0 / self.hop_s,
            exp(-self.hop_s / (self.settings.attack_ms / 1000.0)),
        )

    def reduction(self, power: Curve) -> Curve:
        """Return the reduction in dB (0 or more) in each hop, from its mean power."""
        return self.reduction_at(self.levels_db(power))

    def levels_db(self, power: Curve) -> Curve:
        """Return the level in dB that is detected in each hop, from its mean power."""
        if not len(power):
            return power
        smooth = one_pole(power, self._scale[0], self._power)
        self._power = float(smooth[-1])
        return in_decibels(smooth)

    def reduction_at(self, levels_db: Curve) -> Curve:
        """Return the reduction in dB in each hop, from the levels that are detected."""
        if not len(levels_db):
            return levels_db
        _, release_hops, slow = self._scale
        knee = self.settings.knee_db if isinstance(self.settings, Compressor) else 6.0
        wanted = computed_reduction(levels_db, self.settings.threshold_db, self.settings.ratio, knee)
        if self._released < DUST_DB and self._attacked < DUST_DB and not wanted.any():
            self._released = self._attacked = 0.0
            return wanted
        held = self._release(wanted, release_hops)
        made = one_pole(held, slow, self._attacked)
        self._attacked = float(made[-1])
        return made

    def _release(self, wanted: Curve, release_hops: float) -> Curve:
        """Return max over k of wanted[n - k] exp(-k / release): a running maximum of its logarithm plus n / release."""
        out = np.empty_like(wanted)
        for start in range(0, len(wanted), HOPS_AT_ONCE):
            level = wanted[start : start + HOPS_AT_ONCE].copy()
            level[0] = max(level[0], self._released * exp(-1.0 / release_hops))
            rise = np.arange(len(level)) / release_hops
            with np.errstate(divide="ignore"):
                level = np.log(level)
            level += rise
            np.maximum.accumulate(level, out=level)
            out[start : start + len(level)] = np.exp(level - rise)
            self._released = float(out[start + len(level) - 1])
        return out


def ramp(before: float, gains: Curve, frames: int) -> NDArray[np.float32]:
    """Return a gain for every frame: straight lines from one hop's gain to the next, the first from `before`."""
    edges = np.concatenate(([before], gains)).astype(np.float32)
    along = (np.arange(HOP_FRAMES, dtype=np.float32) + 1) / np.float32(HOP_FRAMES)
    made: NDArray[np.float32] = edges[:-1, None] + np.diff(edges)[:, None] * along
    return made.reshape(-1)[:frames]


def linear(db: Curve | float) -> Curve:
    """Return decibels as factors of amplitude."""
    return np.asarray(10.0 ** (np.asarray(db) / 20.0))


def one_pole(values: Curve, kept: float, before: float) -> Curve:
    """Return a running average: `kept` of what it was, which is `before` at first, the rest of what comes."""
    section = np.array([[1.0 - kept, 0.0, 0.0, 1.0, -kept, 0.0]])
    made: Curve = sosfilt(section, values, np.array([[kept * before, 0.0]]))[0]
    return made


def predicted_reduction(hop_power: Curve, settings: Compressor, hop_s: float) -> Curve:
    """Return what a compressor would take off in each hop of `hop_s` seconds."""
    return GainComputer(settings, hop_s).reduction(hop_power)


def average_reduction_db(reduction: NDArray[np.floating], power: NDArray[np.floating]) -> float:
    """Return the mean reduction where the sound is within 20 dB of its mean over the loudest tenth."""
    sounds = where_it_sounds(power)
    return float(reduction[sounds].mean()) if sounds.any() else 0.0


def where_it_sounds(power: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return whether each hop's power is within 20 dB of the mean over the loudest tenth."""
    if not len(power) or not power.any():
        return np.zeros(len(power), np.bool_)
    tenth = max(1, len(power) // 10)
    within: NDArray[np.bool_] = power > np.partition(power, -tenth)[-tenth:].mean() * 0.01
    return within
