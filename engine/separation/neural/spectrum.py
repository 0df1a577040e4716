"""The short-time spectrum that hybrid Demucs works on, and back: a plan for one length of window.

Columns of `nfft` frames with a hop of a quarter, periodic Hann, scaled by 1 / sqrt(nfft); the Nyquist bin is dropped.
The signal is padded by reflection so that there is one column for every started hop. Models with `hybrid_old` were
trained with silence for padding and an inverse that is late by it; for them that is kept. Source: `_spec` and `_ispec`
of demucs 4.1 (MIT), which these equal within float32 rounding; one real FFT over all columns, and four shifted
additions instead of a scatter, make them several times as fast on a CPU.
"""

import math
from typing import Any

import torch


class Spectrum:
    """Spectra of stretches of `frames` frames of audio; complex numbers are pairs in the last axis."""

    def __init__(self, frames: int, nfft: int, *, is_old: bool = False, device: str = "cpu") -> None:
        """Plan for stretches of `frames`; `is_old` for models with `hybrid_old`."""
        self.frames, self.nfft, self.hop, self.device = frames, nfft, nfft // 4, device
        self.columns = math.ceil(frames / self.hop)
        self._is_old = is_old
        self._margin = self.hop // 2 * 3
        window = torch.hann_window(nfft, device=device)
        self._analysis = window / math.sqrt(nfft)
        self._synthesis = window * math.sqrt(nfft)
        # Of the inverse, two silent columns at each end add nothing but their windows: those count in the envelope.
        envelope = self._overlap((window**2).expand(1, self.columns + 4, nfft))
        self._begin = nfft // 2 + (0 if is_old else self._margin)
        self._envelope = envelope[:, self._begin : self._begin + frames]

    def analyse(self, mix: Any) -> Any:
        """Return the spectrum of `mix` (channels, frames): float32 (channels, columns, nfft / 2, 2)."""
        behind = self._margin + self.columns * self.hop - self.frames
        pad = torch.nn.functional.pad
        padded = pad(mix, (self._margin, behind)) if self._is_old else _mirrored(mix, self._margin, behind)
        # A centred transform would pad by nfft / 2 again, and its two first columns are dropped: those two cancel out.
        columns = padded.unfold(-1, self.nfft, self.hop)[:, : self.columns]
        spectra = torch.fft.rfft(columns * self._analysis)
        return torch.view_as_real(spectra[..., :-1])

    def synthesise(self, spectra: Any) -> Any:
        """Return audio (…, frames) from spectra (…, columns, nfft / 2, 2)."""
        shape = spectra.shape[:-3]
        bins = torch.view_as_complex(spectra.reshape(-1, self.columns, self.nfft // 2, 2))
        waves = torch.fft.irfft(bins, n=self.nfft)
        waves *= self._synthesis
        begin = self._begin - 2 * self.hop
        audio = self._overlap(waves)[:, begin : begin + self.frames]
        audio /= self._envelope
        return audio.reshape(*shape, self.frames)

    def _overlap(self, waves: Any) -> Any:
        """Return the sum of columns (n, columns, nfft), each of which starts one hop after the one before."""
        count, columns, _ = waves.shape
        summed = waves.new_zeros(count, columns + 3, self.hop)
        quarters = waves.reshape(count, columns, 4, self.hop)
        for quarter in range(4):
            summed[:, quarter : quarter + columns] += quarters[:, :, quarter]
        return summed.reshape(count, -1)


def _mirrored(mix: Any, before: int, behind: int) -> Any:
    """Return audio with its ends mirrored; audio shorter than the mirror is first lengthened by silence."""
    longest = max(before, behind)
    length = mix.shape[-1]
    if length <= longest:
        extra = longest - length + 1
        extra_behind = min(behind, extra)
        mix = torch.nn.functional.pad(mix, (extra - extra_behind, extra_behind))
        before, behind = before - (extra - extra_behind), behind - extra_behind
    return torch.nn.functional.pad(mix, (before, behind), mode="reflect")
