"""Rubber Band R3 driven along a time map, within a millisecond.

`pedalboard.time_stretch` takes a stretch factor a sample, and then runs R3 in its real-time mode. R3 works in frames:
it reads a window of W samples every `inhop` samples and writes it every `outhop`, both whole numbers, chosen from the
ratio in force when the frame's last sample arrives. So a factor of 1.1 is not what one gets, but the nearest pair of
hops: up to half a percent off, 100 ms in a 40 s phrase, also with one constant factor. Here every frame is planned:

- only ratios that are exactly outhop / inhop are asked for, so what one gets is what was asked (`_pairs`);
- the plan follows where each frame's centre lands, and goes to a neighbouring pair when that drifts off the map by more
  than `TOLERANCE_S`, which happens once or twice a second;
- a ratio takes effect when the window that it is for is complete, so it is set W/2 after the frame's centre arrived.

A frame centred at input c lands at output q; for the first frame both are W/2. A pitch change upsets R3's bookkeeping
where ratios change, so it is made in a second pass, at one exact ratio near 1 that the plan of the first pass takes
into account. Clicks so driven land within 1 ms (median) for constant, stepped and ramped factors. W and the hops are
R3's own (Rubber Band 3); the tests would notice if a later version chose others.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.sync.time_map import Floats

BLOCK = 16
"""pedalboard feeds R3 in blocks of this many samples, and reads the factor at each block's first one."""
LARGEST_BLOCK_WINDOWS = 2
LARGEST_PITCH_BLOCK_WINDOWS = 24
TINY = 1e-13
BASE_OUTHOP, MIN_OUTHOP, MAX_OUTHOP, MAX_INHOP = 256.0, 128.0, 512.0, 1024
LOWEST_RATIO, HIGHEST_RATIO = 0.24, 4.2
LOOK_FRAMES = 1024
"""How far ahead the map's slope is looked at: about the length of four hops."""
CATCH_UP_FRAMES = 16384
TOLERANCE_S = 0.75e-3
SLOPE_TOLERANCE = 0.008
NUDGE = 1e-9
"""Ratios are asked for this much (relative) below the exact one, so that rounding never decides which hop R3 takes."""


def window_frames(sample_rate: int) -> int:
    """Length W of R3's longest window: the power of two at or above 1/16 s."""
    return int(2 ** math.ceil(math.log2(math.ceil(sample_rate / 16.0))))


def stretched(
    samples: NDArray[np.float32],
    sample_rate: int,
    target_frames: Floats,
    *,
    pitch_semitones: float = 0.0,
    preserve_formants: bool = True,
) -> tuple[NDArray[np.float32], int]:
    """Stretch `samples` (channels, frames) so that input frame i lands on `target_frames[i]`.

    `target_frames` has shape (frames,), rises, and may start anywhere. Returns the output (channels, new
    frames), and the target frame that its first frame is. The first and the last W/2 frames of the input are
    not to be relied on: give context there. Channels keep their phases relative to each other.
    """
    import pedalboard

    if pitch_semitones == 0.0:
        factors, first_frame = plan(target_frames, sample_rate)
        output = pedalboard.time_stretch(
            samples, float(sample_rate), stretch_factor=factors, preserve_formants=False
        )
        return output, first_frame
    pitch = 2.0 ** (pitch_semitones / 12.0)
    ratios, _, _ = _pairs()
    time_ratio = float(ratios[int(np.argmin(np.abs(ratios - pitch)))]) / pitch
    factors, first_frame = plan(target_frames / time_ratio, sample_rate)
    same_pitch = pedalboard.time_stretch(
        samples, float(sample_rate), stretch_factor=factors, preserve_formants=False
    )
    window = window_frames(sample_rate)
    even = np.full(same_pitch.shape[1], 1.0 / time_ratio)
    output = pedalboard.time_stretch(
        same_pitch,
        float(sample_rate),
        stretch_factor=_in_blocks(even, LARGEST_PITCH_BLOCK_WINDOWS * window),
        pitch_shift_in_semitones=pitch_semitones,
        preserve_formants=preserve_formants,
    )
    # R3 resamples after stretching when pitch rises, and before when it falls; the window's centre moves with that.
    centre = window / 2.0
    offset = centre * (1.0 / pitch - time_ratio) if pitch > 1.0 else centre * (1.0 - time_ratio * pitch)
    return output, round(first_frame * time_ratio - offset)


