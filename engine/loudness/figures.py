"""`figures`: everything that `nrx measure` and a master's report say of a sound, in one call."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, log10

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.loudness.finepeak import fine_true_peak
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


def figures(audio: Audio, monitor: Monitor = SILENT, *, fine_peak: bool = True) -> Figures:
    """Measure `audio` (1 to 6 channels). Without `fine_peak` the 8x peak is left at the 4x one, to save time."""
    meter = LoudnessMeter(audio.channels, audio.sample_rate)
    step = 2 * audio.sample_rate
    for start in range(0, audio.frames, step):
        meter.add(audio.samples[:, start : start + step])
        monitor.report(0.4 * start / audio.frames)
    peak = true_peak(audio.samples, audio.sample_rate)
    monitor.report(0.55)
    fine = max(peak, fine_true_peak(audio.samples, audio.sample_rate)) if fine_peak else peak
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
