"""The strokes that drum kits are made of: kick, snare, hats, cymbals, toms, clap, rim and hand percussion.

Each function renders one hit, mono or stereo, from a `Hit` (rate, strength 0 to 1, a random generator that
differs for each round-robin variant) and the parameters that a kit sets. Skins are decaying modes (N.
Fletcher, T. Rossing, "The Physics of Musical Instruments"), metal is a cloud of inharmonic modes or, in drum
machines, six squares through a high-pass.
"""

from dataclasses import dataclass

import numpy as np

from engine.audio.buffer import Samples
from engine.audio.recursive import butterworth, filtered
from engine.generation.arranger.voices.dsp import (
    Floats,
    band_noise,
    damped,
    decay,
    fall_off,
    harmonic_count,
    phase_cycles,
    scan,
    seconds,
    wave_tables,
)


@dataclass(frozen=True, slots=True, eq=False)
class Hit:
    """One hit: `strength` is velocity / 127."""

    sample_rate: int
    strength: float
    rng: np.random.Generator
    brightness: float = 1.0

    def frames(self, length_s: float) -> int:
        """Return a length in frames."""
        return max(64, int(length_s * self.sample_rate))

    def near(self, value: float, share: float = 0.02) -> float:
        """Return `value` moved a little by chance, so that no two hits are alike."""
        return float(value * (1 + self.rng.uniform(-share, share)))

    def noise(self, frames: int, low_hz: float, high_hz: float, channels: int = 1, order: int = 2) -> Samples:
        """Return band noise, its upper edge moved by the brightness."""
        return band_noise(
            self.rng,
            frames,
            self.sample_rate,
            low_hz,
            high_hz * self.brightness**0.7,
            channels=channels,
            order=order,
        )

    def fade(self, frames: int, sixty_db_s: float) -> Samples:
        """Return an exponential decay."""
        return decay(frames, self.sample_rate, sixty_db_s)


def _high_pass(sound: Samples, cutoff_hz: float, rate: int, order: int = 2) -> Samples:
    sos = butterworth(order, float(min(cutoff_hz, 0.45 * rate)), "highpass", rate)
    return np.asarray(filtered(sos, sound), dtype=np.float32)


def _low_pass(sound: Samples, cutoff_hz: float, rate: int, order: int = 2) -> Samples:
    if cutoff_hz >= 0.45 * rate:
        return sound
    sos = butterworth(order, float(cutoff_hz), "lowpass", rate)
    return np.asarray(filtered(sos, sound), dtype=np.float32)


def _falling_sine(hit: Hit, frames: int, high_hz: float, low_hz: float, fall_s: float) -> Samples:
    time_s = seconds(frames, hit.sample_rate)
    frequency = low_hz + (high_hz - low_hz) * np.exp(-time_s / fall_s)
    cycles = np.cumsum(frequency) / hit.sample_rate
    return np.asarray(np.sin(2 * np.pi * (cycles - cycles[0])), dtype=np.float32)


def kick(
    hit: Hit,
    *,
    high_hz: float = 125,
    low_hz: float = 52,
    fall_s: float = 0.016,
    decay_s: float = 0.42,
    click: float = 0.25,
    click_hz: float = 3200,
    skin: float = 0.25,
    drive: float = 1.4,
) -> Samples:
    """Bass drum: a sine that falls in pitch, beater click, the heads' other modes, soft clip."""
    rate, strength = hit.sample_rate, hit.strength
    length = hit.frames(min(1.2, 1.15 * decay_s))
    top = low_hz + (high_hz - low_hz) * (0.55 + 0.6 * strength)
    body = _falling_sine(hit, length, hit.near(top, 0.03), hit.near(low_hz, 0.006), fall_s)
    body *= hit.fade(length, hit.near(decay_s, 0.04))
    time_s = seconds(length, rate)
    body *= (1 - np.exp(-time_s / 0.0007)).astype(np.float32)
    short = min(length, hit.frames(0.12))
    heads = damped(
        [hit.near(low_hz * ratio, 0.02) for ratio in (1.6, 2.3, 3.1, 4.4)],
        [0.5, 0.45, 0.35, 0.25],
        [0.11, 0.08, 0.06, 0.04],
        short,
        rate,
    )[0]
    body[:short] += np.float32(skin * (0.5 + 0.8 * strength)) * heads
    tick = hit.noise(short, 0.45 * click_hz, 1.5 * click_hz)[0] * hit.fade(short, 0.014)
    knock = hit.noise(short, 250, 1400)[0] * hit.fade(short, 0.035)
    body[:short] += np.float32(click * strength**1.3) * (tick + 0.45 * knock)
    push = np.float32(drive * (0.7 + 0.6 * strength))
    shaped: Samples = np.tanh(push * body) / np.tanh(push)
    return shaped


