"""The tempo map of a project, by REAPER's laws, on its own (it shares nothing with the engine that it tests).

Time in seconds from the project's start, QN in quarter notes, beats in the denominator's unit. A marker holds its tempo
up to the next one (square), or runs to the next one's tempo linearly in time (linear), so that between two markers
`qn = (b0 * t + (b1 - b0) * t * t / (2 * T)) / 60`. A marker with a signature starts a measure; the measure before it is
cut short if it was not full. Measures count from 0. Before the first marker, and without any, the project's own tempo
and signature hold; measures before time 0 are counted backwards with them.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass

EPSILON = 1e-9


@dataclass
class TempoMarker:
    """One tempo/time signature marker; `numerator` 0 means that it sets no signature."""

    time_s: float
    bpm: float
    numerator: int = 0
    denominator: int = 0
    linear: bool = False


@dataclass(frozen=True)
class Stretch:
    """A stretch of time with one law: tempo from `bpm` to `end_bpm` over `length_s` (infinite for the last)."""

    start_s: float
    length_s: float
    bpm: float
    end_bpm: float
    start_qn: float

    def qn_at(self, time_s: float) -> float:
        """Return the quarter notes from the project's start."""
        t = time_s - self.start_s
        if self.bpm == self.end_bpm or math.isinf(self.length_s):
            return self.start_qn + self.bpm * t / 60
        return self.start_qn + (self.bpm * t + (self.end_bpm - self.bpm) * t * t / (2 * self.length_s)) / 60

    def time_at(self, qn: float) -> float:
        """Return the time of a position in quarter notes."""
        wanted = 60 * (qn - self.start_qn)
        if self.bpm == self.end_bpm or math.isinf(self.length_s):
            return self.start_s + wanted / self.bpm
        slope = (self.end_bpm - self.bpm) / self.length_s
        # the root of slope/2 t^2 + bpm t - wanted that is near 0, in the form that loses no digits
        return self.start_s + 2 * wanted / (self.bpm + math.sqrt(self.bpm * self.bpm + 2 * slope * wanted))

    def bpm_at(self, time_s: float) -> float:
        """Return the tempo in quarter notes a minute."""
        if math.isinf(self.length_s):
            return self.bpm
        return self.bpm + (self.end_bpm - self.bpm) * (time_s - self.start_s) / self.length_s


@dataclass(frozen=True)
class Signature:
    """A run of measures of one kind. `measure` is the number of its first one."""

    start_qn: float
    measure: int
    numerator: int
    denominator: int
    padded_qn: float
    """QN of its start as if every measure before were full."""

    @property
    def length_qn(self) -> float:
        """The length of a full measure."""
        return 4 * self.numerator / self.denominator


