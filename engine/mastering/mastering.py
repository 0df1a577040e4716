"""The mastering chain: plan, drive, limit, measure, retrim, quantise, measure again.

The loudness is measured after limiting, and the plan corrected by what it was off. The report is taken from the
samples as they will be written.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isfinite, log10

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.errors import NrxError
from engine.loudness.meter import HOPS_PER_S, LoudnessMeter
from engine.loudness.truepeak import HOP_FRAMES, true_peak
from engine.mastering.drive import MERGED_HOPS, Drive, glue_curve
from engine.mastering.hearing import hear
from engine.mastering.model import MasterReport, MasterResult, MasterSettings
from engine.mastering.plan import DB_PER_NEPER, Plan, average_reduction_db, make_plan
from engine.mastering.quantise import quantise
from engine.mastering.rendering import Rendering, hop_peaks_of
from engine.mastering.riding import ride_curve
from engine.progress import SILENT, Monitor

QUANTISING_MARGIN_DB = 0.02
"""Kept under the ceiling: more than rounding to 24 bits, or dither at 16, can add between samples."""
LOUDNESS_TOLERANCE_LU = 0.1
MAX_PASSES = 3
DRIVEN_OVER_LU, MOST_TURNED_DOWN_LU = 0.15, 0.5
"""Strict masters are driven this much louder than planned, and turned down by up to that much afterwards."""
EXPECTED_EXTRA_DB = 5.0
"""By how much the gain may exceed the distance to the loudness aimed for before peaks are measured again."""
KNEE_HEADROOM_DB = 2.0
"""Peaks that stay this far below the ceiling are changed by nothing: saturation begins at 1.94 dB."""
AUDIBLE_OVER_DITHER_LUFS = -60.0
RANGES: dict[str, tuple[float, float]] = {
    "lufs": (-60.0, -3.0),
    "ceiling_dbtp": (-20.0, 0.0),
    "glue_ratio": (1.0, 4.0),
    "saturation": (0.0, 1.0),
    "max_average_reduction_db": (0.0, 12.0),
}
BIT_DEPTHS = (16, 24, 32)


def master(
    audio: Audio,
    settings: MasterSettings,
    monitor: Monitor = SILENT,
    *,
    expected_lu: float = 0.0,
    passes: int = MAX_PASSES,
    again: Callable[[], object] | None = None,
) -> MasterResult:
    """Bring `audio` (1 to 6 channels, any rate) to the loudness and under the ceiling of `settings`.

    The length stays. `expected_lu` is how much louder than planned a master like this comes out, where a trial has
    shown it: it can save a pass. Where the loudness cannot be had within the budgets the master is quieter, and the
    report says why. At most `passes` are made. With `again`, which puts the samples of `audio` back as they were, the
    master takes their place, which spares memory.

    Raises:
        NrxError: `request.invalid` for a setting out of range, `input.not_finite` for NaN or infinite
        samples.
    """
    _check(audio, settings)
    ceiling = float(10.0 ** ((settings.ceiling_dbtp - QUANTISING_MARGIN_DB) / 20.0))
    before = hear(audio.samples, audio.sample_rate, monitor.part(0.0, 0.1))
    if not isfinite(before.integrated_lufs):
        return _unchanged(audio, settings, before)

    energies = before.hop_energies()
    glue_db = glue_curve(energies, before.integrated_lufs, settings.glue_ratio, audio.sample_rate)
    glued = energies * 10.0 ** (glue_db / 10.0)
    riding_db = ride_curve(glued, before.integrated_lufs, settings.lra_max, audio.sample_rate)
    slow_db = glue_db + riding_db
    glue_average_db = _average_db(-np.minimum(slow_db, 0.0), energies)
    most_slow_db = float(slow_db.max(initial=0.0))
    headroom_db = max(6.0, settings.lufs - before.integrated_lufs + EXPECTED_EXTRA_DB + most_slow_db)
    drive = Drive(
        audio=audio,
        glue_db=slow_db,
        hop_peaks=_peaks_below(audio, ceiling, headroom_db, monitor.part(0.1, 0.25)),
        ceiling=ceiling,
        saturation=settings.saturation_amount,
    )
    out = np.empty_like(audio.samples) if again is None else audio.samples
    correction_lu = expected_lu - (DRIVEN_OVER_LU if settings.strict else 0.0)
    passed = 0
    while True:
        spent_db = glue_average_db if settings.strict else 0.0
        plan = make_plan(drive, energies, settings, correction_lu, monitor, spent_db=spent_db)
        if plan.gain_db + most_slow_db + KNEE_HEADROOM_DB > headroom_db:
            headroom_db = plan.gain_db + most_slow_db + 2.0 * KNEE_HEADROOM_DB
            drive.hop_peaks = _peaks_below(audio, ceiling, headroom_db, SILENT)
            plan = make_plan(drive, energies, settings, correction_lu, monitor, spent_db=spent_db)
        drive.set_gain(plan.gain_db)
        part = monitor.part(1.0 - 0.75 * 0.5**passed, 1.0 - 0.75 * 0.5 ** (passed + 1))
        limited = Rendering(drive, out, part.part(0.0, 0.5), fine=settings.strict)
        limited.retrim(part.part(0.5, 0.75))
        after, peak = _finish(out, audio.sample_rate, settings, part.part(0.75, 1.0), plan.aimed_lufs)
        passed += 1
        off_lu = after.integrated_lufs - plan.aimed_lufs
        if abs(off_lu) <= LOUDNESS_TOLERANCE_LU or passed == passes:
            break
        correction_lu += off_lu
        if again is not None:
            again()
    monitor.report(1.0)
    # Leveller and limiter together, at the edges of merged hops.
    reduction = drive.level + limited.merged_curve()
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
            reduction, energies, audio.sample_rate / HOPS_PER_S / (HOP_FRAMES * MERGED_HOPS)
        ),
        max_saturation_db=limited.max_saturation_db,
        passes=passed,
        unexpected_lu=correction_lu + off_lu,
        warnings=_warnings(plan, settings, after.integrated_lufs),
        riding_db=(float(riding_db.min(initial=0.0)), float(riding_db.max(initial=0.0))),
        glue_average_db=glue_average_db,
    )
    return MasterResult(result, report, _per_tenth(reduction, audio.sample_rate), slow_db, after)


def _peaks_below(audio: Audio, ceiling: float, headroom_db: float, monitor: Monitor) -> NDArray[np.float32]:
    """Return every hop's true peak; the sample peak where both are further below the ceiling than `headroom_db`."""
    lowest = ceiling * 10.0 ** (-headroom_db / 20.0)
    return hop_peaks_of(audio.samples, audio.sample_rate, lowest, monitor)


