"""Approximate transcription: how loud each note of the piano sounds in each beat.

A pitch spectrum is explained as a sum of notes, each a fixed comb of harmonics as this front end would see
it; the loudness of each note is the non-negative least-squares solution, found by multiplicative updates for
all beats at once. A fifth heard only as the third harmonic of the root thus stays with the root, which raw
chroma cannot do.

Sources: Mauch and Dixon, ISMIR 2010 (NNLS chroma, harmonics falling by 0.7 each); Lee and Seung, "Algorithms
for non-negative matrix factorization", NIPS 2000 (the update).
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.analysis.pitch_spectrum import (
    RATE,
    WINDOW_FRAMES,
    Floats,
    hann,
    pitch_mapping,
    pitch_to_hz,
    without_background,
)
from engine.progress import SILENT, Monitor

LOWEST_NOTE, HIGHEST_NOTE = 28, 91  # E1 to G6, inclusive
NOTE_COUNT = HIGHEST_NOTE - LOWEST_NOTE + 1
_HARMONICS, _DECAY = 20, 0.7
_ITERATIONS = 80
_BLOCK = 2048  # beats solved at a time


def note_pitches() -> NDArray[np.intp]:
    """Return the MIDI number of each note, shape (NOTE_COUNT,)."""
    return np.arange(LOWEST_NOTE, HIGHEST_NOTE + 1)


@lru_cache(maxsize=1)
def note_dictionary() -> Floats:
    """Return the pitch spectrum of each note at unit norm, shape (PITCH_BINS, NOTE_COUNT).

    The pitch axis moves with the tuning, so one dictionary at 440 Hz serves every tuning.
    """
    window = hann(WINDOW_FRAMES)
    window /= window.sum()
    time_s = np.arange(WINDOW_FRAMES) / RATE
    mapping = pitch_mapping(0.0)
    columns = []
    for f0 in pitch_to_hz(note_pitches().astype(np.float64)):
        spectrum = np.zeros(WINDOW_FRAMES // 2 + 1)
        for h in range(1, _HARMONICS + 1):
            if h * f0 < RATE / 2 - 50:
                sine = np.cos(2 * np.pi * h * f0 * time_s)
                spectrum += _DECAY ** (h - 1) * np.abs(np.fft.rfft(window * sine))
        column = without_background(mapping @ spectrum)
        columns.append(column / np.linalg.norm(column))
    return np.stack(columns, axis=1)


def note_activations(spectra: Floats, *, monitor: Monitor = SILENT) -> Floats:
    """Return the loudness of each note in each spectrum.

    Args:
        spectra: tonal pitch spectra, shape (n, PITCH_BINS).
        monitor: progress.

    Returns:
        non-negative loudnesses, shape (n, NOTE_COUNT), in the units of the spectra.
    """
    dictionary = note_dictionary()
    gram = dictionary.T @ dictionary
    out = np.zeros((len(spectra), NOTE_COUNT))
    for first in range(0, len(spectra), _BLOCK):
        target = spectra[first : first + _BLOCK] @ dictionary
        scale = np.maximum(target.max(axis=1, keepdims=True), 1e-12)
        target = target / scale
        notes = np.maximum(target, 1e-9)
        for _ in range(_ITERATIONS):
            notes *= target / (notes @ gram + 1e-9)
            monitor.check()
        out[first : first + _BLOCK] = notes * scale
        monitor.report(min(1.0, (first + _BLOCK) / len(spectra)))
    return out
