"""Pitch salience: how strongly each semitone sounds as a sung or played note, frame by frame.

Spectral peaks are placed exactly (parabolic interpolation) and each pitch gathers the peaks at its harmonics,
weighted 0.8 per harmonic: harmonic summation as in Salamon and Gómez, "Melody extraction from polyphonic
music signals using pitch contour characteristics", IEEE TASLP 20(6), 2012. Beside the salience the share of
the frame that a pitch explains is given; it is near one for a single voice and small for noise or for one
note of many.

Frames are `HOP_S` apart (11.6 ms), frame k centred on second k * HOP_S. Pitches are MIDI numbers from
LOWEST_PITCH.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
import scipy.sparse
from numpy.typing import NDArray

from engine.analysis.pitch_spectrum import RATE, hann
from engine.progress import SILENT, Monitor

Floats32 = NDArray[np.float32]

WINDOW_FRAMES, HOP_FRAMES = 1024, 128
HOP_S = HOP_FRAMES / RATE
LOWEST_PITCH, HIGHEST_PITCH = 40, 96  # E2 (82 Hz) to C7 (2093 Hz), inclusive: voices and leads
PITCHES = HIGHEST_PITCH - LOWEST_PITCH + 1
BINS_PER_SEMITONE = 5
_HARMONICS, _DECAY = 10, 0.8
_LOWEST_PEAK_HZ = 75.0
_PEAK_FLOOR = 10 ** (-40 / 20)  # of the frame's strongest peak
_HALF_WIDTH_SEMITONES = 0.5  # a peak this far from a harmonic no longer counts for it
_BLOCK = 2048
_AXIS_LOWEST = LOWEST_PITCH - 1
_HIGHEST_PEAK_HZ = 4500.0
_AXIS_BINS = int((12 * np.log2(_HIGHEST_PEAK_HZ / 440.0) + 69 - _AXIS_LOWEST) * BINS_PER_SEMITONE) + 1


@dataclass(frozen=True, slots=True, eq=False)
class Salience:
    """Salience over time.

    `salience` (frames, PITCHES): strength of each semitone, in units of compressed amplitude; `explained`
    (frames, PITCHES): part of the amplitude of the frame's peaks that belongs to that pitch's harmonics, 0 to
    1; `cents` (frames, PITCHES): how far the sounding pitch lies from the semitone (-50 to 50); `level_db`
    (frames,): loudness of the frame's peaks.
    """

    salience: Floats32
    explained: Floats32
    cents: Floats32
    level_db: Floats32


def pitch_salience(mono: Floats32, tuning_cents: float = 0.0, *, monitor: Monitor = SILENT) -> Salience:
    """Return the salience of a waveform at `pitch_spectrum.RATE`, semitones laid at `tuning_cents`."""
    count = len(mono) // HOP_FRAMES + 1
    out = Salience(
        np.zeros((count, PITCHES), np.float32),
        np.zeros((count, PITCHES), np.float32),
        np.zeros((count, PITCHES), np.float32),
        np.zeros(count, np.float32),
    )
    window = hann(WINDOW_FRAMES)
    window *= np.float32(2.0 / window.sum())
    half = WINDOW_FRAMES // 2
    for first in range(0, count, _BLOCK):
        last = min(count, first + _BLOCK)
        start, end = first * HOP_FRAMES - half, (last - 1) * HOP_FRAMES + half
        piece = np.zeros(end - start, dtype=np.float32)
        inside = mono[max(0, start) : max(0, end)]
        piece[max(0, -start) : max(0, -start) + len(inside)] = inside
        frames = np.lib.stride_tricks.sliding_window_view(piece, WINDOW_FRAMES)[::HOP_FRAMES]
        magnitude = np.abs(scipy.fft.rfft(frames * window, axis=1))
        axis, level = _peaks_on_axis(magnitude, tuning_cents)
        rows = slice(first, last)
        out.salience[rows], out.explained[rows], out.cents[rows] = _gather(axis)
        out.level_db[rows] = 10 * np.log10(level + 1e-12)
        monitor.report(last / count)
    return out


def _peaks_on_axis(magnitude: Floats32, tuning_cents: float) -> tuple[Floats32, Floats32]:
    """Return the compressed amplitudes of peaks (frames, _AXIS_BINS), and each frame's power in peaks."""
    low = int(_LOWEST_PEAK_HZ * WINDOW_FRAMES / RATE)
    left, mid, right = magnitude[:, low - 1 : -2], magnitude[:, low:-1], magnitude[:, low + 1 :]
    floor = np.maximum(_PEAK_FLOOR * mid.max(axis=1, keepdims=True), 1e-6)
    rows, columns = np.nonzero((mid > left) & (mid >= right) & (mid > floor))
    a, b, c = (np.log(x[rows, columns] + 1e-9) for x in (left, mid, right))
    offset = 0.5 * (a - c) / np.minimum(a - 2 * b + c, -1e-6)
    hz = (low + columns + offset) * (RATE / WINDOW_FRAMES)
    pitch = 69 + 12 * np.log2(hz / 440.0) - tuning_cents / 100
    position = (pitch - _AXIS_LOWEST) * BINS_PER_SEMITONE
    index = np.floor(position).astype(np.intp)
    fraction = position - index
    strength = np.sqrt(mid[rows, columns])
    axis = np.zeros((len(magnitude), _AXIS_BINS), dtype=np.float32)
    ok = (index >= 0) & (index < _AXIS_BINS - 1)
    flat = rows[ok] * _AXIS_BINS + index[ok]
    size = axis.size
    axis += np.bincount(flat, strength[ok] * (1 - fraction[ok]), size).reshape(axis.shape).astype(np.float32)
    axis += np.bincount(flat + 1, strength[ok] * fraction[ok], size).reshape(axis.shape).astype(np.float32)
    power = np.bincount(rows, mid[rows, columns].astype(np.float64) ** 2, len(magnitude))
    return axis, power.astype(np.float32)


