"""The `fx` voice: riser, impact, reverse cymbal, vinyl bed. The pitch picks the effect; its note is its length.

A riser and a reverse cymbal reach their peak where their note ends; an impact strikes where it starts; the
bed (hiss, a little rumble, crackle) lasts as long as the note.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from engine.audio.buffer import Samples
from engine.audio.fourier import irfft
from engine.audio.spectra import fast_length
from engine.generation.arranger.voices.dsp import (
    SLOW_FRAMES,
    band_noise,
    damped,
    decay,
    fade_edges,
    scan,
    seconds,
    slow_seconds,
    spread,
    wave_tables,
)
from engine.generation.arranger.voices.model import Setup, Stroke, Voice
from engine.generation.arranger.voices.percussion import Hit, cymbal

_LOOP_S = 7.3
_RISER_LOOP_S = 1.9
_SAW = wave_tables(np.array([[1 / number for number in range(1, 7)]]))


@lru_cache(maxsize=24)
def _loop_noise(
    rate: int, key: int, low_hz: float, high_hz: float, slope: float, length_s: float = _LOOP_S
) -> Samples:
    """Return a seamless stereo loop of noise with a spectrum of f^slope between two edges, RMS 1.

    It is the same for all seeds, which begin at places of their own in it (`_turned`): it takes long to make.
    """
    size = 2 * fast_length(int(length_s * rate / 2))
    hz = np.fft.rfftfreq(size, 1 / rate).astype(np.float32)
    audible = np.maximum(hz, np.float32(1.0))
    shape = audible ** np.float32(slope) / (1 + (low_hz / audible) ** 4) / (1 + (hz / high_hz) ** 4)
    rng = np.random.default_rng([0x5EED, key])
    spectrum = rng.standard_normal((2, hz.size, 2), dtype=np.float32).view(np.complex64)[..., 0]
    spectrum *= shape.astype(np.float32) / np.maximum(np.abs(spectrum), np.float32(1e-9))
    loop = irfft(spectrum, size)
    loop /= np.sqrt(np.mean(loop**2))
    loop.flags.writeable = False
    return np.asarray(loop)


def _turned(loop: Samples, setup: Setup, first: int, frames: int, *key: int) -> Samples:
    """Return `frames` of a loop that goes round, from frame `first` on, counted from where this seed begins in it."""
    size = loop.shape[1]
    first = (first + int(setup.rng(*key).integers(size))) % size
    return np.tile(loop, (1, -(-(first + frames) // size)))[:, first : first + frames]


def _riser(setup: Setup, stroke: Stroke, _rng: np.random.Generator) -> Samples:
    """Noise whose band climbs, and a cluster of tones that climbs two octaves, growing to the end."""
    rate, frames = setup.sample_rate, stroke.frames
    place = np.minimum(1.0, slow_seconds(frames, rate) * (rate / max(1, frames - 1)))
    centres = np.geomspace(350, min(12000, 0.4 * rate), 6)
    steps = len(centres) - 1
    sound = np.zeros((2, frames), dtype=np.float32)
    for number, centre in enumerate(centres):
        share = 0.55 * np.clip(1 - np.abs(place * steps - number), 0, 1)
        heard = np.flatnonzero(share)
        if not heard.size:
            continue
        low, high = max(0, int(heard[0]) - 1), min(len(share) - 1, int(heard[-1]) + 1)
        first, last = low * SLOW_FRAMES, min(frames, high * SLOW_FRAMES)
        gain = spread(share[low : high + 1], last - first)
        loop = _loop_noise(rate, 10 + number, float(centre) * 0.6, float(centre) * 1.7, -0.5, _RISER_LOOP_S)
        sound[:, first:last] += _turned(loop, setup, first, last - first, 702, number) * gain
    climb = spread(110 * np.exp2(2 * place**1.5), frames)
    cycles = np.cumsum(climb, dtype=np.float64) / rate
    for side, cents in ((0, -9), (1, 9)):
        sound[side] += np.float32(0.16) * scan(_SAW, cycles * 2 ** (cents / 1200))
    sound *= spread(0.03 + 0.97 * place**2.2, frames)
    return fade_edges(sound, rate, 0.02, 0.012)


def _impact(setup: Setup, stroke: Stroke, rng: np.random.Generator) -> Samples:
    """Sub drop, dark boom and a wash of noise."""
    rate = setup.sample_rate
    frames = max(stroke.frames, int(3.2 * rate))
    time_s = seconds(frames, rate)
    cycles = np.cumsum(32 + 58 * np.exp(-time_s / 0.11)) / rate
    sub = (np.sin(2 * np.pi * cycles) * np.exp(-time_s / 0.55)).astype(np.float32)
    boom = damped([61, 83, 121, 167], [0.6, 0.5, 0.4, 0.3], [1.6, 1.2, 0.9, 0.6], frames, rate)[0]
    wash = band_noise(rng, frames, rate, 250, 6500, channels=2, order=1) * decay(frames, rate, 3.0)
    snap = band_noise(rng, frames, rate, 900, 9000, channels=2, order=1) * decay(frames, rate, 0.12)
    return fade_edges(
        0.9 * (sub + boom) + 0.13 * wash + np.float32(0.4 * stroke.strength) * snap, rate, 0.0006, 0.3
    )


def _reverse_cymbal(setup: Setup, stroke: Stroke, rng: np.random.Generator) -> Samples:
    """Cymbal played backwards, so that it peaks at the end of its note."""
    rate = setup.sample_rate
    length_s = max(0.2, stroke.frames / rate)
    hit = Hit(rate, stroke.strength, rng, setup.brightness)
    forward = cymbal(
        hit, long_s=max(2.0, 1.4 * length_s), short_s=0.8 * length_s, length_s=length_s, splash=1.0
    )
    return fade_edges(np.ascontiguousarray(forward[:, ::-1]), rate, 0.05, 0.01)


@lru_cache(maxsize=4)
def _vinyl_bed(sample_rate: int) -> Samples:
    hiss = _loop_noise(sample_rate, 1, 900, 9000, -0.25)
    rumble = _loop_noise(sample_rate, 2, 25, 120, -1.0)
    return 0.05 * hiss + 0.02 * rumble


def _vinyl(setup: Setup, stroke: Stroke, rng: np.random.Generator) -> Samples:
    """Surface noise: hiss, rumble, and crackle of many small and few large clicks."""
    rate, frames = setup.sample_rate, stroke.frames
    out = _turned(_vinyl_bed(rate), setup, 0, frames, 701).copy()
    count = rng.poisson(7.5 * frames / rate)
    spots = np.sort(rng.integers(0, max(1, frames), count))
    sizes = np.minimum(rng.pareto(1.9, count) * 0.12 + 0.05, 1.1)
    width = max(8, int(0.0035 * rate))
    clicks = [
        band_noise(rng, width, rate, low_hz, high_hz)[0] * decay(width, rate, 0.003)
        for low_hz, high_hz in (
            (600, 4000),
            (1200, 6000),
            (1800, 9000),
            (900, 5000),
            (2500, 8000),
            (500, 3000),
        )
    ]
    kinds = rng.integers(0, len(clicks), count)
    sides = rng.uniform(0.35, 1.0, (count, 2)).astype(np.float32)
    for spot, size, kind, side in zip(spots, sizes, kinds, sides, strict=True):
        stop = min(frames, spot + width)
        out[:, spot:stop] += np.float32(0.35 * size) * side[:, None] * clicks[kind][None, : stop - spot]
    return fade_edges(out, rate, 0.15, 0.3)


_EFFECTS: tuple[Callable[[Setup, Stroke, np.random.Generator], Samples], ...] = (
    _riser,
    _impact,
    _reverse_cymbal,
    _vinyl,
)


def fx(setup: Setup) -> Voice:
    """Pitch 0 riser, 1 impact, 2 reverse cymbal, 3 vinyl bed (others: the remainder by four)."""

    def play(stroke: Stroke) -> Samples:
        number = stroke.pitch % len(_EFFECTS)
        return _EFFECTS[number](setup, stroke, setup.rng(700, stroke.pitch, stroke.variant))

    return play
