"""Keyboards and mallets: piano, electric piano, organ, vibraphone.

The piano and the vibraphone are sums of decaying partials; inharmonicity after F. Rigaud et al., "A
parametric model and estimation techniques for the inharmonicity and tuning of the piano", JASA 133 (2013).
The electric piano is a tine in front of a magnetic pickup, whose curved field makes the bark. The organ is
tonewheels with key click.
"""

import numpy as np

from engine.audio.buffer import Samples
from engine.generation.arranger.voices.dsp import (
    band_noise,
    bells,
    damped,
    decay,
    fade_edges,
    fall_off,
    pan,
    seconds,
)
from engine.generation.arranger.voices.model import Setup, Stroke, Voice


def piano(setup: Setup) -> Voice:
    """Grand piano: stiff strings in detuned pairs, prompt sound and aftersound, hammer and soundboard knock."""

    def play(stroke: Stroke) -> Samples:
        rate, pitch, strength = setup.sample_rate, stroke.pitch, stroke.strength
        rng = setup.rng(101, pitch, stroke.variant)
        base = stroke.frequency_hz
        stiffness = np.exp(0.0926 * pitch - 13.64) + np.exp(-0.0847 * pitch - 5.82)
        count = int(np.clip(9000 / base, 5, 48))
        number = np.arange(1, count + 1)
        frequency = number * base * np.sqrt((1 + stiffness * number**2) / (1 + stiffness))
        corner = (380 + 2300 * strength**1.5) * (base / 262) ** 0.35 * setup.brightness**0.7
        hammer = fall_off(frequency, corner, 13) * (0.12 + np.abs(np.sin(np.pi * number * 0.121)))
        board = bells(frequency, [(110, 3, 0.5), (240, 2, 0.4), (1100, 2, 0.6), (2600, 1.5, 0.4)])
        colour = 10 ** (rng.normal(0, 1.3, count) / 20)
        gain = hammer * board * colour * number**-0.35
        gain[0] = max(gain[0], 0.35 * gain.max())
        gain /= np.sqrt(np.sum(gain**2))
        longest = float(np.clip(11.0 * 2 ** (-(pitch - 45) / 15), 0.5, 16.0))
        lasting = longest / (1 + 0.55 * (frequency / 1000) ** 1.1)
        place = np.clip((pitch - 62) / 70, -0.45, 0.45)
        spots = np.clip(place + rng.normal(0, 0.18, count), -0.8, 0.8)
        detune = 2 ** (rng.uniform(0.25, 0.5) / 1200)
        parts = [
            (detune, 0.62, 0.52, spots),
            (1 / detune, 0.62, 0.42, spots * 0.6),
            (1.00005, 0.16, 1.9, -0.5 * spots),
        ]
        frequencies, gains, decays = [], [], []
        for ratio, share, length, spot in parts:
            angle = (spot + 1) * np.pi / 4
            frequencies.append(frequency * ratio)
            gains.append(share * gain * np.stack([np.cos(angle), np.sin(angle)]))
            decays.append(lasting * length)
        sound = damped(
            np.concatenate(frequencies),
            np.concatenate(gains, axis=1),
            np.concatenate(decays),
            stroke.frames,
            rate,
        )
        knock_frames = min(stroke.frames, int(0.14 * rate))
        knock = damped(
            [62, 98, 141, 187, 260, 338],
            [0.6, 1, 0.8, 0.6, 0.5, 0.4],
            [0.12, 0.1, 0.09, 0.07, 0.06, 0.05],
            knock_frames,
            rate,
        )
        felt = band_noise(rng, knock_frames, rate, 250, 1200 + 4200 * strength) * decay(
            knock_frames, rate, 0.045
        )
        strike = (0.025 + 0.035 * strength) * knock + (0.012 + 0.05 * strength**1.5) * felt
        sound[:, :knock_frames] += pan(strike, float(place) * 0.7)
        return fade_edges(sound, rate, 0.0012)

    return play


