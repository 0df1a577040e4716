"""Songs for the tests of mastering: small bands that are fine, and ones that break a guardrail each."""

import numpy as np
from numpy.typing import NDArray

from engine.audio import Audio

RATE = 44_100


def band(seconds: float = 12.0, *, rate: int = RATE, bright: float = 1.0, seed: int = 3) -> Audio:
    """Return kick, hats, bass and a wide pad; peaks at half scale."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    beat = time % 0.5
    kick = np.exp(-18.0 * beat) * np.sin(2.0 * np.pi * (50.0 * beat + 4.0 * (1.0 - np.exp(-30.0 * beat))))
    hat = 0.3 * bright * np.exp(-40.0 * (time % 0.25)) * random.standard_normal(len(time))
    bass = 0.4 * np.sin(2.0 * np.pi * 55.0 * time)
    channels = [
        0.9 * kick + hat + bass + 0.1 * sum(np.sin(2.0 * np.pi * f * (1.0 + 0.002 * c) * time + c)
                                            for f in (220.0, 277.2, 329.6, 880.0, 2640.0))
        for c in range(2)
    ]  # fmt: skip
    return scaled(np.stack(channels), 0.5, rate)


def scaled(wave: NDArray[np.floating], peak: float, rate: int = RATE) -> Audio:
    """Return a wave (2, frames) with that sample peak."""
    return Audio((peak * wave / np.abs(wave).max()).astype(np.float32), rate)


def widened(song: Audio, side: float) -> Audio:
    """Return a song whose side is multiplied, with noise as side where it is mono."""
    mid, own = song.samples.sum(axis=0) / 2.0, (song.samples[0] - song.samples[1]) / 2.0
    noise = np.random.default_rng(8).standard_normal(len(mid)) * mid.std()
    wide = side * (own + noise)
    return scaled(np.stack([mid + wide, mid - wide]), 0.5, song.sample_rate)


def uneven(song: Audio, quiet: float) -> Audio:
    """Return a song of which every second stretch of 6 s is quiet."""
    level = np.where(np.arange(song.frames) // (6 * song.sample_rate) % 2 == 0, quiet, 1.0)
    return song.with_samples(song.samples * level)


def peak_by_libebur128(audio: Audio) -> float:
    """Return the true peak in dBTP as libebur128 measures it."""
    import pyebur128

    state = pyebur128.R128State(audio.channels, audio.sample_rate, pyebur128.MeasurementMode.MODE_TRUE_PEAK)
    state.add_frames(np.ascontiguousarray(audio.samples.T).reshape(-1), audio.frames)
    highest = max(pyebur128.get_true_peak(state, channel) for channel in range(audio.channels))
    return float(20.0 * np.log10(max(highest, 1e-9)))
