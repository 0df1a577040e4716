"""Stereo image: how wide a sound is, and what is left of it in mono.

`width_pct` is the side's RMS in percent of the mid's: 0 is mono, 100 is two unrelated channels, more than that
cancels in mono. `correlation` is that of the channels: 1 is mono, 0 unrelated, -1 cancels. Mono and silence are
0 % and 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio

BLOCK_FRAMES = 1 << 13
"""Short enough that a dot product stays on one thread."""
MAX_WIDTH_PCT = 1000.0
"""What is said of a sound that is all side."""
SCATTER_CELLS = 41


@dataclass(frozen=True, slots=True)
class StereoEnergy:
    """Mean squares of mid, side and their product (L = M + S, R = M - S)."""

    mid: float
    side: float
    cross: float

    @property
    def width_pct(self) -> float:
        """RMS of the side in percent of the mid's."""
        if self.side <= 0.0:
            return 0.0
        return min(MAX_WIDTH_PCT, 100.0 * sqrt(self.side / self.mid)) if self.mid > 0.0 else MAX_WIDTH_PCT

    @property
    def correlation(self) -> float:
        """Correlation of the channels, -1 to 1."""
        return self.correlation_with_side(1.0)

    def correlation_with_side(self, gain: float) -> float:
        """Return the correlation after the side is multiplied by `gain`."""
        side = gain * gain * self.side
        left, right = self.mid + side + 2.0 * gain * self.cross, self.mid + side - 2.0 * gain * self.cross
        if left <= 0.0 or right <= 0.0:
            return 1.0
        return max(-1.0, min(1.0, (self.mid - side) / sqrt(left * right)))

    @property
    def balance_db(self) -> float:
        """How much louder the right channel is than the left, in dB (0 where one of them is silent)."""
        left, right = self.mid + self.side + 2.0 * self.cross, self.mid + self.side - 2.0 * self.cross
        return float(10.0 * np.log10(right / left)) if left > 0.0 and right > 0.0 else 0.0


def stereo_energy(audio: Audio) -> StereoEnergy:
    """Return the mean squares of the first two channels; one channel is all mid."""
    sums = np.zeros(3)
    if audio.channels == 1:
        for start in range(0, audio.frames, BLOCK_FRAMES):
            sums[0] += float(
                np.square(audio.samples[0, start : start + BLOCK_FRAMES], dtype=np.float64).sum()
            )
        return StereoEnergy(sums[0] / max(1, audio.frames), 0.0, 0.0)
    for start in range(0, audio.frames, BLOCK_FRAMES):
        left, right = audio.samples[:2, start : start + BLOCK_FRAMES]
        sums += (float(np.dot(left, left)), float(np.dot(right, right)), float(np.dot(left, right)))
    left2, right2, both = (float(total) / max(1, audio.frames) for total in sums)
    mid, side = (left2 + right2 + 2.0 * both) / 4.0, (left2 + right2 - 2.0 * both) / 4.0
    return StereoEnergy(max(0.0, mid), max(0.0, side), (left2 - right2) / 4.0)


def stereo_scatter(audio: Audio, points: int = 40_000) -> NDArray[np.float64]:
    """Return where the sound is in the plane of side (columns) and mid (rows): shares of samples, (41, 41).

    The loudest sample seen lies on the edge; `points` samples, evenly spread, are looked at.
    """
    if audio.channels == 1 or not audio.frames:
        return np.zeros((SCATTER_CELLS, SCATTER_CELLS))
    left, right = audio.samples[:2, :: max(1, audio.frames // points)].astype(np.float64)
    mid, side = (left + right) / 2.0, (right - left) / 2.0
    most = float(max(np.abs(mid).max(), np.abs(side).max()))
    if most <= 0.0:
        return np.zeros((SCATTER_CELLS, SCATTER_CELLS))
    counts, _, _ = np.histogram2d(mid, side, bins=SCATTER_CELLS, range=((-most, most), (-most, most)))
    shares: NDArray[np.float64] = counts / len(mid)
    return shares