def electric_piano(setup: Setup) -> Voice:
    """Tine electric piano: bell at the touch, warm and round below, barking when hit hard."""

    def play(stroke: Stroke) -> Samples:
        rate, pitch, strength = setup.sample_rate, stroke.pitch, stroke.strength
        rng = setup.rng(102, pitch, stroke.variant)
        base = stroke.frequency_hz
        longest = float(np.clip(7.5 * 2 ** (-(pitch - 48) / 18), 1.2, 12.0))
        time_s = seconds(stroke.frames, rate)
        bar = damped([base, base * 2.0004], [1.0, 0.04], [longest, 0.5 * longest], stroke.frames, rate)[0]
        reach = (0.22 + 0.95 * strength**1.3) * np.clip(2 ** (-(pitch - 60) / 30), 0.25, 1.6)
        reach *= setup.brightness**0.4
        offset = 0.32 + 0.01 * float(rng.normal())
        field = 1 / (1 + (reach * bar + offset) ** 2)
        voltage = np.gradient(field).astype(np.float32) * (rate / (2 * np.pi * base))
        voltage /= np.float32(reach * 0.55 + 0.08)
        tine = damped(
            [base * 6.27, base * 17.55, base * 11.4],
            [0.16 + 0.22 * strength, 0.10 * strength**1.5, 0.05 * strength],
            [0.55, 0.16, 0.22],
            stroke.frames,
            rate,
        )[0]
        tine *= np.float32(np.clip(1.3 - (pitch - 50) / 60, 0.25, 1.2))
        thump_frames = min(stroke.frames, int(0.09 * rate))
        sound = voltage + tine * np.float32(0.55)
        thump = damped([92, 171, 320], [1, 0.6, 0.4], [0.09, 0.07, 0.05], thump_frames, rate)[0]
        sound[:thump_frames] += np.float32(0.05 + 0.07 * strength) * thump
        sound *= (1 - np.exp(-time_s / 0.0012)).astype(np.float32)
        return fade_edges(pan(sound, float(np.clip((pitch - 62) / 120, -0.2, 0.2))), rate, 0.0015)

    return play


_DRAWBARS = (
    (0.5, 0.9),
    (1.5, 0.62),
    (1.0, 1.0),
    (2.0, 0.5),
    (3.0, 0.22),
    (4.0, 0.2),
    (5.0, 0.06),
    (6.0, 0.06),
    (8.0, 0.1),
)


def organ(setup: Setup) -> Voice:
    """Tonewheel organ, full lower drawbars, with second-harmonic percussion and key click."""

    def play(stroke: Stroke) -> Samples:
        rate, strength = setup.sample_rate, stroke.strength
        rng = setup.rng(103, stroke.pitch, stroke.variant)
        base = stroke.frequency_hz
        ratio = np.array([pair[0] for pair in _DRAWBARS])
        gain = np.array([pair[1] for pair in _DRAWBARS])
        gain = gain * np.where(ratio > 1, (0.55 + 0.75 * strength) * setup.brightness**0.6, 1.0)
        frequency = base * ratio
        while (frequency > 5900).any():
            frequency = np.where(frequency > 5900, frequency / 2, frequency)
        gain /= np.sqrt(np.sum(gain**2))
        sound = damped(frequency, gain, np.inf, stroke.frames, rate, rng.uniform(0, 2 * np.pi, ratio.size))[0]
        percussion = damped([base * 2], [0.25 + 0.35 * strength], [0.55], stroke.frames, rate)[0]
        sound += percussion
        click_frames = min(stroke.frames, int(0.012 * rate))
        click = band_noise(rng, click_frames, rate, 900, 6000)[0] * decay(click_frames, rate, 0.008)
        sound[:click_frames] += np.float32(0.06 + 0.12 * strength) * click
        return fade_edges(pan(sound, 0.0), rate, 0.0018)

    return play


def vibes(setup: Setup) -> Voice:
    """Vibraphone: aluminium bars tuned 1 : 4 : 10, soft mallets, motor left to the tremolo effect."""

    def play(stroke: Stroke) -> Samples:
        rate, pitch, strength = setup.sample_rate, stroke.pitch, stroke.strength
        rng = setup.rng(104, pitch, stroke.variant)
        base = stroke.frequency_hz
        ratio = np.array([1.0, 3.984, 9.93, 17.6, 24.1])
        longest = float(np.clip(6.0 * 2 ** (-(pitch - 60) / 16), 0.8, 9.0))
        lasting = longest * np.array([1.0, 0.32, 0.11, 0.05, 0.03])
        gain = np.array([1.0, 0.34, 0.15, 0.07, 0.03]) * fall_off(
            base * ratio, (500 + 6500 * strength**1.8) * setup.brightness, 9
        )
        gain /= np.sqrt(np.sum(gain**2))
        spots = np.clip((pitch - 70) / 60, -0.35, 0.35) + rng.normal(0, 0.1, ratio.size)
        angle = (np.clip(spots, -0.9, 0.9) + 1) * np.pi / 4
        sound = damped(
            base * ratio, gain * np.stack([np.cos(angle), np.sin(angle)]), lasting, stroke.frames, rate
        )
        touch_frames = min(stroke.frames, int(0.03 * rate))
        touch = band_noise(rng, touch_frames, rate, 200, 900 + 3500 * strength)[0] * decay(
            touch_frames, rate, 0.018
        )
        sound[:, :touch_frames] += np.float32(0.05 + 0.1 * strength) * touch
        return fade_edges(sound, rate, 0.0014)

    return play
