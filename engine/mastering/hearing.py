"""Loudness and true peaks of a whole song, heard in pieces side by side."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.loudness.energies import HOPS_PER_S, hop_is_whole
from engine.loudness.finepeak import both_true_peaks
from engine.loudness.meter import LoudnessMeter
from engine.loudness.truepeak import HOP_FRAMES
from engine.mastering.parallel import in_pieces
from engine.progress import SILENT, Monitor

PIECE_S = 12
LEAD_HOPS = 40
"""Heard before a piece and not counted: by then the weighting has forgotten that it did not hear the beginning."""
PEAK_PIECES = 4


def true_peaks(samples: NDArray[np.float32], sample_rate: int) -> tuple[float, float]:
    """Return the true peak (linear) by the 4x and by the finer meter, as `both_true_peaks` does."""
    hops = -(-samples.shape[1] // HOP_FRAMES)
    edges = [hops * piece // PEAK_PIECES for piece in range(PEAK_PIECES + 1)]
    stretches = list(pairwise(edges))
    found = in_pieces(lambda stretch: both_true_peaks(samples, sample_rate, stretch), stretches)
    return max(coarse for coarse, _ in found), max(fine for _, fine in found)


def hear(samples: NDArray[np.float32], sample_rate: int, monitor: Monitor = SILENT) -> LoudnessMeter:
    """Return a meter that has heard `samples` (channels, frames): the same on any number of processors."""
    channels, frames = samples.shape
    if not hop_is_whole(sample_rate):
        meter = LoudnessMeter(channels, sample_rate)
        meter.add(samples)
        return meter
    lead = LEAD_HOPS * sample_rate // HOPS_PER_S

    def piece(start: int) -> tuple[NDArray[np.float64], float]:
        meter = LoudnessMeter(channels, sample_rate)
        first = max(0, start - lead)
        meter.add(samples[:, first : start + PIECE_S * sample_rate])
        return meter.hop_energies()[(start - first) * HOPS_PER_S // sample_rate :], meter.partial_energy

    heard = in_pieces(piece, range(0, frames, PIECE_S * sample_rate), monitor)
    energies = np.concatenate([part for part, _ in heard]) if heard else np.zeros(0)
    return LoudnessMeter.of_energies(channels, sample_rate, energies, heard[-1][1] if heard else 0.0, frames)
