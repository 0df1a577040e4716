"""Loudness and true peak: ITU-R BS.1770-4, EBU R 128, Tech 3341 and Tech 3342.

Ladder: `LoudnessMeter` takes samples block by block; `measure` takes an `Audio` and gives everything;
`integrated_lufs`, `true_peak_dbtp`, `sample_peak_dbfs` and `short_term_curve` give one thing and cost less.

Conventions: loudness in LUFS, ranges in LU, peaks in dBFS and dBTP; silence is -inf and never NaN. Mono
counts once (no +3 dB for playing on two loudspeakers).
"""

from engine.loudness.measuring import Loudness, integrated_lufs, measure, sample_peak_dbfs, short_term_curve
from engine.loudness.meter import LoudnessMeter
from engine.loudness.truepeak import true_peak_dbtp

__all__ = [
    "Loudness",
    "LoudnessMeter",
    "integrated_lufs",
    "measure",
    "sample_peak_dbfs",
    "short_term_curve",
    "true_peak_dbtp",
]
