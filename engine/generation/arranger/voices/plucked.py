"""Plucked strings: guitars and string basses, as the modes of a string plucked at a point and heard through a body.

Each partial n of a stiff string has frequency n f0 sqrt(1 + B n^2), starts as sin(n pi p) / n for a pluck at
the share p of the length, and dies the faster the higher it is; two polarisations with slightly different
decay give the double slope of real strings. What a Karplus-Strong loop does in time is done here mode by
mode, exactly in tune at every pitch.
"""

from dataclasses import dataclass

import numpy as np

from engine.audio.buffer import Samples
from engine.generation.arranger.voices.dsp import (
    band_noise,
    bells,
    damped,
    decay,
    fade_edges,
    fall_off,
    phase_cycles,
    seconds,
    vibrato_cents,
)
from engine.generation.arranger.voices.model import Setup, Stroke, Voice

Peaks = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Plucked:
    """What makes one plucked instrument. Corners in Hz at medium strength, times in seconds at the reference pitch."""

    key: int
    pluck_at: float
    corner_hz: float
    corner_rises: float
    slope_db: float
    sustain_s: float
    sustain_pitch: int
    treble_loss: float
    stiffness: float
    body: Peaks = ()
    knock: tuple[tuple[float, float, float], ...] = ()  # (Hz, gain, seconds)
    knock_gain: float = 0.0
    scrape_gain: float = 0.0
    scrape_hz: tuple[float, float] = (1500.0, 6000.0)
    scrape_s: float = 0.012
    pickup_at: float = 0.0  # share of the length; 0 for an acoustic instrument
    most_partials: int = 70
    width: float = 0.0
    attack_s: float = 0.0008
    vibrato: float = 0.0  # cents, delayed


def _pluck(setup: Setup, kind: Plucked, stroke: Stroke) -> Samples:
    rate, strength = setup.sample_rate, stroke.strength
    rng = setup.rng(kind.key, stroke.pitch, stroke.variant)
    base = stroke.frequency_hz
    count = int(np.clip(min(11000, 5.5 * kind.corner_hz) / base, 6, kind.most_partials))
    number = np.arange(1, count + 1)
    bend = kind.stiffness * (base / 110) ** 1.2
    frequency = number * base * np.sqrt((1 + bend * number**2) / (1 + bend))
    point = kind.pluck_at * (1 + rng.uniform(-0.12, 0.12))
    shape = np.abs(np.sin(np.pi * number * point)) + 0.03
    if kind.pickup_at:
        shape = shape * (
            np.abs(np.sin(np.pi * number * kind.pickup_at * 2 ** (stroke.pitch / 48 - 1))) + 0.06
        )
        gain = shape * number**-0.55
    else:
        gain = shape * number**-0.8
    corner = kind.corner_hz * 2 ** (kind.corner_rises * (strength - 0.6) * 2) * setup.brightness**0.8
    gain = gain * fall_off(frequency, corner, kind.slope_db) * bells(frequency, kind.body)
    gain *= 10 ** (rng.normal(0, 0.7, count) / 20)
    gain /= np.sqrt(np.sum(gain**2))
    longest = kind.sustain_s * 2 ** (-(stroke.pitch - kind.sustain_pitch) / 22)
    lasting = longest / (1 + kind.treble_loss * (frequency / 1000) ** 1.2)
    turn = 2 ** (rng.uniform(0.1, 0.3) / 1200)
    spots = np.clip(rng.normal(0, kind.width, (2, count)), -0.7, 0.7)
    angle = (spots + 1) * np.pi / 4
    sides = np.stack([np.cos(angle), np.sin(angle)])
    sound = damped(
        np.concatenate([frequency * turn, frequency / turn]),
        np.concatenate([0.8 * gain * sides[:, 0], 0.45 * gain * sides[:, 1]], axis=1) * np.sqrt(2),
        np.concatenate([0.6 * lasting, 1.4 * lasting]),
        stroke.frames,
        rate,
    )
    _add_touch(sound, setup, kind, strength, rng)
    if kind.vibrato:
        sound = _bent(sound, rate, kind.vibrato)
    return fade_edges(sound, rate, kind.attack_s)


def _add_touch(
    sound: Samples, setup: Setup, kind: Plucked, strength: float, rng: np.random.Generator
) -> None:
    rate = setup.sample_rate
    if kind.knock_gain:
        frames = min(sound.shape[1], int(0.25 * rate))
        hz, gain, last = np.array(kind.knock).T
        knock = damped(hz * rng.uniform(0.985, 1.015), gain, last, frames, rate)
        sound[:, :frames] += np.float32(kind.knock_gain * (0.6 + 0.6 * strength)) * knock
    if kind.scrape_gain:
        frames = min(sound.shape[1], int(5 * kind.scrape_s * rate))
        low_hz, high_hz = kind.scrape_hz
        noise = band_noise(rng, frames, rate, low_hz, high_hz * (0.6 + 0.6 * strength))
        noise *= decay(frames, rate, 2.5 * kind.scrape_s)
        sound[:, :frames] += np.float32(kind.scrape_gain * strength) * noise


