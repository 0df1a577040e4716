"""What the stems leave of the mix, handed back to them, so that they sum to it.

The remainder is divided in the short-time spectrum in proportion to each stem's power there: each gets back what is
most likely its own, a silent stem stays silent, and what is above the model's range goes to the brightest. The shares
sum to one in every cell, so the stems sum to the mix within float32 rounding.

Frames of about 46 ms that overlap by half, with the square root of a Hann window before and behind.
"""

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Samples

_FRAME_S = 2048 / 44100
_FLOOR = 1e-12
_FRAMES_AT_ONCE = 64


class Redistribution:
    """Stems and mix in, a stretch at a time; stems that sum to the mix out, late by at most one frame of spectrum."""

    def __init__(self, stems: int, channels: int, sample_rate: int, frames: int) -> None:
        """Serve a song of `frames` frames in all."""
        self._hop = max(16, 2 ** round(np.log2(_FRAME_S * sample_rate / 2)))
        self._window = np.sin(np.pi * (np.arange(2 * self._hop) + 0.5) / (2 * self._hop)).astype(np.float32)
        self._total, self._given = frames, 0
        # One hop of silence stands before the song, so that its first hop has two frames as every other has.
        self._stems = np.zeros((stems, channels, self._hop), np.float32)
        self._mix = np.zeros((channels, self._hop), np.float32)
        self._tail = np.zeros((stems, channels, self._hop), np.float32)
        self._lead = self._hop

    def add(self, stems: Samples, mix: Samples, *, last: bool) -> Samples:
        """Return what is complete of the stems (stems, channels, frames), given in order with their part of the mix."""
        self._stems = np.concatenate((self._stems, stems), axis=-1)
        self._mix = np.concatenate((self._mix, mix), axis=-1)
        if last:
            length = self._mix.shape[-1]
            behind = -length % self._hop + self._hop
            self._stems = np.pad(self._stems, ((0, 0), (0, 0), (0, behind)))
            self._mix = np.pad(self._mix, ((0, 0), (0, behind)))
        done = [self._some(count) for count in self._counts()]
        complete = np.concatenate(done, axis=-1) if done else self._stems[..., :0]
        complete = complete[..., : self._total - self._given]
        self._given += complete.shape[-1]
        return complete

    def _counts(self) -> list[int]:
        """Return how many frames of spectrum to work on at a time."""
        frames = self._mix.shape[-1] // self._hop - 1
        return [min(_FRAMES_AT_ONCE, frames - start) for start in range(0, max(0, frames), _FRAMES_AT_ONCE)]

    def _some(self, count: int) -> Samples:
        """Return `count` hops of stems with their share of the remainder."""
        from scipy.fft import irfft, rfft

        hop, length = self._hop, count * self._hop
        remainder = self._mix[..., : length + hop] - self._stems[..., : length + hop].sum(axis=0)
        lost = rfft(_framed(remainder, hop, count) * self._window)
        shares = np.empty((self._stems.shape[0], count, hop + 1), np.float32)
        for stem, share in zip(self._stems, shares, strict=True):
            spectrum = rfft(_framed(stem[..., : length + hop], hop, count) * self._window)
            share[:] = (spectrum.real**2 + spectrum.imag**2).sum(axis=0)
        shares += _FLOOR
        shares /= shares.sum(axis=0)
        done = self._stems[..., :length].copy()
        for index, share in enumerate(shares):
            back = irfft(lost * share, n=2 * hop) * self._window
            channels = back.shape[0]
            halves = back.reshape(channels, count, 2, hop)
            done[index] += halves[:, :, 0].reshape(channels, length)
            done[index, :, hop:] += halves[:, :-1, 1].reshape(channels, length - hop)
            done[index, :, :hop] += self._tail[index]
            self._tail[index] = halves[:, -1, 1]
        self._stems, self._mix = self._stems[..., length:].copy(), self._mix[..., length:].copy()
        lead, self._lead = self._lead, 0
        return done[..., lead:]


def _framed(samples: Samples, hop: int, count: int) -> NDArray[np.float32]:
    """Return (channels, count, 2 hops): frames that start a hop apart."""
    hops = samples.reshape(samples.shape[0], count + 1, hop)
    return np.concatenate((hops[:, :-1], hops[:, 1:]), axis=-1)
