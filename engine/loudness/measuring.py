"""What is measured of an `Audio` in one call: `measure` for everything, the others for one quantity."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, log10

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.loudness.meter import HOPS_PER_S, LoudnessMeter, lufs
from engine.loudness.truepeak import true_peak_dbtp


@dataclass(frozen=True, slots=True)
class Loudness:
    """Loudness of a piece of audio: LUFS, LU for `lra`, dBTP and dBFS. Silence is -inf with an `lra` of 0."""

    integrated_lufs: float
    momentary_max: float
    short_term_max: float
    lra: float
    true_peak_dbtp: float
    sample_peak_dbfs: float

    @property
    def plr(self) -> float:
        """Peak to loudness ratio in LU (true peak minus integrated loudness); 0 for silence."""
        if not isfinite(self.integrated_lufs):
            return 0.0
        return self.true_peak_dbtp - self.integrated_lufs


def _meter(audio: Audio) -> LoudnessMeter:
    meter = LoudnessMeter(audio.channels, audio.sample_rate)
    meter.add(audio.samples)
    return meter


def measure(audio: Audio) -> Loudness:
    """Measure everything of `audio` (1 to 6 channels, any rate); works in blocks of 2 s."""
    meter = _meter(audio)
    return Loudness(
        integrated_lufs=meter.integrated_lufs,
        momentary_max=meter.momentary_max_lufs,
        short_term_max=meter.short_term_max_lufs,
        lra=meter.range_lu,
        true_peak_dbtp=true_peak_dbtp(audio),
        sample_peak_dbfs=sample_peak_dbfs(audio),
    )


def integrated_lufs(audio: Audio) -> float:
    """Return the gated, integrated loudness of `audio` in LUFS; -inf for silence."""
    return _meter(audio).integrated_lufs


def sample_peak_dbfs(audio: Audio) -> float:
    """Return the largest absolute sample of `audio` in dBFS; -inf for silence."""
    if not audio.frames:
        return -inf
    peak = max(float(audio.samples.max()), -float(audio.samples.min()))
    return 20.0 * log10(peak) if peak > 0.0 else -inf


def short_term_curve(audio: Audio, *, hop_s: float = 0.1, window_s: float = 3.0) -> NDArray[np.float64]:
    """Return loudness over time in LUFS: value i is for the `window_s` seconds centred on `i * hop_s`.

    Windows are cut off at the ends of the audio and averaged over what is left, so that the curve covers all
    of it: its length is `floor(duration / hop_s) + 1` (0 for no frames). `hop_s` and `window_s` are rounded
    to 10 ms. Silence is -inf.
    """
    energies = _meter(audio).hop_energies()
    if not audio.frames:
        return np.zeros(0)
    hops = max(1, round(hop_s * HOPS_PER_S))
    half = max(1, round(window_s * HOPS_PER_S / 2))
    sums = np.concatenate(([0.0], np.cumsum(energies)))
    centre = np.arange(0, audio.frames * HOPS_PER_S // audio.sample_rate + 1, hops)
    first = np.clip(centre - half, 0, max(0, len(energies) - 1))
    last = np.clip(centre + half, first + 1, max(1, len(energies)))
    last = np.minimum(last, len(energies))
    windows = (sums[last] - sums[first]) / np.maximum(1, last - first) * HOPS_PER_S / audio.sample_rate
    windows[windows < 1e-15 * sums[-1] / max(1, audio.frames)] = 0.0
    return lufs(np.maximum(windows, 0.0))
