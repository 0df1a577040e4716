"""`listen`: one pass over a stem, from blocks to features.

A stem is measured as it will be heard from the middle: what is mono counts on both sides.
"""

from __future__ import annotations

from math import inf, log10

import numpy as np
from numpy.typing import NDArray

from engine.loudness.meter import HOPS_PER_S, MOMENTARY_HOPS, LoudnessMeter, gated_loudness, lufs
from engine.mixing.desk.kernel import listening_filters
from engine.mixing.filters import BlockFilter
from engine.mixing.listening.features import COARSE, PLAN_FRAMES, StemFeatures
from engine.mixing.listening.thirds import BANDS, FRAME, band_energies, frame_spectra, in_db
from engine.mixing.roles import ROLES
from engine.mixing.stems import Stem, even_blocks
from engine.progress import SILENT, Monitor

SOUNDS_WITHIN_LU = 20.0
FLATNESS_HZ = (200.0, 10_000.0)
FLATNESS_EVERY = 8
TINY = 1e-20
SILENT_PEAK = 1e-5
"""-100 dBFS: below any dither, and nothing to bring up."""


def listen(stem: Stem, role: str, session_frames: int, monitor: Monitor = SILENT) -> StemFeatures:
    """Return the features of a stem that is taken for `role`, in a session of `session_frames` frames."""
    source = stem.source
    rate = source.sample_rate
    filters = listening_filters(rate)
    meter, plain = LoudnessMeter(2, rate), _PowerHops()
    bands: list[NDArray[np.float32]] = []
    flatness: list[float] = []
    coarse: list[NDArray[np.float32]] = []
    is_drum = ROLES[role].family == "drums"
    stream, before = BlockFilter(filters, 1), np.zeros((1, 0), np.float32)
    power = np.zeros(3)
    peak, frames, mono = 0.0, 0, True
    for block in even_blocks(source.blocks(), source.channels, filters.block_frames):
        monitor.report(frames / max(1, source.frames))
        frames += block.shape[1]
        peak = max(peak, float(block.max()), -float(block.min()))
        left, right = block[0], block[-1]
        if mono and not np.array_equal(left, right):
            mono, stream = False, BlockFilter(filters, 2)
            if before.shape[1]:
                stream.feed(np.repeat(before, 2, axis=0))
        if is_drum:
            coarse.append(_coarse(block))
        part = before = block[:1] if mono else block
        plain.add(part)
        power += (np.vdot(left, left), np.vdot(right, right), np.vdot(left, right))
        if not stream.feed(part):
            meter.add_silence(block.shape[1])
            bands.append(np.zeros((block.shape[1] // FRAME, BANDS), np.float32))
            continue
        heard = stream.heard()
        meter.add_weighted(np.repeat(heard, 2, axis=0) if mono else heard)
        spectra = frame_spectra(part)
        if mono:
            spectra *= np.float32(2.0)
        bands.append(band_energies(spectra, rate))
        flatness += _flatness(spectra[::FLATNESS_EVERY], rate)
    frame_bands = np.concatenate(bands) if bands else np.zeros((0, BANDS), np.float32)
    loudness_lufs = _loudness_lufs(meter, peak)
    sounding, range_lu = _where_it_sounds(meter, loudness_lufs)
    loud = _loud_frames(frame_bands)
    mean_bands = loud.mean(axis=0, dtype=np.float64) if len(loud) else np.zeros(BANDS)
    mid, side = power[0] + power[1] + 2.0 * power[2], power[0] + power[1] - 2.0 * power[2]
    return StemFeatures(
        name=stem.name,
        role=role,
        sample_rate=rate,
        start_frame=stem.start_frame,
        frames=frames,
        channels=source.channels,
        mono=mono,
        loudness_lufs=loudness_lufs,
        rms_dbfs=_db(float(mean_bands.sum())),
        peak_dbfs=_db(peak * peak),
        range_lu=range_lu,
        activity=min(1.0, sounding * frames / max(1, session_frames)),
        width=float(np.sqrt(max(0.0, side) / mid)) if mid > TINY else 0.0,
        correlation=float(power[2] / np.sqrt(power[0] * power[1])) if min(power[:2]) > TINY else 1.0,
        lean_db=_db(float(power[0])) - _db(float(power[1])),
        flatness=float(np.median(flatness)) if flatness else 0.0,
        bands_db=in_db(mean_bands) - _db(float(mean_bands.sum())),
        hop_energies=meter.hop_energies(),
        hop_powers=plain.finish(),
        frame_bands=frame_bands,
        coarse=np.concatenate(coarse) if coarse else np.zeros(0, np.float32),
    )


class _PowerHops:
    """Mean power of all channels in even hops of a stream."""

    def __init__(self) -> None:
        self._made: list[NDArray[np.float32]] = []
        self._rest = np.zeros(0, np.float32)

    def add(self, block: NDArray[np.float32]) -> None:
        power = np.square(block[0])
        for channel in block[1:]:
            power += np.square(channel)
        power = np.concatenate((self._rest, power / np.float32(len(block))))
        whole = len(power) // PLAN_FRAMES * PLAN_FRAMES
        self._made.append(power[:whole].reshape(-1, PLAN_FRAMES).mean(axis=1))
        self._rest = power[whole:]

    def finish(self) -> NDArray[np.float64]:
        return np.concatenate(self._made).astype(np.float64) if self._made else np.zeros(0)


def _coarse(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the middle of a block, `COARSE` frames averaged into one."""
    whole = block.shape[1] // COARSE * COARSE
    middle: NDArray[np.float32] = block[:, :whole].mean(axis=0, dtype=np.float32)
    return np.asarray(middle.reshape(-1, COARSE).mean(axis=1), dtype=np.float32)


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
