"""`figures`: everything that `nrx measure` and a master's report say of a sound, in one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite, log10

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.loudness.finepeak import both_true_peaks
from engine.loudness.measuring import sample_peak_dbfs
from engine.loudness.meter import LoudnessMeter
from engine.loudness.spectrum import Spectrum, spectrum
from engine.loudness.stereo import StereoEnergy, stereo_energy, stereo_scatter
from engine.loudness.truepeak import true_peak
from engine.progress import SILENT, Monitor


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """What a sound measures. LUFS, LU, dBTP, dBFS; silence is -inf.

    `hop_energies` are the K-weighted energies per 10 ms that the loudness comes from, `scatter` is `stereo_scatter`.
    """

    duration_s: float
    integrated_lufs: float
    momentary_max_lufs: float
    short_term_max_lufs: float
    lra_lu: float
    true_peak_dbtp: float
    true_peak_8x_dbtp: float
    sample_peak_dbfs: float
    stereo: StereoEnergy
    spectrum: Spectrum
    hop_energies: NDArray[np.float64]
    scatter: NDArray[np.float64]
    sample_rate: int

    @property
    def plr_lu(self) -> float:
        """True peak minus integrated loudness; 0 for silence."""
        return self.true_peak_dbtp - self.integrated_lufs if isfinite(self.integrated_lufs) else 0.0


PeakMeter = Callable[[NDArray[np.float32], int], tuple[float, float]]
"""Gives the true peak at 4x and at 8x (linear)."""


def coarse_peak(samples: NDArray[np.float32], sample_rate: int) -> tuple[float, float]:
    """Return the 4x true peak for both: where the finer one does not matter, it saves time."""
    peak = true_peak(samples, sample_rate)
    return peak, peak


def no_peak(samples: NDArray[np.float32], sample_rate: int) -> tuple[float, float]:
    """Return the sample peak for both."""
    peak = max(float(samples.max(initial=0.0)), -float(samples.min(initial=0.0)))
    return peak, peak


def figures(
    audio: Audio,
    monitor: Monitor = SILENT,
    *,
    peaks: PeakMeter = both_true_peaks,
    meter: LoudnessMeter | None = None,
) -> Figures:
    """Measure `audio` (1 to 6 channels).

    Args:
        audio: what is measured.
        monitor: gets the progress.
        peaks: how the true peak is measured: `both_true_peaks`, or `coarse_peak` or `no_peak`, which are faster.
        meter: a loudness meter that has already heard just these samples.
    """
    if meter is None:
        meter = LoudnessMeter(audio.channels, audio.sample_rate)
        step = 2 * audio.sample_rate
        for start in range(0, audio.frames, step):
            meter.add(audio.samples[:, start : start + step])
            monitor.report(0.4 * start / audio.frames)
    peak, fine = peaks(audio.samples, audio.sample_rate)
    monitor.report(0.7)
    heard = spectrum(audio)
    monitor.report(0.9)
    return Figures(
        duration_s=audio.duration_s,
        integrated_lufs=meter.integrated_lufs,
        momentary_max_lufs=meter.momentary_max_lufs,
        short_term_max_lufs=meter.short_term_max_lufs,
        lra_lu=meter.range_lu,
        true_peak_dbtp=20.0 * log10(peak) if peak > 0.0 else -inf,
        true_peak_8x_dbtp=20.0 * log10(fine) if fine > 0.0 else -inf,
        sample_peak_dbfs=sample_peak_dbfs(audio),
        stereo=stereo_energy(audio),
        spectrum=heard,
        hop_energies=meter.hop_energies(),
        scatter=stereo_scatter(audio),
        sample_rate=audio.sample_rate,
    )