@lru_cache(maxsize=1)
def _combs() -> tuple[scipy.sparse.csr_matrix, scipy.sparse.csr_matrix]:
    """Return two matrices from axis to fine pitches: with decaying harmonics, and with all at weight one."""
    fine = PITCHES * BINS_PER_SEMITONE
    decayed = np.zeros((_AXIS_BINS, fine), dtype=np.float32)
    whole = np.zeros((_AXIS_BINS, fine), dtype=np.float32)
    axis = np.arange(_AXIS_BINS) / BINS_PER_SEMITONE + _AXIS_LOWEST
    for k in range(fine):
        pitch = LOWEST_PITCH + (k - BINS_PER_SEMITONE // 2) / BINS_PER_SEMITONE
        for h in range(1, _HARMONICS + 1):
            near = np.abs(axis - pitch - 12 * np.log2(h)) / _HALF_WIDTH_SEMITONES
            kernel = np.where(near < 1, np.cos(near * np.pi / 2) ** 2, 0).astype(np.float32)
            decayed[:, k] += _DECAY ** (h - 1) * kernel
            whole[:, k] = np.maximum(whole[:, k], kernel)
    return scipy.sparse.csr_matrix(decayed.T), scipy.sparse.csr_matrix(whole.T)


def _gather(axis: Floats32) -> tuple[Floats32, Floats32, Floats32]:
    """Return salience, explained share and cents of each semitone from peaks on the axis."""
    decayed, whole = _combs()
    fine = (decayed @ axis.T).T.reshape(len(axis), PITCHES, BINS_PER_SEMITONE)
    best = fine.argmax(axis=2)[:, :, None]
    salience = np.take_along_axis(fine, best, axis=2)[:, :, 0]
    amplitude = axis**2
    share = (whole @ amplitude.T).T.reshape(fine.shape)
    total = np.maximum(amplitude.sum(axis=1, keepdims=True), 1e-9)
    explained = np.take_along_axis(share, best, axis=2)[:, :, 0] / total
    cents = (best[:, :, 0] - BINS_PER_SEMITONE // 2) * (100 / BINS_PER_SEMITONE)
    return salience, explained.astype(np.float32), cents.astype(np.float32)
