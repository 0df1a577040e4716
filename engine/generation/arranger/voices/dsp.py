"""Signal building blocks of the voices, all vectorised and band-limited by construction.

- `damped`: any number of decaying sinusoids as one matrix product (rows are blocks of time, columns samples
  inside one).
- `Pool`: a long seamless loop made from its spectrum by one inverse FFT, lines spread around each harmonic
  with random phases (P. Nasca's PADsynth): ensembles, pads and supersaws.
- `wave_tables`, `scan`: one cycle as harmonic series, read with a moving phase, morphing along a row of
  brighter tables.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.audio.buffer import Samples
from engine.audio.fourier import irfft
from engine.audio.recursive import butterworth, filtered
from engine.audio.spectra import fast_length, fast_length_within

Floats = NDArray[np.float64]
_BLOCK = 256
SLOW_FRAMES = 32
_TILE_ROWS = 16
_TILE_WORK = 200_000  # multiplications; OpenBLAS shares out products above 262 144
TABLE_SIZE = 4096
HIGHEST_SHARE = 0.46  # of the sample rate: no partial above it


def damped(
    frequencies_hz: ArrayLike,
    amplitudes: ArrayLike,
    decays_s: ArrayLike,
    frames: int,
    sample_rate: int,
    phases: ArrayLike = 0.0,
) -> Samples:
    """Return the sum of sinusoids that decay by 60 dB in `decays_s` seconds (infinity: they do not decay).

    `amplitudes` has shape (partials,) or (channels, partials); the result (channels, frames), one channel for
    the first. Partials too high for the sample rate are left out. Phase 0 starts at a zero crossing.
    """
    frequency, decay, phase, gain = _aligned(frequencies_hz, decays_s, phases, amplitudes)
    kept = (frequency < HIGHEST_SHARE * sample_rate) & (np.abs(gain).max(axis=0) > 1e-7)
    frequency, decay, phase, gain = frequency[kept], decay[kept], phase[kept], gain[:, kept]
    blocks = -(-frames // _BLOCK)
    pole = (-6.907755 / decay + 2j * np.pi * frequency) / sample_rate
    inner = np.exp(pole[:, None] * np.arange(_BLOCK))
    columns = np.concatenate([inner.real, inner.imag]).astype(np.float32)
    outer = np.exp(pole[None, :] * (np.arange(blocks)[:, None] * _BLOCK) + 1j * phase[None, :])
    out = np.empty((gain.shape[0], frames), dtype=np.float32)
    for channel, channel_gain in enumerate(gain):
        # sin(a + b) = sin a cos b + cos a sin b
        rows = np.concatenate([outer.imag * channel_gain, outer.real * channel_gain], axis=1).astype(
            np.float32
        )
        out[channel] = _product(rows, columns).reshape(-1)[:frames]
    return out


def _product(rows: Samples, columns: Samples) -> Samples:
    """Multiply matrices in tiles too small for BLAS to share out among threads.

    The last bits of a product depend on how many threads made it; this way they are the same on one core and on many.
    """
    inner, width = columns.shape
    across = max(8, _TILE_WORK // (_TILE_ROWS * max(1, inner)) // 8 * 8)
    out = np.empty((rows.shape[0], width), dtype=np.float32)
    for top in range(0, rows.shape[0], _TILE_ROWS):
        for left in range(0, width, across):
            piece = rows[top : top + _TILE_ROWS] @ columns[:, left : left + across]
            out[top : top + _TILE_ROWS, left : left + across] = piece
    return out


def _aligned(
    frequencies_hz: ArrayLike, decays_s: ArrayLike, phases: ArrayLike, amplitudes: ArrayLike
) -> tuple[Floats, Floats, Floats, Floats]:
    frequency = np.atleast_1d(np.asarray(frequencies_hz, dtype=np.float64))
    decay = np.broadcast_to(np.asarray(decays_s, dtype=np.float64), frequency.shape)
    phase = np.broadcast_to(np.asarray(phases, dtype=np.float64), frequency.shape)
    gain = np.atleast_2d(np.asarray(amplitudes, dtype=np.float64))
    return frequency, decay, phase, np.broadcast_to(gain, (gain.shape[0], frequency.size))


def harmonic_count(frequency_hz: float, sample_rate: int, most: int = 1 << 30) -> int:
    """Return how many harmonics of `frequency_hz` fit below the highest allowed partial (at least 1)."""
    return max(1, min(most, int(HIGHEST_SHARE * sample_rate / frequency_hz)))


class Pool:
    """A seamless loop of lines around each harmonic of one pitch, in several brightness layers and two channels.

    `layers` has shape (layers, harmonics): amplitude of each harmonic in each layer. `cents` and `weights`
    (per line) spread each harmonic; `pans` (-1 to 1, per line) places lines in the stereo field; all layers
    share their phases, so crossfading between layers moves the timbre and nothing else.
    """

    def __init__(
        self,
        frequency_hz: float,
        layers: NDArray[np.floating],
        cents: Floats,
        weights: Floats,
        pans: Floats,
        sample_rate: int,
        rng: np.random.Generator,
    ) -> None:
        periods = round(float(np.clip(640 / frequency_hz, 2.9, 6.5)) * frequency_hz)
        size, periods = _loop_size(frequency_hz, periods, sample_rate)
        harmonics = np.arange(1, layers.shape[1] + 1)
        bins = np.rint(periods * harmonics[:, None] * 2 ** (cents / 1200)).astype(np.int64)
        phase = rng.uniform(0, 2 * np.pi, bins.shape)
        line = (weights / np.sqrt(np.sum(weights**2))) * np.exp(1j * phase)
        left, right = np.cos((pans + 1) * np.pi / 4), np.sin((pans + 1) * np.pi / 4)
        inside = bins < HIGHEST_SHARE * size
        spectra = np.zeros((len(layers), 2, size // 2 + 1), dtype=np.complex64)
        for layer, spectrum in zip(layers, spectra, strict=True):
            for channel, side in zip(spectrum, (left, right), strict=True):
                np.add.at(channel, bins[inside], (layer[:, None] * line * side)[inside].astype(np.complex64))
        # All in one call: FFTs of four rows and more use the processor's vectors.
        self._loops = irfft(spectra, size)
        self._loops *= np.float32(size / 2)

    @property
    def frames(self) -> int:
        """Length of the loop."""
        return int(self._loops.shape[2])

    def __call__(self, frames: int, positions: NDArray[np.floating]) -> Samples:
        """Return `frames` of the loop at layer `positions`, 0 to layers - 1, one value for each of `slow_seconds`."""
        size = self._loops.shape[2]
        out = np.zeros((2, frames), dtype=np.float32)
        for layer, loop in enumerate(self._loops):
            share = np.clip(1 - np.abs(positions - layer), 0, 1)
            if not share.any():
                continue
            gain = spread(share, frames)
            for start in range(0, frames, size):
                piece = gain[start : start + size]
                out[:, start : start + size] += loop[:, : len(piece)] * piece
        return out


def _loop_size(frequency_hz: float, periods: int, sample_rate: int) -> tuple[int, int]:
    """Find a loop of even length that an FFT likes and that holds a whole number of periods within 0.2 cents."""
    best = (np.inf, 0, 0)
    for count in range(max(1, periods), max(1, periods) + 400):
        exact = count * sample_rate / frequency_hz
        half = int(exact) // 2
        for size in (
            2 * fast_length(half + int(exact) % 2),
            2 * fast_length_within(half + 1),
        ):
            error = abs(1200 * np.log2(count * sample_rate / size / frequency_hz))
            if error < 0.2:
                return size, count
            best = min(best, (error, size, count))
    return best[1], best[2]


def wave_tables(layers: NDArray[np.complexfloating] | NDArray[np.floating]) -> Samples:
    """Return one cycle for each row of harmonic amplitudes (sine phase for real ones), shape (rows, TABLE_SIZE + 1).

    A table holds at most TABLE_SIZE / 8 harmonics, so that linear reading keeps images below -70 dB.
    """
    count = min(layers.shape[1], TABLE_SIZE // 8)
    spectrum = np.zeros((layers.shape[0], TABLE_SIZE // 2 + 1), dtype=np.complex128)
    spectrum[:, 1 : count + 1] = -1j * layers[:, :count]
    cycles = irfft(spectrum, TABLE_SIZE) * (TABLE_SIZE / 2)
    return np.concatenate([cycles, cycles[:, :1]], axis=1).astype(np.float32)


def scan(tables: Samples, cycles: Floats, positions: NDArray[np.floating] | float = 0.0) -> Samples:
    """Read tables at phase `cycles` (in cycles, any real number), morphing by `positions` (0 to rows - 1)."""
    place = (cycles - np.floor(cycles)) * TABLE_SIZE
    index = place.astype(np.int64)
    share = (place - index).astype(np.float32)
    if tables.shape[0] == 1:
        early = tables[0].take(index)
        only: Samples = early + share * (tables[0].take(index + 1) - early)
        return only
    positions = np.broadcast_to(np.clip(positions, 0, tables.shape[0] - 1), cycles.shape)
    row = np.minimum(positions.astype(np.int64), tables.shape[0] - 2)
    mix = (positions - row).astype(np.float32)
    flat = tables.reshape(-1)
    base = row * (TABLE_SIZE + 1) + index
    dark = flat.take(base)
    dark += share * (flat.take(base + 1) - dark)
    base += TABLE_SIZE + 1
    bright = flat.take(base)
    bright += share * (flat.take(base + 1) - bright)
    out: Samples = dark + mix * (bright - dark)
    return out


def ladder(frequency_hz: ArrayLike, cutoff_hz: float, resonance: float = 0.0) -> NDArray[np.complex128]:
    """Return the response of a four-pole ladder low-pass (resonance 0 to 1), with its level loss half restored."""
    s = 1j * np.asarray(frequency_hz, dtype=np.float64) / cutoff_hz
    feedback = 3.6 * resonance
    return np.asarray((1 + 0.5 * feedback) / ((1 + s) ** 4 + feedback), dtype=np.complex128)


def seconds(frames: int, sample_rate: int) -> Floats:
    """Return the time of each frame."""
    return np.arange(frames) / sample_rate


def slow_seconds(frames: int, sample_rate: int) -> Floats:
    """Return the times at which slow curves are computed: every 32 frames, from the first to beyond the last."""
    return np.asarray(
        np.arange(-(-frames // SLOW_FRAMES) + 1) * (SLOW_FRAMES / sample_rate), dtype=np.float64
    )


def spread(values: NDArray[np.floating], frames: int) -> Samples:
    """Return values given at `slow_seconds` at every frame, on straight lines."""
    points = values.astype(np.float32)
    along = np.arange(SLOW_FRAMES, dtype=np.float32) / np.float32(SLOW_FRAMES)
    lines: Samples = points[:-1, None] + np.diff(points)[:, None] * along
    return lines.reshape(-1)[:frames]


def soft_clip(sound: Samples, drive: float) -> Samples:
    """Clip softly, x / sqrt(1 + x^2) averaged between samples against aliasing; small signals keep their level."""
    x = np.concatenate([np.zeros((*sound.shape[:-1], 1), np.float32), sound * np.float32(drive)], axis=-1)
    root = np.sqrt(1 + x * x)
    return np.asarray((x[..., 1:] + x[..., :-1]) / (root[..., 1:] + root[..., :-1]) / drive, dtype=np.float32)


def without_dc(sound: Samples, sample_rate: int, corner_hz: float = 14.0) -> Samples:
    """Take away what lies below hearing (second-order high-pass)."""
    sos = butterworth(2, corner_hz, "highpass", sample_rate)
    return np.asarray(filtered(sos, sound), dtype=np.float32)


def fade_edges(sound: Samples, sample_rate: int, start_s: float = 0.0005, end_s: float = 0.006) -> Samples:
    """Bring the first and last samples to zero along half cosines, in place; returns the sound."""
    frames = sound.shape[-1]
    first = min(max(2, int(start_s * sample_rate)), frames // 2)
    last = min(max(2, int(end_s * sample_rate)), frames // 2)
    sound[..., :first] *= (0.5 - 0.5 * np.cos(np.pi * np.arange(first) / first)).astype(np.float32)
    sound[..., frames - last :] *= (0.5 + 0.5 * np.cos(np.pi * np.arange(1, last + 1) / last)).astype(
        np.float32
    )
    return sound


def swell(
    frames: int, sample_rate: int, attack_s: float, bite: float = 0.3, bite_s: float = 0.006
) -> Samples:
    """Return an attack: up to `bite` within `bite_s`, so that the start is heard, then smoothly to 1 by `attack_s`."""
    longest_s = max(attack_s, bite_s)
    out = np.ones(frames, dtype=np.float32)
    rising = min(frames, int(longest_s * sample_rate) + 2)
    time_s = seconds(rising, sample_rate)
    start = np.clip(time_s / bite_s, 0, 1)
    rise = np.clip(time_s / longest_s, 0, 1)
    start = start * start * (3 - 2 * start)
    rise = rise * rise * (3 - 2 * rise)
    out[:rising] = bite * start + (1 - bite) * rise
    return out


def decay(frames: int, sample_rate: int, sixty_db_s: float) -> Samples:
    """Return an exponential that falls by 60 dB in `sixty_db_s`."""
    return np.exp(-6.907755 / sixty_db_s * seconds(frames, sample_rate)).astype(np.float32)


def band_noise(
    rng: np.random.Generator,
    frames: int,
    sample_rate: int,
    low_hz: float,
    high_hz: float,
    *,
    channels: int = 1,
    order: int = 2,
) -> Samples:
    """Return noise between two cutoffs, RMS about 1, shape (channels, frames)."""
    high_hz, low_hz = min(high_hz, 0.48 * sample_rate), max(low_hz, 5.0)
    low_hz = min(low_hz, 0.9 * high_hz)
    warm = min(2048, sample_rate // 20)
    noise = rng.standard_normal((channels, frames + warm), dtype=np.float32)
    sos = butterworth(order, (float(low_hz), float(high_hz)), "bandpass", sample_rate)
    shaped = filtered(sos, noise)[:, warm:]
    share = (high_hz - low_hz) * 2 / sample_rate
    return np.asarray(shaped / np.sqrt(share), dtype=np.float32)


def bells(frequency_hz: NDArray[np.floating], peaks: Sequence[tuple[float, float, float]]) -> Floats:
    """Return the gain of resonances given as (centre in Hz, gain in dB, width in octaves) over a flat floor."""
    octave = np.log2(np.maximum(frequency_hz, 1.0))
    total_db = np.zeros(np.shape(frequency_hz))
    for centre_hz, gain_db, width in peaks:
        total_db += gain_db * np.exp(-(((octave - np.log2(centre_hz)) / width) ** 2))
    return np.asarray(10 ** (total_db / 20))


def fall_off(frequency_hz: ArrayLike, corner_hz: float, slope_db: float) -> Floats:
    """Return a smooth low-pass gain: flat below the corner, falling `slope_db` an octave above it."""
    ratio = np.asarray(frequency_hz, dtype=np.float64) / corner_hz
    return np.asarray((1 + ratio**2) ** (-slope_db / 12.04))


def pan(mono: Samples, place: float) -> Samples:
    """Place one channel (frames,) or (1, frames) at -1 … 1 with constant power; 0 keeps unit gain on both sides."""
    angle = (place + 1) * np.pi / 4
    sides = np.sqrt(2) * np.array([[np.cos(angle)], [np.sin(angle)]], dtype=np.float32)
    return np.asarray(sides * np.atleast_2d(mono), dtype=np.float32)


def vibrato_cents(
    time_s: Floats,
    rate_hz: float,
    depth_cents: float,
    onset_s: float,
    rise_s: float = 0.35,
    phase: float = 0.0,
) -> Floats:
    """Return the pitch deviation of a vibrato that begins at `onset_s` and grows over `rise_s`."""
    amount = np.clip((time_s - onset_s) / rise_s, 0, 1)
    return np.asarray(depth_cents * amount * np.sin(2 * np.pi * rate_hz * (time_s - onset_s) + phase))


def phase_cycles(frequency_hz: float, cents: Floats, sample_rate: int) -> Floats:
    """Return the running phase, in cycles, of a pitch that deviates by `cents` at each frame."""
    step = frequency_hz / sample_rate * np.exp2(cents / 1200)
    cycles = np.cumsum(step)
    return np.asarray(cycles - step[0])


def glide_cents(time_s: Floats, semitones: float, glide_s: float) -> Floats:
    """Return a portamento that starts `semitones` away and arrives exponentially, within a cent after ~7 × glide_s."""
    return np.asarray(100 * semitones * np.exp(-time_s / glide_s))
