"""Reverbs. `reverb` is the response of pedalboard's Freeverb; the others have one made here from shaped noise.

A made response is stereo noise in bands, each with its own decay (lows longer, highs shorter, as air and
walls do), after early reflections that grow denser, with unit energy: `wet_db` is then the level of the
reverb against the dry sound.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pedalboard
from numpy.typing import NDArray

from engine.audio.buffer import Samples
from engine.audio.fourier import irfft, rfft
from engine.audio.recursive import Sos, filtered
from engine.audio.spectra import fast_length
from engine.generation.arranger.effects.context import Context, Process
from engine.generation.arranger.effects.streaming import Convolver, butterworth

_LONGEST_FREEVERB_S = 8.0
_FREEVERB_GAIN = 0.72  # brings pedalboard's wet-only output to the level of its input


@dataclass(frozen=True, slots=True)
class _Space:
    """How a kind of room differs: early reflections (first and last, share of energy), build-up, low-end bloom."""

    early_first_s: float
    early_last_s: float
    early_share: float
    rise_s: float
    bloom: float


_SPACES = {
    "room": _Space(0.002, 0.028, 0.5, 0.004, 1.0),
    "plate": _Space(0.001, 0.012, 0.1, 0.002, 0.9),
    "hall": _Space(0.011, 0.085, 0.22, 0.035, 1.25),
}


def _behind(sos: Sos | None, samples: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return samples behind a filter, if there is one."""
    return samples if sos is None else filtered(sos, samples)


@lru_cache(maxsize=48)
def _response(
    kind: str, decay_s: float, damping_hz: float, predelay_ms: float, low_cut_hz: float, sample_rate: int
) -> Samples:
    space = _SPACES[kind]
    rng = np.random.default_rng([sum(kind.encode()), 0x5EED])
    frames = fast_length(int((1.1 * decay_s * space.bloom + 0.1) * sample_rate))
    time_s = np.arange(frames) / sample_rate
    noise = rfft(rng.standard_normal((2, frames)))
    frequency = np.fft.rfftfreq(frames, 1 / sample_rate)
    octave = np.log2(np.maximum(frequency, 1.0) / 125.0)
    tail = np.zeros((2, frames))
    for band in range(8):
        weight = np.clip(1 - np.abs(octave - band), 0, 1)
        if band == 0:
            weight[octave < 0] = 1
        if band == 7:
            weight[octave > 7] = 1
        centre = 125.0 * 2**band
        band_decay = decay_s * (space.bloom if centre < 300 else 1.0) / (1 + (centre / damping_hz) ** 1.3)
        shape = np.exp(-6.91 * time_s / max(band_decay, 0.05))
        tail += irfft(noise * np.sqrt(weight), frames) * shape
    tail *= 1 - np.exp(-time_s / space.rise_s)
    tail *= np.sqrt((1 - space.early_share) / np.sum(tail**2, axis=1, keepdims=True))
    early = np.zeros((2, frames))
    span = np.log(space.early_last_s / space.early_first_s)
    for side in (0, 1):
        arrivals = space.early_first_s * np.exp(span * np.sort(rng.uniform(0, 1, 18)))
        strength = rng.choice([-1.0, 1.0], 18) * np.sqrt(space.early_first_s / arrivals)
        np.add.at(early[side], np.minimum((arrivals * sample_rate).astype(int), frames - 1), strength)
    early *= np.sqrt(space.early_share / np.sum(early**2, axis=1, keepdims=True))
    end = np.minimum(1, (frames - np.arange(frames)) / (0.05 * sample_rate))
    wait = np.zeros((2, int(predelay_ms / 1000 * sample_rate)))
    sos = butterworth("highpass", low_cut_hz, 12, sample_rate)
    made = _behind(sos, np.concatenate([wait, early + tail], axis=1))
    made[:, wait.shape[1] :] *= end
    return np.asarray(made, dtype=np.float32)


@lru_cache(maxsize=16)
def _freeverb_response(
    room_size: float, damping: float, width: float, low_cut_hz: float, sample_rate: int
) -> Samples:
    """Return what Freeverb answers to an impulse on both sides, with the lows kept out of it.

    It is linear, does not move, and hears only the sum of both sides, so that this is all there is to it; and
    to convolve is four times as fast. The response ends where 1e-7 of its energy is left.
    """
    unit = pedalboard.Reverb(room_size=room_size, damping=damping, wet_level=1.0, dry_level=0.0, width=width)
    settled = int(0.2 * sample_rate)  # its gains glide to their places first
    impulse = np.zeros((2, settled + int(_LONGEST_FREEVERB_S * sample_rate)), dtype=np.float32)
    impulse[:, settled] = 1.0
    made = np.asarray(unit.process(impulse, sample_rate, reset=False), dtype=np.float32)[:, settled:]
    sos = butterworth("highpass", low_cut_hz, 12, sample_rate)
    made = _behind(sos, made) * _FREEVERB_GAIN
    left = np.cumsum(np.sum(made**2, axis=0)[::-1])[::-1]
    frames = max(1, int(np.count_nonzero(left > 1e-7 * left[0])))
    return np.asarray(made[:, :frames], dtype=np.float32)


def _convolved(response: Samples, wet_db: float, dry_db: float = 0.0) -> Process:
    convolver = Convolver(response)
    wet_gain = np.float32(10 ** (wet_db / 20))
    dry_gain = np.float32(10 ** (dry_db / 20))

    def process(block: Samples, _start: int) -> Samples:
        wet = convolver(block[0] if len(block) == 1 else 0.5 * (block[0] + block[1]))
        wet *= wet_gain
        wet += block if dry_db == 0 else dry_gain * block
        return wet

    return process


def _space(kind: str, context: Context, parameters: dict[str, float]) -> Process:
    response = _response(
        kind,
        parameters["decay_s"],
        parameters["damping_hz"],
        parameters["predelay_ms"],
        parameters["low_cut_hz"],
        context.sample_rate,
    )
    return _convolved(response, parameters["wet_db"])


def room(context: Context, **parameters: float) -> Process:
    """Small natural room: early reflections carry half of it."""
    return _space("room", context, parameters)


def plate(context: Context, **parameters: float) -> Process:
    """Plate: dense from the first millisecond, bright."""
    return _space("plate", context, parameters)


def hall(context: Context, **parameters: float) -> Process:
    """Concert hall: slow build-up, long warm lows."""
    return _space("hall", context, parameters)


def gated_reverb(context: Context, *, gate_ms: float, wet_db: float, low_cut_hz: float) -> Process:
    """A plate that hardly decays and is shut after `gate_ms`."""
    frames = int(gate_ms / 1000 * context.sample_rate)
    dense = _response("plate", 3.0, 9000.0, 0.0, low_cut_hz, context.sample_rate)[:, :frames].copy()
    end = np.minimum(1, (frames - np.arange(frames)) / (0.02 * context.sample_rate))
    dense *= end.astype(np.float32)
    dense /= np.sqrt(np.sum(dense**2, axis=1, keepdims=True))
    return _convolved(dense, wet_db)


def reverb(
    context: Context,
    *,
    room_size: float,
    damping: float,
    width: float,
    wet_db: float,
    dry_db: float,
    low_cut_hz: float,
) -> Process:
    """Freeverb with the lows kept out of it."""
    response = _freeverb_response(room_size, damping, width, low_cut_hz, context.sample_rate)
    return _convolved(response, wet_db, dry_db)
