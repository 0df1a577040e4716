"""Solo winds for melodies: flute, saxophone, trumpet. Few partials, formants, breath; brightness follows the breath.

A row of wave tables runs from pianissimo to fortissimo; the place in it follows the amplitude, as the
steepening of the wave does in a real tube. Attacks start with a little noise and, in the brass, from below
the pitch.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.audio.buffer import Samples
from engine.generation.arranger.voices.dsp import (
    Floats,
    band_noise,
    bells,
    decay,
    fade_edges,
    fall_off,
    glide_cents,
    harmonic_count,
    pan,
    phase_cycles,
    scan,
    seconds,
    swell,
    vibrato_cents,
    wave_tables,
)
from engine.generation.arranger.voices.model import Setup, Stroke, Voice

Peaks = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Wind:
    """What makes one wind instrument; `corners_hz` are the low-pass corners from softest to loudest."""

    key: int
    source: Callable[[Floats], Floats]
    corners_hz: tuple[float, ...]
    corner_tracks: float
    slope_db: float
    formants: Peaks
    attack_s: tuple[float, float]
    bite: float
    breath: float
    breath_hz: tuple[float, float]
    onset_breath: float
    vibrato_hz: float
    vibrato_cents: float
    vibrato_level: float
    scoop_cents: float
    scoop_s: float
    growl: float = 0.0


def _flute(number: Floats) -> Floats:
    table = np.array([1.0, 0.55, 0.30, 0.12, 0.06, 0.035, 0.02, 0.012])
    return np.where(number <= 8, table[np.minimum(number.astype(int), 8) - 1], 0.012 * (8 / number) ** 3)


def _reed(number: Floats) -> Floats:
    return 1 / number**0.75


def _brass(number: Floats) -> Floats:
    return 1 / number**0.55


WINDS: dict[str, Wind] = {
    "flute": Wind(
        key=501,
        source=_flute,
        corners_hz=(700, 1300, 2400, 4200),
        corner_tracks=0.7,
        slope_db=12,
        formants=((850, 2, 0.8),),
        attack_s=(0.06, 0.03),
        bite=0.42,
        breath=0.042,
        breath_hz=(900, 6500),
        onset_breath=0.2,
        vibrato_hz=5.2,
        vibrato_cents=9,
        vibrato_level=0.14,
        scoop_cents=-12,
        scoop_s=0.018,
    ),
    "sax": Wind(
        key=502,
        source=_reed,
        corners_hz=(650, 1100, 1900, 3400),
        corner_tracks=0.4,
        slope_db=13,
        formants=((480, 4, 0.5), (1150, 6, 0.45), (2500, 4, 0.4), (3400, 2, 0.3)),
        attack_s=(0.05, 0.018),
        bite=0.5,
        breath=0.035,
        breath_hz=(1200, 7000),
        onset_breath=0.16,
        vibrato_hz=4.9,
        vibrato_cents=14,
        vibrato_level=0.08,
        scoop_cents=-45,
        scoop_s=0.022,
        growl=0.02,
    ),
    "trumpet": Wind(
        key=503,
        source=_brass,
        corners_hz=(500, 1000, 1900, 3600, 6200),
        corner_tracks=0.45,
        slope_db=13,
        formants=((1250, 5, 0.6), (2600, 3, 0.5)),
        attack_s=(0.05, 0.016),
        bite=0.45,
        breath=0.012,
        breath_hz=(1500, 6000),
        onset_breath=0.07,
        vibrato_hz=5.3,
        vibrato_cents=10,
        vibrato_level=0.05,
        scoop_cents=-35,
        scoop_s=0.016,
    ),
}


def _wind(name: str, setup: Setup) -> Voice:
    kind = WINDS[name]
    rows: dict[int, Samples] = {}

    def play(stroke: Stroke) -> Samples:
        rate, strength = setup.sample_rate, stroke.strength
        rng = setup.rng(kind.key, stroke.pitch, stroke.variant)
        base = stroke.frequency_hz
        if stroke.pitch not in rows:
            rows[stroke.pitch] = _rows(kind, setup, base)
        time_s = seconds(stroke.frames, rate)
        soft_s, loud_s = kind.attack_s
        attack_s = soft_s * (loud_s / soft_s) ** strength
        rise = swell(stroke.frames, rate, attack_s, kind.bite)
        legato = stroke.glide_semitones != 0
        pulse = vibrato_cents(time_s, kind.vibrato_hz, 1.0, 0.28)
        breathing = vibrato_cents(time_s, kind.vibrato_hz, 1.0, 0.28, phase=-0.5 * np.pi)
        drift = _wander(rng, time_s)
        scoop = 0.0 if legato else kind.scoop_cents * (0.4 + 0.6 * strength) * np.exp(-time_s / kind.scoop_s)
        cents = kind.vibrato_cents * pulse + 1.2 * drift + scoop
        cents = cents + glide_cents(time_s, stroke.glide_semitones, 0.016)
        loudness = rise * (1 + kind.vibrato_level * breathing + 0.03 * drift)
        settle = 1 - 0.16 * (1 - np.exp(-np.maximum(time_s - attack_s, 0) / 0.25))
        place = (0.12 + 0.88 * strength) * loudness * settle * (len(kind.corners_hz) - 1)
        tone = scan(rows[stroke.pitch], phase_cycles(base, cents, rate), place)
        if kind.growl:
            tone *= (1 + kind.growl * strength * np.sin(2 * np.pi * 31 * time_s)).astype(np.float32)
        breath = band_noise(rng, stroke.frames, rate, *kind.breath_hz, order=1)[0]
        start = np.float32(0 if legato else kind.onset_breath) * decay(stroke.frames, rate, 0.09)
        tone += breath * (np.float32(kind.breath * (1.25 - 0.6 * strength)) + start)
        sound = tone * (loudness * settle).astype(np.float32)
        return fade_edges(pan(sound, 0.0), rate, 0.002)

    return play


def _wander(rng: np.random.Generator, time_s: Floats) -> Floats:
    """Return a slow random curve of unit size: no player holds a note quite still."""
    points = np.arange(0.0, time_s[-1] + 0.3, 0.1)
    steps = np.convolve(rng.normal(0, 1, points.size + 2), np.ones(3) / 3, mode="valid")
    return np.interp(time_s, points, steps)


def _rows(kind: Wind, setup: Setup, base: float) -> Samples:
    count = harmonic_count(base, setup.sample_rate, 80)
    number = np.arange(1, count + 1, dtype=np.float64)
    source = kind.source(number) * bells(number * base, kind.formants)
    layers = []
    for corner in kind.corners_hz:
        row = source * fall_off(
            number * base, corner * (base / 440) ** kind.corner_tracks * setup.brightness, kind.slope_db
        )
        layers.append(row / np.sqrt(np.sum(row**2)))
    return wave_tables(np.stack(layers) * np.linspace(0.7, 1.0, len(layers))[:, None])


def flute(setup: Setup) -> Voice:
    """Flute: breathy, with vibrato in loudness more than in pitch."""
    return _wind("flute", setup)


def sax(setup: Setup) -> Voice:
    """Tenor saxophone."""
    return _wind("sax", setup)


def trumpet(setup: Setup) -> Voice:
    """Trumpet."""
    return _wind("trumpet", setup)
