"""What the master aims for, and what it says about itself."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.loudness.meter import LoudnessMeter


@dataclass(frozen=True, slots=True)
class MasterSettings:
    """What to aim for, and how far to go for it.

    Attributes:
        lufs: integrated loudness to reach.
        ceiling_dbtp: true peak (4x, as libebur128 measures it) that the written samples never exceed.
        glue_ratio: ratio of the slow bus compressor that evens out loud passages; 1 is off.
        saturation: soft clipping of peaks before the limiter, 0 (off) to 1; None leaves it to the loudness
        asked
            for: off at -16 LUFS and below, full at -8.
        max_average_reduction_db: the limiter's average gain reduction over the passages that count as loud;
        the
            loudness target is lowered before this is exceeded.
        bits: 16 (with dither) or 24, the samples that will be written; 32 leaves floats as they are.
        seed: of the dither.
        lra_max: loudness range in LU to come down to by riding the level; None leaves it.
        plr_min: peak-to-loudness ratio in LU to keep; None is the budget of the loudness (`plan.lowest_plr`).
        strict: also trim to the ceiling by the 8x meter, dither at 24 bits, and let glue and riding count towards
            the average reduction. Slower; the true peak after quantising is left to whoever measures the file
            (`true_peak_after_dbtp` is the sample peak).
    """

    lufs: float = -14.0
    ceiling_dbtp: float = -1.0
    glue_ratio: float = 1.0
    saturation: float | None = None
    max_average_reduction_db: float = 3.0
    bits: int = 24
    seed: int = 0
    lra_max: float | None = None
    plr_min: float | None = None
    strict: bool = False

    @property
    def saturation_amount(self) -> float:
        """The saturation to use: as set, or as the loudness asks for."""
        if self.saturation is not None:
            return self.saturation
        return min(1.0, max(0.0, (self.lufs + 16.0) / 8.0))


@dataclass(frozen=True, slots=True)
class MasterReport:
    """What was done.

    Loudness in LUFS, peaks in dBTP (4x), reductions in dB as positive numbers; silence is -inf.
    `aimed_lufs` is the target after lowering it to what the reduction and peak-to-loudness budgets allow;
    `warnings` says why it was lowered. `passes` counts limiting passes over the whole song. `riding_db` is
    the lowest and the highest gain that was ridden to bring the loudness range down, `glue_average_db` what
    glue and riding take off loud passages on average, `unexpected_lu` how much louder it came out than planned.
    """

    target_lufs: float
    aimed_lufs: float
    lufs_before: float
    lufs_after: float
    true_peak_before_dbtp: float
    true_peak_after_dbtp: float
    lra_before: float
    lra_after: float
    gain_db: float
    max_reduction_db: float
    average_reduction_db: float
    max_saturation_db: float
    passes: int
    warnings: tuple[str, ...] = ()
    riding_db: tuple[float, float] = (0.0, 0.0)
    glue_average_db: float = 0.0
    unexpected_lu: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class MasterResult:
    """The master, its samples already on the grid of the bit depth that was asked for, and the report.

    `reduction_db` is the limiter's and leveller's reduction, the highest in every 100 ms; `slow_gain_db` glue and
    riding, one value every 10 ms; `meter` has heard the master.
    """

    audio: Audio
    report: MasterReport
    reduction_db: NDArray[np.float32]
    slow_gain_db: NDArray[np.float64]
    meter: LoudnessMeter
