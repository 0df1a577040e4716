"""What MusicGen's melody models hear of a recording: which pitch class is strongest, 7.8 times a second.

The definition is that of the released models (Copet et al., "Simple and Controllable Music Generation", 2023,
section 2.3; `MusicgenMelodyFeatureExtractor` in transformers): at 32 kHz in mono, the power of a Hann-windowed Fourier
transform of 16384 samples every 4096, frame k centred on sample 4096 k, mirrored at both ends; gathered into twelve
pitch classes, C first, by Ellis's chroma filters (tuned to A4 = 440 Hz, weighted around octave 5 with a width of 2);
and of the twelve only the largest is kept, as 1. Here it is computed by scipy alone, without torchaudio.

A frame may be centred anywhere, so that the melody of one timeline can be read on another: `chroma_at` takes the
moments, and hears around each what the recording has there.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio, Samples
from engine.progress import SILENT, Monitor

RATE = 32000
WINDOW = 16384
HOP = 4096
HOP_S = HOP / RATE
PITCH_CLASSES = 12
OCTAVE_0_HZ = 440.0 / 16.0
CENTRE_OCTAVE, OCTAVES_WIDE = 5.0, 2.0
_BLOCK_FRAMES = 64

Chroma = NDArray[np.float32]
"""One row a frame: shape (frames, 12), C first; exactly one 1 in each row."""


def frames_for(duration_s: float) -> int:
    """Return how many chroma frames so many seconds have: one at 0, then one every `HOP_S`."""
    return 1 + int(duration_s * RATE + 0.5) // HOP


def as_heard(audio: Audio, monitor: Monitor = SILENT) -> NDArray[np.float32]:
    """Return `audio` as the melody models hear it: mono, 32 kHz, float32 of shape (frames,)."""
    from engine.audio.resampling import resample

    mono = Audio(audio.mono()[None, :], audio.sample_rate)
    heard: NDArray[np.float32] = resample(mono, RATE, monitor=monitor).samples[0]
    return heard


def chroma(mono: NDArray[np.float32], monitor: Monitor = SILENT) -> Chroma:
    """Return the chroma of a whole recording: `mono` float32 (frames,) at 32 kHz."""
    count = 1 + max(mono.size, WINDOW) // HOP
    return chroma_at(mono, np.arange(count, dtype=np.float64) * HOP_S, monitor)


def chroma_at(mono: NDArray[np.float32], moments_s: NDArray[np.float64], monitor: Monitor = SILENT) -> Chroma:
    """Return the chroma of `mono` (32 kHz) around each of `moments_s` (seconds, any order): shape (moments, 12).

    Before the start and after the end the recording is mirrored, as in the reference.
    """
    weights = pitch_class_weights(mono, moments_s, monitor)
    strongest = np.zeros_like(weights)
    strongest[np.arange(len(weights)), weights.argmax(axis=1)] = 1.0
    return strongest


def pitch_class_weights(
    mono: NDArray[np.float32], moments_s: NDArray[np.float64], monitor: Monitor = SILENT
) -> NDArray[np.float32]:
    """Return how much of each pitch class sounds around each moment, the strongest as 1: shape (moments, 12)."""
    from scipy.fft import rfft

    heard = _mirrored(_long_enough(mono))
    starts = np.rint(np.asarray(moments_s) * RATE).astype(np.int64)
    starts = np.clip(starts, 0, heard.size - WINDOW)
    window = _hann()
    filters = _filters()
    weights = np.empty((len(starts), PITCH_CLASSES), np.float32)
    for first in range(0, len(starts), _BLOCK_FRAMES):
        monitor.report(first / len(starts))
        rows = starts[first : first + _BLOCK_FRAMES]
        frames = np.stack([heard[start : start + WINDOW] for start in rows])
        spectrum = rfft(frames * window, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        weights[first : first + len(rows)] = power @ filters
    monitor.report(1.0)
    largest = weights.max(axis=1, keepdims=True, initial=0.0)
    normalised: NDArray[np.float32] = weights / np.maximum(largest, np.float32(1e-6) * _window_power())
    return normalised


def _long_enough(mono: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is shorter than one window is padded with zeros on both sides."""
    missing = max(0, WINDOW - mono.size)
    return np.pad(mono, (missing // 2, missing - missing // 2))


def _mirrored(mono: Samples) -> NDArray[np.float32]:
    return np.pad(mono, WINDOW // 2, mode="reflect")


@lru_cache(maxsize=1)
def _hann() -> NDArray[np.float32]:
    """The periodic Hann window."""
    window: NDArray[np.float32] = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    return window


def _window_power() -> np.float32:
    """The reference divides power by this; it matters to near-silence alone."""
    return np.float32(np.sum(_hann().astype(np.float64) ** 2))


@lru_cache(maxsize=1)
def _filters() -> NDArray[np.float32]:
    """How much each bin of the spectrum counts for each pitch class, shape (bins, 12), C first.

    Ellis's filters ("Chroma feature analysis and synthesis", 2007): a bin belongs to the pitch classes within about its
    own width, at least half a semitone each side, with weights of norm 1; bins count by how near octave 5 they lie.
    """
    bins_hz = np.arange(1, WINDOW) * (RATE / WINDOW)
    semitones = PITCH_CLASSES * np.log2(bins_hz / OCTAVE_0_HZ)
    semitones = np.concatenate(([semitones[0] - 1.5 * PITCH_CLASSES], semitones))
    width = np.append(np.maximum(np.diff(semitones), 1.0), 1.0)
    half = PITCH_CLASSES // 2
    distance = (semitones[:, None] - np.arange(PITCH_CLASSES) + half) % PITCH_CLASSES - half
    weights = np.exp(-0.5 * (2.0 * distance / width[:, None]) ** 2)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    octave = semitones[:, None] / PITCH_CLASSES
    weights *= np.exp(-0.5 * ((octave - CENTRE_OCTAVE) / OCTAVES_WIDE) ** 2)
    from_a_to_c = np.roll(weights, -3, axis=1)
    return np.ascontiguousarray(from_a_to_c[: WINDOW // 2 + 1], dtype=np.float32)