def snare(
    hit: Hit,
    *,
    tune_hz: float = 188,
    tone: float = 0.6,
    tone_s: float = 0.2,
    wires: float = 0.8,
    wires_s: float = 0.3,
    wires_hz: tuple[float, float] = (1300, 9500),
    crack: float = 0.5,
    ring: float = 0.15,
    tail: float = 0.0,
    tail_s: float = 0.2,
    drive: float = 1.2,
) -> Samples:
    """Snare drum: head modes, wires, stick crack, ring; `tail` adds the gated room of the eighties."""
    rate, strength = hit.sample_rate, hit.strength
    length = hit.frames(max(1.3 * wires_s, 1.2 * tone_s, tail_s + 0.03 if tail else 0.0) + 0.05)
    base = hit.near(tune_hz, 0.012) * (1 + 0.02 * strength)
    ratio = np.array([1.0, 1.593, 1.78, 2.14, 2.65, 3.16])
    gain = np.array([1.0, 0.5, 0.6, 0.28, 0.22, 0.16]) * hit.rng.uniform(0.75, 1.25, 6)
    gain[2:] *= 0.5 + 0.7 * strength
    last = tone_s * np.array([1.0, 0.8, 0.7, 0.55, 0.5, 0.45])
    head = damped(base * ratio, gain, last, length, rate)[0]
    start = damped([base * 1.5], [0.6], [0.035], length, rate)[0]
    low, high = wires_hz
    rattle = hit.noise(
        length, low * (1.1 - 0.25 * strength), high * (0.62 + 0.45 * strength), channels=2, order=1
    )
    time_s = seconds(length, rate)
    body = hit.fade(length, hit.near(wires_s, 0.06) * (0.75 + 0.35 * strength))
    rattle *= body * (1 - 0.75 * np.exp(-time_s / 0.0025)).astype(np.float32)
    snap = hit.noise(length, 2200, 11000)[0] * hit.fade(length, 0.018)
    ping = damped([hit.near(base * 4.1), hit.near(base * 5.35)], [1, 0.6], [0.25, 0.18], length, rate)[0]
    middle = tone * (head + start) + crack * strength**1.2 * snap + ring * strength * ping * 0.4
    out = 0.8 * middle + wires * (0.55 + 0.45 * strength) * rattle
    if tail:
        dense = hit.noise(length, 350, 7500, channels=2, order=1)
        gate = np.clip((tail_s - time_s) / 0.025, 0, 1) * (0.55 + 0.45 * np.exp(-time_s / 0.15))
        out = out + np.float32(tail) * dense * gate.astype(np.float32) * (1 - np.exp(-time_s / 0.006)).astype(
            np.float32
        )
    push = np.float32(drive * (0.6 + 0.5 * strength))
    return np.asarray(np.tanh(push * out) / push, dtype=np.float32)


def brush(hit: Hit, *, swish_s: float = 0.16, tone: float = 0.25, tune_hz: float = 200) -> Samples:
    """Brush on a snare head: many wires landing within a few milliseconds, then a swish."""
    rate, strength = hit.sample_rate, hit.strength
    length = hit.frames(2.2 * swish_s)
    time_s = seconds(length, rate)
    slap = hit.noise(length, 1100, 7500 + 3500 * strength, channels=2, order=1)
    landing = (0.25 + 0.75 * strength) * np.exp(-time_s / 0.012)
    sweep = 0.55 * np.clip(time_s / (0.3 * swish_s), 0, 1) * np.exp(-time_s / (0.42 * swish_s))
    head = damped([tune_hz, 1.6 * tune_hz], [1, 0.5], [0.1, 0.07], length, rate)[0]
    grain = 1 + 0.3 * np.interp(time_s, np.arange(0, 1.2, 0.004), hit.rng.normal(0, 1, 300))
    out = slap * ((landing + sweep) * np.clip(grain, 0.2, 2)).astype(np.float32)
    return np.asarray(0.6 * out + np.float32(tone * (0.4 + 0.6 * strength)) * head, dtype=np.float32)


