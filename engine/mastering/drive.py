"""What happens before the limiter: gain, glue, leveller and saturation, for any stretch on demand.

Glue is a slow compressor on the whole mix: a soft-kneed 1.x : 1 above the song's own loudness, moving over a
third of a second, the same for all channels. Saturation bends the tops of peaks: above a knee t the magnitude
u becomes t + v / (1 + v / k), v = u - t, so that the first decibels over the ceiling cost the limiter less.
It is computed at four times the rate as a correction to the signal, non-zero only where a peak passes the
knee, and brought back through the same low-pass as the interpolation, so that what aliases is the little that
the filter lets through.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engine.audio.buffer import Audio, Samples
from engine.loudness.meter import HOPS_PER_S, lufs
from engine.loudness.truepeak import HOP_FRAMES, HOPS_AT_ONCE, interpolation_matrix
from engine.mastering.limiter import Nepers, leveller_curve, needed_reduction, ramped
from engine.mastering.sliding import largest_of, sliding_mean

MERGED_HOPS = 4
"""Hops of 8 frames that count as one where time need not be so fine: 0.7 ms at 44.1 kHz."""
MARGIN_HOPS = 4
"""What saturation looks at on either side of a stretch."""
KNEE = 0.8
"""Where saturation begins, relative to the ceiling."""
SUSTAINED_BEND = 0.2
"""How far above the ceiling the leveller leaves dense passages to full saturation: it bends them by 0.8 dB."""
NEPERS_PER_DB = 0.11512925464970229
GLUE_ABOVE_LU, GLUE_KNEE_LU = 0.0, 6.0
GLUE_LEVEL_HOPS, GLUE_MOVE_HOPS = 20, 35


def saturated(peaks: NDArray[np.float32], knee: float, softness: float) -> NDArray[np.float32]:
    """Return what saturation makes of magnitudes: the same up to `knee`, at most `knee + softness` above."""
    over = np.maximum(peaks - np.float32(knee), np.float32(0.0))
    bent: NDArray[np.float32] = peaks - over * over / (over + np.float32(softness))
    return bent


def glue_curve(
    hop_energies: NDArray[np.float64], integrated_lufs: float, ratio: float, sample_rate: int
) -> NDArray[np.float64]:
    """Return the glue's gain in dB (0 or negative) in every 10 ms hop."""
    if ratio <= 1.0 or not len(hop_energies) or not np.isfinite(integrated_lufs):
        return np.zeros(len(hop_energies))
    energies = sliding_mean(hop_energies, GLUE_LEVEL_HOPS)
    level = lufs(np.maximum(energies, 0.0) * HOPS_PER_S / sample_rate)
    over = np.maximum(level, integrated_lufs - 40.0) - integrated_lufs - GLUE_ABOVE_LU
    half = GLUE_KNEE_LU / 2.0
    kneed = np.where(over > half, over, np.square(np.maximum(over + half, 0.0)) / (2.0 * GLUE_KNEE_LU))
    window = np.hanning(2 * GLUE_MOVE_HOPS + 1)
    padded = np.pad(kneed * (1.0 / ratio - 1.0), GLUE_MOVE_HOPS, mode="edge")
    return np.convolve(padded, window / window.sum(), mode="valid")


