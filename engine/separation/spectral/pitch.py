"""One harmonic voice among others: how strong it is at each pitch, its path through time, and the comb on it.

Salience is the match of the square-rooted, normalised spectrum with a cosine kernel whose peaks lie on a pitch's
harmonics and fall with their square root (after SWIPE, Camacho and Harris 2008). The path is the best by dynamic
programming: small steps cost by their size, and any leap costs the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.progress import Monitor
from engine.separation.spectral.bands import FloatPlane

STEPS_PER_OCTAVE = 48
FARTHEST_STEP = 6
STEP_COST = 0.015
LEAP_COST = 0.24
HIGHEST_HARMONIC_HZ = 4000.0
FLOOR_SHARE = 0.3
SMOOTHING_FRAMES = 5
CHECK_EVERY_FRAMES = 512

COMB_WIDTH_HZ = 8.0
COMB_WIDTH_SHARE = 0.012
"""Standard deviation of a comb's teeth: what the window leaves, and a share of the frequency for gliding pitch."""


@dataclass(frozen=True)
class Register:
    """The pitches that a voice may have, and the number of harmonics it is known by."""

    lowest_hz: float
    highest_hz: float
    harmonics: int

    @cached_property
    def pitches_hz(self) -> NDArray[np.float64]:
        """The grid of pitches."""
        count = int(np.log2(self.highest_hz / self.lowest_hz) * STEPS_PER_OCTAVE) + 1
        return self.lowest_hz * 2 ** (np.arange(count) / STEPS_PER_OCTAVE)

    def kernel(self, frequencies_hz: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (frequencies, pitches): what each frequency says for each pitch, for and against."""
        ratio = frequencies_hz[:, None] / self.pitches_hz[None]
        most = np.minimum(self.harmonics, HIGHEST_HARMONIC_HZ / self.pitches_hz)[None] + 0.5
        wave = np.where((ratio > 0.5) & (ratio <= most), np.cos(2 * np.pi * ratio), 0.0)
        wave = np.where((ratio > 0.25) & (ratio < 0.75), np.minimum(wave, 0) / 2, wave)
        wave /= np.sqrt(np.maximum(ratio, 0.5))
        kernel: NDArray[np.float32] = (wave / (np.linalg.norm(np.maximum(wave, 0), axis=0) + 1e-9)).astype(
            np.float32
        )
        return kernel


SINGER = Register(80.0, 1000.0, 16)
BASS = Register(32.0, 200.0, 6)


@dataclass(frozen=True, slots=True)
class Path:
    """The pitch in each frame, in Hz, and how strongly it is there (0 to about 0.5)."""

    pitch_hz: NDArray[np.float32]
    strength: NDArray[np.float32]

    def comb(self, frequencies_hz: NDArray[np.float32], start: int, stop: int) -> FloatPlane:
        """Return how near each frequency is to a harmonic, 0 to 1, (stop - start, frequencies)."""
        pitch = self.pitch_hz[start:stop, None]
        ratio = frequencies_hz[None] / pitch
        distance_hz = np.abs(ratio - np.rint(ratio)) * pitch
        width_hz = np.float32(COMB_WIDTH_HZ) + np.float32(COMB_WIDTH_SHARE) * frequencies_hz[None]
        tooth = np.exp(np.float32(-0.5) * (distance_hz / width_hz) ** 2)
        tooth[ratio < 0.6] = 0
        comb: FloatPlane = tooth.astype(np.float32, copy=False)
        return comb


class Salience:
    """Collects the salience of a register, block by block, and finds the path through it."""

    def __init__(self, register: Register, frequencies_hz: NDArray[np.float32], count: int) -> None:
        self.register = register
        self.kernel = register.kernel(frequencies_hz)
        self.values = np.zeros((count, self.kernel.shape[1]), dtype=np.float32)
        self.norms = np.zeros(count, dtype=np.float32)

    def put(self, start: int, magnitude: FloatPlane) -> None:
        """Take the magnitudes of frames from `start` on, (frames, frequencies)."""
        root = np.sqrt(magnitude)
        stop = start + len(root)
        self.norms[start:stop] = np.sqrt(magnitude.sum(axis=1))
        self.values[start:stop] = root @ self.kernel

    def path(self, monitor: Monitor) -> Path:
        """Return the best path through all frames."""
        sounding = self.norms[self.norms > 0]
        floor = FLOOR_SHARE * float(np.median(sounding)) if len(sounding) else 0.0
        salience = self.values / (self.norms[:, None] + np.float32(floor + 1e-9))
        index = _best_path(salience, monitor.report)
        strength = _smooth(salience[np.arange(len(index)), index])
        return Path(self.register.pitches_hz[index].astype(np.float32), strength)


def _smooth(values: NDArray[np.float32]) -> NDArray[np.float32]:
    from scipy.ndimage import uniform_filter1d

    smooth: NDArray[np.float32] = uniform_filter1d(values, SMOOTHING_FRAMES)
    return smooth


def _best_path(salience: NDArray[np.float32], report: Callable[[float], None]) -> NDArray[np.intp]:
    """Return the column in each row whose sum of salience, less the cost of moves, is greatest."""
    frames, count = salience.shape
    steps = np.arange(-FARTHEST_STEP, FARTHEST_STEP + 1)
    costs = (np.abs(steps) * STEP_COST).astype(np.float32)[:, None]
    columns = np.arange(count)
    came_from = np.zeros((frames, count), dtype=np.int16)
    padded = np.full(count + 2 * FARTHEST_STEP, -np.inf, dtype=np.float32)
    shifted = np.lib.stride_tricks.sliding_window_view(padded, count)
    score = padded[FARTHEST_STEP : FARTHEST_STEP + count]
    score[:] = salience[0]
    for frame in range(1, frames):
        candidates = shifted - costs
        best = candidates.argmax(axis=0)
        value = candidates[best, columns]
        leader = int(score.argmax())
        leap = score[leader] - np.float32(LEAP_COST)
        came_from[frame] = np.where(value >= leap, columns + steps[best], leader)
        score[:] = np.maximum(value, leap) + salience[frame]
        score -= score.max()
        if frame % CHECK_EVERY_FRAMES == 0:
            report(frame / frames)
    index = np.zeros(frames, dtype=np.intp)
    index[-1] = int(score.argmax())
    for frame in range(frames - 1, 0, -1):
        index[frame - 1] = came_from[frame, index[frame]]
    return index
