"""Is the stem of the vocals a human voice? What can be told cheaply, and no more than that.

A separator that goes by place and pitch takes a solo trumpet or a string section for a voice. Two things set singers
apart. Their pitch wanders: glides into notes, vibrato and drift spread it by tens of cents within a sixth of a second,
where keys, plucked strings and sections stay within a few (Sundberg, "The Science of the Singing Voice", 1987). And
they speak: fricatives are noise above 4.5 kHz while the vowel is silent, two to eight times a second. Both are measured
on up to `MOST_S` seconds of the stem, where it is loud. Pitch is read by YIN (de Cheveigné and Kawahara, JASA 111(4),
2002).

Noise that leaks from the drums passes for consonants, and a brass player glides too: so a stem is called an instrument
only where both signs are missing, and neither a choir, whose pitch cannot be tracked, nor a tuned voice ever is.
"""

import numpy as np
from numpy.typing import NDArray

from engine.analysis.features import RATE, Features, Floats
from engine.analysis.model import VocalEvidence

Array = NDArray[np.float64]

MOST_S = 40
HOP, WINDOW, FFT = 220, 1024, 4096
LOWEST_HZ, HIGHEST_HZ = 70.0, 1000.0
DIP, VOICED = 0.15, 0.25
LOUD_DB = 25.0
STRETCH = 15
"""Frames (150 ms) over which the spread of the pitch is taken."""
STEP_CENTS = 80.0
"""A change from frame to frame above which two notes are not joined by a glide."""
WANDER_PERCENTILE = 90.0
HISS_HZ, VOWEL_HZ, HISS_RATIO = (4500.0, 10000.0), (150.0, 2500.0), 0.5


def hear_voice(features: Features) -> VocalEvidence | None:
    """Return what the vocals' stem tells of a voice, None where there is no such stem or it is silent."""
    if not features.has("vocals"):
        return None
    blocks = _loudest_seconds(features.mono("vocals"))
    tracked: list[tuple[Array, Array, Array]] = []
    for block in blocks:
        features.heartbeat.check()
        tracked.append(yin(block))
    powers = np.concatenate([power for _, _, power in tracked])
    floor = float(np.percentile(powers, 95)) * 10.0 ** (-LOUD_DB / 10.0) if len(powers) else 0.0
    spread = np.concatenate(
        [_spreads(pitch, (aperiodicity < VOICED) & (power > floor)) for pitch, aperiodicity, power in tracked]
    )
    hiss, sound = _consonants(blocks)
    return VocalEvidence(
        tracked_s=round(len(spread) * HOP / RATE, 2),
        wander_cents=round(float(np.percentile(spread, WANDER_PERCENTILE)), 1) if len(spread) else 0.0,
        consonants=round(float(hiss.sum() / max(1, sound.sum())), 4),
    )


def _loudest_seconds(mono: Floats) -> list[Floats]:
    """Return up to `MOST_S` seconds of the louder half of the stem, spread over it."""
    count = max(1, len(mono) // RATE)
    seconds = [mono[i * RATE : (i + 1) * RATE + WINDOW * 2] for i in range(count)]
    power = np.array([float(np.mean(np.square(second))) for second in seconds])
    loud = np.flatnonzero(power >= np.median(power[power > 0.0])) if (power > 0.0).any() else np.array([0])
    chosen = loud[np.unique(np.linspace(0, len(loud) - 1, min(MOST_S, len(loud))).astype(int))]
    return [seconds[int(i)] for i in chosen]


def yin(x: Floats) -> tuple[Array, Array, Array]:
    """Return the pitch in Hz, its aperiodicity (0 for a perfect period) and the power of each frame of `HOP`."""
    from scipy.fft import irfft, rfft

    shortest, longest = int(RATE / HIGHEST_HZ), int(RATE / LOWEST_HZ)
    count = max(0, (len(x) - 2 * WINDOW) // HOP)
    if count == 0:
        return np.zeros(0), np.ones(0), np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), 2 * WINDOW)[::HOP][:count]
    spectrum, start = rfft(frames, FFT, axis=1), rfft(frames[:, :WINDOW], FFT, axis=1)
    product = irfft(spectrum * np.conj(start), FFT, axis=1)[:, : longest + 2]
    summed = np.concatenate([np.zeros((count, 1)), np.cumsum(frames**2, axis=1)], axis=1)
    energy = summed[:, WINDOW : WINDOW + longest + 2] - summed[:, : longest + 2]
    difference = np.maximum(energy[:, :1] + energy - 2.0 * product, 0.0)[:, 1:]
    mean = np.cumsum(difference, axis=1) / np.arange(1, longest + 2)
    normal = np.concatenate([np.ones((count, 1)), difference / np.maximum(mean, 1e-12)], axis=1)
    inner = normal[:, shortest : longest + 1]
    is_dip = (inner <= normal[:, shortest - 1 : longest]) & (inner < normal[:, shortest + 1 : longest + 2])
    deep = is_dip & (inner < DIP)
    lag = np.where(deep.any(axis=1), deep.argmax(axis=1), inner.argmin(axis=1)) + shortest
    rows = np.arange(count)
    before, here, after = (normal[rows, lag + k] for k in (-1, 0, 1))
    bend = before - 2.0 * here + after
    shift = np.where(bend > 1e-9, 0.5 * (before - after) / np.maximum(bend, 1e-9), 0.0)
    return RATE / (lag + np.clip(shift, -1.0, 1.0)), here, energy[:, 0] / WINDOW


def _spreads(pitch_hz: Array, voiced: NDArray[np.bool_]) -> Array:
    """Return the standard deviation in cents of each stretch in which one pitch is heard without a step."""
    if len(pitch_hz) < STRETCH:
        return np.zeros(0)
    cents = 1200.0 * np.log2(pitch_hz / LOWEST_HZ)
    stretches = np.lib.stride_tricks.sliding_window_view(cents, STRETCH)
    whole = np.lib.stride_tricks.sliding_window_view(voiced, STRETCH).all(axis=1)
    joined = np.abs(np.diff(stretches, axis=1)).max(axis=1) < STEP_CENTS
    return np.asarray(stretches[whole & joined].std(axis=1))


def _consonants(blocks: list[Floats]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return for each frame whether it is noise with hardly a vowel, and whether it sounds at all."""
    from scipy.fft import rfft

    hz = np.arange(WINDOW // 2 + 1) * (RATE / WINDOW)
    high, low = ((hz >= a) & (hz < b) for a, b in (HISS_HZ, VOWEL_HZ))
    shape = np.hanning(WINDOW)
    levels = []
    for block in blocks:
        if len(block) < WINDOW:
            continue
        frames = np.lib.stride_tricks.sliding_window_view(block, WINDOW)[::HOP]
        power = np.abs(rfft(frames * shape, axis=1)) ** 2
        levels.append(np.stack([power[:, high].sum(axis=1), power[:, low].sum(axis=1)]))
    if not levels:
        return np.zeros(0, dtype=bool), np.zeros(0, dtype=bool)
    hiss, vowel = np.concatenate(levels, axis=1)
    total = hiss + vowel
    sounds = total > np.percentile(total, 95) * 1e-3
    return sounds & (hiss > HISS_RATIO * vowel), sounds
