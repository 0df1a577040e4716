"""`make_master`: the whole of mastering, from a mix to a checked file with a report.

Listen, decide, run the chain, limit to the loudness, write, read the file back, measure it, check the guardrails; a
failed check changes something and all of it that depends on that is done again, at most `MAX_RETRIES` times.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.audio import Audio, Envelope, envelope, read_blocks, write_wav
from engine.errors import NrxError
from engine.loudness.figures import Figures, figures
from engine.mastering.chain import run_chain
from engine.mastering.decisions import Corrections, Decisions, decide
from engine.mastering.guardrails import Attempt, Check, Remedy, check, warning
from engine.mastering.hearing import true_peaks
from engine.mastering.mastering import master
from engine.mastering.model import MasterReport, MasterResult, MasterSettings
from engine.mastering.parallel import both
from engine.mastering.profile import Heard, Profile, average, listen, profile_reference
from engine.mastering.trial import excerpt_of, try_out
from engine.mastering.wishes import (
    HIGHEST_CEILING_DBTP,
    MAX_AVERAGE_REDUCTION_DB,
    MAX_WIDTH_PCT,
    MasterWishes,
)
from engine.progress import SILENT, Monitor

MAX_RETRIES = 3
TRIALS = 2
REDUCTION_MARGIN_DB = 0.35
"""What the limiter may take more than was planned."""
SUBTYPES = {16: "PCM_16", 24: "PCM_24"}
RANGES: dict[str, tuple[float, float]] = {
    "lufs": (-40.0, -5.0),
    "ceiling_dbtp": (-9.0, 0.0),
    "width_pct": (0.0, MAX_WIDTH_PCT),
    "lra_max": (1.0, 30.0),
    "plr_min": (3.0, 30.0),
}


@dataclass(frozen=True, slots=True, eq=False)
class MadeMaster:
    """A master that is on the disk: where, what was measured before and after, what was done and why.

    `slow_gain_db` (every 10 ms) and `reduction_db` (every 100 ms) are curves for the report. `checks` are those of the
    file as it is; `retries` counts the attempts after the first.
    """

    path: Path
    before: Figures
    after: Figures
    decisions: Decisions
    report: MasterReport
    checks: tuple[Check, ...]
    retries: int
    reduction_db: NDArray[np.float32]
    slow_gain_db: NDArray[np.float64]
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    shape: Envelope

    @property
    def level_match_db(self) -> float:
        """Gain that brings the master down (or up) to the source's loudness, for a fair comparison by ear."""
        change = self.before.integrated_lufs - self.after.integrated_lufs
        return change if isfinite(change) else 0.0


def reference_profile(references: Sequence[Audio]) -> Profile | None:
    """Return the mean profile of reference songs, or None where there are none."""
    return average([profile_reference(audio) for audio in references]) if references else None


def read_both(
    song: Callable[[], Audio], references: Sequence[Callable[[], Audio]]
) -> tuple[Audio, Heard, Profile | None]:
    """Read and hear a song and, beside it, its references one by one; return what `make_master` takes of them.

    Raises:
        NrxError: what reading raises.
    """

    def profiled() -> Profile | None:
        profiles = [profile_reference(read()) for read in references]
        return average(profiles) if profiles else None

    def listened() -> tuple[Audio, Heard]:
        audio = song()
        return audio, listen(audio)

    if not references:
        return (*listened(), None)
    reference, (audio, heard) = both(profiled, listened)
    return audio, heard, reference


