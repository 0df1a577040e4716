"""Short-time Fourier transform in blocks of frames, and its inverse by overlap-add that streams.

Conventions: periodic Hann windows in both directions, hop a quarter of the window, so that the squared window sums to
3/2 everywhere and analysis followed by synthesis is the identity. Frame j starts at sample `j * hop - lead`: every
sample of the signal lies in exactly four frames, and outside of the signal there is silence. The window lasts 186 ms
at any rate (8192 samples at 44.1 kHz).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Samples
from engine.thrift import block_size

OVERLAP = 4
HOP_S = 2048 / 44100
WORKERS = 2

BLOCK_VALUES = 2**20
"""Complex values in a block: what bounds memory and the time between two looks at the monitor."""

Spectrum = NDArray[np.complex64]


@dataclass(frozen=True, slots=True)
class Framing:
    """How a signal of `length_frames` samples at `sample_rate` is cut into `count` windows."""

    sample_rate: int
    length_frames: int
    hop: int

    @classmethod
    def of(cls, sample_rate: int, length_frames: int, hop_s: float = HOP_S) -> "Framing":
        """Return the framing whose hop is the quickest size at or above `hop_s` seconds."""
        from scipy.fft import next_fast_len

        return cls(
            sample_rate, length_frames, int(next_fast_len(max(4, round(hop_s * sample_rate)), real=True))
        )

    @property
    def window_length(self) -> int:
        """Samples in a window."""
        return self.hop * OVERLAP

    @property
    def lead(self) -> int:
        """Samples of silence before the signal that the first window covers."""
        return self.window_length - self.hop

    @property
    def count(self) -> int:
        """Number of windows."""
        return -(-(self.length_frames + self.lead) // self.hop)

    @property
    def bins(self) -> int:
        """Number of frequency bins."""
        return self.window_length // 2 + 1

    @property
    def frame_rate(self) -> float:
        """Windows per second."""
        return self.sample_rate / self.hop

    def frequencies_hz(self) -> NDArray[np.float32]:
        """Return the centre frequency of each bin, in Hz."""
        return np.asarray(np.arange(self.bins) * (self.sample_rate / self.window_length), dtype=np.float32)

    def block(self, channels: int) -> int:
        """Return how many frames of so many channels to work on at once: a tenth of a second's work, or so."""
        return max(1, block_size(BLOCK_VALUES) // (channels * self.bins))

    def window(self) -> NDArray[np.float32]:
        """Return the periodic Hann window."""
        n = self.window_length
        return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n), dtype=np.float32)


def cut(samples: Samples, framing: Framing, start: int, stop: int) -> Samples:
    """Return the stretch of samples (channels, ...) that frames `start` to `stop` cover, with silence outside."""
    first = start * framing.hop - framing.lead
    last = (stop - 1) * framing.hop - framing.lead + framing.window_length
    inside = samples[:, max(0, first) : max(0, min(last, framing.length_frames))]
    before = max(0, -first)
    padded = np.zeros((samples.shape[0], last - first), dtype=np.float32)
    padded[:, before : before + inside.shape[1]] = inside
    return padded


def transform(stretch: Samples, framing: Framing) -> Spectrum:
    """Return the spectrum of all frames in a stretch that was `cut`, complex64 of shape (channels, frames, bins)."""
    from scipy.fft import rfft

    frames = np.lib.stride_tricks.sliding_window_view(stretch, framing.window_length, axis=1)[
        :, :: framing.hop
    ]
    spectrum: Spectrum = rfft(frames * framing.window(), axis=-1, workers=WORKERS)
    return spectrum


def analyse(samples: Samples, framing: Framing, start: int, stop: int) -> Spectrum:
    """Return frames `start` to `stop` of the spectrum, complex64 of shape (channels, stop - start, bins)."""
    return transform(cut(samples, framing, start, stop), framing)


class Synthesis:
    """Overlap-add of consecutive blocks of frames into consecutive blocks of samples."""

    def __init__(self, framing: Framing, channels: int) -> None:
        self.framing = framing
        self.window = framing.window() * np.float32(2 / 3)
        self.tail = np.zeros((channels, OVERLAP - 1, framing.hop), dtype=np.float32)
        self.done_frames = 0

    def add(self, spectrum: Spectrum) -> Samples:
        """Take the next frames (channels, n, bins); return the samples they complete, (channels, <= n * hop)."""
        from scipy.fft import irfft

        framing = self.framing
        frames = irfft(spectrum, n=framing.window_length, axis=-1, workers=WORKERS, overwrite_x=True)
        frames *= self.window
        channels, count, _ = frames.shape
        frames = frames.reshape(channels, count, OVERLAP, framing.hop)
        total = np.zeros((channels, count + OVERLAP - 1, framing.hop), dtype=np.float32)
        total[:, : OVERLAP - 1] = self.tail
        for part in range(OVERLAP):
            total[:, part : part + count] += frames[:, :, part]
        self.tail = total[:, count:].copy()
        start = self.done_frames * framing.hop - framing.lead
        self.done_frames += count
        samples = total[:, :count].reshape(channels, -1)
        return samples[:, max(0, -start) : max(0, framing.length_frames - start)]