def rim(hit: Hit, *, tune_hz: float = 420, wood: float = 0.8) -> Samples:
    """Cross-stick: wood on rim over a damped head."""
    rate, strength = hit.sample_rate, hit.strength
    length = hit.frames(0.14)
    base = hit.near(tune_hz, 0.02)
    hz = base * np.array([0.52, 1.0, 2.36, 3.9, 5.6, 7.4])
    gain = np.array([0.35, 0.8, 1.0, 0.7 * (0.4 + strength), 0.5 * strength, 0.3 * strength])
    sticks = damped(hz, gain * wood, [0.07, 0.055, 0.045, 0.03, 0.025, 0.02], length, rate)[0]
    tick = hit.noise(length, 2500, 9000)[0] * hit.fade(length, 0.006)
    return np.asarray(sticks + np.float32(0.4 * strength) * tick, dtype=np.float32)


def clap(
    hit: Hit, *, tail_s: float = 0.24, low_hz: float = 850, high_hz: float = 3200, hands: int = 4
) -> Samples:
    """Hand clap: bursts some ten milliseconds apart, then the room."""
    rate = hit.sample_rate
    length = hit.frames(tail_s * 1.4 + 0.05)
    time_s = seconds(length, rate)
    starts = np.concatenate([[0.0], np.sort(hit.rng.uniform(0.006, 0.0115, hands - 1)).cumsum()])
    out = np.zeros((2, length), dtype=np.float32)
    for number, start in enumerate(starts):
        burst = hit.noise(length, low_hz, high_hz * (0.8 + 0.4 * hit.strength), channels=1)
        last = number == hands - 1
        since = time_s - start
        shape = np.where(since >= 0, np.exp(-np.maximum(since, 0) / (tail_s / 4.5 if last else 0.0035)), 0.0)
        side = hit.rng.uniform(-0.5, 0.5)
        places = np.array([[1 - side], [1 + side]], dtype=np.float32)
        out += burst * places * (shape * (0.75 if last else 1.0)).astype(np.float32)
    air = hit.noise(length, 2500, 9000, channels=2, order=1) * hit.fade(length, tail_s)
    return np.asarray(out + np.float32(0.12 + 0.1 * hit.strength) * air, dtype=np.float32)


def _metal_modes(rng: np.random.Generator, count: int, low_hz: float, high_hz: float) -> Floats:
    """Modes of a thin plate lie about evenly in frequency; ratios are drawn, sorted, and kept from clumping."""
    even = (np.arange(count) + rng.uniform(0, 1, count)) / count
    return np.asarray(low_hz + (high_hz - low_hz) * even**1.25)


def _plate(
    hit: Hit,
    key: int,
    *,
    low_hz: float,
    high_hz: float,
    modes: int,
    long_s: float,
    short_s: float,
    length_s: float,
) -> Samples:
    """Sum of plate modes in stereo; lows ring `long_s`, highs `short_s`; `key` says which plate it is."""
    plate = np.random.default_rng(key)
    hz = _metal_modes(plate, modes, low_hz, min(high_hz, 0.45 * hit.sample_rate))
    where = np.log(hz / low_hz) / np.log(high_hz / low_hz)
    last = long_s * (short_s / long_s) ** where * plate.uniform(0.7, 1.3, modes)
    tilt = fall_off(hz, (2600 + 9000 * hit.strength**1.5) * hit.brightness, 8) * (hz / low_hz) ** 0.6
    gain = plate.gamma(4.0, 0.25, modes) * tilt * hit.rng.uniform(0.6, 1.4, modes)
    gain /= np.sqrt(np.sum(gain**2))
    angle = (plate.uniform(-0.7, 0.7, modes) + 1) * np.pi / 4
    sides = np.stack([np.cos(angle), np.sin(angle)]) * np.sqrt(2)
    return damped(
        hz, gain * sides, last, hit.frames(length_s), hit.sample_rate, hit.rng.uniform(0, 2 * np.pi, modes)
    )


