"""`listen`: one pass over a stem, from blocks to features.

A stem is measured as it will be heard from the middle: what is mono counts on both sides.
"""

from __future__ import annotations

from math import inf, log10

import numpy as np
from numpy.typing import NDArray

from engine.loudness.energies import hop_is_whole
from engine.loudness.meter import HOPS_PER_S, MOMENTARY_HOPS, LoudnessMeter, gated_loudness, lufs
from engine.mixing.listening.features import COARSE, PLAN_FRAMES, StemFeatures
from engine.mixing.listening.thirds import (
    BANDS,
    FRAME,
    FRAMES_AT_ONCE,
    band_energies,
    frame_spectra,
    in_db,
)
from engine.mixing.roles import ROLES
from engine.mixing.stems import Stem, even_blocks
from engine.progress import SILENT, Monitor

SOUNDS_WITHIN_LU = 20.0
FLATNESS_HZ = (200.0, 10_000.0)
FLATNESS_EVERY = 8
TINY = 1e-20
ROW_FRAMES, BLOCK_ROWS = 128, 512
"""Frames whose power is summed up together (they divide `PLAN_FRAMES`); rows in a block where hops are uneven."""
SILENT_PEAK = 1e-5
"""-100 dBFS: below any dither, and nothing to bring up."""


def listen(stem: Stem, role: str, session_frames: int, monitor: Monitor = SILENT) -> StemFeatures:
    """Return the features of a stem that is taken for `role`, in a session of `session_frames` frames."""
    source = stem.source
    ear = _Ear(source.sample_rate, coarsely=ROLES[role].family == "drums")
    for block in even_blocks(source.blocks(), source.channels, ear.block_frames):
        monitor.report(ear.frames / max(1, source.frames))
        ear.hear(block)
    meter, (left, right, both) = ear.meter.spread(2) if ear.mono else ear.meter, ear.power
    frame_bands = ear.thirds.finish()
    loudness_lufs = _loudness_lufs(meter, ear.peak)
    sounding, range_lu = _where_it_sounds(meter, loudness_lufs)
    loud = _loud_frames(frame_bands)
    mean_bands = loud.mean(axis=0, dtype=np.float64) if len(loud) else np.zeros(BANDS)
    mid, side = left + right + 2.0 * both, left + right - 2.0 * both
    return StemFeatures(
        name=stem.name,
        role=role,
        sample_rate=source.sample_rate,
        start_frame=stem.start_frame,
        frames=ear.frames,
        channels=source.channels,
        mono=ear.mono,
        loudness_lufs=loudness_lufs,
        rms_dbfs=_db(float(mean_bands.sum())),
        peak_dbfs=_db(ear.peak * ear.peak),
        range_lu=range_lu,
        activity=min(1.0, sounding * ear.frames / max(1, session_frames)),
        width=float(np.sqrt(max(0.0, side) / mid)) if mid > TINY else 0.0,
        correlation=float(both / np.sqrt(left * right)) if min(left, right) > TINY else 1.0,
        lean_db=_db(float(left)) - _db(float(right)),
        flatness=ear.thirds.flatness(),
        bands_db=in_db(mean_bands) - _db(float(mean_bands.sum())),
        hop_energies=meter.hop_energies(),
        hop_powers=ear.hop_powers(),
        frame_bands=frame_bands,
        coarse=np.concatenate(ear.coarse) if ear.coarse else np.zeros(0, np.float32),
    )


class _Ear:
    """What is added up over a stem's blocks; it hears one side only for as long as both are the same."""

    def __init__(self, sample_rate: int, *, coarsely: bool) -> None:
        self.block_frames = BLOCK_ROWS * ROW_FRAMES
        if hop_is_whole(sample_rate):  # the meter is fastest on whole hops
            self.block_frames = sample_rate // HOPS_PER_S * ROW_FRAMES
        self.frames, self.peak, self.mono = 0, 0.0, True
        self.power = np.zeros(3)
        self.meter = LoudnessMeter(1, sample_rate)
        self.thirds = _Thirds(sample_rate)
        self.coarse: list[NDArray[np.float32]] = []
        self._coarsely = coarsely
        self._rows: list[NDArray[np.float32]] = []

    def hear(self, block: NDArray[np.float32]) -> None:
        """Take the next block, full but for the last."""
        self.frames += block.shape[1]
        peak = max(float(block.max()), -float(block.min()))
        self.peak = max(self.peak, peak)
        if self.mono and not np.array_equal(block[0], block[-1]):
            self.mono, self.meter = False, self.meter.spread(2)
            self.thirds.spread()
        if self._coarsely:
            self.coarse.append(_coarse(block))
        part = block[:1] if self.mono else block
        self.meter.add(part)
        self.thirds.add(part, sounds=peak > 0.0)
        self._add_power(part)

    def hop_powers(self) -> NDArray[np.float64]:
        """Return the mean power of both sides in every whole hop of `PLAN_FRAMES`."""
        rows = np.concatenate(self._rows) if self._rows else np.zeros(0, np.float32)
        hops, per_hop = self.frames // PLAN_FRAMES, PLAN_FRAMES // ROW_FRAMES
        sums: NDArray[np.float64] = (
            rows[: hops * per_hop].reshape(hops, per_hop).sum(axis=1, dtype=np.float64)
        )
        return sums / (2.0 * PLAN_FRAMES)

    def _add_power(self, part: NDArray[np.float32]) -> None:
        short = -part.shape[1] % ROW_FRAMES
        rows = (np.pad(part, ((0, 0), (0, short))) if short else part).reshape(len(part), -1, ROW_FRAMES)
        # Sums of products that need no copy, and no BLAS, whose threads would wait for each other.
        left, right = (np.einsum("rf,rf->r", side, side) for side in (rows[0], rows[-1]))
        both = left if len(rows) == 1 else np.einsum("rf,rf->r", rows[0], rows[1])
        self.power += [float(sums.sum(dtype=np.float64)) for sums in (left, right, both)]
        self._rows.append(left + right)


