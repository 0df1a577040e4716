"""`LoudnessMeter`: BS.1770-4 loudness of a stream, in blocks of any size.

The K-weighted energy is kept per 10 ms hop (that is all that is kept: 800 bytes a second), and every quantity
is derived from those hops: momentary windows of 40 hops, short-term windows of 300, gating blocks of 40 hops
every 10. Maxima are taken over windows at every hop, since a 400 ms burst between two 100 ms polls reads 0.45
LU low (Tech 3341 case 13). Where 10 ms is no whole number of frames (11.025 and 22.05 kHz), hop edges are
rounded to the nearest frame.

A signal shorter than a window is measured over its own length, as one window.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.audio.recursive import sosfilt
from engine.loudness.energies import HOPS_PER_S as HOPS_PER_S
from engine.loudness.energies import hop_is_whole, weighted_energies
from engine.loudness.weighting import channel_weights, k_weighting_sos

MOMENTARY_HOPS, SHORT_TERM_HOPS, GATING_STEP_HOPS = 40, 300, 10
ABSOLUTE_GATE_LUFS, RELATIVE_GATE_LU, RANGE_GATE_LU = -70.0, -10.0, -20.0
RANGE_PERCENTILES = (0.10, 0.95)
OFFSET_LUFS = -0.691

BLOCK_S = 3.0
"""Longest stretch filtered at once: short enough that a decaying filter never reaches denormal numbers."""
NEGLIGIBLE_STATE = 1e-30
RUNNING_SUM_DUST = 1e-15


def lufs(energy: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return the loudness in LUFS of mean weighted energies; zero gives -inf."""
    with np.errstate(divide="ignore"):
        loudness: NDArray[np.float64] = OFFSET_LUFS + 10.0 * np.log10(np.asarray(energy, dtype=np.float64))
    return loudness


def energy_of_lufs(loudness_lufs: float) -> float:
    """Return the mean weighted energy of a loudness."""
    return float(10.0 ** ((loudness_lufs - OFFSET_LUFS) / 10.0))


