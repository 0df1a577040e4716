"""Masks of the four stems for any stretch of frames."""

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.progress import Monitor
from engine.separation.spectral.stft import Framing, analyse

FloatPlane = NDArray[np.float32]
REACH = 8


class Planner:
    """Looks at the whole mix once, then gives masks for any stretch of frames."""

    def __init__(self, audio: Audio, framing: Framing, monitor: Monitor) -> None:
        self.audio = audio
        self.framing = framing
        monitor.report(1.0)

    def masks(self, start: int, stop: int) -> dict[str, FloatPlane]:
        """Return role -> mask, float32 of shape (stop - start, bins), which sum to at most one."""
        from scipy.ndimage import median_filter

        low, high = max(0, start - REACH), min(self.framing.count, stop + REACH)
        spectrum = analyse(self.audio.samples, self.framing, low, high)
        mid = np.abs(spectrum.mean(axis=0))
        total = np.sqrt((np.abs(spectrum) ** 2).mean(axis=0)) + 1e-9
        side = np.sqrt(np.maximum(total**2 - mid**2, 0))
        centre = np.clip((mid - 2 * side) / total, 0, 1) if self.audio.channels == 2 else np.ones_like(mid)
        steady = median_filter(total, (9, 1))
        sudden = median_filter(total, (1, 25))
        steadiness = steady**2 / (steady**2 + sudden**2 + 1e-12)
        hz = self.framing.frequencies_hz()
        low_band = 1 / (1 + (hz / 180) ** 6)
        drums = 1 - steadiness
        bass = steadiness * low_band * centre
        vocals = steadiness * (1 - low_band) * centre
        inner = slice(start - low, stop - low)
        found = {"vocals": vocals, "drums": drums, "bass": bass}
        return {role: np.ascontiguousarray(mask[inner], dtype=np.float32) for role, mask in found.items()}
