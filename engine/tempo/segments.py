"""The three laws by which tempo moves inside a segment, as closed formulas in both directions.

Let a segment start at beat b0 and second t0 with tempo T0 (BPM), and, for a ramp, end L beats or D seconds
later with tempo T1. Write x = b - b0 (beats into it) and u = t - t0 (seconds into it).

- `constant`: T = T0;  u = 60 x / T0;  x = T0 u / 60.
- `linear_in_beats` (Ableton Live, DAWproject): T = T0 + (T1 - T0) x / L;
  u = 60 L / (T1 - T0) ln(T / T0);  x = L T0 / (T1 - T0) (exp(u (T1 - T0) / (60 L)) - 1).
- `linear_in_time` (REAPER): T = T0 + (T1 - T0) u / D, where D = 120 L / (T0 + T1);
  u = 120 x / (T0 + sqrt(T0^2 + 120 x (T1 - T0) / D));  x = (T0 u + (T1 - T0) u^2 / (2 D)) / 60.

The ramps are evaluated with `log1p` and `expm1`, and without differences of near equals, so that a nearly
flat ramp is as exact as a constant tempo.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Law = Literal["constant", "linear_in_beats", "linear_in_time"]
LAWS: tuple[Law, ...] = get_args(Law)
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TempoSegment:
    """Tempo from `start_beat` (quarter notes; at `start_s` seconds) until the next segment starts.

    `bpm` is the tempo at the start; `end_bpm` the tempo that a ramp reaches where the next segment starts,
    and equal to `bpm` where `law` is "constant".
    """

    start_beat: float
    start_s: float
    bpm: float
    end_bpm: float
    law: Law = "constant"


@dataclass(frozen=True, slots=True)
class Pieces:
    """Segments as arrays of shape (segments,); `length_beats` of the last one is infinite."""

    start_beat: Floats
    start_s: Floats
    bpm: Floats
    end_bpm: Floats
    length_beats: Floats
    law: NDArray[np.int64]
    """Index into `LAWS`."""

    def seconds(self, beats: Floats) -> Floats:
        """Seconds at `beats` (any shape); the first segment's tempo holds before it, the last one's after."""
        i = self._find(self.start_beat, beats)
        x = beats - self.start_beat[i]
        flat = 60.0 * x / self.bpm[i]
        slope = (self.end_bpm[i] - self.bpm[i]) / self.length_beats[i]  # BPM per beat
        ramp = self._ramps(i, x)
        in_beats = ramp & (self.law[i] == LAWS.index("linear_in_beats"))
        in_time = ramp & (self.law[i] == LAWS.index("linear_in_time"))
        rise = np.where(in_beats, slope * x / self.bpm[i], 0.0)
        bent = np.where(in_beats, _over(np.log1p(rise), rise), 1.0)
        relative = np.where(in_time, slope * (self.bpm[i] + self.end_bpm[i]) * x / self.bpm[i] ** 2, 0.0)
        bent = np.where(in_time, 2.0 / (1.0 + np.sqrt(np.maximum(1.0 + relative, 0.0))), bent)
        seconds: Floats = self.start_s[i] + flat * bent
        return seconds

    def beats(self, seconds: Floats) -> Floats:
        """Beats at `seconds` (any shape): the inverse of `seconds`."""
        i = self._find(self.start_s, seconds)
        u = seconds - self.start_s[i]
        flat = self.bpm[i] * u / 60.0
        slope = (self.end_bpm[i] - self.bpm[i]) / self.length_beats[i]
        ramp = self._ramps(i, u)
        in_beats = ramp & (self.law[i] == LAWS.index("linear_in_beats"))
        in_time = ramp & (self.law[i] == LAWS.index("linear_in_time"))
        growth = np.where(in_beats, slope * u / 60.0, 0.0)
        bent = np.where(in_beats, _over(np.expm1(growth), growth), 1.0)
        # (T1 - T0) / D = slope (T0 + T1) / 120
        bent = np.where(
            in_time, 1.0 + slope * (self.bpm[i] + self.end_bpm[i]) * u / (240.0 * self.bpm[i]), bent
        )
        beats: Floats = self.start_beat[i] + flat * bent
        return beats

    def bpm_at(self, beats: Floats) -> Floats:
        """Tempo in BPM at `beats`; at a step, the tempo after it."""
        i = self._find(self.start_beat, beats)
        x = beats - self.start_beat[i]
        slope = (self.end_bpm[i] - self.bpm[i]) / self.length_beats[i]
        ramp = self._ramps(i, x)
        square = self.bpm[i] ** 2 + slope * (self.bpm[i] + self.end_bpm[i]) * x
        in_time = np.sqrt(np.maximum(np.where(ramp, square, self.bpm[i] ** 2), 0.0))
        linear = self.bpm[i] + slope * x
        is_time = self.law[i] == LAWS.index("linear_in_time")
        tempo: Floats = np.where(ramp, np.where(is_time, in_time, linear), self.bpm[i])
        return tempo

    def _find(self, starts: Floats, at: Floats) -> NDArray[np.int64]:
        found: NDArray[np.int64] = np.maximum(np.searchsorted(starts, at, side="right") - 1, 0).astype(
            np.int64
        )
        return found

    def _ramps(self, i: NDArray[np.int64], into: Floats) -> NDArray[np.bool_]:
        ramps: NDArray[np.bool_] = (self.law[i] != LAWS.index("constant")) & (into > 0.0)
        return ramps


def _over(numerator: Floats, denominator: Floats) -> Floats:
    """`numerator / denominator`, and 1 where that is 0 (the limit of log1p(x)/x and expm1(x)/x)."""
    safe = np.where(denominator == 0.0, 1.0, denominator)
    ratio: Floats = np.where(denominator == 0.0, 1.0, numerator / safe)
    return ratio


def length_s(law: Law, length_beats: float, bpm: float, end_bpm: float) -> float:
    """Return how many seconds `length_beats` last that go from `bpm` to `end_bpm` by `law`."""
    if law == "constant" or bpm == end_bpm:
        return 60.0 * length_beats / bpm
    if law == "linear_in_time":
        return 120.0 * length_beats / (bpm + end_bpm)
    return float(60.0 * length_beats / (end_bpm - bpm) * np.log1p((end_bpm - bpm) / bpm))
