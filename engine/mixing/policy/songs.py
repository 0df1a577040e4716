"""Songs to learn from: stems made from scratch, in as many kinds of sound, groove and arrangement as there is time for.

Every stem is synthesised from a few drawn parameters (pitch, decay, brightness, density, section in which it plays);
no recording, and none of the product's own voices, is used. `degraded` then does to a stem what tracks suffer on their
way: any level, any polarity, a treble that is off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.audio import Audio

RATE = 44_100
SECONDS = 9.0
Wave = NDArray[np.float64]
Random = np.random.Generator


@dataclass(frozen=True, slots=True, eq=False)
class SongStem:
    """A stem as it was made, before it was degraded."""

    name: str
    role: str
    audio: Audio


def make_song(seed: int) -> list[SongStem]:
    """Return the stems of a song: 5 to 13 of them, always with something low, something that beats, and chords."""
    random = np.random.default_rng(seed)
    beat_s = 60.0 / random.uniform(72.0, 150.0)
    root = random.integers(36, 48)
    roles = ["kick", "snare", "hats", "bass"]
    roles += [role for role, chance in OPTIONAL if random.uniform() < chance]
    if not any(role in ("keys", "guitar", "pad", "synth") for role in roles):
        roles.append("keys")
    stems = []
    for number, role in enumerate(roles):
        wave = MAKERS[role](random, beat_s, int(root))
        start, end = _section(random, role)
        wave = wave * (np.arange(wave.shape[-1]) >= start) * (np.arange(wave.shape[-1]) < end)
        wave = wave / max(1e-9, float(np.abs(wave).max()))
        stems.append(
            SongStem(
                f"{number:02d} {role}",
                role,
                Audio(np.ascontiguousarray(np.atleast_2d(wave), np.float32), RATE),
            )
        )
    return stems


def degraded(stem: SongStem, random: Random) -> Audio:
    """Return the stem at any level and polarity, often with its treble off by some dB."""
    from scipy.signal import sosfilt

    from engine.mixing.desk.kernel import band_sections
    from engine.mixing.session.strips import EqBand

    treble_db = float(random.choice([0.0, random.uniform(-5.0, 5.0)]))
    samples: Wave = stem.audio.samples.astype(np.float64)
    if treble_db:
        samples = sosfilt(
            band_sections(EqBand(kind="high_shelf", hz=4000.0, db=treble_db, q=0.7), RATE), samples
        )
    level = 10.0 ** (random.uniform(-30.0, -6.0) / 20.0) * random.choice([-1.0, 1.0])
    return Audio(np.asarray(samples * level, dtype=np.float32), RATE)


OPTIONAL: tuple[tuple[str, float], ...] = (
    ("vocals", 0.85), ("backing_vocals", 0.4), ("percussion", 0.5), ("guitar", 0.55), ("guitar", 0.25), ("keys", 0.55),
    ("synth", 0.4), ("pad", 0.5), ("lead", 0.3), ("strings", 0.3), ("brass", 0.2), ("fx", 0.2),
)  # fmt: skip


def _section(random: Random, role: str) -> tuple[int, int]:
    """Return the frames between which a stem plays: all of it, or a part."""
    total = int(SECONDS * RATE)
    if role in ("kick", "bass", "hats") or random.uniform() < 0.5:
        return 0, total
    length = int(total * random.uniform(0.3, 0.9))
    start = int(random.uniform(0, total - length))
    return start, start + length


def _blank() -> Wave:
    return np.zeros(int(SECONDS * RATE))


def _place(out: Wave, sound: Wave, at_s: float, gain: float = 1.0) -> None:
    start = int(at_s * RATE)
    end = min(len(out), start + len(sound))
    if 0 <= start < end:
        out[start:end] += gain * sound[: end - start]


def _grid(random: Random, beat_s: float, step: float, chance: float, offset: float = 0.0) -> list[float]:
    count = int(SECONDS / (beat_s * step))
    pattern = random.uniform(size=16) < chance
    return [(index * step + offset) * beat_s for index in range(count) if pattern[index % 16]]


def _time(seconds: float) -> Wave:
    return np.arange(int(seconds * RATE)) / RATE


def _hz(pitch: float) -> float:
    return float(440.0 * 2.0 ** ((pitch - 69.0) / 12.0))


def _filtered(wave: Wave, low_hz: float, high_hz: float) -> Wave:
    from scipy.signal import butter, sosfilt

    sos = butter(2, (max(20.0, low_hz), min(high_hz, 0.45 * RATE)), "bandpass", fs=RATE, output="sos")
    return np.asarray(sosfilt(sos, wave))


def _kick(random: Random, beat_s: float, root: int) -> Wave:
    t = _time(random.uniform(0.2, 0.5))
    low, sweep = random.uniform(42.0, 70.0), random.uniform(60.0, 300.0)
    body = np.sin(2 * np.pi * (low * t + sweep / 40.0 * (1 - np.exp(-40.0 * t)))) * np.exp(
        -t * random.uniform(6.0, 22.0)
    )
    click = random.normal(size=len(t)) * np.exp(-t * 300.0) * random.uniform(0.02, 0.4)
    out = _blank()
    step = random.choice([1.0, 1.0, 2.0])
    for at in _grid(random, beat_s, step, 1.0):
        _place(out, body + click, at, random.uniform(0.85, 1.0))
    for at in _grid(random, beat_s, 0.5, random.uniform(0.0, 0.25)):
        _place(out, body + click, at, random.uniform(0.6, 0.9))
    return out


def _snare(random: Random, beat_s: float, root: int) -> Wave:
    t = _time(random.uniform(0.15, 0.35))
    tone = np.sin(2 * np.pi * random.uniform(150.0, 260.0) * t) * np.exp(-t * random.uniform(15.0, 40.0))
    rattle = _filtered(random.normal(size=len(t)), random.uniform(300, 1500), random.uniform(5000, 14000))
    hit = random.uniform(0.2, 1.0) * tone + random.uniform(0.4, 1.2) * rattle * np.exp(
        -t * random.uniform(10.0, 30.0)
    )
    out = _blank()
    for at in _grid(random, beat_s, 2.0, 1.0, 1.0):
        _place(out, hit, at, random.uniform(0.85, 1.0))
    return out


def _hats(random: Random, beat_s: float, root: int) -> Wave:
    out = _blank()
    low = random.uniform(3000, 8000)
    for at in _grid(random, beat_s, random.choice([0.25, 0.5, 0.5]), random.uniform(0.6, 1.0)):
        t = _time(random.uniform(0.04, 0.15))
        hit = _filtered(random.normal(size=len(t)), low, 17000) * np.exp(-t * random.uniform(25.0, 90.0))
        _place(out, hit, at, random.uniform(0.5, 1.0))
    return out


def _percussion(random: Random, beat_s: float, root: int) -> Wave:
    out = _blank()
    centre = random.uniform(300, 5000)
    tonal = random.uniform(0.0, 1.0)
    for at in _grid(random, beat_s, 0.5, random.uniform(0.15, 0.6)):
        t = _time(0.2)
        hit = tonal * np.sin(2 * np.pi * centre / 2 * t) + _filtered(
            random.normal(size=len(t)), centre / 2, centre * 2
        )
        _place(out, hit * np.exp(-t * random.uniform(15.0, 60.0)), at, random.uniform(0.4, 1.0))
    return out


def _tone(
    random: Random, pitch: float, seconds: float, rolloff: float, decay: float, attack_s: float
) -> Wave:
    """Return partials that fall by `rolloff`, decaying at `decay` per second (0: held)."""
    t = _time(seconds)
    frequency = _hz(pitch)
    partials = np.arange(1, max(2, min(24, int(9000.0 / frequency))))
    phases = random.uniform(0.0, 2 * np.pi, len(partials))
    wave = np.zeros(len(t))
    for partial, phase in zip(partials, phases, strict=True):
        wave += (
            np.sin(2 * np.pi * frequency * partial * t + phase)
            * float(partial) ** -rolloff
            * np.exp(-decay * partial**0.5 * t)
        )
    return wave * np.minimum(1.0, t / attack_s) * np.minimum(1.0, (seconds - t) / 0.02)


def _line(
    random: Random,
    beat_s: float,
    low: int,
    high: int,
    step: float,
    chance: float,
    rolloff: float,
    decay: float,
    attack_s: float,
) -> Wave:
    """Return single notes on a grid."""
    out = _blank()
    for at in _grid(random, beat_s, step, chance):
        length = beat_s * step * random.uniform(0.6, 1.4)
        pitch = low + int(random.choice([0, 2, 3, 5, 7, 8, 10, 12])) % max(1, high - low)
        _place(out, _tone(random, pitch, length, rolloff, decay, attack_s), at, random.uniform(0.6, 1.0))
    return out


def _chords(
    random: Random, beat_s: float, low: int, step: float, rolloff: float, decay: float, attack_s: float
) -> Wave:
    out = _blank()
    for at in _grid(random, beat_s, step, 1.0):
        shift = int(random.choice([0, 3, 5, 7, 8]))
        for interval in (0, 4, 7):
            _place(out, _tone(random, low + shift + interval, beat_s * step, rolloff, decay, attack_s), at)
    return out


def _bass(random: Random, beat_s: float, root: int) -> Wave:
    return _line(
        random,
        beat_s,
        root - 8,
        root + 4,
        float(random.choice([0.5, 1.0])),
        random.uniform(0.5, 1.0),
        random.uniform(1.0, 3.0),
        random.uniform(0.0, 3.0),
        0.005,
    )


def _vocals(random: Random, beat_s: float, root: int) -> Wave:
    wave = _line(
        random,
        beat_s,
        root + 12,
        root + 30,
        1.0,
        random.uniform(0.5, 0.85),
        random.uniform(0.7, 1.3),
        0.3,
        0.04,
    )
    voiced = sum(
        random.uniform(0.3, 1.0) * _filtered(wave, centre * 0.8, centre * 1.25)
        for centre in (random.uniform(400, 800), random.uniform(1000, 2000), random.uniform(2400, 3500))
    )
    breath = _filtered(random.normal(size=len(wave)), 4000, 12000) * np.abs(wave) * random.uniform(0.01, 0.08)
    swell = 1.0 + random.uniform(0.1, 0.6) * np.sin(2 * np.pi * _time(SECONDS) / random.uniform(2.0, 6.0))
    return np.asarray((0.3 * wave + voiced + breath) * swell)


def _backing(random: Random, beat_s: float, root: int) -> Wave:
    return np.stack([_vocals(random, beat_s, root), _vocals(random, beat_s, root + 4)])


def _guitar(random: Random, beat_s: float, root: int) -> Wave:
    wave = _chords(
        random,
        beat_s,
        root + 12,
        float(random.choice([0.5, 1.0, 2.0])),
        random.uniform(0.6, 1.4),
        random.uniform(0.5, 4.0),
        0.003,
    )
    return np.tanh(wave * random.uniform(0.05, 2.0))


def _keys(random: Random, beat_s: float, root: int) -> Wave:
    return _chords(
        random,
        beat_s,
        root + int(random.integers(12, 26)),
        float(random.choice([1.0, 2.0, 4.0])),
        random.uniform(1.0, 2.4),
        random.uniform(0.8, 4.0),
        0.004,
    )


def _synth(random: Random, beat_s: float, root: int) -> Wave:
    return _line(
        random,
        beat_s,
        root + 12,
        root + 36,
        float(random.choice([0.25, 0.5, 1.0])),
        random.uniform(0.4, 1.0),
        random.uniform(0.5, 1.5),
        random.uniform(0.0, 6.0),
        0.004,
    )


def _pad(random: Random, beat_s: float, root: int) -> Wave:
    rolloff = random.uniform(0.9, 2.2)
    return np.stack([_chords(random, beat_s, root + 12, 4.0, rolloff, 0.0, 0.3) for _ in range(2)])


def _lead(random: Random, beat_s: float, root: int) -> Wave:
    return _line(
        random,
        beat_s,
        root + 19,
        root + 38,
        0.5,
        random.uniform(0.3, 0.8),
        random.uniform(0.5, 1.5),
        random.uniform(0.0, 2.0),
        0.01,
    )


def _strings(random: Random, beat_s: float, root: int) -> Wave:
    return np.stack(
        [_chords(random, beat_s, root + 19, 4.0, random.uniform(0.7, 1.3), 0.0, 0.15) for _ in range(2)]
    )


def _brass(random: Random, beat_s: float, root: int) -> Wave:
    return _chords(random, beat_s, root + 14, 2.0, random.uniform(0.5, 1.2), 0.2, 0.05)


def _fx(random: Random, beat_s: float, root: int) -> Wave:
    t = _time(SECONDS)
    return (
        _filtered(random.normal(size=len(t)), random.uniform(200, 2000), random.uniform(4000, 15000))
        * (t / SECONDS) ** 2
    )


MAKERS: dict[str, Callable[[Random, float, int], Wave]] = {
    "kick": _kick, "snare": _snare, "hats": _hats, "percussion": _percussion, "bass": _bass, "vocals": _vocals,
    "backing_vocals": _backing, "guitar": _guitar, "keys": _keys, "synth": _synth, "pad": _pad, "lead": _lead,
    "strings": _strings, "brass": _brass, "fx": _fx,
}  # fmt: skip
