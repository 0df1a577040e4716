"""Curves over a song: loudness (short-term, BS.1770), brightness (spectral centroid), and where somebody sings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.features import HOP, HOP_S, RATE, WINDOW, Features, magnitudes
from engine.analysis.model import Curve
from engine.audio.buffer import Audio
from engine.progress import SILENT, Monitor

Array = NDArray[np.float64]

CURVE_HOP_S = 0.1
SHORT_TERM_S = 3.0
QUIETEST_LUFS = -70.0
BRIGHTNESS_S = 1.0
VOCAL_S = 0.4
VOCAL_FLOOR_DB, VOCAL_FULL_DB = -18.0, -8.0
_BLOCK_S = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Loudness:
    """Short-term loudness every `CURVE_HOP_S` in LUFS (never under -70), and the integrated loudness.

    `steps` is the loudness of each 10 ms, -inf for silence.
    """

    short_term: Array
    integrated_lufs: float
    steps: Array


def loudness_curve(audio: Audio, monitor: Monitor = SILENT) -> Loudness:
    """Measure the loudness of `audio` over time: value k is for the 3 s around k * `CURVE_HOP_S`, cut at the ends."""
    from engine.loudness.meter import HOPS_PER_S, LoudnessMeter, lufs

    meter = LoudnessMeter(audio.channels, audio.sample_rate)
    block = int(_BLOCK_S * audio.sample_rate)
    for start in range(0, audio.frames, block):
        monitor.report(start / audio.frames)
        meter.add(audio.samples[:, start : start + block])
    energy = meter.hop_energies() * HOPS_PER_S / audio.sample_rate
    mean = centred_mean(energy, SHORT_TERM_S, 1 / HOPS_PER_S, points(audio.duration_s))
    integrated = max(float(meter.integrated_lufs), QUIETEST_LUFS)
    return Loudness(np.maximum(lufs(mean), QUIETEST_LUFS), integrated, lufs(energy))


def points(duration_s: float) -> Array:
    """Return the moments in seconds at which curves have values."""
    return np.asarray(np.arange(int(duration_s / CURVE_HOP_S + 1e-9) + 1) * CURVE_HOP_S, dtype=np.float64)


def centred_mean(x: Array, window_s: float, hop_s: float, at_s: Array) -> Array:
    """Return the mean of `x` (values `hop_s` apart) over the `window_s` around each moment, cut at the ends."""
    if len(x) == 0:
        return np.zeros(len(at_s))
    summed = np.concatenate([[0.0], np.cumsum(x, dtype=np.float64)])
    first = np.clip(np.round((at_s - window_s / 2) / hop_s).astype(int), 0, len(x) - 1)
    last = np.clip(np.round((at_s + window_s / 2) / hop_s).astype(int), first + 1, len(x))
    return np.asarray(np.maximum((summed[last] - summed[first]) / (last - first), 0.0))


def brightness_curve(features: Features) -> tuple[Array, float]:
    """Return the spectral centroid in Hz at each point, over 1 s weighted by magnitude, and that of the whole song."""
    hop = 4 * HOP
    bins_hz = (np.arange(WINDOW // 2 + 1) * (RATE / WINDOW)).astype(np.float32)
    mono = features.mono("mix")
    moment, total = (np.zeros(max(1, -(-len(mono) // hop))) for _ in range(2))

    def consume(first: int, spectra: NDArray[np.float32]) -> None:
        moment[first : first + len(spectra)] = spectra @ bins_hz
        total[first : first + len(spectra)] = spectra.sum(axis=1)

    magnitudes(mono, WINDOW, hop, consume, features.heartbeat)
    at_s = points(features.duration_s)
    upper = centred_mean(moment, BRIGHTNESS_S, hop / RATE, at_s)
    lower = centred_mean(total, BRIGHTNESS_S, hop / RATE, at_s)
    mean_hz = float(moment.sum() / max(total.sum(), 1e-12))
    audible = lower > 1e-4 * max(float(lower.max()), 1e-12)
    return np.where(audible, upper / np.maximum(lower, 1e-12), mean_hz), mean_hz


def vocal_curve(features: Features) -> Array:
    """Return how surely somebody sings at each point, 0 to 1: the level of the vocals' stem against the mix.

    Without a vocals' stem it is 0 throughout: a mix alone does not tell.
    """
    at_s = points(features.duration_s)
    if not features.has("vocals"):
        return np.zeros(len(at_s))
    voice = centred_mean(features.flux("vocals").voiced.astype(np.float64), VOCAL_S, HOP_S, at_s)
    mix = centred_mean(features.flux("mix").voiced.astype(np.float64), SHORT_TERM_S, HOP_S, at_s)
    loud_voice = float(np.percentile(voice, 95))
    reference = np.maximum(mix, 0.1 * float(np.percentile(mix, 90)))
    share_db = 10.0 * np.log10(np.maximum(voice, 1e-20) / np.maximum(reference, 1e-18))
    own_db = 10.0 * np.log10(np.maximum(voice, 1e-20) / max(loud_voice, 1e-18))
    in_mix = (share_db - VOCAL_FLOOR_DB) / (VOCAL_FULL_DB - VOCAL_FLOOR_DB)
    in_stem = (own_db + 30.0) / 14.0
    return np.clip(np.minimum(in_mix, in_stem), 0.0, 1.0)


def as_curve(values: Array, digits: int = 3) -> Curve:
    """Return values `CURVE_HOP_S` apart as a `Curve` of plain numbers."""
    return Curve(CURVE_HOP_S, tuple(round(float(v), digits) for v in values))