class TempoMap:
    """What the markers and the project's own tempo mean. Build a new one after every change."""

    def __init__(self, markers: list[TempoMarker], bpm: float, numerator: int, denominator: int) -> None:
        ordered = sorted(markers, key=lambda marker: marker.time_s)
        if not ordered or ordered[0].time_s > EPSILON:
            ordered = [TempoMarker(0.0, bpm, numerator, denominator), *ordered]
        self.stretches = _stretches(ordered)
        self._starts_s = [stretch.start_s for stretch in self.stretches]
        self._starts_qn = [stretch.start_qn for stretch in self.stretches]
        self._signatures = self._signature_runs(ordered, numerator, denominator)
        self._change_times_s = [marker.time_s for marker in ordered if marker.time_s > 0]

    def _signature_runs(
        self, markers: list[TempoMarker], numerator: int, denominator: int
    ) -> list[Signature]:
        runs = [Signature(0.0, 0, numerator, denominator, 0.0)]
        for marker in markers:
            if marker.numerator <= 0:
                continue
            qn, last = self.qn_at(marker.time_s), runs[-1]
            measures = math.ceil((qn - last.start_qn) / last.length_qn - 1e-6)
            padded = last.padded_qn + measures * last.length_qn
            run = Signature(
                qn, last.measure + measures, marker.numerator, marker.denominator or last.denominator, padded
            )
            if measures == 0:
                runs.pop()
            runs.append(run)
        return runs

    def _stretch(self, time_s: float) -> Stretch:
        return self.stretches[max(0, bisect_right(self._starts_s, time_s) - 1)]

    def qn_at(self, time_s: float) -> float:
        """Return the quarter notes played from time 0 to `time_s` (REAPER's `_abs`)."""
        return self._stretch(time_s).qn_at(time_s)

    def time_at(self, qn: float) -> float:
        """Return when `qn` quarter notes have been played."""
        return self.stretches[max(0, bisect_right(self._starts_qn, qn) - 1)].time_at(qn)

    def bpm_at(self, time_s: float) -> float:
        """Return the tempo at a time, inside ramps as well."""
        return self._stretch(time_s).bpm_at(time_s)

    def signature_at_qn(self, qn: float) -> Signature:
        """Return the run of measures that holds a position."""
        at = max(0, bisect_right([run.start_qn - EPSILON for run in self._signatures], qn) - 1)
        return self._signatures[at]

    def signature_at(self, time_s: float) -> Signature:
        """Return the run of measures that holds a time."""
        return self.signature_at_qn(self.qn_at(time_s))

    def measure_at(self, time_s: float) -> tuple[int, float]:
        """Return the measure's number and the beats since its start."""
        qn = self.qn_at(time_s)
        run = self.signature_at_qn(qn)
        measures = math.floor((qn - run.start_qn) / run.length_qn + EPSILON)
        beats = (qn - run.start_qn - measures * run.length_qn) * run.denominator / 4
        return run.measure + measures, max(0.0, beats)

    def run_of_measure(self, measure: int) -> Signature:
        """Return the run that a measure belongs to."""
        at = max(0, bisect_right([run.measure for run in self._signatures], measure) - 1)
        return self._signatures[at]

    def measure_start_qn(self, measure: int) -> float:
        """Return where a measure starts, in quarter notes played."""
        run = self.run_of_measure(measure)
        return run.start_qn + (measure - run.measure) * run.length_qn

    def measure_start_s(self, measure: int) -> float:
        """Return when a measure starts."""
        return self.time_at(self.measure_start_qn(measure))

    def full_beats_at(self, time_s: float) -> float:
        """Return the beats from the start, each in the unit of its own signature, cut measures as they are."""
        qn, beats = self.qn_at(time_s), 0.0
        for index, run in enumerate(self._signatures):
            next_qn = self._signatures[index + 1].start_qn if index + 1 < len(self._signatures) else math.inf
            beats += (min(qn, next_qn) - run.start_qn) * run.denominator / 4
            if qn <= next_qn:
                break
        return beats

    def time_of_full_beats(self, beats: float) -> float:
        """Invert `full_beats_at`."""
        passed = 0.0
        for index, run in enumerate(self._signatures):
            next_qn = self._signatures[index + 1].start_qn if index + 1 < len(self._signatures) else math.inf
            here = (next_qn - run.start_qn) * run.denominator / 4
            if beats <= passed + here:
                return self.time_at(run.start_qn + (beats - passed) * 4 / run.denominator)
            passed += here
        raise AssertionError("the last run has no end")

    def padded_qn_at(self, time_s: float) -> float:
        """Return the position in quarter notes as if measures that were cut short were full."""
        qn = self.qn_at(time_s)
        run = self.signature_at_qn(qn)
        return run.padded_qn + qn - run.start_qn

    def time_of_padded_qn(self, padded_qn: float) -> float:
        """Invert `padded_qn_at`; a position in the missing part of a measure is that measure's end."""
        at = max(0, bisect_right([run.padded_qn - EPSILON for run in self._signatures], padded_qn) - 1)
        run = self._signatures[at]
        qn = run.start_qn + padded_qn - run.padded_qn
        if at + 1 < len(self._signatures):
            qn = min(qn, self._signatures[at + 1].start_qn)
        return self.time_at(qn)

    def padded_measure_start_qn(self, measure: int) -> float:
        """Return where a measure starts, measures before it counted as full."""
        run = self.run_of_measure(measure)
        return run.padded_qn + (measure - run.measure) * run.length_qn

    def next_change_s(self, time_s: float) -> float | None:
        """Return the time of the first marker after a time."""
        return next((at for at in self._change_times_s if at > time_s + EPSILON), None)


def _stretches(markers: list[TempoMarker]) -> list[Stretch]:
    found: list[Stretch] = []
    qn = 0.0
    for index, marker in enumerate(markers):
        following = markers[index + 1] if index + 1 < len(markers) else None
        length_s = following.time_s - marker.time_s if following else math.inf
        ramp = marker.linear and following is not None and length_s > 0
        end_bpm = following.bpm if ramp and following else marker.bpm
        found.append(Stretch(marker.time_s, length_s, marker.bpm, end_bpm, qn))
        if following:
            qn += (marker.bpm + end_bpm) / 2 * length_s / 60
    return found
