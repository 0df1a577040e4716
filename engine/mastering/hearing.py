"""Loudness of a whole song, heard in pieces side by side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.loudness.energies import HOPS_PER_S, hop_is_whole
from engine.loudness.meter import LoudnessMeter
from engine.mastering.parallel import in_pieces
from engine.progress import SILENT, Monitor

PIECE_S = 12
LEAD_HOPS = 40
"""Heard before a piece and not counted: by then the weighting has forgotten that it did not hear the beginning."""


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
