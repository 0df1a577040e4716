"""Stems that the console's tests make themselves: short, of known roles, with a kit and a voice among them."""

import numpy as np
from numpy.typing import NDArray

from engine.audio import Audio
from engine.mixing.stems import MemoryStem, Stem

RATE = 44_100
SECONDS = 8.0


def time_s(seconds: float = SECONDS) -> NDArray[np.float64]:
    return np.arange(round(seconds * RATE)) / RATE


def hits(sound: NDArray[np.float64], every_s: float, first_s: float = 0.0) -> NDArray[np.float64]:
    """Repeat a sound every so often."""
    out = np.zeros(len(time_s()) + len(sound))
    for at in np.arange(first_s, SECONDS, every_s):
        start = round(at * RATE)
        out[start : start + len(sound)] += sound
    return out[: len(time_s())]


def kick() -> NDArray[np.float64]:
    t = time_s(0.3)
    return hits(np.sin(2 * np.pi * (50 * t + 4 * (1 - np.exp(-40 * t)))) * np.exp(-12 * t), 0.5)


def snare(seed: int = 1) -> NDArray[np.float64]:
    t = time_s(0.2)
    noise = np.random.default_rng(seed).normal(size=len(t))
    return hits((0.4 * noise + np.sin(2 * np.pi * 190 * t)) * np.exp(-25 * t), 1.0, 0.5)


def hats(seed: int = 2) -> NDArray[np.float64]:
    t = time_s(0.08)
    noise = np.diff(np.random.default_rng(seed).normal(size=len(t) + 1))
    return hits(noise * np.exp(-60 * t), 0.25)


def tone(pitch_hz: float, partials: int, fall: float = 1.2) -> NDArray[np.float64]:
    t = time_s()
    return np.asarray(sum(np.sin(2 * np.pi * pitch_hz * k * t) / k**fall for k in range(1, partials + 1)))


def voice() -> NDArray[np.float64]:
    t = time_s()
    sings = np.clip(np.minimum(t % 2.5, 2.0 - t % 2.5) / 0.05, 0.0, 1.0)
    swell = 0.35 + 0.65 * np.sin(np.pi * t / SECONDS) ** 2
    return tone(220.0, 12, 0.9) * sings * swell


def noise(seed: int, channels: int = 2) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    spectrum = np.fft.rfft(random.normal(size=(channels, len(time_s()))))
    spectrum /= np.sqrt(np.maximum(np.arange(spectrum.shape[1]), 200.0))
    return np.asarray(np.fft.irfft(spectrum, len(time_s())))


def audio(wave: NDArray[np.float64], peak: float = 0.3) -> Audio:
    samples = np.atleast_2d(wave)
    return Audio(np.ascontiguousarray(samples * (peak / np.abs(samples).max()), dtype=np.float32), RATE)


def stem(name: str, wave: NDArray[np.float64], peak: float = 0.3, **more: object) -> Stem:
    return Stem(name, MemoryStem(audio(wave, peak)), **more)  # type: ignore[arg-type]  # fields by name


def song(peaks: dict[str, float] | None = None) -> list[Stem]:
    """Return a small song; `peaks` sets the peak of some of its stems."""
    waves = {
        "Kick": kick(),
        "Snare": snare(),
        "Hats": hats(),
        "Bass": tone(55.0, 5),
        "Lead Vocal": voice(),
        "Guitar": tone(330.0, 10),
        "Pad": np.stack([tone(262.0, 6), tone(263.0, 6)]),
    }
    return [stem(name, wave, (peaks or {}).get(name, 0.3)) for name, wave in waves.items()]
