"""Drum kits as tables: General MIDI percussion note → stroke, parameters, level in dB, place in the stereo field.

A kit is the common set with its own pieces over it. Within a kit all levels are as a good player balances
them; the hats' choke group is in the voice table.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.audio.buffer import Samples
from engine.generation.arranger.voices import percussion as p
from engine.generation.arranger.voices.dsp import fade_edges, pan
from engine.generation.arranger.voices.model import Setup, Stroke, Voice

Player = Callable[..., Samples]


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a kit: how it is struck, how loud it is, where it stands."""

    player: Player
    gain_db: float
    place: float = 0.0
    parameters: dict[str, Any] = field(default_factory=dict)


def _piece(player: Player, gain_db: float, place: float = 0.0, **parameters: Any) -> Piece:
    return Piece(player, gain_db, place, parameters)


def _toms(player: Player, gain_db: float, base_hz: float = 82.0, **parameters: Any) -> dict[int, Piece]:
    steps = {41: 0, 43: 3, 45: 5, 47: 8, 48: 10, 50: 14}
    return {
        note: _piece(player, gain_db, 0.45 - 0.065 * step, tune_hz=base_hz * 2 ** (step / 12), **parameters)
        for note, step in steps.items()
    }


_COMMON: dict[int, Piece] = {
    35: _piece(p.kick, 0.0, low_hz=48),
    36: _piece(p.kick, 0.0),
    37: _piece(p.rim, -7.0, -0.08),
    38: _piece(p.snare, -1.5, -0.04),
    39: _piece(p.clap, -4.0),
    40: _piece(p.snare, -1.5, -0.04, tune_hz=205, ring=0.3, crack=0.65),
    42: _piece(p.hat, -14.0, 0.3),
    44: _piece(p.hat, -16.0, 0.3, decay_s=0.07, chick=0.8),
    46: _piece(p.hat, -12.5, 0.3, decay_s=0.55),
    **_toms(p.tom, -3.0),
    49: _piece(p.cymbal, -8.0, -0.4),
    51: _piece(p.ride, -12.0, -0.42),
    52: _piece(p.cymbal, -9.0, 0.4, key=24, low_hz=420, long_s=2.2, short_s=0.6, length_s=1.8),
    53: _piece(p.ride, -10.0, -0.42, bell=1.0, wash=0.2),
    54: _piece(p.tambourine, -13.0, 0.2),
    55: _piece(p.cymbal, -10.0, 0.2, key=23, low_hz=600, long_s=1.3, short_s=0.4, length_s=1.1, modes=160),
    56: _piece(p.cowbell, -11.0, 0.15),
    57: _piece(p.cymbal, -8.0, 0.42, key=22, low_hz=360, long_s=3.6),
    59: _piece(p.ride, -11.0, 0.42, key=32, wash=0.8, ping_hz=3500),
    60: _piece(p.conga, -7.0, 0.25, tune_hz=390, decay_s=0.16),
    61: _piece(p.conga, -7.0, 0.15, tune_hz=300, decay_s=0.2),
    62: _piece(p.conga, -7.0, -0.2, tune_hz=270, decay_s=0.09, slap=0.5),
    63: _piece(p.conga, -6.0, -0.2, tune_hz=250),
    64: _piece(p.conga, -6.0, -0.3, tune_hz=185, decay_s=0.36),
    69: _piece(p.shaker, -15.0, -0.3, length_s=0.09, low_hz=5500),
    70: _piece(p.shaker, -15.0, -0.3, length_s=0.07, low_hz=4800),
    75: _piece(p.wood, -11.0, 0.2, tune_hz=2450, decay_s=0.09),
    76: _piece(p.wood, -11.0, 0.2, tune_hz=1350),
    77: _piece(p.wood, -11.0, 0.2, tune_hz=980),
    80: _piece(p.triangle, -17.0, 0.35, open_=False),
    81: _piece(p.triangle, -18.0, 0.35),
    82: _piece(p.shaker, -15.0, -0.3),
}

