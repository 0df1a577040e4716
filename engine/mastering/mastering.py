"""The mastering chain: plan, drive, limit, measure, retrim, quantise, measure again.

No limiter of one pass holds a true-peak ceiling on music, since its own gain changes raise peaks between
samples. So the limited song is measured, the hops that are over need a little more reduction, and only the
stretches whose gain changes are rendered again, until nothing is over. The loudness is measured after
limiting too, and the plan corrected by what it was off. The report is taken from the samples as they will be
written.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, isfinite, log10

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.errors import NrxError
from engine.loudness.meter import LoudnessMeter
from engine.loudness.truepeak import HOP_FRAMES, hop_true_peaks, true_peak
from engine.mastering.drive import Drive, glue_curve
from engine.mastering.limiter import Nepers, gains_between, needed_reduction, reduction_curve
from engine.mastering.model import MasterReport, MasterResult, MasterSettings
from engine.mastering.plan import DB_PER_NEPER, Plan, average_reduction_db, make_plan
from engine.mastering.quantise import quantise
from engine.progress import SILENT, Monitor

QUANTISING_MARGIN_DB = 0.02
"""Kept under the ceiling: more than rounding to 24 bits, or dither at 16, can add between samples."""
LOUDNESS_TOLERANCE_LU = 0.1
MAX_PASSES = 3
MAX_RETRIMS = 12
OVERSHOOT_FACTOR = 1.1
RETRIM_ABOVE = 1.0005
"""Overshoot that is mended, as a factor: 0.004 dB, well inside the margin kept for quantising."""
UNCHANGED_NEPERS = 1e-5
MERGE_GAP_HOPS = 512
BLOCK_HOPS = 11_025
"""Hops rendered at once: 2 s at 44.1 kHz."""
RANGES: dict[str, tuple[float, float]] = {
    "lufs": (-60.0, -3.0),
    "ceiling_dbtp": (-20.0, 0.0),
    "glue_ratio": (1.0, 4.0),
    "saturation": (0.0, 1.0),
    "max_average_reduction_db": (0.0, 12.0),
}
BIT_DEPTHS = (16, 24, 32)


def master(audio: Audio, settings: MasterSettings, monitor: Monitor = SILENT) -> MasterResult:
    """Bring `audio` (1 to 6 channels, any rate) to the loudness and under the ceiling of `settings`.

    The length stays. Where the loudness cannot be had within the budgets the master is quieter, and the
    report says why.

    Raises:
        NrxError: `request.invalid` for a setting out of range, `input.not_finite` for NaN or infinite
        samples.
    """
    _check(audio, settings)
    ceiling = float(10.0 ** ((settings.ceiling_dbtp - QUANTISING_MARGIN_DB) / 20.0))
    before = _listen(audio.samples, audio.sample_rate, monitor.part(0.0, 0.1))
    if not isfinite(before.integrated_lufs):
        return _unchanged(audio, settings, before)

    # Peaks this far below the ceiling stay below it at any gain the plan may choose, saturation's knee
    # included.
    headroom_db = max(6.0, settings.lufs - before.integrated_lufs + 12.0)
    drive = Drive(
        audio=audio,
        glue_db=glue_curve(
            before.hop_energies(), before.integrated_lufs, settings.glue_ratio, audio.sample_rate
        ),
        hop_peaks=_peaks(
            audio.samples, audio.sample_rate, ceiling * 10.0 ** (-headroom_db / 20.0), monitor.part(0.1, 0.25)
        ),
        ceiling=ceiling,
        saturation=settings.saturation_amount,
    )
    out = np.empty_like(audio.samples)
    correction_lu = 0.0
    passes = 0
    while True:
        plan = make_plan(drive, before.hop_energies(), settings, correction_lu)
        drive.set_gain(plan.gain_db)
        part = monitor.part(1.0 - 0.75 * 0.5**passes, 1.0 - 0.75 * 0.5 ** (passes + 1))
        limited = _Limited(drive, out, part.part(0.0, 0.5))
        limited.retrim(part.part(0.5, 0.75))
        after, peak = _finish(out, audio.sample_rate, settings, part.part(0.75, 1.0))
        passes += 1
        off_lu = after.integrated_lufs - plan.aimed_lufs
        if abs(off_lu) <= LOUDNESS_TOLERANCE_LU or passes == MAX_PASSES:
            break
        correction_lu += off_lu
    monitor.report(1.0)
    reduction = limited.curve + drive.level_curve()
    result = Audio(out, audio.sample_rate)
    report = MasterReport(
        target_lufs=settings.lufs,
        aimed_lufs=round(plan.aimed_lufs, 2),
        lufs_before=before.integrated_lufs,
        lufs_after=after.integrated_lufs,
        true_peak_before_dbtp=_db(float(drive.hop_peaks.max())),
        true_peak_after_dbtp=_db(peak),
        lra_before=before.range_lu,
        lra_after=after.range_lu,
        gain_db=round(plan.gain_db, 2),
        max_reduction_db=float(reduction.max()) * DB_PER_NEPER,
        average_reduction_db=average_reduction_db(
            reduction, before.hop_energies(), audio.sample_rate / 100.0 / HOP_FRAMES
        ),
        max_saturation_db=limited.max_saturation_db,
        passes=passes,
        warnings=_warnings(plan, settings, after.integrated_lufs),
    )
    return MasterResult(result, report)


class _Limited:
    """One rendering of the song through drive and limiter into `out`, and what is needed to mend it."""

    def __init__(self, drive: Drive, out: NDArray[np.float32], monitor: Monitor) -> None:
        self._drive = drive
        self._out = out
        self._hops = len(drive.hop_peaks)
        rate = drive.audio.sample_rate
        driven = drive.driven_peaks(0, self._hops)
        bent = drive.expected_peaks(driven)
        self.max_saturation_db = _db(float((driven / np.maximum(bent, 1e-20)).max(initial=1.0)))
        for first, last in _blocks(self._hops):
            out[:, first * HOP_FRAMES : last * HOP_FRAMES] = drive.samples_between(first, last)
            monitor.report(0.4 * last / self._hops)
        if self.max_saturation_db > 0.0:
            driven = _peaks(out, rate, drive.ceiling, monitor.part(0.4, 0.6))
        self._needed = needed_reduction(driven, drive.ceiling)
        self.curve: Nepers = reduction_curve(self._needed, rate)
        for first, last in _blocks(self._hops):
            if self.curve[first : last + 1].any():
                block = out[:, first * HOP_FRAMES : last * HOP_FRAMES]
                block *= gains_between(self.curve, first, last)[: block.shape[1]]
            monitor.report(0.6 + 0.4 * last / self._hops)

    def retrim(self, monitor: Monitor) -> None:
        """Reduce further what is over the ceiling, until nothing is."""
        rate, ceiling = self._drive.audio.sample_rate, self._drive.ceiling
        peaks = _peaks(self._out, rate, ceiling, monitor.part(0.0, 0.5))
        for attempt in range(MAX_RETRIMS):
            over = np.flatnonzero(peaks > ceiling * RETRIM_ABOVE)
            if not len(over):
                return
            extra = np.zeros_like(self._needed)
            extra[over] = OVERSHOOT_FACTOR * np.log(peaks[over] / ceiling)
            # What a hop needs is on top of the reduction that it has.
            wanted = np.maximum(self.curve[over], self.curve[over + 1]) + extra[over]
            self._needed[over] = np.maximum(self._needed[over], wanted)
            curve = reduction_curve(self._needed, rate)
            changed = np.abs(curve - self.curve) > UNCHANGED_NEPERS
            for first, last in _stretches(changed[:-1] | changed[1:], self._hops):
                self.curve[first : last + 1] = curve[first : last + 1]
                self._render(first, last)
                reach = (max(0, first - 2), min(self._hops, last + 2))
                peaks[reach[0] : reach[1]] = hop_true_peaks(self._out, rate, above=ceiling, hops=reach)
            monitor.report(0.5 + 0.5 * (attempt + 1) / MAX_RETRIMS)
        highest = true_peak(self._out, rate)
        if highest > ceiling * RETRIM_ABOVE:
            self._out *= np.float32(ceiling / highest)

    def _render(self, first: int, last: int) -> None:
        for start in range(first, last, BLOCK_HOPS):
            end = min(last, start + BLOCK_HOPS)
            block = self._out[:, start * HOP_FRAMES : end * HOP_FRAMES]
            gains = gains_between(self.curve, start, end)
            np.multiply(self._drive.samples_between(start, end), gains[: block.shape[1]], out=block)


def _blocks(hops: int) -> Iterator[tuple[int, int]]:
    for first in range(0, hops, BLOCK_HOPS):
        yield first, min(hops, first + BLOCK_HOPS)


def _stretches(chosen: NDArray[np.bool_], hops: int) -> list[tuple[int, int]]:
    """Return (first, end) of the runs of True, joined where the gap between them is small."""
    where = np.flatnonzero(chosen)
    if not len(where):
        return []
    breaks = np.flatnonzero(np.diff(where) > MERGE_GAP_HOPS)
    firsts = np.concatenate((where[:1], where[breaks + 1]))
    lasts = np.concatenate((where[breaks], where[-1:]))
    return [(int(first), min(hops, int(last) + 1)) for first, last in zip(firsts, lasts, strict=True)]


def _peaks(samples: NDArray[np.float32], rate: int, above: float, monitor: Monitor) -> NDArray[np.float32]:
    """Return every hop's true peak, exact where it may exceed `above` and for the highest of all."""
    hops = -(-samples.shape[1] // HOP_FRAMES)
    highest = max(float(samples.max(initial=0.0)), -float(samples.min(initial=0.0)))
    peaks = np.empty(hops, dtype=np.float32)
    for first, last in _blocks(hops):
        peaks[first:last] = hop_true_peaks(samples, rate, above=min(above, highest), hops=(first, last))
        monitor.report(last / hops)
    return peaks


def _listen(samples: NDArray[np.float32], rate: int, monitor: Monitor) -> LoudnessMeter:
    meter = LoudnessMeter(samples.shape[0], rate)
    for start in range(0, samples.shape[1], BLOCK_HOPS * HOP_FRAMES):
        meter.add(samples[:, start : start + BLOCK_HOPS * HOP_FRAMES])
        monitor.report(start / samples.shape[1])
    return meter


def _finish(
    out: NDArray[np.float32], rate: int, settings: MasterSettings, monitor: Monitor
) -> tuple[LoudnessMeter, float]:
    """Quantise `out` in place, make sure of the ceiling on the result, and return its meter and true peak."""
    ceiling = float(10.0 ** (settings.ceiling_dbtp / 20.0))
    quantise(out, settings.bits, settings.seed)
    while (highest := true_peak(out, rate)) > ceiling:
        out *= np.float32(ceiling / highest * 10.0 ** (-QUANTISING_MARGIN_DB / 20.0))
        quantise(out, settings.bits, settings.seed)
    return _listen(out, rate, monitor), highest


def _unchanged(audio: Audio, settings: MasterSettings, before: LoudnessMeter) -> MasterResult:
    """Return silence, or what is too quiet to have a loudness, as it is (but never over the ceiling)."""
    out = audio.samples.copy()
    peak_before = true_peak(out, audio.sample_rate)
    after, peak = _finish(out, audio.sample_rate, settings, SILENT)
    report = MasterReport(
        target_lufs=settings.lufs,
        aimed_lufs=-inf,
        lufs_before=before.integrated_lufs,
        lufs_after=after.integrated_lufs,
        true_peak_before_dbtp=_db(peak_before),
        true_peak_after_dbtp=_db(peak),
        lra_before=0.0,
        lra_after=0.0,
        gain_db=0.0,
        max_reduction_db=0.0,
        average_reduction_db=0.0,
        max_saturation_db=0.0,
        passes=0,
        warnings=(
            "The input is silent, or too quiet to have a loudness (below -70 LUFS), and was left as it is.",
        ),
    )
    return MasterResult(Audio(out, audio.sample_rate), report)


def _warnings(plan: Plan, settings: MasterSettings, reached_lufs: float) -> tuple[str, ...]:
    if plan.reason:
        return (f"The master is at {reached_lufs:.1f} LUFS and not at {settings.lufs:g}: {plan.reason}.",)
    if abs(reached_lufs - settings.lufs) > 0.5:
        sentence = f"The master is at {reached_lufs:.1f} LUFS and not at {settings.lufs:g}: "
        return (sentence + f"limiting did not settle within {MAX_PASSES} passes.",)
    return ()


def _check(audio: Audio, settings: MasterSettings) -> None:
    for name, (low, high) in RANGES.items():
        value = getattr(settings, name)
        if value is not None and not low <= value <= high:
            raise NrxError(
                "request.invalid", f"Mastering: {name} is {value}; it must be from {low:g} to {high:g}."
            )
    if settings.bits not in BIT_DEPTHS:
        raise NrxError("request.invalid", f"Mastering: bits is {settings.bits}; it must be 16, 24 or 32.")
    if audio.frames and not (np.isfinite(audio.samples.max()) and np.isfinite(audio.samples.min())):
        raise NrxError("input.not_finite", "The audio to master holds NaN or infinite samples.")


def _db(value: float) -> float:
    return 20.0 * log10(value) if value > 0.0 else -inf
