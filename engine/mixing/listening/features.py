"""What was heard in one stem: the numbers from which settings, and the policy's inputs, are made.

Levels are those of the file as it came: dBFS of samples, LUFS gated (BS.1770-4). "Where it sounds" is where the
loudness over 400 ms is within 20 LU of the stem's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

PLAN_FRAMES = 256
"""Frames in a hop of `hop_powers`."""
COARSE = 4
"""Frames that are averaged into one of `coarse`."""


@dataclass(frozen=True, slots=True, eq=False)
class StemFeatures:
    """One stem.

    Attributes:
        mono: whether both sides are the same (or there is one).
        loudness_lufs: gated; -inf for silence.
        rms_dbfs: mean power of both sides where it sounds.
        peak_dbfs: largest sample.
        range_lu: 90th less 10th percentile of the loudness over 400 ms, where it sounds.
        activity: share of the session in which it sounds.
        width: side over mid, as a ratio of amplitudes (0 mono, 1 as wide as uncorrelated noise).
        correlation: of left and right, -1 to 1.
        lean_db: left over right, in dB.
        flatness: of the spectrum, 0 (tone) to 0.56 (white noise).
        bands_db: power in third octaves where it sounds, relative to the whole.
        hop_energies: K-weighted sum of squares every 10 ms, from the stem's first frame.
        hop_powers: mean power of both sides in every `PLAN_FRAMES` frames, for planning compressors.
        coarse: the middle at a quarter of the rate, for drums; empty for others.
        frame_bands: power in third octaves of every frame (93 ms at 44.1 kHz), shape (frames, 31).
    """

    name: str
    role: str
    sample_rate: int
    start_frame: int
    frames: int
    channels: int
    mono: bool
    loudness_lufs: float
    rms_dbfs: float
    peak_dbfs: float
    range_lu: float
    activity: float
    width: float
    correlation: float
    lean_db: float
    flatness: float
    bands_db: NDArray[np.float64]
    hop_energies: NDArray[np.float64]
    hop_powers: NDArray[np.float64]
    frame_bands: NDArray[np.float32]
    coarse: NDArray[np.float32]

    @property
    def silent(self) -> bool:
        """Whether there is nothing to hear."""
        return not isfinite(self.loudness_lufs)

    @property
    def crest_db(self) -> float:
        """Peak over the mean power where it sounds."""
        return self.peak_dbfs - self.rms_dbfs

    @property
    def brightness_db(self) -> float:
        """How much louder K-weighting finds it than its power: positive for bright sounds."""
        return self.loudness_lufs - self.rms_dbfs
