"""Independent ears for generated music: when sounds start, which chords they make, how bright and how dense they are.

Shares nothing with the renderer. Samples are (channels, frames); times are in seconds.
"""

from collections.abc import Sequence

import mir_eval
import numpy as np
from numpy.typing import NDArray

from tests.engine.analysis.template_chords_oracle import agreement, hear, root_agreement

Floats = NDArray[np.float64]
FLUX_HOP_S, FLUX_WINDOW_S = 0.0015, 0.02
TOGETHER_S = 0.04


def onsets(samples: NDArray[np.float32], rate: int) -> Floats:
    """Times of onsets by spectral flux: the rise of the logarithmic magnitude over 10 ms, its local peaks.

    The time is the middle of the frame before the steepest rise; a click is then heard within a millisecond of where
    it is (`test_the_ear_itself_hears_bursts_where_they_are`).
    """
    mono = samples.mean(axis=0, dtype=np.float64)
    hop, window = round(FLUX_HOP_S * rate), round(FLUX_WINDOW_S * rate)
    lag, around = round(0.01 / FLUX_HOP_S), round(0.03 / FLUX_HOP_S)
    padded = np.pad(mono, window)
    starts = np.arange(0, len(padded) - window, hop)
    rises = np.zeros(len(starts))
    shape = np.hanning(window)
    last = np.zeros((0, window // 2 + 1))
    for first in range(0, len(starts), 2048):
        frames = padded[starts[first : first + 2048, None] + np.arange(window)] * shape
        loud = np.log1p(1000.0 * np.abs(np.fft.rfft(frames)) / window)
        joined = np.vstack([last, loud])
        rises[first + len(loud) - max(0, len(joined) - lag) : first + len(loud)] = np.maximum(
            joined[lag:] - joined[:-lag], 0.0
        ).mean(axis=1)
        last = joined[-lag:]
    floor = 0.08 * np.percentile(rises, 99.5)
    found = [
        i
        for i in range(around, len(rises) - around)
        if rises[i] > floor
        and rises[i] == rises[i - around : i + around + 1].max()
        and rises[i] > 1.5 * np.median(rises[i - around : i + around + 1])
    ]
    return (starts[found] - window / 2 - hop) / rate


def onset_error_ms(samples: NDArray[np.float32], rate: int, notes_s: Sequence[float]) -> tuple[float, int]:
    """Median distance of heard onsets from the notes they belong to, and how many were matched.

    Notes struck within 40 ms (a strum, a roll) count as one that starts with the first.
    """
    struck: list[float] = []
    previous = -1.0
    for time_s in sorted(notes_s):
        if time_s - previous > TOGETHER_S:
            struck.append(time_s)
        previous = time_s
    heard = onsets(samples, rate)
    pairs = mir_eval.util.match_events(np.array(struck), heard, 0.05)
    if not pairs:
        return np.inf, 0
    return 1000.0 * float(np.median([abs(heard[j] - struck[i]) for i, j in pairs])), len(pairs)


def centroid_hz(samples: NDArray[np.float32], rate: int) -> float:
    """Centre of gravity of the long-term power spectrum."""
    mono = samples.mean(axis=0)
    size = 4096
    frames = mono[: len(mono) // size * size].reshape(-1, size) * np.hanning(size)
    power = np.square(np.abs(np.fft.rfft(frames))).sum(axis=0)
    return float(np.sum(np.fft.rfftfreq(size, 1 / rate) * power) / power.sum())


def chord_score(
    samples: NDArray[np.float32],
    rate: int,
    chords: Sequence[tuple[float, float, str]],
    *,
    roots: bool = False,
) -> float:
    """Weighted majmin (or agreement of roots) of what is heard with the chords asked for."""
    spans = [(start, end) for start, end, _ in chords]
    labels = [label for _, _, label in chords]
    return (root_agreement if roots else agreement)(spans, labels, hear(samples, rate, spans))