def plan(target_frames: Floats, sample_rate: int) -> tuple[Floats, int]:
    """Return a stretch factor for each input frame, and the target frame on which the first output frame then lies."""
    length, window, tolerance = target_frames.size, window_frames(sample_rate), TOLERANCE_S * sample_rate
    ratios, inhops, outhops = _pairs()
    factors = np.empty(length)
    grid = np.arange(0, length + LOOK_FRAMES + window, BLOCK)
    wanted_at = _beyond_end(target_frames, grid)
    look = LOOK_FRAMES // BLOCK
    start, filled, pair = 0, 0, -1
    landing = float(round(wanted_at[window // 2 // BLOCK] - window / 2)) + window / 2
    first_frame = round(landing - window / 2)
    while start + window <= length + BLOCK:
        centre = (start + window // 2) // BLOCK
        wanted = wanted_at[centre] + ((start + window // 2) % BLOCK) * (
            (wanted_at[centre + 1] - wanted_at[centre]) / BLOCK
        )
        slope = (wanted_at[centre + look] - wanted_at[centre]) / LOOK_FRAMES
        is_near = pair >= 0 and abs(landing - wanted) <= tolerance
        if not is_near or abs(ratios[pair] / slope - 1.0) > SLOPE_TOLERANCE:
            pair = _nearest(ratios, slope + (wanted - landing) / CATCH_UP_FRAMES)
        ready = min(-(-(start + window) // BLOCK) * BLOCK, length)
        factors[filled:ready] = 1.0 / ratios[pair]
        filled = ready
        start += int(inhops[pair])
        landing += float(outhops[pair])
    factors[filled:] = factors[filled - 1] if filled else 1.0
    return _in_blocks(factors, LARGEST_BLOCK_WINDOWS * window), first_frame


def _in_blocks(factors: Floats, largest: int) -> Floats:
    """`factors` with a change too small to matter every `largest` frames.

    pedalboard hands R3 all frames between two changes at once, and R3's buffers are made for less: they would grow, and
    R3 would say so on the error output.
    """
    return factors * (1.0 + TINY * ((np.arange(factors.size) // largest) % 2))


def _nearest(ratios: Floats, ratio: float) -> int:
    right = min(max(int(np.searchsorted(ratios, ratio)), 1), ratios.size - 1)
    return right - 1 if ratio - ratios[right - 1] < ratios[right] - ratio else right


def _beyond_end(target_frames: Floats, grid: NDArray[np.int64]) -> Floats:
    """`target_frames` at `grid`, going on straight after its end."""
    last = target_frames.size - 1
    slope = (target_frames[last] - target_frames[max(last - LOOK_FRAMES, 0)]) / max(min(last, LOOK_FRAMES), 1)
    at: Floats = target_frames[np.minimum(grid, last)] + np.maximum(grid - last, 0) * slope
    return at


def inhops_of(ratios: Floats) -> NDArray[np.int64]:
    """R3's input hops for ratios (output over input length): its output hop is 256 near 1, else longer or shorter."""
    longer = 2.0 ** (8.0 + 2.0 * np.log10(np.maximum(ratios - 0.5, 0.1)))
    shorter = 2.0 ** (8.0 + 2.0 * np.log10(ratios))
    outhops = np.where(ratios > 1.5, longer, np.where(ratios < 1.0, shorter, BASE_OUTHOP))
    inhops = (np.clip(outhops, MIN_OUTHOP, MAX_OUTHOP) / ratios).astype(np.int64)
    return np.clip(inhops, 1, MAX_INHOP)


@lru_cache(maxsize=1)
def _pairs() -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """All ratios that R3 turns into exactly one pair of hops, rising: ratio, input hop, output hop, each (pairs,)."""
    inhops, outhops = np.meshgrid(
        np.arange(32, MAX_INHOP + 1), np.arange(int(MIN_OUTHOP) - 1, int(MAX_OUTHOP) + 1), indexing="ij"
    )
    ratios = outhops / inhops * (1.0 - NUDGE)
    real = (ratios > LOWEST_RATIO) & (ratios < HIGHEST_RATIO) & (inhops_of(ratios) == inhops)
    order = np.argsort(ratios[real], kind="stable")
    return ratios[real][order], inhops[real][order], outhops[real][order]
