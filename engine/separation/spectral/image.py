"""The stereo image: which direction is the centre, and how much of each band comes from there.

A lead voice, bass, kick and snare are mixed to the centre by custom; what is wide or to a side is accompaniment. The
centre of a two-channel file is the direction (1, 1) unless its sound plainly lies elsewhere (one channel silent or
inverted), in which case it is the direction of most power. Files with one channel, with more than two, or with two
that are the same, have no image: everything in them is "centre", and the masks lean on the other evidence.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Samples
from engine.separation.spectral.stft import Spectrum

NO_IMAGE_DB = -40.0
"""Power off the centre, relative to that in it, below which a file has no image."""

PLAINLY = np.deg2rad(22.5)
"""How far from (1, 1) the direction of most power must lie to be taken for the centre."""

LOPSIDED = 0.8
"""And how much of the power must be along it (1: all of it)."""

SIDE_WEIGHT = 2.5
"""How strongly sound off the centre speaks against the centre in the same band."""


@dataclass(frozen=True, slots=True)
class Image:
    """Unit vectors (left, right) of centre and side, or none if the file has no image."""

    axes: NDArray[np.float32] | None

    @classmethod
    def of(cls, samples: Samples) -> "Image":
        """Return the image of audio (channels, frames)."""
        if samples.shape[0] != 2:
            return cls(None)
        ll, lr, rr = (
            float(np.dot(a, b))
            for a, b in ((samples[0], samples[0]), (samples[0], samples[1]), (samples[1], samples[1]))
        )
        angle = np.pi / 4
        spread = np.hypot(ll - rr, 2 * lr)
        main = 0.5 * np.arctan2(2 * lr, ll - rr)
        if spread > LOPSIDED * (ll + rr) and abs(main - angle) > PLAINLY:
            angle = main
        axes = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        centre, side = (float(a * a * ll + 2 * a * b * lr + b * b * rr) for a, b in axes)
        if side <= centre * 10 ** (NO_IMAGE_DB / 10):
            return cls(None)
        return cls(axes.astype(np.float32))

    @property
    def exists(self) -> bool:
        """Whether places in the image tell sources apart."""
        return self.axes is not None

    def powers(self, spectrum: Spectrum) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the power in the centre and off it, each (frames, bins), of a spectrum (channels, frames, bins)."""
        if self.axes is None:
            total = np.mean(_power(spectrum), axis=0)
            return total, np.zeros_like(total)
        scale = np.float32(np.sqrt(0.5))
        centre, side = (_power((a * scale) * spectrum[0] + (b * scale) * spectrum[1]) for a, b in self.axes)
        return centre, side


def centre_magnitude(centre: NDArray[np.float32], side: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the magnitude that can only have come from the centre, from magnitudes in it and off it."""
    return np.maximum(0, centre - np.float32(SIDE_WEIGHT) * side)


def _power(spectrum: Spectrum) -> NDArray[np.float32]:
    power: NDArray[np.float32] = spectrum.real**2 + spectrum.imag**2
    return power