def _bent(sound: Samples, rate: int, depth_cents: float) -> Samples:
    frames = sound.shape[1]
    cents = vibrato_cents(seconds(frames, rate), 5.1, depth_cents, 0.22)
    place = np.minimum(phase_cycles(rate, cents, rate), frames - 1.001)
    index = place.astype(np.int64)
    share = (place - index).astype(np.float32)
    return np.asarray(sound[:, index] * (1 - share) + sound[:, index + 1] * share, dtype=np.float32)


_GUITAR_BODY: Peaks = (
    (102, 6, 0.25),
    (205, 5, 0.3),
    (390, 2.5, 0.3),
    (610, -2, 0.3),
    (1250, 2, 0.5),
    (2700, 2.5, 0.5),
)
_GUITAR_KNOCK = (
    (101.0, 1.0, 0.16),
    (196.0, 0.7, 0.11),
    (232.0, 0.4, 0.09),
    (388.0, 0.3, 0.06),
    (536.0, 0.2, 0.05),
)
_BASS_BODY: Peaks = ((62, 2, 0.4), (98, 4, 0.4), (190, 3, 0.5), (420, -2, 0.5), (900, 2.5, 0.6))
_BASS_KNOCK = ((61.0, 0.8, 0.16), (98.0, 1.0, 0.13), (162.0, 0.6, 0.09), (310.0, 0.4, 0.06))

PLUCKED: dict[str, Plucked] = {
    "nylon_guitar": Plucked(
        key=201,
        pluck_at=0.21,
        corner_hz=1500,
        corner_rises=1.1,
        slope_db=9,
        sustain_s=4.2,
        sustain_pitch=45,
        treble_loss=0.9,
        stiffness=4e-5,
        body=_GUITAR_BODY,
        knock=_GUITAR_KNOCK,
        knock_gain=0.09,
        scrape_gain=0.05,
        scrape_hz=(700, 3500),
        scrape_s=0.010,
        width=0.22,
        attack_s=0.0012,
    ),
    "nylon_lead": Plucked(
        key=202,
        pluck_at=0.17,
        corner_hz=1900,
        corner_rises=1.0,
        slope_db=9,
        sustain_s=5.0,
        sustain_pitch=50,
        treble_loss=0.6,
        stiffness=4e-5,
        body=_GUITAR_BODY,
        knock=_GUITAR_KNOCK,
        knock_gain=0.07,
        scrape_gain=0.05,
        scrape_hz=(700, 4500),
        scrape_s=0.010,
        width=0.12,
        attack_s=0.0012,
        vibrato=9,
    ),
    "steel_guitar": Plucked(
        key=203,
        pluck_at=0.15,
        corner_hz=3300,
        corner_rises=1.0,
        slope_db=8,
        sustain_s=5.5,
        sustain_pitch=45,
        treble_loss=0.36,
        stiffness=7e-5,
        body=_GUITAR_BODY,
        knock=_GUITAR_KNOCK,
        knock_gain=0.07,
        scrape_gain=0.11,
        scrape_hz=(1800, 8000),
        scrape_s=0.008,
        width=0.28,
    ),
    "electric_guitar": Plucked(
        key=204,
        pluck_at=0.14,
        corner_hz=2600,
        corner_rises=1.1,
        slope_db=9,
        sustain_s=6.5,
        sustain_pitch=45,
        treble_loss=0.34,
        stiffness=8e-5,
        body=((2600, 3, 0.7),),
        knock=(),
        knock_gain=0,
        scrape_gain=0.06,
        scrape_hz=(1500, 6000),
        scrape_s=0.007,
        pickup_at=0.17,
        width=0.05,
    ),
    "power_guitar": Plucked(
        key=205,
        pluck_at=0.09,
        corner_hz=2900,
        corner_rises=0.9,
        slope_db=8,
        sustain_s=9.0,
        sustain_pitch=40,
        treble_loss=0.25,
        stiffness=9e-5,
        body=((2400, 3, 0.7),),
        knock=(),
        knock_gain=0,
        scrape_gain=0.6,
        scrape_hz=(1500, 6000),
        scrape_s=0.009,
        pickup_at=0.07,
        most_partials=48,
    ),
    "muted_guitar": Plucked(
        key=206,
        pluck_at=0.10,
        corner_hz=1800,
        corner_rises=1.1,
        slope_db=9,
        sustain_s=0.42,
        sustain_pitch=45,
        treble_loss=0.55,
        stiffness=8e-5,
        body=((180, 4, 0.6), (1900, 2, 0.6)),
        knock=((118.0, 1.0, 0.07), (240.0, 0.5, 0.05)),
        knock_gain=0.12,
        scrape_gain=0.16,
        scrape_hz=(1200, 5000),
        scrape_s=0.008,
        pickup_at=0.12,
        width=0.05,
    ),
    "finger_bass": Plucked(
        key=207,
        pluck_at=0.19,
        corner_hz=560,
        corner_rises=1.3,
        slope_db=10,
        sustain_s=5.5,
        sustain_pitch=33,
        treble_loss=1.5,
        stiffness=6e-5,
        body=((90, 2, 0.8), (700, 2, 0.7)),
        knock=((72.0, 1.0, 0.09), (140.0, 0.5, 0.06)),
        knock_gain=0.07,
        scrape_gain=0.05,
        scrape_hz=(400, 2200),
        scrape_s=0.012,
        pickup_at=0.11,
        most_partials=44,
        attack_s=0.0018,
    ),
    "pick_bass": Plucked(
        key=208,
        pluck_at=0.11,
        corner_hz=1350,
        corner_rises=1.1,
        slope_db=9,
        sustain_s=5.0,
        sustain_pitch=33,
        treble_loss=0.9,
        stiffness=7e-5,
        body=((100, 1.5, 0.8), (1300, 3, 0.7)),
        knock=(),
        knock_gain=0,
        scrape_gain=0.2,
        scrape_hz=(1200, 4500),
        scrape_s=0.007,
        pickup_at=0.09,
        most_partials=60,
    ),
    "upright_bass": Plucked(
        key=209,
        pluck_at=0.27,
        corner_hz=430,
        corner_rises=1.2,
        slope_db=9,
        sustain_s=2.3,
        sustain_pitch=33,
        treble_loss=2.2,
        stiffness=5e-5,
        body=_BASS_BODY,
        knock=_BASS_KNOCK,
        knock_gain=0.2,
        scrape_gain=0.09,
        scrape_hz=(300, 2600),
        scrape_s=0.018,
        most_partials=36,
        attack_s=0.0035,
    ),
    "pizzicato_bass": Plucked(
        key=210,
        pluck_at=0.3,
        corner_hz=400,
        corner_rises=1.2,
        slope_db=9,
        sustain_s=1.5,
        sustain_pitch=33,
        treble_loss=2.0,
        stiffness=5e-5,
        body=_BASS_BODY,
        knock=_BASS_KNOCK,
        knock_gain=0.26,
        scrape_gain=0.07,
        scrape_hz=(250, 2200),
        scrape_s=0.02,
        most_partials=30,
        width=0.25,
        attack_s=0.004,
    ),
    "pizzicato": Plucked(
        key=211,
        pluck_at=0.2,
        corner_hz=1250,
        corner_rises=1.2,
        slope_db=9,
        sustain_s=0.85,
        sustain_pitch=60,
        treble_loss=0.8,
        stiffness=6e-5,
        body=((280, 4, 0.4), (480, 3, 0.4), (1000, 2, 0.5), (2600, 2, 0.5)),
        knock=((276.0, 1.0, 0.06), (455.0, 0.7, 0.05), (580.0, 0.4, 0.04)),
        knock_gain=0.16,
        scrape_gain=0.09,
        scrape_hz=(700, 5000),
        scrape_s=0.010,
        most_partials=32,
        width=0.5,
        attack_s=0.0014,
    ),
}


