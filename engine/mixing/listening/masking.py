"""What stems cover of each other: masking in third octaves, frame by frame.

A stem is audible in a band as far as its power stands over what the others put there, spread upwards and downwards
(27 dB an octave towards low, 10 dB an octave towards high: the usual triangle of simple masking models, Zwicker and
Fastl, "Psychoacoustics", chapter 4), less `OFFSET_DB`. `covered` is the share of a stem's K-weighted power, where
it sounds, that is under the others; `by` says who covers whom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.mixing.listening.features import StemFeatures
from engine.mixing.listening.thirds import BANDS, FRAME, loudness_weights_db

DOWN_DB_PER_BAND, UP_DB_PER_BAND = 9.0, 3.3
OFFSET_DB = 4.0
FRAMES_USED = 1200
ROWS_AT_ONCE = 256


@dataclass(frozen=True, slots=True, eq=False)
class Masking:
    """Shares from 0 to 1: `covered` (stems,), and `by` (stems, stems), row covered, column covering."""

    covered: NDArray[np.float64]
    by: NDArray[np.float64]
    audible_db: NDArray[np.float64]
    """K-weighted level of what is left audible of each stem, under the whole stem's: 0 or less."""


@lru_cache(maxsize=1)
def _spreading() -> NDArray[np.float32]:
    """Return the power that a band (row) puts on each band (column)."""
    apart = np.arange(BANDS)[None, :] - np.arange(BANDS)[:, None]
    fall_db = np.where(apart >= 0, apart * UP_DB_PER_BAND, -apart * DOWN_DB_PER_BAND)
    return np.asarray(10.0 ** (-(fall_db + OFFSET_DB) / 10.0), dtype=np.float32)


def _spread(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what power (stems, frames, bands) covers: in products so small that BLAS starts no threads for them."""
    rows = power.reshape(-1, BANDS)
    made = np.empty_like(rows)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        np.matmul(rows[start : start + ROWS_AT_ONCE], _spreading(), out=made[start : start + ROWS_AT_ONCE])
    return made.reshape(power.shape)


def aligned_bands(stems: Sequence[StemFeatures]) -> NDArray[np.float32]:
    """Return K-weighted band power of all stems on the session's frames, shape (stems, frames, bands).

    At most `FRAMES_USED` frames, evenly taken from those in which anything sounds.
    """
    rate = stems[0].sample_rate
    weights = (10.0 ** (loudness_weights_db(rate) / 10.0)).astype(np.float32)
    length = max(stem.start_frame // FRAME + len(stem.frame_bands) for stem in stems)
    sounds = np.zeros(length, dtype=bool)
    for stem in stems:
        first = stem.start_frame // FRAME
        sounds[first : first + len(stem.frame_bands)] |= stem.frame_bands.any(axis=1)
    chosen = np.flatnonzero(sounds)
    chosen = chosen[:: max(1, len(chosen) // FRAMES_USED)]
    out = np.zeros((len(stems), len(chosen), BANDS), np.float32)
    for row, stem in zip(out, stems, strict=True):
        local = chosen - stem.start_frame // FRAME
        inside = (local >= 0) & (local < len(stem.frame_bands))
        row[inside] = stem.frame_bands[local[inside]] * weights
    return out


def masking_of(bands: NDArray[np.float32], gains_db: Sequence[float]) -> Masking:
    """Return who covers whom at these gains; `bands` as `aligned_bands` gives them."""
    power = (
        bands * (10.0 ** (np.asarray(gains_db, dtype=np.float32) / 10.0)).astype(np.float32)[:, None, None]
    )
    spread = _spread(power)
    total = spread.sum(axis=0)
    count = len(power)
    covered, audible, by = np.zeros(count), np.zeros(count), np.zeros((count, count))
    for index in range(count):
        own = power[index]
        whole = float(own.sum())
        if whole <= 0.0:
            continue
        others = np.maximum(total - spread[index], 0.0)
        lost = own * (others / (own + others + np.float32(1e-20)))
        covered[index] = float(lost.sum()) / whole
        audible[index] = 10.0 * np.log10(max(1e-6, 1.0 - covered[index]))
        share = lost / np.maximum(others, np.float32(1e-20))
        by[index] = np.einsum("fb,ofb->o", share, spread, dtype=np.float64) / whole
        by[index, index] = 0.0
    return Masking(covered, by, audible)
