"""Spectra on a pitch axis: the energy of a waveform in each third of a semitone, averaged over each beat.

Used by chroma and chords. The waveform is brought to 11.025 kHz; a Hann window of 4096 samples (0.37 s) tells
semitones apart from about 150 Hz upwards (below, notes are told apart by their harmonics: see `notes`). The
pitch axis has three bins a semitone, so that the middle bin of three is the note itself once the tuning is
known. In each frame the running mean over an octave is taken off, which removes drums and hiss (broad) and
leaves tones (narrow).

Source of the front end: Mauch and Dixon, "Approximate note transcription for the improved identification of
difficult chords", ISMIR 2010 (section 2). Work goes in blocks, so that memory grows with the number of beats
and not of frames.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import scipy.fft
import scipy.ndimage
import scipy.sparse
from numpy.typing import NDArray

from engine.progress import SILENT, Monitor

Floats = NDArray[np.float64]
Samples = NDArray[np.float32]

RATE = 11025
WINDOW_FRAMES = 4096
HOP_FRAMES = 512
BINS_PER_SEMITONE = 3
LOWEST_PITCH, HIGHEST_PITCH = 26, 104  # MIDI numbers at the ends of the pitch axis
PITCH_BINS = (HIGHEST_PITCH - LOWEST_PITCH) * BINS_PER_SEMITONE + 1
_BIN_HZ = RATE / WINDOW_FRAMES
_BLOCK = 512  # spectra worked on at a time
_BACKGROUND_BINS = 12 * BINS_PER_SEMITONE + 1


def bin_pitches() -> Floats:
    """Return the MIDI pitch (with fractions) at the centre of each bin of the axis, shape (PITCH_BINS,)."""
    return np.asarray(LOWEST_PITCH + np.arange(PITCH_BINS) / BINS_PER_SEMITONE)


def pitch_to_hz(pitch: Floats, tuning_cents: float = 0.0) -> Floats:
    """Return the frequency in Hz of MIDI pitches, where A4 (69) is 440 Hz raised by `tuning_cents`."""
    return np.asarray(440.0 * 2.0 ** ((pitch - 69.0 + tuning_cents / 100.0) / 12.0))


@lru_cache(maxsize=16)
def pitch_mapping(tuning_cents: float) -> scipy.sparse.csr_matrix:
    """Return the sparse matrix (PITCH_BINS, WINDOW_FRAMES // 2 + 1) from a magnitude spectrum to the pitch axis.

    Each row is a triangle around the bin's frequency, as wide as the distance to its neighbours but no
    narrower than a spectral bin, with weights that sum to one.
    """
    centres = pitch_to_hz(bin_pitches(), tuning_cents)
    width = np.maximum(centres * (2.0 ** (1.0 / (12 * BINS_PER_SEMITONE)) - 1.0), _BIN_HZ)
    spectrum_hz = np.arange(WINDOW_FRAMES // 2 + 1) * _BIN_HZ
    weights = np.maximum(0.0, 1.0 - np.abs(spectrum_hz[None, :] - centres[:, None]) / width[:, None])
    weights /= weights.sum(axis=1, keepdims=True)
    return scipy.sparse.csr_matrix(weights.astype(np.float32))


def without_background(spectra: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return spectra (…, PITCH_BINS) less their running mean over an octave, clipped at zero."""
    mean = scipy.ndimage.uniform_filter1d(spectra, _BACKGROUND_BINS, axis=-1, mode="nearest")
    tonal: NDArray[np.floating] = np.maximum(spectra - mean, 0)
    return tonal


def magnitude_blocks(
    mono: Samples, hop_frames: int = HOP_FRAMES, *, monitor: Monitor = SILENT
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield (index of the first frame, magnitudes (frames, WINDOW_FRAMES // 2 + 1)) of a waveform at `RATE`.

    Frame k is centred on sample k * hop_frames; the waveform is taken as zero outside. A full-scale sine has
    a magnitude of one.
    """
    window = hann(WINDOW_FRAMES)
    window *= np.float32(2.0 / window.sum())
    count = len(mono) // hop_frames + 1
    half = WINDOW_FRAMES // 2
    for first in range(0, count, _BLOCK):
        last = min(count, first + _BLOCK)
        start, end = first * hop_frames - half, (last - 1) * hop_frames + half
        piece = np.zeros(end - start, dtype=np.float32)
        inside = mono[max(0, start) : max(0, end)]
        piece[max(0, -start) : max(0, -start) + len(inside)] = inside
        frames = np.lib.stride_tricks.sliding_window_view(piece, WINDOW_FRAMES)[::hop_frames]
        spectrum = scipy.fft.rfft(frames * window, axis=1)
        yield first, np.abs(spectrum).astype(np.float32, copy=False)
        monitor.report(last / count)


def hann(length: int) -> NDArray[np.float32]:
    """Return a periodic Hann window, float32 of shape (length,)."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)


def beat_pitch_spectra(
    mono: Samples, edges_s: Floats, tuning_cents: float, *, monitor: Monitor = SILENT
) -> tuple[Floats, Floats]:
    """Return the tonal pitch spectrum of each interval and its share of tone.

    Args:
        mono: waveform at `RATE`, shape (frames,).
        edges_s: borders of the n intervals, shape (n + 1,), ascending.
        tuning_cents: tuning that the pitch axis is laid at.
        monitor: progress.

    Returns:
        spectra (n, PITCH_BINS) without background, and (n,) the part of the magnitude that stood out of it, 0 to 1.
    """
    count = len(edges_s) - 1
    sums = np.zeros((count, PITCH_BINS))
    whole = np.zeros(count)
    frames_in = np.zeros(count)
    mapping = pitch_mapping(round(tuning_cents, 2))
    lonely = _intervals_without_frames(edges_s)
    for first, magnitude in magnitude_blocks(mono, monitor=monitor):
        pitched = (mapping @ magnitude.T).T
        tonal = without_background(pitched)
        centres = (first + np.arange(len(pitched))) * (HOP_FRAMES / RATE)
        owner = np.searchsorted(edges_s, centres, side="right") - 1
        inside = np.flatnonzero((owner >= 0) & (owner < count))
        if len(inside):
            starts = np.flatnonzero(np.r_[True, np.diff(owner[inside]) > 0])
            at = owner[inside][starts]
            sums[at] += np.add.reduceat(tonal[inside], starts, axis=0)
            whole[at] += np.add.reduceat(pitched[inside].sum(axis=1), starts)
            frames_in[at] += np.add.reduceat(np.ones(len(inside)), starts)
        for interval, frame in lonely.items():
            if first <= frame < first + len(pitched):
                sums[interval], whole[interval], frames_in[interval] = (
                    tonal[frame - first],
                    pitched[frame - first].sum(),
                    1,
                )
    share = sums.sum(axis=1) / np.maximum(whole, 1e-12)
    return sums / np.maximum(frames_in, 1)[:, None], share


def _intervals_without_frames(edges_s: Floats) -> dict[int, int]:
    """Return, for each interval too short to hold the centre of a frame, the frame nearest to its middle."""
    hop_s = HOP_FRAMES / RATE
    first = np.ceil(edges_s[:-1] / hop_s)
    empty = np.flatnonzero(first * hop_s >= edges_s[1:])
    middles = (edges_s[:-1] + edges_s[1:]) / 2
    return {int(k): round(float(middles[k] / hop_s)) for k in empty}