KITS: dict[str, dict[int, Piece]] = {
    "kit_acoustic": {
        36: _piece(p.kick, -1.0, low_hz=56, decay_s=0.34, click=0.22, click_hz=2600, skin=0.4, drive=1.1),
        35: _piece(p.kick, -1.0, low_hz=50, decay_s=0.4, click=0.14, click_hz=2200, skin=0.4, drive=1.0),
        38: _piece(p.snare, -2.0, -0.04, tune_hz=192, tone=0.7, wires=0.7, wires_s=0.28, crack=0.4),
    },
    "kit_rock": {
        36: _piece(
            p.kick, 0.5, high_hz=150, low_hz=54, decay_s=0.4, click=0.55, click_hz=3800, skin=0.35, drive=2.0
        ),
        35: _piece(
            p.kick, 0.5, high_hz=150, low_hz=50, decay_s=0.45, click=0.5, click_hz=3400, skin=0.35, drive=2.0
        ),
        38: _piece(
            p.snare,
            0.5,
            -0.03,
            tune_hz=183,
            tone=0.85,
            tone_s=0.2,
            wires=0.95,
            wires_s=0.43,
            crack=0.8,
            ring=0.25,
            tail=0.06,
            tail_s=0.28,
            drive=1.9,
        ),
        40: _piece(
            p.snare,
            0.5,
            -0.03,
            tune_hz=196,
            tone=0.8,
            tone_s=0.22,
            wires=0.9,
            wires_s=0.43,
            crack=1.0,
            ring=0.6,
            drive=2.0,
        ),
        **_toms(p.tom, -1.5, 76.0, decay_s=0.62, attack=0.55),
    },
    "kit_brush": {
        36: _piece(
            p.kick, -4.0, high_hz=95, low_hz=58, decay_s=0.3, click=0.06, click_hz=1600, skin=0.5, drive=0.8
        ),
        35: _piece(
            p.kick, -4.0, high_hz=90, low_hz=52, decay_s=0.34, click=0.05, click_hz=1500, skin=0.5, drive=0.8
        ),
        38: _piece(p.brush, -4.5, -0.04),
        40: _piece(p.brush, -5.5, -0.04, swish_s=0.34, tone=0.08),
        42: _piece(p.hat, -17.0, 0.3, noise=0.45),
        51: _piece(p.ride, -14.0, -0.42, ping_hz=3300, wash=0.5),
    },
    "kit_jazz": {
        36: _piece(
            p.kick,
            -5.0,
            high_hz=105,
            low_hz=66,
            decay_s=0.42,
            click=0.08,
            click_hz=1800,
            skin=0.6,
            drive=0.8,
        ),
        35: _piece(
            p.kick,
            -5.0,
            high_hz=105,
            low_hz=62,
            decay_s=0.45,
            click=0.07,
            click_hz=1700,
            skin=0.6,
            drive=0.8,
        ),
        38: _piece(
            p.snare,
            -5.0,
            -0.04,
            tune_hz=222,
            tone=0.75,
            tone_s=0.2,
            wires=0.6,
            wires_s=0.25,
            crack=0.3,
            ring=0.3,
        ),
        40: _piece(p.brush, -6.0, -0.04),
        42: _piece(p.hat, -15.0, 0.3, noise=0.4),
        44: _piece(p.hat, -12.0, 0.3, decay_s=0.07, chick=1.0),
        51: _piece(p.ride, -8.0, -0.35, key=33, ping_hz=3300, wash=0.55, long_s=3.4),
        53: _piece(p.ride, -9.0, -0.35, key=33, ping_hz=3300, bell=1.0, wash=0.3, long_s=3.4),
        59: _piece(p.ride, -9.0, 0.35, key=34, ping_hz=2900, wash=0.9, long_s=3.0),
        **_toms(p.tom, -5.0, 108.0, decay_s=0.42, attack=0.22),
    },
    "kit_electronic": {
        36: _piece(
            p.kick,
            1.0,
            high_hz=330,
            low_hz=47,
            fall_s=0.022,
            decay_s=0.46,
            click=0.5,
            click_hz=4200,
            skin=0.0,
            drive=2.4,
        ),
        35: _piece(
            p.kick,
            1.0,
            high_hz=200,
            low_hz=43,
            fall_s=0.03,
            decay_s=0.75,
            click=0.25,
            click_hz=3500,
            skin=0.0,
            drive=1.8,
        ),
        38: _piece(
            p.snare,
            -1.0,
            0.0,
            tune_hz=205,
            tone=0.55,
            tone_s=0.12,
            wires=1.0,
            wires_s=0.35,
            wires_hz=(900, 11500),
            crack=0.7,
            ring=0.0,
            drive=1.9,
        ),
        39: _piece(p.clap, -2.0, 0.0, tail_s=0.3, high_hz=4200),
        42: _piece(p.machine_hat, -13.0, 0.12, decay_s=0.06),
        44: _piece(p.machine_hat, -15.0, 0.12, decay_s=0.03),
        46: _piece(p.machine_hat, -11.5, 0.12, decay_s=0.36),
        **_toms(p.tom, -3.0, 85.0, decay_s=0.4, attack=0.15, bend=0.6),
    },
    "kit_lofi": {
        36: _piece(
            p.kick,
            -1.0,
            high_hz=105,
            low_hz=54,
            decay_s=0.28,
            click=0.1,
            click_hz=1700,
            skin=0.35,
            drive=2.0,
        ),
        35: _piece(
            p.kick,
            -1.0,
            high_hz=100,
            low_hz=50,
            decay_s=0.3,
            click=0.08,
            click_hz=1500,
            skin=0.35,
            drive=2.0,
        ),
        37: _piece(p.rim, -5.0, -0.08, tune_hz=390),
        38: _piece(
            p.snare,
            -3.5,
            -0.04,
            tune_hz=178,
            tone=0.7,
            tone_s=0.17,
            wires=0.7,
            wires_s=0.25,
            wires_hz=(900, 5200),
            crack=0.25,
            drive=1.6,
        ),
        42: _piece(p.hat, -15.5, 0.22, noise=0.35, low_hz=2200, decay_s=0.08),
        46: _piece(p.hat, -14.5, 0.22, noise=0.4, low_hz=2200, decay_s=0.32),
    },
    "kit_eighties": {
        36: _piece(
            p.kick,
            0.5,
            high_hz=170,
            low_hz=52,
            fall_s=0.014,
            decay_s=0.36,
            click=0.5,
            click_hz=3600,
            skin=0.2,
            drive=2.2,
        ),
        35: _piece(
            p.kick,
            0.5,
            high_hz=160,
            low_hz=47,
            fall_s=0.02,
            decay_s=0.5,
            click=0.35,
            click_hz=3200,
            skin=0.1,
            drive=2.0,
        ),
        38: _piece(
            p.snare,
            0.5,
            0.0,
            tune_hz=178,
            tone=0.75,
            tone_s=0.18,
            wires=0.8,
            wires_s=0.29,
            crack=0.6,
            ring=0.1,
            tail=0.26,
            tail_s=0.24,
            drive=1.7,
        ),
        40: _piece(
            p.snare,
            0.5,
            0.0,
            tune_hz=165,
            tone=0.8,
            tone_s=0.22,
            wires=0.8,
            wires_s=0.32,
            crack=0.6,
            ring=0.1,
            tail=0.34,
            tail_s=0.3,
            drive=1.8,
        ),
        39: _piece(p.clap, -2.5, 0.0, tail_s=0.32),
        42: _piece(p.machine_hat, -13.5, 0.2, decay_s=0.05, tune_hz=365, cutoff_hz=6200),
        44: _piece(p.machine_hat, -15.0, 0.2, decay_s=0.035, tune_hz=365, cutoff_hz=6200),
        46: _piece(p.machine_hat, -12.0, 0.2, decay_s=0.42, tune_hz=365, cutoff_hz=6200),
        **_toms(p.tom, -0.5, 78.0, decay_s=0.7, attack=0.3, bend=0.75),
    },
    "kit_orchestral": {
        35: _piece(p.timpani, 0.0, 0.1, tune_hz=38, decay_s=1.9),
        36: _piece(p.timpani, 0.0, 0.1, tune_hz=42, decay_s=1.7),
        38: _piece(
            p.snare,
            -6.0,
            0.15,
            tune_hz=210,
            tone=0.45,
            wires=0.75,
            wires_s=0.23,
            crack=0.3,
            ring=0.2,
            drive=0.9,
        ),
        40: _piece(
            p.snare,
            -6.0,
            0.15,
            tune_hz=195,
            tone=0.55,
            wires=0.7,
            wires_s=0.26,
            crack=0.3,
            ring=0.2,
            drive=0.9,
        ),
        **{
            note: _piece(p.timpani, -1.0, -0.15, tune_hz=440 * 2 ** ((note - 69) / 12))
            for note in (41, 43, 45, 47, 48, 50)
        },
        49: _piece(
            p.cymbal, -7.0, 0.2, key=25, low_hz=260, long_s=5.5, short_s=1.6, length_s=4.5, splash=1.0
        ),
        55: _piece(
            p.cymbal,
            -10.0,
            0.2,
            key=26,
            low_hz=300,
            long_s=5.0,
            short_s=1.4,
            length_s=4.0,
            splash=0.6,
            swell_s=0.12,
        ),
        57: _piece(
            p.cymbal, -8.0, 0.2, key=26, low_hz=300, long_s=5.0, short_s=1.4, length_s=4.0, splash=0.9
        ),
    },
}