def _down_to(meter: LoudnessMeter, aimed_lufs: float) -> float:
    """Return the gain that turns a render that came out a little too loud down: exact, and cheaper than another."""
    off_lu = meter.integrated_lufs - aimed_lufs
    return float(10.0 ** (-off_lu / 20.0)) if 0.0 < off_lu <= MOST_TURNED_DOWN_LU else 1.0


def _finish(
    out: NDArray[np.float32], rate: int, settings: MasterSettings, monitor: Monitor, aimed_lufs: float = inf
) -> tuple[LoudnessMeter, float]:
    """Quantise `out` in place, make sure of the ceiling on the result, and return its meter and true peak."""
    ceiling = float(10.0 ** (settings.ceiling_dbtp / 20.0))
    if settings.strict:  # whoever asks for that measures the file's peaks, with both meters
        heard = hear(out, rate, monitor)
        gain = _down_to(heard, aimed_lufs)
        quantise(out, settings.bits, settings.seed, dither_24=True, gain=gain)
        peak = max(float(out.max(initial=0.0)), -float(out.min(initial=0.0)))
        # Dither of 24 bits is too soft to be heard by the meter.
        if settings.bits == 24 and heard.integrated_lufs > AUDIBLE_OVER_DITHER_LUFS:
            return heard.scaled(gain), peak
        return hear(out, rate), peak
    quantise(out, settings.bits, settings.seed)
    while (highest := true_peak(out, rate)) > ceiling:
        gain = ceiling / highest * 10.0 ** (-QUANTISING_MARGIN_DB / 20.0)
        quantise(out, settings.bits, settings.seed, gain=gain)
    return hear(out, rate, monitor), highest


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
    return MasterResult(Audio(out, audio.sample_rate), report, np.zeros(0, np.float32), np.zeros(0), after)


def _average_db(reduction_db: NDArray[np.float64], energies: NDArray[np.float64]) -> float:
    """Return the mean of a reduction per 10 ms where the 400 ms around are above the relative gate."""
    if not reduction_db.any():
        return 0.0
    curve = (np.append(reduction_db, reduction_db[-1:]) / DB_PER_NEPER).astype(np.float32)
    return average_reduction_db(curve, energies, 1.0)


def _per_tenth(reduction: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """Return the highest reduction in dB in every 100 ms, from values per merged hop."""
    per_tenth = sample_rate / 10.0 / (HOP_FRAMES * MERGED_HOPS)
    edges = (np.arange(max(1, int(len(reduction) / per_tenth))) * per_tenth).astype(np.intp)
    highest: NDArray[np.float32] = np.maximum.reduceat(reduction, edges) * np.float32(DB_PER_NEPER)
    return highest


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
