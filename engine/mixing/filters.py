"""The strip's two filters in one transform: low cut, and the band of the dip behind it.

Each is a recursive filter whose response has died away by `RESPONSE_S` (-110 dB for a low cut at 20 Hz), used
as a finite one by overlap-save. One forward FFT of a block serves both, rows are transformed four at a
time, which lets the FFT use the processor's vectors, and float32 keeps errors below -130 dB of the loudest
sample nearby: two to three times as fast as the recursion.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.audio.fourier import irfft, rfft
from engine.audio.recursive import butterworth, filtered
from engine.audio.spectra import padded_rfft
from engine.mixing.ducking import band_sos

RESPONSE_S, ROW_S = 0.15, 1.5
ROWS, EVEN_FRAMES = 4, 256
INAUDIBLE = 1e-9

Spectrum = NDArray[np.complex64]


@dataclass(frozen=True, slots=True, eq=False)
class StripFilters:
    """Spectra of the low cut (None: there is none), and of the dip's band behind it.

    `size` is the length of a transform, of which the first `reach` frames repeat what came before.
    """

    size: int
    reach: int
    cut: Spectrum | None
    band: Spectrum

    @property
    def row_frames(self) -> int:
        """New frames in each transform."""
        return self.size - self.reach

    @property
    def block_frames(self) -> int:
        """New frames in a block."""
        return ROWS * self.row_frames

    def louder(self, gain: float) -> StripFilters:
        """Return the same filters, louder by a (linear) gain; without a low cut there is nothing that could be."""
        level = np.float32(gain)
        cut = None if self.cut is None else self.cut * level
        return replace(self, cut=cut, band=self.band * level)


def row_size(sample_rate: int) -> int:
    """Return the length of a transform: the power of two below `ROW_S`, which is a third faster than its neighbours."""
    return 1 << (int(ROW_S * sample_rate).bit_length() - 1)


def response_db(
    sections: NDArray[np.float64], at_hz: NDArray[np.float64], sample_rate: int
) -> NDArray[np.float64]:
    """Return the gain in dB of second-order sections (n, 6) at frequencies in Hz (at most half the rate)."""
    later = np.exp(-2j * np.pi * np.minimum(at_hz, 0.49 * sample_rate) / sample_rate)
    delays = later ** np.arange(3)[:, None]
    response = np.prod((sections[:, :3] @ delays) / (sections[:, 3:] @ delays), axis=0)
    return np.asarray(20.0 * np.log10(np.maximum(np.abs(response), INAUDIBLE)))


def response_frames(sample_rate: int) -> int:
    """Return the length of a response: `RESPONSE_S`, rounded up so that a row holds whole hops of any meter."""
    return -(-int(RESPONSE_S * sample_rate) // EVEN_FRAMES) * EVEN_FRAMES


@lru_cache(maxsize=16)
def strip_filters(sample_rate: int, low_cut_hz: float) -> StripFilters:
    """Return the filters of a strip; `low_cut_hz` 0 means no low cut."""
    return filters_of(
        butterworth(2, low_cut_hz, "highpass", sample_rate) if low_cut_hz > 0.0 else None, sample_rate
    )


def filters_of(sections: NDArray[np.float64] | None, sample_rate: int) -> StripFilters:
    """Return these second-order sections (n, 6), or none, and the dip's band behind them, as filters of a strip."""
    size = row_size(sample_rate)
    response = np.zeros(response_frames(sample_rate))
    response[0] = 1.0
    if sections is not None:
        response = filtered(sections, response)
    band = filtered(band_sos(sample_rate), response)
    cut = None if sections is None else padded_rfft(response, size).astype(np.complex64)
    return StripFilters(size, len(response), cut, padded_rfft(band, size).astype(np.complex64))


class BlockFilter:
    """Runs a stream of `channels` channels through a strip's filters, block by block."""

    def __init__(self, filters: StripFilters, channels: int) -> None:
        """Start from silence."""
        self._filters = filters
        self._line = np.zeros((channels, filters.reach + filters.block_frames), dtype=np.float32)
        self._frames = 0
        self._spectra: NDArray[np.complex64] = np.zeros((channels, ROWS, 0), dtype=np.complex64)

    def feed(self, block: NDArray[np.float32]) -> bool:
        """Take the next block (channels, frames), full but for the last, and return whether anything sounds."""
        filters, line = self._filters, self._line
        # What came last moves to the front: the filters still hear it.
        line[:, : filters.reach] = line[:, self._frames : self._frames + filters.reach].copy()
        self._frames = block.shape[1]
        line[:, filters.reach : filters.reach + self._frames] = block
        line[:, filters.reach + self._frames :] = 0.0
        if not line.any():
            return False
        channel_step, step = line.strides
        rows: NDArray[np.float32] = np.ndarray(
            (len(line), ROWS, filters.size),
            line.dtype,
            line,
            0,
            (channel_step, step * filters.row_frames, step),
        )
        self._spectra = rfft(rows)
        return True

    def cut(self) -> NDArray[np.float32]:
        """Return the block behind the low cut; it may be changed."""
        if self._filters.cut is None:
            return self._line[:, self._filters.reach : self._filters.reach + self._frames].copy()
        return self._through(self._filters.cut)

    def in_band(self) -> NDArray[np.float32]:
        """Return the block behind the low cut, in the band of the dip."""
        return self._through(self._filters.band)

    def _through(self, spectrum: Spectrum) -> NDArray[np.float32]:
        filters = self._filters
        made = irfft(self._spectra * spectrum, filters.size)
        kept: NDArray[np.float32] = made[:, :, filters.reach :].reshape(len(made), -1)[:, : self._frames]
        return kept
