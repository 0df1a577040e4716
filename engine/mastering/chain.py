"""The linear part of the chain and the four-band compressor, in one pass of overlap-save convolution.

Equaliser, stereo width and band split are one linear-phase filter for each of mid and side and each band, so that the
whole of it costs two transforms forth and at most eight back a block. A band whose gain does not move in a block is
taken together with the others that do not; where one of the two lower bands moves, both are made at a quarter of the
rate (`lowrate`). Where nothing is to be done the samples come back as they were.

Gains are in dB per band at every hop of `bands.hop_frames`, linear in between. Filters are windowed to 93 ms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio, Samples
from engine.audio.fourier import irfft, rfft
from engine.loudness.spectrum import CENTRES_HZ, mid_side
from engine.mastering.bands import band_responses, hop_frames, rate_scale
from engine.mastering.lowrate import FACTOR, LOW_BANDS, LOWEST_RATE, at_low_rate, raised
from engine.mastering.parallel import in_pieces
from engine.mastering.wishes import BANDS
from engine.progress import SILENT, Monitor

HALF_TAPS = 2048
TRANSFORM = 32768
BLOCKS_AT_ONCE = 2
"""Transforms of four rows side by side are twice as fast as those of two."""
STEADY = 1e-4
"""A gain that moves less than this (0.001 dB) in a block stands still."""


@dataclass(frozen=True, slots=True, eq=False)
class ChainSettings:
    """What the chain does.

    Attributes:
        eq_db: gain of each third octave of `THIRD_OCTAVES_HZ`, both channels alike.
        side_gain: level of the side in each of the four bands, linear.
        band_gain_db: gain of each band at every hop, shape (4, hops), or None where nothing compresses.
        flip_right: whether the right channel's polarity is turned over first.
    """

    eq_db: NDArray[np.float64]
    side_gain: NDArray[np.float64]
    band_gain_db: NDArray[np.float32] | None = None
    flip_right: bool = False

    @property
    def does_nothing(self) -> bool:
        """Whether the samples come back as they were."""
        idle = self.band_gain_db is None or not np.abs(self.band_gain_db).max(initial=0.0) > 0.0
        return (
            idle
            and not self.flip_right
            and not np.abs(self.eq_db).max() > 0.0
            and bool((self.side_gain == 1.0).all())
        )


def eq_response(eq_db: NDArray[np.float64], frequencies_hz: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the equaliser's magnitude at these frequencies: gains in dB, linear between the bands' centres."""
    position = 3.0 * np.log2(np.maximum(frequencies_hz, 1.0) / 1000.0) + 16.0
    magnitude: NDArray[np.float64] = 10.0 ** (np.interp(position, np.arange(len(CENTRES_HZ)), eq_db) / 20.0)
    return magnitude