def hat(
    hit: Hit,
    *,
    decay_s: float = 0.095,
    key: int = 11,
    noise: float = 0.8,
    low_hz: float = 2600,
    chick: float = 0.0,
) -> Samples:
    """Hi-hat of two cymbals: plate modes under sizzling noise; `chick` is the foot closing it."""
    rate, strength = hit.sample_rate, hit.strength
    length_s = 1.15 * decay_s + 0.03
    last = hit.near(decay_s, 0.08)
    metal = _plate(
        hit,
        key,
        low_hz=low_hz,
        high_hz=15500,
        modes=70,
        long_s=1.2 * last,
        short_s=0.8 * last,
        length_s=length_s,
    )
    frames = metal.shape[1]
    sizzle = hit.noise(frames, 5200, 13000 + 3500 * strength, channels=2, order=1) * hit.fade(
        frames, 0.9 * last
    )
    stick = hit.noise(frames, 3000, 9000)[0] * hit.fade(frames, 0.009)
    out = 0.8 * metal + noise * sizzle + np.float32(0.5 * strength) * stick
    if chick:
        time_s = seconds(frames, rate)
        air = hit.noise(frames, 900, 4200)[0] * np.exp(-(((time_s - 0.006) / 0.006) ** 2)).astype(np.float32)
        out = out * np.float32(0.5) + np.float32(chick) * air
    return _high_pass(out, 3200 - 900 * strength, rate)


def machine_hat(
    hit: Hit, *, decay_s: float = 0.045, tune_hz: float = 330, cutoff_hz: float = 7000
) -> Samples:
    """Hi-hat of drum machines: six squares in fixed ratios, band-limited, through a steep high-pass."""
    rate = hit.sample_rate
    frames = hit.frames(1.15 * decay_s + 0.03)
    total = np.zeros(frames, dtype=np.float32)
    for ratio in (1.0, 1.342, 1.7907, 2.2329, 2.7892, 3.1086):
        frequency = tune_hz * ratio * (1 + 0.002 * hit.rng.normal())
        number = np.arange(1, harmonic_count(frequency, rate, 60) + 1)
        table = wave_tables(np.where(number % 2 == 1, 1 / number**0.6, 0.0)[None])
        cycles = phase_cycles(frequency, np.zeros(frames), rate) + hit.rng.uniform()
        total += scan(table, cycles)
    total += 0.8 * hit.noise(frames, 6000, 15000)[0]
    total *= hit.fade(frames, hit.near(decay_s, 0.05))
    return _high_pass(total, cutoff_hz * (1.15 - 0.25 * hit.strength) / hit.brightness**0.2, rate, 4)


def cymbal(
    hit: Hit,
    *,
    key: int = 21,
    low_hz: float = 360,
    long_s: float = 3.8,
    short_s: float = 1.2,
    length_s: float = 2.8,
    modes: int = 230,
    splash: float = 1.1,
    swell_s: float = 0.012,
) -> Samples:
    """Crash, splash or concert cymbal: the stick excites the lows, energy spreads to the highs within milliseconds."""
    plate = _plate(
        hit, key, low_hz=low_hz, high_hz=14500, modes=modes, long_s=long_s, short_s=short_s, length_s=length_s
    )
    frames = plate.shape[1]
    time_s = seconds(frames, hit.sample_rate)
    wash = hit.noise(frames, 3500, 14000, channels=2, order=1)
    bloom = (1 - np.exp(-time_s / swell_s)) * np.exp(-6.9 * time_s / (0.45 * long_s))
    stick = hit.noise(frames, 1500, 8000)[0] * hit.fade(frames, 0.02)
    out = plate + np.float32(splash * 0.55) * wash * bloom.astype(np.float32) + np.float32(0.5) * stick
    return _high_pass(out, 240, hit.sample_rate)


def ride(
    hit: Hit,
    *,
    key: int = 31,
    ping_hz: float = 3900,
    wash: float = 0.35,
    bell: float = 0.0,
    long_s: float = 2.6,
) -> Samples:
    """Ride cymbal: stick ping over a quiet wash; `bell` strikes the cup."""
    rate, strength = hit.sample_rate, hit.strength
    body = _plate(
        hit, key, low_hz=420, high_hz=12500, modes=170, long_s=long_s, short_s=0.7, length_s=0.75 * long_s
    )
    frames = body.shape[1]
    modes = ping_hz * np.array([0.61, 0.83, 1.0, 1.21, 1.47, 1.83])
    ping = damped(modes, [0.4, 0.6, 1.0, 0.7, 0.5, 0.4], [0.4, 0.32, 0.28, 0.22, 0.2, 0.16], frames, rate)[0]
    stick = hit.noise(frames, 2500, 9500)[0] * hit.fade(frames, 0.008)
    out = (
        1.2 * wash * (0.5 + 0.7 * strength) * body
        + np.float32(0.42) * ping
        + np.float32(0.35 * strength) * stick
    )
    if bell:
        cup = damped(
            [561, 872, 1337, 1985, 2703, 3590],
            [0.7, 1, 0.9, 0.6, 0.45, 0.3],
            [1.8, 1.5, 1.2, 0.9, 0.7, 0.5],
            frames,
            rate,
        )[0]
        out = out + np.float32(bell * 0.5) * cup
    return _high_pass(np.asarray(out, dtype=np.float32), 350, rate)