class _Thirds:
    """Third octaves of a stream's frames, one after the other, and how flat every `FLATNESS_EVERY`th of them is."""

    def __init__(self, sample_rate: int) -> None:
        self._rate, self._made, self._flat = sample_rate, 0, list[float]()
        self._bands: list[NDArray[np.float32]] = []
        self._rest: NDArray[np.float32] = np.zeros((1, 0), np.float32)

    def spread(self) -> None:
        """Go on in stereo: both sides have been the same so far."""
        self._rest = np.repeat(self._rest, 2, axis=0)

    def add(self, part: NDArray[np.float32], *, sounds: bool) -> None:
        """Take what comes next, of one side if both are the same."""
        held = self._rest.shape[1]
        count, rest = divmod(held + part.shape[1], FRAME * FRAMES_AT_ONCE)
        count *= FRAMES_AT_ONCE
        if not sounds and not self._rest.any():
            self._bands.append(np.zeros((count, BANDS), np.float32))
            self._rest = np.zeros((len(part), rest), np.float32)
            self._made += count
            return
        line = np.concatenate((self._rest, part), axis=1)
        self._rest = line[:, count * FRAME :].copy()
        self._add_frames(line, count)

    def _add_frames(self, line: NDArray[np.float32], count: int) -> None:
        """Take the first `count` frames of a line (channels, …), which are overwritten."""
        if not count:
            return
        spectra = frame_spectra(line[:, : count * FRAME].reshape(len(line), count, FRAME))
        if len(line) == 1:
            spectra *= np.float32(2.0)
        self._bands.append(band_energies(spectra, self._rate))
        self._flat += _flatness(spectra[-self._made % FLATNESS_EVERY :: FLATNESS_EVERY], self._rate)
        self._made += count

    def finish(self) -> NDArray[np.float32]:
        """Return the bands of all whole frames, shape (frames, BANDS)."""
        self._add_frames(self._rest, self._rest.shape[1] // FRAME)
        self._rest = self._rest[:, :0]
        return np.concatenate(self._bands) if self._bands else np.zeros((0, BANDS), np.float32)

    def flatness(self) -> float:
        """Return the usual flatness."""
        return float(np.median(self._flat)) if self._flat else 0.0


def _coarse(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the middle of a block, `COARSE` frames averaged into one."""
    whole = block.shape[1] // COARSE * COARSE
    middle = block[0, :whole] + block[-1, :whole]
    made: NDArray[np.float32] = middle[::COARSE].copy()
    for place in range(1, COARSE):
        made += middle[place::COARSE]
    made *= np.float32(0.5 / COARSE)
    return made


def _db(power: float) -> float:
    return 10.0 * log10(max(power, TINY))


def _loudness_lufs(meter: LoudnessMeter, peak: float) -> float:
    """Return the gated loudness as if the stem peaked at full scale, and then at its level.

    So the absolute gate takes no quiet stem for silence, and a stem's loudness follows its level exactly.
    """
    if peak < SILENT_PEAK:
        return -inf
    blocks = meter.window_energies(MOMENTARY_HOPS)[:: HOPS_PER_S // 10]
    return gated_loudness(blocks / peak**2) + _db(peak**2)


def _where_it_sounds(meter: LoudnessMeter, loudness_lufs: float) -> tuple[float, float]:
    """Return the share of the stem that sounds, and the spread of its loudness there."""
    level = lufs(meter.window_energies(MOMENTARY_HOPS)[:: HOPS_PER_S // 10])
    sounds = level > loudness_lufs - SOUNDS_WITHIN_LU
    if not len(level) or not sounds.any():
        return 0.0, 0.0
    low, high = np.percentile(level[sounds], (10.0, 90.0))
    return float(sounds.mean()), float(high - low)


def _loud_frames(frame_bands: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the frames within `SOUNDS_WITHIN_LU` of the loudest tenth's mean."""
    total = frame_bands.sum(axis=1)
    if not total.any():
        return frame_bands[:0]
    loudest = np.sort(total)[-max(1, len(total) // 10) :].mean()
    return np.asarray(frame_bands[total > loudest * 10.0 ** (-SOUNDS_WITHIN_LU / 10.0)])


def _flatness(spectra: NDArray[np.float32], rate: int) -> list[float]:
    """Return geometric over arithmetic mean of each frame's power; frames of silence are left out."""
    low, high = (round(edge * FRAME / rate) for edge in FLATNESS_HZ)
    inner = spectra[:, low : min(high, spectra.shape[1])].astype(np.float64)
    mean = inner.mean(axis=1)
    inner, mean = inner[mean > 1e-14], mean[mean > 1e-14]
    flat = np.exp(np.log(np.maximum(inner, TINY)).mean(axis=1)) / mean
    return [float(value) for value in flat]