def filters(settings: ChainSettings, sample_rate: int) -> NDArray[np.float32]:
    """Return the (real, zero-phase) responses of every band for mid and side: shape (2, 4, bins)."""
    scale = rate_scale(sample_rate)
    length, half = TRANSFORM * scale, HALF_TAPS * scale
    frequencies = np.arange(length // 2 + 1) * (sample_rate / length)
    bands = band_responses(frequencies) * eq_response(settings.eq_db, frequencies)
    taps = irfft(bands.astype(np.complex128), length)
    window = np.zeros(length)
    window[: half + 1] = np.cos(np.pi / 2.0 * np.arange(half + 1) / (half + 1)) ** 2
    window[-half:] = window[half:0:-1]
    mid = rfft(taps * window).real
    return np.stack((mid, mid * settings.side_gain[:, None])).astype(np.float32)


def run_chain(
    audio: Audio, settings: ChainSettings, monitor: Monitor = SILENT, *, out: Samples | None = None
) -> Audio:
    """Return `audio` (1 or 2 channels) after the chain: same rate, same length, same bytes every time.

    It is written into `out` if that is given. Without, a chain that does nothing returns `audio` itself.
    """
    if settings.does_nothing or not audio.frames:
        if out is None:
            return audio
        out[:] = audio.samples
        return Audio(out, audio.sample_rate)
    work = _Work(audio, settings, np.empty_like(audio.samples) if out is None else out)
    in_pieces(work.render, range(0, audio.frames, BLOCKS_AT_ONCE * work.step), monitor)
    return Audio(work.out, audio.sample_rate)


@dataclass(frozen=True, slots=True)
class _Split:
    """How a block is made: bands whose gain moves, each on its own, the steady ones together, the lower two apart."""

    moving: tuple[int, ...]
    steady: tuple[int, ...]
    is_low: bool

    @property
    def rows(self) -> int:
        """Number of transforms back at the full rate, of all channels each."""
        return len(self.moving) + bool(self.steady)


class _Work:
    """One run of the chain: each block of `step` frames is rendered on its own."""

    def __init__(self, audio: Audio, settings: ChainSettings, out: Samples) -> None:
        self.audio, self.settings = audio, settings
        # For real and imaginary parts side by side.
        self.filters = np.repeat(filters(settings, audio.sample_rate)[: audio.channels], 2, axis=-1)
        self.steady: tuple[tuple[int, ...], tuple[float, ...], NDArray[np.float32]] | None = None
        self.length = TRANSFORM * rate_scale(audio.sample_rate)
        self.half = HALF_TAPS * rate_scale(audio.sample_rate)
        self.hop = hop_frames(audio.sample_rate)
        self.step = (self.length - 2 * self.half) // self.hop * self.hop
        self.out = out
        self.gains: NDArray[np.float32] | None = None
        if settings.band_gain_db is not None:
            self.gains = np.power(10.0, settings.band_gain_db / 20.0).astype(np.float32)

    def render(self, start: int) -> None:
        """Render the blocks from `start` on into `out`."""
        starts = range(start, min(start + BLOCKS_AT_ONCE * self.step, self.audio.frames), self.step)
        bins = rfft(np.stack([self._heard(first) for first in starts])).view(np.float32)
        curves = [self._curves(first, self._frames(first)) for first in starts]
        splits = [self._split(block) for block in curves]
        # All transforms at once: several rows side by side are three times as fast as one after the other.
        sounds = self._sounds(bins, curves, splits)
        lows = self._low_sounds(bins, splits)
        for block, first in enumerate(starts):
            frames, split = self._frames(first), splits[block]
            own = sounds[: split.rows, :, self.half : self.half + frames]
            sounds = sounds[split.rows :]
            for row, band in enumerate(split.moving):
                own[row] *= _ramps(curves[block][band][1:-1], self.hop)[:frames]
            made = own.sum(axis=0) if len(own) > 1 else own[0]
            if split.is_low:
                made += self._raised(lows[:LOW_BANDS], curves[block][:LOW_BANDS], frames)
                lows = lows[LOW_BANDS:]
            self._put(first, made)

    def _split(self, curves: list[NDArray[np.float32]]) -> _Split:
        """Return how a block's bands are made, given their gains."""
        moving = [band for band, curve in enumerate(curves) if np.ptp(curve) >= STEADY]
        is_low = self.audio.sample_rate >= LOWEST_RATE and bool(moving) and moving[0] < LOW_BANDS
        bands = range(LOW_BANDS if is_low else 0, len(curves))
        return _Split(
            tuple(band for band in bands if band in moving),
            tuple(band for band in bands if band not in moving),
            is_low,
        )

    def _sounds(
        self, bins: NDArray[np.float32], curves: list[list[NDArray[np.float32]]], splits: list[_Split]
    ) -> NDArray[np.float32]:
        """Return, block after block, the moving bands and the steady ones together: (rows, channels, length)."""
        wanted = np.empty((sum(split.rows for split in splits), *bins.shape[1:]), np.float32)
        row = 0
        for heard, levels, split in zip(bins, curves, splits, strict=True):
            for band in split.moving:
                np.multiply(heard, self.filters[:, band], out=wanted[row])
                row += 1
            if split.steady:
                together = self._together(
                    split.steady, tuple(float(levels[band][0]) for band in split.steady)
                )
                np.multiply(heard, together, out=wanted[row])
                row += 1
        return irfft(wanted.view(np.complex64), self.length)

    def _together(self, bands: tuple[int, ...], levels: tuple[float, ...]) -> NDArray[np.float32]:
        """Return the response of steady bands at their levels."""
        if self.steady is None or self.steady[:2] != (bands, levels):
            response: NDArray[np.float32] = np.einsum(
                "b,cbf->cf", np.array(levels, np.float32), self.filters[:, list(bands)]
            )
            self.steady = (bands, levels, response)
            return response
        return self.steady[2]

    def _low_sounds(self, bins: NDArray[np.float32], splits: list[_Split]) -> NDArray[np.float32]:
        """Return the lower bands, at a quarter of the rate, of the blocks in which they move."""
        kept = 2 * (self.length // (2 * FACTOR) + 1)
        blocks = [block for block, split in enumerate(splits) if split.is_low]
        if not blocks:
            return np.zeros((0, *bins.shape[1:2], 0), np.float32)
        responses = self.filters[:, :LOW_BANDS, :kept].swapaxes(0, 1)
        wanted = np.concatenate([bins[block, None, :, :kept] * responses for block in blocks])
        return at_low_rate(wanted.view(np.complex64), self.length)

    def _raised(
        self, lows: NDArray[np.float32], curves: list[NDArray[np.float32]], frames: int
    ) -> NDArray[np.float32]:
        """Return the sum of a block's lower bands after their gains, at the full rate."""
        hop, first = self.hop // FACTOR, self.half // FACTOR
        summed = np.zeros(lows.shape[1:], np.float32)
        for low, curve in zip(lows, curves, strict=True):
            gains = _ramps(curve, hop)
            reached = slice(first - hop, first - hop + len(gains))
            summed[:, reached] += low[:, reached] * gains
        return raised(summed, first, frames)

    def _frames(self, start: int) -> int:
        """Return how many frames the block that begins at `start` gives."""
        return min(self.step, self.audio.frames - start)

    def _heard(self, start: int) -> NDArray[np.float32]:
        """Return mid and side of the block that begins at `start`, with what the filters reach around it."""
        first, last = start - self.half, start - self.half + self.length
        piece = self.audio.samples[:, max(0, first) : min(last, self.audio.frames)]
        if self.settings.flip_right and piece.shape[0] == 2:
            piece = piece * np.array([[1.0], [-1.0]], np.float32)
        pair = np.zeros((self.audio.channels, self.length), np.float32)
        pair[:, max(0, -first) : max(0, -first) + piece.shape[1]] = mid_side(piece)[: self.audio.channels]
        return pair

    def _put(self, start: int, made: NDArray[np.float32]) -> None:
        """Put mid and side, or the only channel, back as channels from `start` on."""
        target = self.out[:, start : start + made.shape[1]]
        if self.audio.channels == 1:
            target[:] = made
        else:
            np.add(made[0], made[1], out=target[0])
            np.subtract(made[0], made[1], out=target[1])

    def _curves(self, start: int, frames: int) -> list[NDArray[np.float32]]:
        """Return each band's gains at the edges of a block's hops, and one hop further on either side."""
        count = -(-frames // self.hop) + 3
        if self.gains is None:
            return [np.ones(count, np.float32)] * len(BANDS)
        at = np.clip(np.arange(count) + start // self.hop - 1, 0, self.gains.shape[1] - 1)
        return list(self.gains[:, at])


def _ramps(at_hops: NDArray[np.float32], hop: int) -> NDArray[np.float32]:
    """Return gains for every frame, linear from one hop to the next."""
    ramp = np.arange(hop, dtype=np.float32) / np.float32(hop)
    gains: NDArray[np.float32] = at_hops[:-1, None] + np.diff(at_hops)[:, None] * ramp
    return gains.reshape(-1)