def tom(
    hit: Hit, *, tune_hz: float = 110, decay_s: float = 0.5, attack: float = 0.35, bend: float = 0.22
) -> Samples:
    """Tom: circular-membrane modes that bend down as the head relaxes, and the stick."""
    rate, strength = hit.sample_rate, hit.strength
    length = hit.frames(1.15 * decay_s)
    time_s = seconds(length, rate)
    out = np.zeros(length, dtype=np.float32)
    base = hit.near(tune_hz, 0.006)
    for ratio, gain, last in (
        (1.0, 1.0, 1.0),
        (1.594, 0.42, 0.6),
        (2.136, 0.25, 0.42),
        (2.653, 0.14, 0.3),
        (3.16, 0.1, 0.25),
    ):
        frequency = base * ratio * (1 + bend * strength * np.exp(-time_s / 0.045))
        cycles = np.cumsum(frequency) / rate
        shape = np.exp(-6.9 * time_s / (decay_s * last)) * gain * (1 if ratio == 1 else 0.5 + 0.8 * strength)
        out += (np.sin(2 * np.pi * (cycles - cycles[0])) * shape).astype(np.float32)
    slap = hit.noise(length, 900, 5500)[0] * hit.fade(length, 0.02)
    return np.asarray(np.tanh(1.1 * (out + np.float32(attack * strength) * slap)), dtype=np.float32)


def timpani(hit: Hit, *, tune_hz: float = 98, decay_s: float = 2.4, length_s: float = 2.6) -> Samples:
    """Kettledrum: preferred modes 1, 1.5, 1.98, 2.44, 2.9 over the dull thump of the strike."""
    rate, strength = hit.sample_rate, hit.strength
    frames = hit.frames(length_s)
    ratio = np.array([1.0, 1.504, 1.982, 2.44, 2.90, 0.85])
    gain = np.array([1.0, 0.6, 0.38, 0.2, 0.12, 0.3]) * np.array([1, *[0.5 + 0.7 * strength] * 4, 1])
    last = decay_s * np.array([1.0, 0.8, 0.55, 0.4, 0.3, 0.12])
    out = damped(tune_hz * ratio, gain, last, frames, rate)[0]
    felt = hit.noise(frames, 90, 700 + 1300 * strength)[0] * hit.fade(frames, 0.05)
    return np.asarray(out + np.float32(0.25 + 0.3 * strength) * felt, dtype=np.float32)


def tambourine(hit: Hit, *, decay_s: float = 0.22) -> Samples:
    """Tambourine: jingles landing one after another."""
    rate = hit.sample_rate
    frames = hit.frames(1.25 * decay_s)
    time_s = seconds(frames, rate)
    out = np.zeros((2, frames), dtype=np.float32)
    starts = np.concatenate([[0.0], np.sort(hit.rng.uniform(0.002, 0.05, 5))])
    for number, start in enumerate(starts):
        hz = hit.rng.uniform(5200, 12500, 7)
        ring = damped(hz, hit.rng.uniform(0.4, 1, (2, 7)), hit.rng.uniform(0.08, decay_s, 7), frames, rate)
        shift = int(start * rate)
        out[:, shift:] += ring[:, : frames - shift] * np.float32(1.0 if number == 0 else 0.55)
    skin = hit.noise(frames, 4000, 12000, channels=2, order=1) * np.exp(-time_s / 0.02).astype(np.float32)
    return _high_pass(0.4 * out + np.float32(0.6) * skin, 3500, rate)


