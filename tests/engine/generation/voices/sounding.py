"""Measurements that the tests of the voices share."""

import numpy as np
from numpy.typing import NDArray

from engine.generation.arranger.voices.model import Setup
from engine.generation.arranger.voices.table import VOICES

RATE = 44100
SETUP = Setup(RATE, seed=5)
TONAL = tuple(name for name, spec in VOICES.items() if spec.family not in ("drums", "effects"))
KITS = tuple(name for name, spec in VOICES.items() if spec.family == "drums")


def hertz(pitch: float) -> float:
    return float(440 * 2 ** ((pitch - 69) / 12))


def power_spectrum(
    sound: NDArray[np.floating], size: int = 1 << 18
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequencies and Hann-windowed power, both channels together."""
    window = np.hanning(sound.shape[1])
    power = np.sum(np.abs(np.fft.rfft(sound * window, max(size, sound.shape[1]), axis=1)) ** 2, axis=0)
    return np.fft.rfftfreq(max(size, sound.shape[1]), 1 / RATE), power


def pitch_error_cents(sound: NDArray[np.floating], frequency_hz: float) -> float:
    """How far the fundamental and the octave lie from where they should, weighted by their power."""
    hz, power = power_spectrum(sound, 1 << 20)
    errors, weights = [], []
    for number in (1, 2):
        near = np.abs(hz - number * frequency_hz) < max(0.03 * number * frequency_hz, 3.0)
        centre = np.sum(hz[near] * power[near]) / np.sum(power[near])
        errors.append(1200 * np.log2(centre / (number * frequency_hz)))
        weights.append(np.sum(power[near]))
    return float(np.average(errors, weights=weights))


def centroid_hz(sound: NDArray[np.floating]) -> float:
    """Spectral centroid of the first 0.3 s, the attack included."""
    frames = min(sound.shape[1], int(0.3 * RATE))
    faded = sound[:, :frames] * (0.5 + 0.5 * np.cos(np.pi * np.arange(frames) / frames))
    power = np.sum(np.abs(np.fft.rfft(faded, axis=1)) ** 2, axis=0)
    hz = np.fft.rfftfreq(frames, 1 / RATE)
    return float(np.sum(hz * power) / np.sum(power))


def middle(name: str) -> int:
    spec = VOICES[name]
    return (spec.low + spec.high) // 2
