"""Building blocks that keep their state from block to block: filters, convolution, moving delays, soft clipping.

Each takes blocks of one or of two channels, (channels, frames), and stays with the number that it got first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.audio import recursive
from engine.audio.buffer import Samples
from engine.audio.fourier import irfft, rfft
from engine.audio.spectra import fast_length, padded_rfft
from engine.generation.arranger.effects.context import Process

Sos = NDArray[np.float64]
_CONTROL_FRAMES = 32
_ROW_FRAMES = 1 << 16


class SosFilter:
    """Second-order sections over a stream."""

    def __init__(self, sos: Sos) -> None:
        self.sos = sos
        self._state: recursive.State | None = None

    def __call__(self, block: Samples, _start: int = 0) -> Samples:
        """Filter a block."""
        filtered, self._state = recursive.sosfilt(self.sos, block, self._state)
        return filtered


class Gain:
    """Multiplies by a constant."""

    def __init__(self, factor: float) -> None:
        self.factor = float(factor)

    def __call__(self, block: Samples, _start: int = 0) -> Samples:
        """Multiply a block."""
        return block * np.float32(self.factor)


class Series:
    """Processes one after another; `fused` looks inside."""

    def __init__(self, *parts: Process) -> None:
        self.parts = parts

    def __call__(self, block: Samples, start: int) -> Samples:
        """Run a block through all parts."""
        for part in self.parts:
            block = part(block, start)
        return block


def fused(processes: Iterable[Process]) -> list[Process]:
    """Return processes that do the same, with neighbouring filters and gains as one filter.

    A cascade of several sections takes hardly longer than one section: the time goes into waiting for the last result.
    """
    joined: list[Process] = []
    for process in _flat(processes):
        last = joined[-1] if joined else None
        if isinstance(process, SosFilter | Gain) and isinstance(last, SosFilter | Gain):
            joined[-1] = _joined(last, process)
        else:
            joined.append(process)
    return joined


def _flat(processes: Iterable[Process]) -> Iterator[Process]:
    for process in processes:
        if isinstance(process, Series):
            yield from _flat(process.parts)
        else:
            yield process


def _joined(first: SosFilter | Gain, second: SosFilter | Gain) -> SosFilter | Gain:
    if isinstance(first, Gain) and isinstance(second, Gain):
        return Gain(first.factor * second.factor)
    sos = cascade([each.sos for each in (first, second) if isinstance(each, SosFilter)])
    for each in (first, second):
        if isinstance(each, Gain):
            sos = sos.copy()
            sos[0, :3] *= each.factor
    return SosFilter(sos)


def butterworth(kind: recursive.Kind, cutoff_hz: float, slope_db: float, sample_rate: int) -> Sos | None:
    """Return a Butterworth "lowpass" or "highpass" of 6, 12, 24 … dB an octave; None where it would change nothing."""
    if kind == "lowpass" and cutoff_hz >= 0.49 * sample_rate:
        return None
    cutoff_hz = min(cutoff_hz, 0.49 * sample_rate)
    return recursive.butterworth(max(1, round(slope_db / 6)), cutoff_hz, kind, sample_rate)


def bell(frequency_hz: float, gain_db: float, q: float, sample_rate: int) -> Sos:
    """Return a bell equaliser (R. Bristow-Johnson, Audio EQ Cookbook)."""
    w0 = 2 * np.pi * min(frequency_hz, 0.45 * sample_rate) / sample_rate
    amplitude, alpha = 10 ** (gain_db / 40), np.sin(w0) / (2 * q)
    b = np.array([1 + alpha * amplitude, -2 * np.cos(w0), 1 - alpha * amplitude])
    a = np.array([1 + alpha / amplitude, -2 * np.cos(w0), 1 - alpha / amplitude])
    return np.asarray(np.concatenate([b, a])[None, :] / a[0])


def shelf(kind: str, frequency_hz: float, gain_db: float, sample_rate: int) -> Sos:
    """Return a "low" or "high" shelf of slope 1 (R. Bristow-Johnson, Audio EQ Cookbook)."""
    w0 = 2 * np.pi * min(frequency_hz, 0.45 * sample_rate) / sample_rate
    amplitude = 10 ** (gain_db / 40)
    cosine, root = np.cos(w0) * (-1 if kind == "high" else 1), np.sqrt(2 * amplitude) * np.sin(w0)
    sign = -1 if kind == "high" else 1
    up, down = amplitude + 1, amplitude - 1
    b = amplitude * np.array(
        [up - down * cosine + root, sign * 2 * (down - up * cosine), up - down * cosine - root]
    )
    a = np.array([up + down * cosine + root, sign * -2 * (down + up * cosine), up + down * cosine - root])
    return np.asarray(np.concatenate([b, a])[None, :] / a[0])


def cascade(sections: Sequence[Sos | None]) -> Sos:
    """Join filters into one; the ones that are None are left out."""
    kept = [sos for sos in sections if sos is not None]
    return np.concatenate(kept) if kept else np.array([[1.0, 0, 0, 1, 0, 0]])


class SoftClip:
    """Soft clipping x / sqrt(1 + x^2) with first-order antiderivative anti-aliasing.

    The mean of the curve between two samples has the closed form (x1 + x0) / (sqrt(1 + x1^2) + sqrt(1 +
    x0^2)), so no division by a vanishing difference arises (after J. Parker et al., "Reducing the aliasing of
    nonlinear waveshaping using continuous-time convolution", DAFx-16). `bias` makes it asymmetric, which adds
    even harmonics.
    """

    def __init__(self, gain: float, bias: float = 0.0) -> None:
        self._gain, self._bias = np.float32(gain), np.float32(bias)
        self._rest = np.float32(bias / np.sqrt(1 + bias * bias))
        self._last: Samples | None = None

    def __call__(self, block: Samples, _start: int = 0) -> Samples:
        """Shape a block."""
        x = np.empty((block.shape[0], block.shape[1] + 1), dtype=np.float32)
        x[:, :1] = self._bias if self._last is None else self._last
        np.multiply(block, self._gain, out=x[:, 1:])
        if self._bias:
            x[:, 1:] += self._bias
        self._last = x[:, -1:].copy()
        root = x * x
        root += 1
        np.sqrt(root, out=root)
        shaped: Samples = x[:, 1:] + x[:, :-1]
        shaped /= root[:, 1:] + root[:, :-1]
        if self._rest:
            shaped -= self._rest
        return shaped


class Convolver:
    """Convolution of a mono stream with a stereo impulse response, by overlap-add.

    A block is cut into rows that are transformed together: FFTs of four rows and more use the processor's
    vectors, and take less than half the time. A response longer than a row is cut into parts of a row's
    length. All blocks but the last must hold the same whole number of rows, or be a row themselves.
    """

    def __init__(self, response: Samples) -> None:
        self._response = response
        self._tail = np.zeros((2, 0), dtype=np.float32)
        self._row_frames = 0

    def _prepare(self, frames: int) -> None:
        self._row_frames = min(frames, _ROW_FRAMES)
        length = self._response.shape[1]
        count = -(-length // self._row_frames)
        size = fast_length(self._row_frames + min(length, self._row_frames))
        parts = np.zeros((2, count, size), dtype=np.float32)
        for number in range(count):
            piece = self._response[:, number * self._row_frames : (number + 1) * self._row_frames]
            parts[:, number, : piece.shape[1]] = piece
        self._size = size
        self._parts = rfft(parts)
        self._heard: list[NDArray[np.complex64] | None] = [None] * (count - 1)
        self._tail = np.zeros((2, size - self._row_frames), dtype=np.float32)

    def __call__(self, mono: Samples) -> Samples:
        """Convolve one channel (frames,) with both responses; returns (2, frames)."""
        frames = mono.shape[0]
        if not self._row_frames:
            self._prepare(frames)
        row, past = self._row_frames, len(self._heard)
        count = -(-frames // row)
        if frames < count * row:
            mono = np.concatenate([mono, np.zeros(count * row - frames, dtype=np.float32)])
        rows = np.ascontiguousarray(mono, dtype=np.float32).reshape(count, row)
        spectra = padded_rfft(rows, self._size)
        line = [*self._heard, *(spectra[n] if rows[n].any() else None for n in range(count))]
        self._heard = line[count:]
        out = np.zeros((2, count * row + self._tail.shape[1]), dtype=np.float32)
        out[:, : self._tail.shape[1]] = self._tail
        if any(each is not None for each in line):
            answers = np.zeros((2, count, spectra.shape[1]), dtype=np.complex64)
            for place in range(count):
                for number in range(past + 1):
                    source = line[past + place - number]
                    if source is not None:
                        answers[:, place] += source * self._parts[:, number]
            answered = irfft(answers, self._size)
            for place in range(count):
                out[:, place * row : place * row + self._size] += answered[:, place]
        self._tail = out[:, count * row :].copy()
        return out[:, :frames]


class MovingDelay:
    """A delay whose time moves, read with linear interpolation; `most_s` is the longest delay."""

    def __init__(self, most_s: float, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._past = int(most_s * sample_rate) + 4
        self._history: Samples | None = None

    def __call__(self, block: Samples, delays_s: NDArray[np.float64]) -> Samples:
        """Delay the block by `delays_s`, in seconds at every `_CONTROL_FRAMES` frames, see `control`.

        Shape (1, points), the same for all channels, or (channels, points).
        """
        frames, past = block.shape[1], self._past
        if self._history is None:
            self._history = np.zeros((block.shape[0], past), dtype=np.float32)
        line = np.concatenate([self._history, block], axis=1)
        self._history = line[:, -past:].copy()
        out = np.empty_like(block)
        for channel, samples in enumerate(line):
            if channel < len(delays_s):
                # The delay in whole frames and a share, in float32: it is short, so nothing is lost.
                delay = spread(delays_s[channel] * self._sample_rate, frames)
                whole = np.ceil(delay)
                share = whole - delay
                index = np.arange(past, past + frames, dtype=np.int64)
                index -= whole.astype(np.int64)
            early = samples.take(index, mode="clip")
            index += 1
            late = samples.take(index, mode="clip")
            index -= 1
            late -= early
            late *= share
            np.add(early, late, out=out[channel])
        return out


def two_sides(block: Samples) -> Samples:
    """Return the block in two channels: one channel twice."""
    return np.broadcast_to(block, (2, block.shape[1]))


def control(start_frame: int, frames: int, sample_rate: int) -> NDArray[np.float64]:
    """Return the times in seconds at which slow curves are computed for a block: every 32 frames, ends included."""
    points = np.arange(0, frames + _CONTROL_FRAMES, _CONTROL_FRAMES, dtype=np.float64)
    return (start_frame + points) / sample_rate


def spread(values: NDArray[np.float64], frames: int) -> Samples:
    """Interpolate values given at `control` times to every frame of the block."""
    steps = np.arange(_CONTROL_FRAMES, dtype=np.float32) / np.float32(_CONTROL_FRAMES)
    low = values[:-1, None].astype(np.float32)
    full = low + np.diff(values)[:, None].astype(np.float32) * steps
    return full.reshape(-1)[:frames]