def make_master(
    audio: Audio,
    wishes: MasterWishes,
    path: Path,
    reference: Profile | None = None,
    *,
    heard: Heard | None = None,
    time_reference_frames: int = 0,
    monitor: Monitor = SILENT,
) -> MadeMaster:
    """Master `audio` (mono or stereo) into a new WAV file at `path`; `heard` is what `listen` gave for it, if known.

    Raises:
        NrxError: `request.invalid` for a wish out of range, `input.not_finite`, `input.channels`, `output.*`.
    """
    _refuse(audio, wishes)
    asked_dbtp = wishes.ceiling_dbtp
    wishes = replace(wishes, ceiling_dbtp=min(asked_dbtp, HIGHEST_CEILING_DBTP))
    if heard is None:
        heard = listen(audio, monitor.part(0.0, 0.15))
    remedy, retries = Remedy(), 0
    made_for: Corrections | None = None
    decisions: Decisions | None = None
    expected_lu = 0.0
    # The one other copy of the song: what the chain makes of it, and in its place the master.
    worked_on = audio.with_samples(np.empty_like(audio.samples))
    while True:
        span = monitor.part(0.15 + 0.2 * retries, 0.35 + 0.2 * retries)
        if decisions is None or made_for != remedy.corrections:
            decisions, expected_lu = _considered(audio, heard, wishes, reference, remedy.corrections)
            made_for = remedy.corrections
        press = partial(run_chain, audio, decisions.chain, out=worked_on.samples)
        press(monitor=span.part(0.0, 0.3))
        attempt, curves = _attempt(
            worked_on,
            press,
            heard,
            wishes,
            decisions,
            expected_lu,
            remedy,
            path,
            time_reference_frames,
            span.part(0.3, 1.0),
        )
        checks, remedy = check(attempt, remedy)
        failed = [item for item in checks if not item.passed]
        hopeless = all(item.id == "plr" and item.why for item in failed)
        if not failed or hopeless or retries == MAX_RETRIES:
            break
        retries += 1
        path.unlink()
    monitor.report(1.0)
    held = (f"The ceiling was held at {HIGHEST_CEILING_DBTP:g} dBTP instead of {asked_dbtp:g}.",)
    warnings = (
        *(held if asked_dbtp > HIGHEST_CEILING_DBTP else ()),
        *attempt.report.warnings,
        *(warning(item, retries) for item in failed),
    )
    return MadeMaster(
        path=path,
        before=heard.figures,
        after=attempt.after,
        decisions=decisions,
        report=attempt.report,
        checks=checks,
        retries=retries,
        reduction_db=curves[0],
        slow_gain_db=curves[1],
        reasons=(*decisions.reasons, *_limiting_reasons(attempt, wishes, decisions)),
        warnings=warnings,
        shape=curves[2],
    )


def _considered(
    audio: Audio,
    heard: Heard,
    wishes: MasterWishes,
    reference: Profile | None,
    corrections: Corrections,
) -> tuple[Decisions, float]:
    """Decide, after trials where a spectrum is to be met; also return how much louder than planned it comes out."""
    decisions = decide(heard, wishes, reference, audio.sample_rate, corrections)
    if reference is None or wishes.amounts.match_spectrum <= 0.0:
        return decisions, 0.0
    expected_lu = 0.0
    excerpt = excerpt_of(audio, heard)
    for _ in range(TRIALS):
        trial = (
            None
            if excerpt is None
            else try_out(excerpt, decisions, _settings(wishes, decisions, Remedy()), expected_lu)
        )
        if trial is None:
            break
        expected_lu = trial.unexpected_lu
        decisions = decide(heard, wishes, reference, audio.sample_rate, corrections, trial.dynamics_db)
    return decisions, expected_lu


def _settings(wishes: MasterWishes, decisions: Decisions, remedy: Remedy) -> MasterSettings:
    """Return the settings of the last part: limiter, loudness, dither."""
    compressed_db = decisions.compression.weighted_average_db if decisions.compression is not None else 0.0
    lra_max = decisions.lra_max
    return MasterSettings(
        lufs=max(-60.0, decisions.lufs + remedy.lufs),
        ceiling_dbtp=wishes.ceiling_dbtp + remedy.ceiling_db,
        glue_ratio=wishes.glue_ratio,
        saturation=wishes.saturation,
        max_average_reduction_db=max(0.0, MAX_AVERAGE_REDUCTION_DB - REDUCTION_MARGIN_DB - compressed_db),
        bits=wishes.bits,
        seed=wishes.seed,
        lra_max=max(0.5, lra_max + remedy.lra) if lra_max is not None else None,
        plr_min=wishes.plr_min,
        strict=True,
    )