_NAMES = {name: number for number, name in enumerate(KITS)}
_DARK_HZ = {"kit_lofi": 9500.0}


def piece(kit: str, note: int) -> Piece:
    """Return the piece that a note strikes; a note that no kit knows strikes the nearest one below that is known."""
    pieces = {**_COMMON, **KITS[kit]}
    if note in pieces:
        return pieces[note]
    return pieces[max((known for known in pieces if known < note), default=36)]


def _loudest_ms(sound: Samples, rate: int) -> float:
    """Return the largest RMS of any 12 ms of the hit, both sides together."""
    window = max(16, int(0.012 * rate))
    power = np.cumsum(np.concatenate([[0.0], np.mean(sound.astype(np.float64) ** 2, axis=0)]))
    if power.size <= window:
        return float(np.sqrt(power[-1] / window))
    return float(np.sqrt(np.max(power[window:] - power[:-window]) / window))


def _kit(name: str, setup: Setup) -> Voice:
    def play(stroke: Stroke) -> Samples:
        struck = piece(name, stroke.pitch)
        rng = setup.rng(600 + _NAMES[name], stroke.pitch, stroke.variant, int(stroke.strength * 1000))
        hit = p.Hit(setup.sample_rate, stroke.strength, rng, setup.brightness)
        sound = np.atleast_2d(struck.player(hit, **struck.parameters))
        if name in _DARK_HZ:
            sound = p.darken(sound, _DARK_HZ[name] * setup.brightness, setup.sample_rate)
        if sound.shape[0] == 1:
            sound = pan(sound, struck.place)
        else:
            angle = (struck.place + 1) * np.pi / 4
            sound = sound * (np.sqrt(2) * np.array([[np.cos(angle)], [np.sin(angle)]])).astype(np.float32)
        sound = fade_edges(np.ascontiguousarray(sound, dtype=np.float32), setup.sample_rate, 0.0003, 0.02)
        return sound * np.float32(
            0.3 * 10 ** (struck.gain_db / 20) / max(_loudest_ms(sound, setup.sample_rate), 1e-9)
        )

    return play


def kit_acoustic(setup: Setup) -> Voice:
    """Natural kit in a small room."""
    return _kit("kit_acoustic", setup)


def kit_rock(setup: Setup) -> Voice:
    """Big, driven kit."""
    return _kit("kit_rock", setup)


def kit_brush(setup: Setup) -> Voice:
    """Kit played with brushes."""
    return _kit("kit_brush", setup)


def kit_jazz(setup: Setup) -> Voice:
    """Small, open, high-tuned kit with a dark ride."""
    return _kit("kit_jazz", setup)


def kit_electronic(setup: Setup) -> Voice:
    """Drum machine for dance music."""
    return _kit("kit_electronic", setup)


def kit_lofi(setup: Setup) -> Voice:
    """Short, dark, dusty hits."""
    return _kit("kit_lofi", setup)


def kit_eighties(setup: Setup) -> Voice:
    """Gated snare, falling toms, machine hats."""
    return _kit("kit_eighties", setup)


def kit_orchestral(setup: Setup) -> Voice:
    """Concert bass drum, timpani (notes 41 to 50 at their own pitch), snare, cymbals, triangle."""
    return _kit("kit_orchestral", setup)
