"""Subtractive synthesisers: basses, leads and plucks. A filter is a row of wave tables, one for each cutoff.

The response of a four-pole ladder is applied to the harmonics themselves, so a moving filter is a moving
place in the row, nothing aliases, and resonance follows the pitch exactly.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Samples
from engine.generation.arranger.voices.dsp import (
    Floats,
    band_noise,
    decay,
    fade_edges,
    glide_cents,
    harmonic_count,
    ladder,
    pan,
    phase_cycles,
    scan,
    seconds,
    soft_clip,
    vibrato_cents,
    wave_tables,
)
from engine.generation.arranger.voices.model import Setup, Stroke, Voice

_ROWS = 16
_LOWEST_HZ, _HIGHEST_HZ = 90.0, 18000.0
_GLIDE_S = 0.012
_EDGE_S = 0.0015  # the first edge of a low wave comes just behind the start, or the ear waits a whole cycle


def saw(count: int) -> Floats:
    """Harmonics of a sawtooth."""
    return np.asarray(1 / np.arange(1, count + 1))


def square(count: int, width: float = 0.5) -> Floats:
    """Harmonics of a pulse of the given width (share of the cycle)."""
    number = np.arange(1, count + 1)
    return np.asarray(np.sin(np.pi * number * width) / number)


@lru_cache(maxsize=512)
def _filter_rows(shape: str, frequency_hz: float, resonance: float, sample_rate: int) -> Samples:
    count = harmonic_count(frequency_hz, sample_rate, 480)
    harmonics = {"saw": saw(count), "square": square(count), "pulse": square(count, 0.27)}[shape]
    cutoffs = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _ROWS)
    number = np.arange(1, count + 1) * frequency_hz
    return wave_tables(np.stack([harmonics * ladder(number, cutoff, resonance) for cutoff in cutoffs]))


def cutoff_place(cutoff_hz: NDArray[np.floating] | float) -> Floats:
    """Return the place in a filter row of a cutoff."""
    octaves = np.log(np.clip(cutoff_hz, _LOWEST_HZ, _HIGHEST_HZ) / _LOWEST_HZ)
    return np.asarray(octaves / np.log(_HIGHEST_HZ / _LOWEST_HZ) * (_ROWS - 1))


def _oscillator(
    shape: str,
    stroke: Stroke,
    cents: Floats,
    cutoff_hz: Floats,
    resonance: float,
    rate: int,
    start: float = 0.0,
) -> Samples:
    rows = _filter_rows(shape, stroke.frequency_hz, resonance, rate)
    return scan(rows, phase_cycles(stroke.frequency_hz, cents, rate) + start, cutoff_place(cutoff_hz))


def _envelope(frames: int, rate: int, attack_s: float, decay_s: float, sustain: float) -> Samples:
    time_s = seconds(frames, rate)
    fall = sustain + (1 - sustain) * np.exp(-time_s / decay_s)
    return np.asarray(fall * (1 - np.exp(-time_s / (attack_s / 3))), dtype=np.float32)


def _add_tick(sound: Samples, setup: Setup, stroke: Stroke, gain: float) -> None:
    """Add the few milliseconds of noise that let the ear place a low note in time."""
    frames = min(stroke.frames, int(0.02 * setup.sample_rate))
    noise = band_noise(setup.rng(300, stroke.pitch), frames, setup.sample_rate, 500, 3200 * setup.brightness)[
        0
    ]
    shape = decay(frames, setup.sample_rate, 0.016)
    sound[..., :frames] += np.float32(gain * (0.4 + stroke.strength)) * noise * shape


def synth_bass(setup: Setup) -> Voice:
    """Saw and square an octave apart through a closing ladder, with a little sub."""

    def play(stroke: Stroke) -> Samples:
        rate, strength = setup.sample_rate, stroke.strength
        time_s = seconds(stroke.frames, rate)
        base = stroke.frequency_hz
        sweep = (500 + 4200 * strength**1.8) * np.exp(-time_s / (0.09 + 0.10 * strength))
        cutoff = (260 + 420 * strength + 0.9 * base + sweep) * setup.brightness
        glide = glide_cents(time_s, stroke.glide_semitones, _GLIDE_S)
        first_edge = -_EDGE_S * base
        body = _oscillator("saw", stroke, glide + 1.0, cutoff, 0.28, rate, first_edge)
        body += 0.7 * _oscillator("square", stroke, glide - 2.0, cutoff, 0.28, rate, first_edge)
        body += np.float32(0.45) * np.sin(2 * np.pi * phase_cycles(base, glide, rate)).astype(np.float32)
        body *= _envelope(stroke.frames, rate, 0.002, 0.5, 0.72)
        sound = soft_clip(body, 0.6 + 0.7 * strength)
        _add_tick(sound, setup, stroke, 0.16)
        return fade_edges(pan(sound, 0.0), rate, 0.001)

    return play


def sub_bass(setup: Setup) -> Voice:
    """Sine with the harmonics of gentle saturation, so that small loudspeakers tell the pitch too."""

    def play(stroke: Stroke) -> Samples:
        rate, strength = setup.sample_rate, stroke.strength
        time_s = seconds(stroke.frames, rate)
        glide = glide_cents(time_s, stroke.glide_semitones, 0.03)
        cycles = phase_cycles(stroke.frequency_hz, glide, rate)
        amount = (0.8 + 2.2 * strength) * setup.brightness**0.6
        number = np.arange(1, 10)
        odd = np.where(number % 2 == 1, (amount / 3.5) ** (number - 1) / number, 0.0)
        even = np.where(number % 2 == 0, 0.16 * (amount / 3.5) ** (number - 1), 0.0)
        count = harmonic_count(stroke.frequency_hz, rate, 9)
        rows = wave_tables(np.stack([np.eye(1, count)[0], (odd + even)[:count]]))
        sound = scan(rows, cycles, 0.35 + 0.65 * np.exp(-time_s / 0.22))
        sound *= _envelope(stroke.frames, rate, 0.004, 1.2, 0.82)
        _add_tick(sound, setup, stroke, 0.05)
        return fade_edges(pan(sound, 0.0), rate, 0.002)

    return play


def saw_lead(setup: Setup) -> Voice:
    """Two detuned saws and a lower pulse, portamento, vibrato on notes that last."""

    def play(stroke: Stroke) -> Samples:
        rate, strength = setup.sample_rate, stroke.strength
        rng = setup.rng(303, stroke.pitch, stroke.variant)
        time_s = seconds(stroke.frames, rate)
        base = stroke.frequency_hz
        cents = glide_cents(time_s, stroke.glide_semitones, 0.028) + vibrato_cents(time_s, 5.4, 11, 0.3)
        cutoff = (
            900 + 1.6 * base + 5200 * strength**1.5 * (0.45 + 0.55 * np.exp(-time_s / 0.35))
        ) * setup.brightness
        starts = rng.uniform(0, 1, 3)
        left = _oscillator("saw", stroke, cents - 6, cutoff, 0.2, rate, starts[0])
        right = _oscillator("saw", stroke, cents + 6, cutoff, 0.2, rate, starts[1])
        middle = _oscillator("pulse", stroke, cents, cutoff, 0.2, rate, starts[2])
        sound = np.stack([left + 0.45 * right + 0.6 * middle, right + 0.45 * left + 0.6 * middle])
        sound *= _envelope(stroke.frames, rate, 0.004, 0.6, 0.8)
        return fade_edges(sound, rate, 0.002)

    return play


def square_lead(setup: Setup) -> Voice:
    """Hollow square with a soft filter, portamento and late vibrato."""

    def play(stroke: Stroke) -> Samples:
        rate, strength = setup.sample_rate, stroke.strength
        rng = setup.rng(304, stroke.pitch, stroke.variant)
        time_s = seconds(stroke.frames, rate)
        base = stroke.frequency_hz
        cents = glide_cents(time_s, stroke.glide_semitones, 0.035) + vibrato_cents(time_s, 5.1, 13, 0.28)
        cutoff = (
            600 + 1.9 * base + 3600 * strength**1.5 * (0.4 + 0.6 * np.exp(-time_s / 0.3))
        ) * setup.brightness
        starts = rng.uniform(0, 1, 2)
        first = _oscillator("square", stroke, cents - 3, cutoff, 0.15, rate, starts[0])
        second = _oscillator("square", stroke, cents + 3, cutoff, 0.15, rate, starts[1])
        sound = np.stack([first + 0.6 * second, second + 0.6 * first])
        sound *= _envelope(stroke.frames, rate, 0.005, 0.8, 0.85)
        return fade_edges(sound, rate, 0.002)

    return play


def arp_synth(setup: Setup) -> Voice:
    """Short bright analogue notes for arpeggios: saw and pulse through a quick filter envelope."""

    def play(stroke: Stroke) -> Samples:
        rate, strength = setup.sample_rate, stroke.strength
        rng = setup.rng(305, stroke.pitch, stroke.variant)
        time_s = seconds(stroke.frames, rate)
        base = stroke.frequency_hz
        sweep = (900 + 6500 * strength**1.5) * np.exp(-time_s / (0.06 + 0.1 * strength))
        cutoff = (420 + 1.1 * base + sweep) * setup.brightness
        flat = np.zeros_like(time_s)
        starts = rng.uniform(0, 1, 2)
        left = _oscillator("saw", stroke, flat - 5, cutoff, 0.35, rate, starts[0])
        right = _oscillator("saw", stroke, flat + 5, cutoff, 0.35, rate, starts[1])
        sound = np.stack([left + 0.4 * right, right + 0.4 * left])
        sound *= _envelope(stroke.frames, rate, 0.002, 0.28, 0.3)
        return fade_edges(sound, rate, 0.001)

    return play


def pluck(setup: Setup) -> Voice:
    """Dance pluck: stacked saws, wide, gone quickly."""

    def play(stroke: Stroke) -> Samples:
        rate, strength = setup.sample_rate, stroke.strength
        rng = setup.rng(306, stroke.pitch, stroke.variant)
        time_s = seconds(stroke.frames, rate)
        base = stroke.frequency_hz
        sweep = (1800 + 9000 * strength**1.3) * np.exp(-time_s / (0.045 + 0.07 * strength))
        cutoff = (300 + 0.9 * base + sweep) * setup.brightness
        flat = np.zeros_like(time_s)
        starts = rng.uniform(0, 1, 4)
        waves = [
            _oscillator("saw", stroke, flat + cents, cutoff, 0.22, rate, start)
            for cents, start in zip((-9, -3, 3, 9), starts, strict=True)
        ]
        left = waves[0] + 0.7 * waves[2] + 0.3 * waves[3]
        right = waves[3] + 0.7 * waves[1] + 0.3 * waves[0]
        sound = np.stack([left, right])
        sound *= _envelope(stroke.frames, rate, 0.0015, 0.17, 0.06)
        return fade_edges(sound, rate, 0.001)

    return play