def _attempt(
    pressed: Audio,
    press: Callable[[], Audio],
    heard: Heard,
    wishes: MasterWishes,
    decisions: Decisions,
    expected_lu: float,
    remedy: Remedy,
    path: Path,
    time_reference_frames: int,
    monitor: Monitor,
) -> tuple[Attempt, tuple[NDArray[np.float32], NDArray[np.float64], Envelope]]:
    """Limit in place, write, read back and measure; `press` gives back the samples as they were before."""
    compressed_db = decisions.compression.weighted_average_db if decisions.compression is not None else 0.0
    settings = _settings(wishes, decisions, remedy)
    result = master(pressed, settings, monitor.part(0.0, 0.65), expected_lu=expected_lu, again=press)
    reduction_db, slow_gain_db = result.reduction_db, result.slow_gain_db
    report = result.report
    after, shape = _written(result, path, SUBTYPES[wishes.bits], time_reference_frames)
    monitor.report(1.0)
    report = replace(report, true_peak_after_dbtp=after.true_peak_dbtp)
    del result
    if remedy.lufs < 0.0 and isfinite(after.integrated_lufs):
        lowered = (
            f"The master is at {after.integrated_lufs:.1f} LUFS and not at {decisions.lufs:g}: more would have "
            "broken a guardrail."
        )
        report = replace(report, target_lufs=decisions.lufs, warnings=(lowered,))
    bus = compressed_db + report.glue_average_db + report.average_reduction_db
    attempt = Attempt(
        heard.figures, after, decisions, report, wishes.ceiling_dbtp, wishes.lra_max, wishes.plr_min, bus
    )
    return attempt, (reduction_db, slow_gain_db, shape)


def _written(
    result: MasterResult, path: Path, subtype: str, time_reference_frames: int
) -> tuple[Figures, Envelope]:
    """Write a master, and return what its file measures and looks like.

    Samples are measured in memory while they are written; then the file is read back and must be these samples, bit
    for bit, so that what was measured is the file.

    Raises:
        NrxError: `output.*` from writing; `internal` if the file is not what was written.
    """
    audio = result.audio

    def write() -> tuple[bool, Envelope]:
        write_wav(path, audio, subtype, time_reference_frames=time_reference_frames)
        return _holds(path, audio.samples), envelope(audio)

    (holds, shape), measured = both(write, lambda: figures(audio, peaks=true_peaks, meter=result.meter))
    if not holds:
        raise NrxError("internal", f"The file {path} reads back as something else than what was written.")
    return measured, shape


def _holds(path: Path, samples: NDArray[np.float32]) -> bool:
    """Return whether a file reads back as these samples, bit for bit."""
    at = 0
    for block in read_blocks(path):
        if not np.array_equal(block.T, samples[:, at : at + len(block)]):
            return False
        at += len(block)
    return bool(at == samples.shape[1])


def _limiting_reasons(attempt: Attempt, wishes: MasterWishes, decisions: Decisions) -> list[str]:
    report, said = attempt.report, []
    if report.gain_db:
        said.append(
            f"{report.gain_db:+.1f} dB of gain for {decisions.lufs:g} LUFS; the limiter takes "
            f"{report.average_reduction_db:.1f} dB off loud passages on average and {report.max_reduction_db:.1f} dB "
            "at most."
        )
    if report.max_saturation_db >= 0.1:
        said.append(
            f"Peaks are rounded by up to {report.max_saturation_db:.1f} dB before the limiter, which leaves it less."
        )
    if max(-report.riding_db[0], report.riding_db[1]) >= 0.1:
        said.append(
            f"The level is ridden by {report.riding_db[0]:+.1f} to {report.riding_db[1]:+.1f} dB, so that quiet and "
            "loud parts come closer."
        )
    said.append(f"Dithered (TPDF) to {wishes.bits} bits.")
    return said


def _refuse(audio: Audio, wishes: MasterWishes) -> None:
    if audio.channels > 2:
        raise NrxError(
            "input.channels", f"Mastering takes mono or stereo, and this has {audio.channels} channels."
        )
    for name, (low, high) in RANGES.items():
        value = getattr(wishes, name)
        if value is not None and not low <= value <= high:
            raise NrxError(
                "request.invalid", f"Mastering: {name} is {value}; it must be from {low:g} to {high:g}."
            )
    for name in wishes.amounts.__dataclass_fields__:
        value = getattr(wishes.amounts, name)
        if not 0.0 <= value <= 1.0:
            raise NrxError(
                "request.invalid", f"Mastering: the amount of {name} is {value}; it must be from 0 to 1."
            )
    if wishes.bits not in SUBTYPES:
        raise NrxError("request.invalid", f"Mastering: bits is {wishes.bits}; it must be 16 or 24.")