@dataclass(slots=True, eq=False)
class Drive:
    """Gain, glue, leveller and saturation of one song; `samples_between` renders any stretch of hops."""

    audio: Audio
    glue_db: NDArray[np.float64]
    hop_peaks: NDArray[np.float32]
    ceiling: float
    saturation: float
    gain_db: float = 0.0
    level: Nepers = field(default_factory=lambda: np.zeros(1, dtype=np.float32))

    def hop_gains(self, first_hop: int, last_hop: int) -> NDArray[np.float32]:
        """Return the linear gain at the start of each hop of 8 frames from `first_hop` through `last_hop`."""
        gain = np.full(last_hop - first_hop + 1, self.gain_db)
        if self.glue_db.any():
            position = np.arange(first_hop, last_hop + 1) * (HOP_FRAMES * HOPS_PER_S / self.audio.sample_rate)
            start = min(max(0, int(position[0]) - 1), len(self.glue_db) - 1)
            glue = self.glue_db[start : int(position[-1]) + 2]
            gain += np.interp(position - 0.5 - start, np.arange(len(glue)), glue)
        linear: NDArray[np.float32] = np.exp(gain.astype(np.float32) * np.float32(NEPERS_PER_DB))
        if self.level.any():
            start = first_hop // MERGED_HOPS
            level = self.level[start : last_hop // MERGED_HOPS + 2]
            at_hops = np.append(ramped(level, MERGED_HOPS), level[-1:])[first_hop - start * MERGED_HOPS :]
            count = min(len(linear), len(at_hops))  # the last hops may lie behind the last edge
            linear[:count] *= np.exp(-at_hops[:count])
            linear[count:] *= np.exp(-level[-1])
        return linear

    def set_gain(self, gain_db: float) -> None:
        """Drive with `gain_db`, and let the leveller take what dense passages then need."""
        self.gain_db, self.level = 0.0, np.zeros(1, dtype=np.float32)
        peaks = self.glued_peaks()
        self.gain_db = gain_db
        self.level = self.level_at(peaks * np.float32(10.0 ** (gain_db / 20.0)))

    def level_at(self, merged_peaks: NDArray[np.float32]) -> Nepers:
        """Return the leveller's curve for driven peaks of every `MERGED_HOPS` hops."""
        bendable = self.ceiling * (1.0 + SUSTAINED_BEND * self.saturation)
        needed = needed_reduction(merged_peaks, bendable)
        return leveller_curve(needed, self.audio.sample_rate, hop_frames=HOP_FRAMES * MERGED_HOPS)

    def glued_peaks(self) -> NDArray[np.float32]:
        """Return the largest true peak after glue, before any other gain, in every `MERGED_HOPS` hops."""
        merged = largest_of(self.hop_peaks, MERGED_HOPS)
        if self.glue_db.any():
            per_10ms = MERGED_HOPS * HOP_FRAMES * HOPS_PER_S / self.audio.sample_rate
            position = np.arange(len(merged)) * per_10ms
            glue = np.interp(position - 0.5, np.arange(len(self.glue_db)), self.glue_db)
            merged *= np.power(10.0, glue / 20.0).astype(np.float32)
        return merged

    def driven_peaks(self, first_hop: int, last_hop: int) -> NDArray[np.float32]:
        """Return each hop's true peak after gain and glue, before saturation."""
        gains = self.hop_gains(first_hop, last_hop)
        driven: NDArray[np.float32] = self.hop_peaks[first_hop:last_hop] * np.maximum(gains[:-1], gains[1:])
        return driven

    def expected_peaks(self, driven: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what saturation leaves of driven peaks, as its curve has it."""
        return saturated(driven, self.knee, self.softness) if self.saturation > 0.0 else driven

    @property
    def knee(self) -> float:
        """Magnitude at which saturation begins."""
        return KNEE * self.ceiling

    @property
    def softness(self) -> float:
        """Magnitude above the knee that saturation never passes."""
        return self.ceiling / max(self.saturation, 1e-6)

    def samples_between(
        self, first_hop: int, last_hop: int, around: tuple[Samples, Samples] | None = None
    ) -> Samples:
        """Return the driven samples (channels, frames) of the hops from `first_hop` up to `last_hop`.

        `around` is what lies in the `MARGIN_HOPS` before and behind them, where the song no longer holds it.
        """
        if self.saturation <= 0.0:
            samples = self.audio.samples[:, first_hop * HOP_FRAMES : last_hop * HOP_FRAMES].copy()
            self._gain(samples, first_hop, last_hop)
            return samples
        # The interpolator reaches 6 frames (up to 24 at high rates) past a hop: render a margin and cut it off.
        start, end = max(0, first_hop - MARGIN_HOPS), min(len(self.hop_peaks), last_hop + MARGIN_HOPS)
        if around is None:
            samples = self.audio.samples[:, start * HOP_FRAMES : end * HOP_FRAMES].copy()
        else:
            own = self.audio.samples[:, first_hop * HOP_FRAMES : last_hop * HOP_FRAMES]
            samples = np.concatenate((around[0], own, around[1]), axis=1)
        self._gain(samples, start, end)
        hot = np.flatnonzero(self.driven_peaks(start, end) > self.knee)
        if len(hot):
            matrix, context = interpolation_matrix(self.audio.sample_rate)
            for channel in samples:
                _saturate(channel, hot, matrix, context, self.knee, self.softness)
        offset = (first_hop - start) * HOP_FRAMES
        return samples[:, offset : offset + (last_hop - first_hop) * HOP_FRAMES]

    def _gain(self, samples: Samples, first_hop: int, last_hop: int) -> None:
        """Turn the samples of these hops up or down in place, by everything but saturation."""
        edges = self.hop_gains(first_hop, last_hop)
        if (edges == edges[0]).all():
            samples *= edges[0]
        else:
            samples *= ramped(edges)[: samples.shape[1]]


def _saturate(
    channel: NDArray[np.float32],
    hot: NDArray[np.intp],
    matrix: NDArray[np.float32],
    context: int,
    knee: float,
    softness: float,
) -> None:
    """Saturate the `hot` hops of one channel in place.

    `matrix` (factor * 8, 8 + 2 * context) interpolates a hop from its frames and their context; its transpose
    over the factor takes corrections back to the original rate, and overlapping hops add up.
    """
    factor, width = len(matrix) // HOP_FRAMES, matrix.shape[1]
    own = slice(context, context + len(channel))
    padded = np.zeros(-(-len(channel) // HOP_FRAMES) * HOP_FRAMES + 2 * context, dtype=np.float32)
    padded[own] = channel
    corrected = padded.copy()
    heard = sliding_window_view(padded, width)[::HOP_FRAMES]
    mended = sliding_window_view(corrected, width, writeable=True)[::HOP_FRAMES]
    back = matrix / np.float32(factor)
    apart = -(-width // HOP_FRAMES)  # hops so far from each other have no frame in common
    for turn in range(apart):
        hops = hot[hot % apart == turn]
        for start in range(0, len(hops), HOPS_AT_ONCE):
            some = hops[start : start + HOPS_AT_ONCE]
            fine = heard[some] @ matrix.T
            over = np.abs(fine)
            over -= np.float32(knee)
            np.maximum(over, np.float32(0.0), out=over)
            bent = over + np.float32(softness)
            over *= over
            over /= bent
            mended[some] -= np.copysign(over, fine, out=over) @ back
    channel[:] = corrected[own]
