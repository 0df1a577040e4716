"""What all estimators hear: each stem in mono at 22.05 kHz, its onset flux and a coarse chromagram, made once.

Conventions: `ROLES` are the separator's four stems and "mix". Flux frames lie `HOP_S` apart (about 10 ms) and
frame k is centred on second k * HOP_S, from 0. Onset flux is the half-wave rectified rise of the
log-compressed mel spectrum over two frames, against the highest of the neighbouring bands before (Böck &
Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013), summed over three regions: low
(kick, bass), mid (snare, voices), high (hats). Levels are relative to the stem's own, so gain changes
nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.progress import SILENT, Monitor

Floats = NDArray[np.float32]
Array = NDArray[np.float64]

RATE = 22050
HOP = 220
HOP_S = HOP / RATE
WINDOW = 1024
CHROMA_WINDOW = 4096
CHROMA_HOP = 1024
CHROMA_HOP_S = CHROMA_HOP / RATE
REGION_EDGES_HZ = (160.0, 2500.0)
MEL_BANDS = 36
LOWEST_HZ, HIGHEST_HZ = 30.0, 10500.0
VOICED_HZ = (200.0, 4000.0)
COMPRESSION = 20.0
_BLOCK_S = 20.0
_CACHED_SAMPLES = 120_000_000


def mono_22k(audio: Audio, monitor: Monitor = SILENT) -> Floats:
    """Return `audio` as mono at `RATE`, float32 of shape (frames,), resampled block by block.

    The channels are averaged; where that would cancel most of the sound (channels in opposite polarity), the
    louder of the first two channels is taken instead.
    """
    import soxr

    rate, block = audio.sample_rate, int(_BLOCK_S * audio.sample_rate)
    channel = _cancelling_channel(audio)
    stream = soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="HQ") if rate != RATE else None
    out = np.empty(int(np.ceil(audio.frames * RATE / rate)) + RATE, dtype=np.float32)
    filled = 0
    for start in range(0, max(audio.frames, 1), block):
        monitor.report(start / max(audio.frames, 1))
        piece = audio.samples[:, start : start + block]
        x = piece.mean(axis=0, dtype=np.float32) if channel is None else piece[channel]
        last = start + block >= audio.frames
        y = stream.resample_chunk(np.ascontiguousarray(x), last=last) if stream else x
        out[filled : filled + len(y)] = y
        filled += len(y)
    length = round(audio.frames * RATE / rate)
    out[filled:] = 0.0
    return out[:length]


def _cancelling_channel(audio: Audio) -> int | None:
    if audio.channels < 2:
        return None
    step = max(1, audio.frames // 400_000)
    thin = audio.samples[:, ::step].astype(np.float64)
    power = (thin**2).mean(axis=1)
    if (thin.mean(axis=0) ** 2).mean() >= 0.05 * power.mean():
        return None
    return int(power[:2].argmax())


@dataclass(frozen=True, slots=True, eq=False)
class Flux:
    """Onset strength of one stem: `bands` (3, frames) for low, mid and high; and power a frame, (frames,).

    `level` weighs all mel bands alike; `voiced` is the power from 200 to 4000 Hz, where voices are.
    """

    bands: Floats
    level: Floats
    voiced: Floats

    @property
    def total(self) -> Floats:
        """The three regions together, shape (frames,)."""
        total: Floats = self.bands.sum(axis=0)
        return total


def frames_of(x: Floats, first: int, count: int, window: int, hop: int) -> Floats:
    """Return `count` frames of `window` samples, frame k centred on sample (first + k) * hop; zeros outside `x`."""
    start = first * hop - window // 2
    stop = start + (count - 1) * hop + window
    inside = x[max(0, start) : max(0, min(len(x), stop))]
    padded = np.pad(inside, (max(0, -start), max(0, stop - max(len(x), max(0, start)))))
    return np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][:count]


def magnitudes(
    x: Floats, window: int, hop: int, consume: Callable[[int, Floats], None], monitor: Monitor = SILENT
) -> int:
    """Call `consume(first_frame, magnitudes)` for block after block of the Hann spectrogram; return how many frames."""
    from scipy.fft import rfft

    shape = np.hanning(window + 1)[:-1].astype(np.float32)
    total = max(1, -(-len(x) // hop))
    block = max(1, int(_BLOCK_S * RATE / hop / max(1.0, window / hop / 4)))
    for first in range(0, total, block):
        monitor.report(first / total)
        count = min(block, total - first)
        consume(first, np.abs(rfft(frames_of(x, first, count, window, hop) * shape, axis=1)))
    return total


def _mel_filters(window: int) -> tuple[Floats, Floats]:
    """Triangles evenly spaced in mel, each at least a bin wide: (bins, bands), and their centres in Hz."""
    mel = np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), MEL_BANDS + 2)
    edges_hz = 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    bin_hz = RATE / window
    bins = np.arange(window // 2 + 1) * bin_hz
    lower, centre, upper = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    lower, upper = np.minimum(lower, centre - bin_hz), np.maximum(upper, centre + bin_hz)
    rising = (bins[:, None] - lower) / (centre - lower)
    falling = (upper - bins[:, None]) / (upper - centre)
    weights = np.clip(np.minimum(rising, falling), 0.0, None)
    weights /= weights.sum(axis=0)
    return weights.astype(np.float32), centre.astype(np.float32)


def _mel(hz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hz / 700.0))


def onset_flux(x: Floats, monitor: Monitor = SILENT) -> Flux:
    """Return the onset flux of mono `x` at `RATE` (see the module's docstring)."""
    from scipy.ndimage import maximum_filter1d

    weights, centres = _mel_filters(WINDOW)
    total = max(1, -(-len(x) // HOP))
    mel = np.empty((total, MEL_BANDS), dtype=np.float32)

    voiced = np.empty(total, dtype=np.float32)
    first_bin, last_bin = (round(hz * WINDOW / RATE) for hz in VOICED_HZ)

    def consume(first: int, spectra: Floats) -> None:
        power = spectra**2
        mel[first : first + len(spectra)] = power @ weights
        voiced[first : first + len(spectra)] = power[:, first_bin:last_bin].sum(axis=1)

    magnitudes(x, WINDOW, HOP, consume, monitor)
    level = mel.mean(axis=1)
    np.sqrt(mel, out=mel)
    mel *= COMPRESSION / max(float(mel.mean()), 1e-9)
    np.log1p(mel, out=mel)
    before = maximum_filter1d(mel, 3, axis=1)
    rise = np.zeros_like(mel)
    np.subtract(mel[2:], before[:-2], out=rise[2:])
    np.maximum(rise, 0.0, out=rise)
    region = np.searchsorted(REGION_EDGES_HZ, centres)
    bands = np.stack([rise[:, region == r].sum(axis=1) for r in range(3)])
    return Flux(bands.astype(np.float32), level.astype(np.float32), voiced)


def coarse_chroma(x: Floats, monitor: Monitor = SILENT) -> Floats:
    """Return pitch-class energies of mono `x` every `CHROMA_HOP_S`, shape (12, frames), C first, not normalised."""
    bins_hz = np.arange(CHROMA_WINDOW // 2 + 1) * (RATE / CHROMA_WINDOW)
    used = (bins_hz >= 60.0) & (bins_hz <= 2000.0)
    pitch = 69.0 + 12.0 * np.log2(bins_hz[used] / 440.0)
    distance = (pitch[:, None] - np.arange(12) + 6.0) % 12.0 - 6.0
    fold = np.exp(-0.5 * (distance / 0.4) ** 2)
    fold = (fold / np.sqrt(bins_hz[used])[:, None]).astype(np.float32)
    out = np.zeros((12, max(1, -(-len(x) // CHROMA_HOP))), dtype=np.float32)

    def consume(first: int, spectra: Floats) -> None:
        out[:, first : first + len(spectra)] = (spectra[:, used] @ fold).T

    magnitudes(x, CHROMA_WINDOW, CHROMA_HOP, consume, monitor)
    return out


def harmonic_change(chroma: Floats, windows_s: tuple[float, ...] = (0.35, 0.7)) -> Array:
    """Return how different the pitch classes just after each chroma frame are from those just before, about 0 to 1."""
    level = np.sqrt(chroma.astype(np.float64))
    level /= level.sum(axis=0) + 1e-3 * level.sum() / max(1, level.shape[1]) + 1e-12
    summed = np.concatenate([np.zeros((12, 1)), np.cumsum(level, axis=1)], axis=1)
    here = np.arange(chroma.shape[1])
    change = np.zeros(len(here))
    for window_s in windows_s:
        reach = max(1, round(window_s / CHROMA_HOP_S))
        after = summed[:, np.minimum(here + reach, len(here))] - summed[:, here]
        before = summed[:, here] - summed[:, np.maximum(here - reach, 0)]
        change += change_between(before, after)
    change[: min(3, len(change))] = 0.0
    change[-3:] = 0.0
    return change / len(windows_s)


def change_between(a: Array, b: Array) -> Array:
    """One minus the correlation of the columns of `a` and `b`; 0 where either is flat."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    size = np.linalg.norm(a, axis=0) * np.linalg.norm(b, axis=0)
    return np.where(size > 1e-9, 1.0 - (a * b).sum(axis=0) / np.maximum(size, 1e-9), 0.0)


class Features:
    """The stems and the mix as the estimators want them; everything is made when first asked for, and kept."""

    def __init__(self, stems: Mapping[str, Audio] | None, mix: Audio, monitor: Monitor = SILENT) -> None:
        self.sources: dict[str, Audio] = {**(stems or {}), "mix": mix}
        self.duration_s = mix.duration_s
        self.heartbeat = Monitor(is_cancelled=monitor.is_cancelled)
        self._mono: dict[str, Floats] = {}
        self._flux: dict[str, Flux] = {}
        self._chroma: dict[str, Floats] = {}

    def has(self, role: str) -> bool:
        """Whether there is such a stem and it sounds: within 40 dB of the mix."""
        return role in self._power and self._power[role] > 1e-4 * max(self._power["mix"], 1e-20)

    @cached_property
    def _power(self) -> dict[str, float]:
        return {role: _mean_power(audio) for role, audio in self.sources.items()}

    def first_of(self, *roles: str) -> str:
        """Return the first of `roles` that sounds, or "mix"."""
        return next((role for role in roles if self.has(role)), "mix")

    def mono(self, role: str) -> Floats:
        """Return the stem `role` (or "mix") as mono float32 at `RATE`; kept unless the song is very long."""
        if role in self._mono:
            return self._mono[role]
        mono = mono_22k(self.sources[role], self.heartbeat)
        if len(mono) + sum(len(x) for x in self._mono.values()) <= _CACHED_SAMPLES:
            self._mono[role] = mono
        return mono

    def flux(self, role: str) -> Flux:
        """Return the onset flux of the stem `role`."""
        if role not in self._flux:
            self._flux[role] = onset_flux(self.mono(role), self.heartbeat)
        return self._flux[role]

    def chroma(self, role: str) -> Floats:
        """Return the coarse chromagram of the stem `role`, (12, frames) every `CHROMA_HOP_S`."""
        if role not in self._chroma:
            self._chroma[role] = coarse_chroma(self.mono(role), self.heartbeat)
        return self._chroma[role]

    @cached_property
    def harmonic_change(self) -> Array:
        """How much the harmony changes at each chroma frame of the stem that carries chords (see `harmonic_change`)."""
        return harmonic_change(self.chroma(self.first_of("other")))

    def forget(self) -> None:
        """Let go of the waveforms, which are the large part; they are made again if asked for."""
        self._mono.clear()


def _mean_power(audio: Audio) -> float:
    step = max(1, audio.frames // 2_000_000)
    thin = audio.samples[:, ::step]
    return float(np.einsum("cf,cf->", thin, thin, dtype=np.float64) / max(1, thin.size))
