"""Many players at once: pads, supersaw, string sections, choir, horns and woodwinds, from spectral loops (`dsp.Pool`).

Each voice says which partials it has in a row of dynamics from dark to bright, how far its players lie apart
in pitch and in the room, and how it swells; the place in the row follows the swell, so louder is brighter.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.audio.buffer import Samples
from engine.generation.arranger.voices.dsp import (
    Floats,
    Pool,
    band_noise,
    bells,
    decay,
    fade_edges,
    fall_off,
    harmonic_count,
    ladder,
    slow_seconds,
    swell,
)
from engine.generation.arranger.voices.model import Setup, Stroke, Voice

Peaks = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Ensemble:
    """What makes one ensemble.

    `spectrum(harmonic numbers)` is the source; `corners_hz` the low-pass corner of each dynamic layer (at
    brightness 1, for the reference pitch, and following the pitch by `corner_tracks`); `slope_db` how steep;
    `body` fixed resonances. `players` lines lie evenly within ±`cents` (with 0 players: a bell curve of that
    width). `attack_s` is from soft to loud; `from_place` and `to_place` say where in the row (0 to 1) a soft
    and a loud note arrive; `drop` how far the place falls back after the attack and `drop_s` how fast; `blip`
    a short brightness at the very start; `moves` a slow filter movement, in shares of the row.
    """

    key: int
    spectrum: Callable[[Floats], Floats]
    corners_hz: tuple[float, ...]
    corner_tracks: float
    slope_db: float
    body: Peaks
    players: int
    cents: float
    width: float
    attack_s: tuple[float, float]
    bite: float
    from_place: float
    to_place: float
    drop: float = 0.0
    drop_s: float = 0.3
    moves: float = 0.0
    moves_hz: float = 0.12
    noise_gain: float = 0.0
    noise_hz: tuple[float, float] = (1800.0, 7000.0)
    onset_noise: float = 0.0
    resonance: float = -1.0  # 0 to 1 for a ladder instead of the smooth low-pass
    sub: float = 0.0
    blip: float = 0.0


def _saw(number: Floats) -> Floats:
    return 1 / number


def _mellow(number: Floats) -> Floats:
    return 1 / number**1.35


def _reeds(number: Floats) -> Floats:
    return np.where(number % 2 == 1, 1.0, 0.45) / number**0.95


def _voices(number: Floats) -> Floats:
    return 1 / number**0.95


_VIOLIN_BODY: Peaks = ((290, 3, 0.3), (470, 3, 0.35), (1000, 2, 0.5), (2500, 4, 0.6), (5200, -3, 0.6))
_CELLO_BODY: Peaks = ((110, 3, 0.4), (220, 3, 0.4), (430, 2, 0.4), (1500, 2.5, 0.6), (3800, -4, 0.8))
_AH: Peaks = ((680, 13, 0.32), (1120, 10, 0.28), (2650, 8, 0.3), (3300, 5, 0.3))
_HORN_BODY: Peaks = ((420, 5, 0.8), (900, 3, 0.6))
_REED_BODY: Peaks = ((900, 3, 0.5), (1450, 4, 0.45), (2900, 2, 0.4))

ENSEMBLES: dict[str, Ensemble] = {
    "saw_pad": Ensemble(
        key=401,
        spectrum=_saw,
        corners_hz=(500, 1100, 2400, 5200, 11000),
        corner_tracks=0.35,
        slope_db=24,
        body=(),
        players=7,
        cents=11,
        width=0.9,
        attack_s=(0.16, 0.05),
        bite=0.45,
        from_place=0.30,
        to_place=0.72,
        drop=0.12,
        drop_s=0.8,
        moves=0.10,
        resonance=0.25,
        blip=0.4,
        onset_noise=0.05,
        noise_hz=(2500, 9000),
    ),
    "warm_pad": Ensemble(
        key=402,
        spectrum=_mellow,
        corners_hz=(280, 600, 1300, 2800),
        corner_tracks=0.5,
        slope_db=18,
        body=(),
        players=0,
        cents=9,
        width=0.85,
        attack_s=(0.30, 0.12),
        bite=0.42,
        from_place=0.25,
        to_place=0.75,
        moves=0.10,
        moves_hz=0.09,
        sub=0.25,
        blip=0.5,
        onset_noise=0.06,
        noise_hz=(900, 5000),
    ),
    "supersaw": Ensemble(
        key=403,
        spectrum=_saw,
        corners_hz=(700, 1600, 3600, 8000, 17000),
        corner_tracks=0.3,
        slope_db=24,
        body=(),
        players=7,
        cents=13,
        width=1.0,
        attack_s=(0.02, 0.004),
        bite=0.7,
        from_place=0.42,
        to_place=0.95,
        drop=0.14,
        drop_s=0.35,
        moves=0.05,
        resonance=0.12,
    ),
    "strings": Ensemble(
        key=404,
        spectrum=_saw,
        corners_hz=(900, 1900, 3800, 7000),
        corner_tracks=0.3,
        slope_db=12,
        body=_VIOLIN_BODY,
        players=0,
        cents=12,
        width=0.8,
        attack_s=(0.24, 0.07),
        bite=0.26,
        from_place=0.15,
        to_place=0.9,
        drop=0.06,
        drop_s=0.4,
        moves=0.06,
        moves_hz=0.21,
        noise_gain=0.02,
        onset_noise=0.10,
    ),
    "violins": Ensemble(
        key=405,
        spectrum=_saw,
        corners_hz=(1200, 2400, 4600, 8200),
        corner_tracks=0.3,
        slope_db=12,
        body=_VIOLIN_BODY,
        players=0,
        cents=11,
        width=0.55,
        attack_s=(0.15, 0.045),
        bite=0.32,
        from_place=0.15,
        to_place=0.9,
        drop=0.05,
        drop_s=0.4,
        moves=0.08,
        moves_hz=0.3,
        noise_gain=0.025,
        onset_noise=0.12,
    ),
    "celli": Ensemble(
        key=406,
        spectrum=_saw,
        corners_hz=(420, 900, 1900, 3800),
        corner_tracks=0.35,
        slope_db=12,
        body=_CELLO_BODY,
        players=0,
        cents=9,
        width=0.5,
        attack_s=(0.2, 0.055),
        bite=0.32,
        from_place=0.15,
        to_place=0.9,
        drop=0.06,
        drop_s=0.4,
        moves=0.06,
        moves_hz=0.18,
        noise_gain=0.018,
        noise_hz=(900, 4500),
        onset_noise=0.12,
    ),
    "choir": Ensemble(
        key=407,
        spectrum=_voices,
        corners_hz=(500, 1000, 2100, 4200),
        corner_tracks=0.25,
        slope_db=10,
        body=_AH,
        players=0,
        cents=15,
        width=0.9,
        attack_s=(0.28, 0.11),
        bite=0.3,
        from_place=0.2,
        to_place=0.85,
        moves=0.08,
        moves_hz=0.17,
        noise_gain=0.014,
        noise_hz=(2200, 8000),
        onset_noise=0.09,
        blip=0.2,
    ),
    "horns": Ensemble(
        key=408,
        spectrum=_mellow,
        corners_hz=(280, 550, 1100, 2200, 4200),
        corner_tracks=0.45,
        slope_db=14,
        body=_HORN_BODY,
        players=4,
        cents=5,
        width=0.35,
        attack_s=(0.11, 0.035),
        bite=0.32,
        from_place=0.12,
        to_place=0.92,
        drop=0.14,
        drop_s=0.25,
        moves=0.04,
        moves_hz=0.25,
        noise_gain=0.006,
        noise_hz=(500, 2500),
        onset_noise=0.05,
    ),
    "woodwinds": Ensemble(
        key=409,
        spectrum=_reeds,
        corners_hz=(700, 1300, 2600, 5000),
        corner_tracks=0.5,
        slope_db=12,
        body=_REED_BODY,
        players=3,
        cents=4,
        width=0.5,
        attack_s=(0.07, 0.03),
        bite=0.34,
        from_place=0.15,
        to_place=0.85,
        drop=0.05,
        drop_s=0.3,
        moves=0.05,
        moves_hz=0.33,
        noise_gain=0.012,
        noise_hz=(1500, 7000),
        onset_noise=0.06,
    ),
}


def _lines(kind: Ensemble, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    if kind.players:
        place = np.linspace(-1, 1, kind.players)
        cents = kind.cents * np.sign(place) * np.abs(place) ** 1.25
        weights = 1 - 0.5 * np.abs(place)
        pans = kind.width * np.where(np.arange(kind.players) % 2 == 0, place, -place)
        return cents, weights, pans
    count = 15
    place = np.linspace(-1.9, 1.9, count)
    return kind.cents * place, np.exp(-(place**2)), kind.width * rng.uniform(-1, 1, count)


def _layers(kind: Ensemble, setup: Setup, frequency_hz: float) -> Floats:
    count = harmonic_count(frequency_hz, setup.sample_rate, 400)
    number = np.arange(1, count + 1, dtype=np.float64)
    hz = number * frequency_hz
    source = kind.spectrum(number) * bells(hz, kind.body)
    rows = []
    for corner in kind.corners_hz:
        corner_hz = corner * (frequency_hz / 262) ** kind.corner_tracks * setup.brightness
        low = (
            np.abs(ladder(hz, corner_hz, kind.resonance))
            if kind.resonance >= 0
            else fall_off(hz, corner_hz, kind.slope_db)
        )
        row = source * low
        if kind.sub:
            row[0] += kind.sub * np.abs(row).max()
        rows.append(row / np.sqrt(np.sum(row**2)))
    gains = np.linspace(0.75, 1.0, len(rows))
    return np.stack(rows) * gains[:, None]


def _ensemble(name: str, setup: Setup) -> Voice:
    kind = ENSEMBLES[name]
    pools: dict[int, Pool] = {}

    def play(stroke: Stroke) -> Samples:
        rate, strength = setup.sample_rate, stroke.strength
        if stroke.pitch not in pools:
            rng = setup.rng(kind.key, stroke.pitch)
            layers = _layers(kind, setup, stroke.frequency_hz)
            cents, weights, pans = _lines(kind, rng)
            pools[stroke.pitch] = Pool(stroke.frequency_hz, layers, cents, weights, pans, rate, rng)
        time_s = slow_seconds(stroke.frames, rate)
        soft_s, loud_s = kind.attack_s
        attack_s = soft_s * (loud_s / soft_s) ** strength
        rise = swell(stroke.frames, rate, attack_s, kind.bite)
        top = kind.from_place + (kind.to_place - kind.from_place) * strength
        last = max(0, stroke.frames - 1)
        risen = rise[np.minimum(np.rint(time_s * rate).astype(np.int64), last)]
        place = top * (0.55 + 0.45 * risen) - kind.drop * (
            1 - np.exp(-np.maximum(time_s - attack_s, 0) / kind.drop_s)
        )
        place = place + kind.blip * (0.5 + strength) * np.exp(-time_s / 0.03)
        turn = setup.rng(kind.key, stroke.pitch).uniform(0, 2 * np.pi)
        place = place + kind.moves * np.sin(2 * np.pi * kind.moves_hz * time_s + turn)
        sound = pools[stroke.pitch](stroke.frames, np.clip(place, 0, 1) * (len(kind.corners_hz) - 1))
        if kind.noise_gain or kind.onset_noise:
            sound += _air(kind, setup, stroke)
        sound *= rise
        return fade_edges(sound, rate, 0.002)

    return play


def _air(kind: Ensemble, setup: Setup, stroke: Stroke) -> Samples:
    rate = setup.sample_rate
    rng = setup.rng(kind.key, stroke.pitch, 7)
    low_hz, high_hz = kind.noise_hz
    length_s = 2.0 if kind.noise_gain else 0.12
    loop = band_noise(
        rng, min(stroke.frames, int(length_s * rate)), rate, low_hz, high_hz, channels=2, order=1
    )
    steady = np.zeros((2, stroke.frames), dtype=np.float32)
    if kind.noise_gain:
        loop_gained = loop * np.float32(kind.noise_gain)
        for start in range(0, stroke.frames, loop.shape[1]):
            piece = steady[:, start : start + loop.shape[1]]
            piece += loop_gained[:, : piece.shape[1]]
    frames = min(stroke.frames, int(0.12 * rate))
    gain = np.float32(kind.onset_noise * (0.4 + stroke.strength) / max(kind.bite, 0.1))
    steady[:, :frames] += gain * loop[:, :frames] * decay(frames, rate, 0.11)
    return steady


def saw_pad(setup: Setup) -> Voice:
    """Wide analogue pad of seven saws with a slowly moving filter."""
    return _ensemble("saw_pad", setup)


def warm_pad(setup: Setup) -> Voice:
    """Dark, soft pad."""
    return _ensemble("warm_pad", setup)


def supersaw(setup: Setup) -> Voice:
    """Seven detuned saws across the stereo field, quick and bright."""
    return _ensemble("supersaw", setup)


def strings(setup: Setup) -> Voice:
    """String section."""
    return _ensemble("strings", setup)


def violins(setup: Setup) -> Voice:
    """Violin section for melodies."""
    return _ensemble("violins", setup)


def celli(setup: Setup) -> Voice:
    """Celli and basses, bowed."""
    return _ensemble("celli", setup)


def choir(setup: Setup) -> Voice:
    """Choir on "ah"."""
    return _ensemble("choir", setup)


def horns(setup: Setup) -> Voice:
    """Four horns."""
    return _ensemble("horns", setup)


def woodwinds(setup: Setup) -> Voice:
    """Oboe, clarinet and flute together."""
    return _ensemble("woodwinds", setup)