def _maker(name: str, setup: Setup) -> Voice:
    kind = PLUCKED[name]
    return lambda stroke: _pluck(setup, kind, stroke)


def nylon_guitar(setup: Setup) -> Voice:
    """Classical guitar: round, woody, finger on nylon."""
    return _maker("nylon_guitar", setup)


def nylon_lead(setup: Setup) -> Voice:
    """Classical guitar for melodies, with vibrato on notes that last."""
    return _maker("nylon_lead", setup)


def steel_guitar(setup: Setup) -> Voice:
    """Steel-string acoustic guitar played with a pick."""
    return _maker("steel_guitar", setup)


def electric_guitar(setup: Setup) -> Voice:
    """Electric guitar, neck pickup; the voice table adds a clean amplifier."""
    return _maker("electric_guitar", setup)


def power_guitar(setup: Setup) -> Voice:
    """Electric guitar, bridge pickup, for the driven amplifier that the voice table puts behind the whole part."""
    return _maker("power_guitar", setup)


def muted_guitar(setup: Setup) -> Voice:
    """Palm-muted electric guitar."""
    return _maker("muted_guitar", setup)


def finger_bass(setup: Setup) -> Voice:
    """Electric bass played with the fingers."""
    return _maker("finger_bass", setup)


def pick_bass(setup: Setup) -> Voice:
    """Electric bass played with a pick."""
    return _maker("pick_bass", setup)


def upright_bass(setup: Setup) -> Voice:
    """Double bass, plucked: slower start, body, short sustain."""
    return _maker("upright_bass", setup)


def pizzicato_bass(setup: Setup) -> Voice:
    """Section of double basses, plucked."""
    return _maker("pizzicato_bass", setup)


def pizzicato(setup: Setup) -> Voice:
    """Section of violins and violas, plucked."""
    return _maker("pizzicato", setup)