class LoudnessMeter:
    """Loudness of the samples added so far; results may be asked for at any time, and more added after."""

    def __init__(self, channels: int, sample_rate: int) -> None:
        """Start a meter for `channels` channels at `sample_rate` Hz."""
        self.channels = channels
        self.sample_rate = sample_rate
        self._sos = k_weighting_sos(sample_rate)
        self._hop_frames = sample_rate // HOPS_PER_S if hop_is_whole(sample_rate) else 0
        self._weights = channel_weights(channels)
        self._state = np.zeros((channels, 2 * len(self._sos)))
        self._hops: list[NDArray[np.float64]] = []
        self._partial = 0.0
        self._frames = 0

    @classmethod
    def of_energies(
        cls, channels: int, sample_rate: int, energies: NDArray[np.float64], partial: float, frames: int
    ) -> LoudnessMeter:
        """Return a meter that has heard `frames` frames of these energies per hop, the last hop in part.

        It is for reading: samples that are added count as if silence had been before them.
        """
        meter = cls(channels, sample_rate)
        meter._hops, meter._partial, meter._frames = [energies], partial, frames
        return meter

    def scaled(self, gain: float) -> LoudnessMeter:
        """Return a meter that has heard the same, louder by a (linear) gain."""
        return self.of_energies(
            self.channels,
            self.sample_rate,
            self.hop_energies() * gain**2,
            self._partial * gain**2,
            self._frames,
        )

    def spread(self, channels: int) -> LoudnessMeter:
        """Return a meter of `channels` channels that have all heard what the only channel of this one has."""
        share = float(channel_weights(channels).sum())
        meter = self.of_energies(
            channels, self.sample_rate, self.hop_energies() * share, self._partial * share, self._frames
        )
        meter._state = np.repeat(self._state[:1], channels, axis=0)
        return meter

    @property
    def partial_energy(self) -> float:
        """Energy in the hop that has begun."""
        return self._partial

    def add(self, samples: NDArray[np.floating]) -> None:
        """Add samples of shape (channels, frames)."""
        step = max(1, int(BLOCK_S * self.sample_rate))
        for start in range(0, samples.shape[1], step):
            self._add_block(samples[:, start : start + step])

    def _add_block(self, block: NDArray[np.floating]) -> None:
        self._state[np.abs(self._state) < NEGLIGIBLE_STATE] = 0.0
        if not (self._state.any() or block.any()):
            self.add_silence(block.shape[1])
            return
        before, hops = self._whole_hops(block.shape[1])
        behind = before + hops * self._hop_frames
        self._filter(block[:, :before])
        if hops:
            energies, self._state = weighted_energies(block[:, before:behind], self.sample_rate, self._state)
            self._hops.append(self._weights @ energies)
            self._frames += behind - before
        self._filter(block[:, behind:])

    def _whole_hops(self, frames: int) -> tuple[int, int]:
        """Return how many of the next frames complete a hop that has begun, and how many whole hops follow."""
        if not self._hop_frames:
            return frames, 0
        before = -self._frames % self._hop_frames
        return (before, (frames - before) // self._hop_frames) if before < frames else (frames, 0)

    def _filter(self, block: NDArray[np.floating]) -> None:
        """Add samples that are no whole hops, one by one."""
        if block.shape[1]:
            weighted, self._state = sosfilt(self._sos, block.astype(np.float64, copy=False), self._state)
            self.add_weighted(weighted)

    def add_weighted(self, weighted: NDArray[np.floating]) -> None:
        """Add samples (channels, frames) that are K-weighted already; they are overwritten."""
        np.square(weighted, out=weighted)
        energy = weighted[0]
        if self._weights[0] != 1.0:
            energy = energy * self._weights[0]
        for weight, channel in zip(self._weights[1:], weighted[1:], strict=True):
            if weight != 1.0:
                channel *= weight
            energy += channel
        self._add_energy(energy)

    def add_silence(self, frames: int) -> None:
        """Add that many frames of silence, as K-weighting has them."""
        self._add_energy(np.zeros(frames))

    def _add_energy(self, energy: NDArray[np.floating]) -> None:
        start, end = self._frames, self._frames + len(energy)
        first, last = (frame * HOPS_PER_S // self.sample_rate for frame in (start, end))
        edges = hop_edges(np.arange(max(0, first - 1), last + 3), self.sample_rate)
        complete = int(np.count_nonzero((edges > start) & (edges <= end)))
        sums = np.add.reduceat(
            energy, np.append(0, edges[(edges > start) & (edges < end)] - start), dtype=np.float64
        )
        sums[0] += self._partial
        self._partial = float(sums[-1]) if len(sums) > complete else 0.0
        self._hops.append(sums[:complete])
        self._frames = end

    def hop_energies(self) -> NDArray[np.float64]:
        """Return the sum of weighted squares in each whole 10 ms hop."""
        if len(self._hops) > 1:
            self._hops = [np.concatenate(self._hops)]
        return self._hops[0] if self._hops else np.zeros(0)

    def window_energies(self, hops: int) -> NDArray[np.float64]:
        """Return the mean weighted energy of every window of `hops` hops, one window per hop.

        A signal that is shorter than the window gives one value, over its own length; an empty one gives
        none.
        """
        energies = self.hop_energies()
        if len(energies) < hops:
            total = float(energies.sum()) + self._partial
            return np.array([total / self._frames]) if self._frames else np.zeros(0)
        return sliding_means(energies, hops, self.sample_rate)

    @property
    def integrated_lufs(self) -> float:
        """Integrated loudness: the mean of the 400 ms blocks that pass the absolute and the relative gate."""
        return gated_loudness(self.window_energies(MOMENTARY_HOPS)[::GATING_STEP_HOPS])

    @property
    def momentary_max_lufs(self) -> float:
        """Loudness of the loudest 400 ms."""
        return float(lufs(self.window_energies(MOMENTARY_HOPS).max(initial=0.0)))

    @property
    def short_term_max_lufs(self) -> float:
        """Loudness of the loudest 3 s."""
        return float(lufs(self.window_energies(SHORT_TERM_HOPS).max(initial=0.0)))

    @property
    def range_lu(self) -> float:
        """Loudness range (LRA) by Tech 3342; 0 where there are fewer than two windows above the gate."""
        return loudness_range(self.window_energies(SHORT_TERM_HOPS)[::GATING_STEP_HOPS])


def loudness_range(window_energies: NDArray[np.float64]) -> float:
    """Return the loudness range in LU of short-term windows (mean energies of 3 s, every 100 ms)."""
    energies = window_energies[window_energies >= energy_of_lufs(ABSOLUTE_GATE_LUFS)]
    if len(energies) < 2:
        return 0.0
    gate = energies.mean() * 10.0 ** (RANGE_GATE_LU / 10.0)
    kept = np.sort(energies[energies >= gate])
    low, high = (kept[round((len(kept) - 1) * share)] for share in RANGE_PERCENTILES)
    return float(lufs(high) - lufs(low))


def gated_loudness(block_energies: NDArray[np.float64]) -> float:
    """Return the integrated loudness in LUFS of gating blocks (mean energies of 400 ms, every 100 ms)."""
    loud = block_energies[block_energies >= energy_of_lufs(ABSOLUTE_GATE_LUFS)]
    if not len(loud):
        return float("-inf")
    kept = loud[loud >= loud.mean() * 10.0 ** (RELATIVE_GATE_LU / 10.0)]
    return float(lufs(kept.mean()))


def sliding_means(hop_energies: NDArray[np.float64], hops: int, sample_rate: int) -> NDArray[np.float64]:
    """Return the mean energy per frame of every window of `hops` hops, from each hop's sum of squares."""
    sums = np.concatenate(([0.0], np.cumsum(hop_energies)))
    first = np.arange(len(hop_energies) - hops + 1)
    edges = hop_edges(np.arange(len(sums)), sample_rate)
    frames = edges[first + hops] - edges[first]
    windows: NDArray[np.float64] = (sums[first + hops] - sums[first]) / frames
    # The difference of two running sums holds rounding dust of all that came before; what is below it is
    # silence.
    windows[windows < RUNNING_SUM_DUST * sums[-1] / frames] = 0.0
    return windows


def hop_edges(hops: NDArray[np.int64], sample_rate: int) -> NDArray[np.int64]:
    """Return the first frame of each hop: a hundredth of a second, rounded to whole frames."""
    edges: NDArray[np.int64] = (2 * hops * sample_rate + HOPS_PER_S) // (2 * HOPS_PER_S)
    return edges
