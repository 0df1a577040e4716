"""What a full master is asked for: targets, amounts of each stage, and the tone and density that a preset stands for.

`MasterWishes` is what people and presets say; `engine.mastering.decisions` turns it, with what was measured of the song
and of the references, into the settings of the chain. Amounts go from 0 (the stage does nothing) to 1.
"""

from __future__ import annotations

from dataclasses import dataclass

BANDS = ("low", "low mid", "high mid", "high")
CROSSOVERS_HZ = (120.0, 1000.0, 6000.0)
"""Where the four bands of compression and width meet."""

MAX_EQ_DB = 4.0
MAX_WIDTH_PCT = 140.0
MIN_CORRELATION = 0.1
MAX_AVERAGE_REDUCTION_DB = 3.0
HIGHEST_CEILING_DBTP = -1.0
"""The guardrails of a master: they hold whatever is asked for."""

DEFAULT_LUFS = -14.0


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much of each stage, 0 to 1.

    Attributes:
        corrective: EQ against rumble, resonances and a balance far from what records have.
        tone: the preset's own tone.
        match_spectrum: EQ towards the references' spectrum.
        match_width: side level per band towards the references'.
        match_dynamics: compression and loudness range towards the references'.
        compression: the preset's four-band compression.
    """

    corrective: float = 1.0
    tone: float = 1.0
    match_spectrum: float = 1.0
    match_width: float = 1.0
    match_dynamics: float = 1.0
    compression: float = 1.0


@dataclass(frozen=True, slots=True)
class MasterWishes:
    """What to aim for.

    Attributes:
        lufs: integrated loudness; None is the references', or -14 where there are none.
        ceiling_dbtp: true-peak ceiling, at most -1.
        width_pct: level of the side in percent of what it was: 100 leaves it, 140 is the most.
        lra_max: loudness range in LU that the master shall not exceed; None leaves it.
        plr_min: peak-to-loudness ratio in LU to keep at least; None is the budget of the loudness reached.
        glue_ratio: of the slow bus compressor; 1 is off.
        saturation: soft clipping before the limiter, 0 to 1; None leaves it to the loudness.
        tone_db: the preset's tone at 50 Hz, 200 Hz, 1 kHz, 4 kHz and 12 kHz, in dB.
        ratios: of the four bands' compression; 1 is off.
        amounts: how much of each stage.
        bits: 16 or 24, dithered.
        seed: of the dither.
    """

    lufs: float | None = None
    ceiling_dbtp: float = -1.0
    width_pct: float = 100.0
    lra_max: float | None = None
    plr_min: float | None = None
    glue_ratio: float = 1.0
    saturation: float | None = None
    tone_db: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    ratios: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    amounts: Amounts = Amounts()
    bits: int = 24
    seed: int = 0