def cowbell(hit: Hit, *, low_hz: float = 540, high_hz: float = 800, decay_s: float = 0.32) -> Samples:
    """Cowbell: two square-like tones a rough fifth apart."""
    rate = hit.sample_rate
    frames = hit.frames(1.2 * decay_s)
    ratio = np.array([1.0, 2.02, 3.01, 4.05, 5.1])
    hz = np.concatenate([hit.near(low_hz, 0.004) * ratio, hit.near(high_hz, 0.004) * ratio])
    gain = np.tile([1.0, 0.35, 0.4, 0.15, 0.2], 2) * np.repeat([0.8, 1.0], 5)
    gain[2::5] *= 0.5 + 0.6 * hit.strength
    ring = damped(hz, gain, np.tile(decay_s * np.array([1, 0.6, 0.45, 0.3, 0.25]), 2), frames, rate)[0]
    tick = hit.noise(frames, 2000, 7000)[0] * hit.fade(frames, 0.01)
    return np.asarray(ring + np.float32(0.5 * hit.strength) * tick, dtype=np.float32)


def shaker(hit: Hit, *, length_s: float = 0.11, low_hz: float = 4200, high_hz: float = 11500) -> Samples:
    """Shaker or maraca: grains thrown against the wall; a quick crest so that the beat is clear."""
    rate = hit.sample_rate
    frames = hit.frames(length_s)
    time_s = seconds(frames, rate)
    throw = 0.3 + 0.2 * (1 - hit.strength)
    shape = throw * np.exp(-time_s / 0.03) + (1 - throw) * np.exp(-(((time_s - 0.008) / 0.012) ** 2))
    grains = np.clip(np.interp(time_s, np.arange(0, 0.4, 0.0012), hit.rng.exponential(1.0, 334)), 0, 2.6)
    out = hit.noise(frames, low_hz, high_hz, channels=2, order=1) * (shape * (0.4 + 0.6 * grains)).astype(
        np.float32
    )
    return np.asarray(out, dtype=np.float32)


def triangle(hit: Hit, *, decay_s: float = 2.2, open_: bool = True) -> Samples:
    """Triangle: a bent steel rod's modes, beating."""
    rate = hit.sample_rate
    last = decay_s if open_ else 0.12
    frames = hit.frames(min(2.0, 1.1 * last))
    base = 1.0 * np.array([1510, 2630, 4030, 5270, 6830, 8120, 9870, 11900])
    hz = np.concatenate([base, base * (1 + hit.rng.uniform(0.0006, 0.0014, 8))])
    gain = np.array([0.12, 0.3, 0.6, 1.0, 0.9, 0.7, 0.6, 0.4]) * fall_off(base, 5000 + 8000 * hit.strength, 8)
    ring = damped(hz, np.tile(gain, 2), last * np.tile(np.linspace(1.2, 0.45, 8), 2), frames, rate)[0]
    tick = hit.noise(frames, 5000, 14000)[0] * hit.fade(frames, 0.006)
    return np.asarray(ring + np.float32(0.4) * tick, dtype=np.float32)


def wood(hit: Hit, *, tune_hz: float = 1180, decay_s: float = 0.07) -> Samples:
    """Woodblock or claves."""
    frames = hit.frames(1.4 * decay_s)
    base = hit.near(tune_hz, 0.008)
    return damped(
        [base, 2.57 * base, 4.2 * base],
        [1, 0.35, 0.15],
        [decay_s, 0.5 * decay_s, 0.3 * decay_s],
        frames,
        hit.sample_rate,
    )


def conga(hit: Hit, *, tune_hz: float = 210, decay_s: float = 0.3, slap: float = 0.2) -> Samples:
    """Conga or bongo, and the low tone of a cajon at low tuning."""
    frames = hit.frames(1.2 * decay_s)
    base = hit.near(tune_hz, 0.008)
    tone = damped(
        base * np.array([1, 1.58, 2.24, 2.92]),
        [1, 0.4, 0.25, 0.15],
        decay_s * np.array([1, 0.6, 0.4, 0.3]),
        frames,
        hit.sample_rate,
    )[0]
    hand = hit.noise(frames, 700, 5500)[0] * hit.fade(frames, 0.022)
    return np.asarray(tone + np.float32(slap + 0.5 * slap * hit.strength) * hand, dtype=np.float32)


def darken(sound: Samples, cutoff_hz: float, rate: int) -> Samples:
    """Low-pass a finished hit (for kits from old samplers)."""
    return _low_pass(sound, cutoff_hz, rate)
