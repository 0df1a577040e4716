"""One strip at work: a stream of blocks of the session's timeline in, what it gives to its bus out.

A stem that is the same on both sides is worked on in mono until the pan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from engine.loudness.meter import HOPS_PER_S
from engine.mixing.desk.dynamics import (
    HOP_FRAMES,
    GainComputer,
    average_reduction_db,
    hop_powers,
    linear,
    ramp,
)
from engine.mixing.desk.kernel import sections_of, strip_kernel
from engine.mixing.ducking import dip_at
from engine.mixing.filters import BlockFilter
from engine.mixing.session.strips import ChannelStrip, EqBand
from engine.mixing.stems import Block, Stem, even_blocks
from engine.mixing.strip import pan_gains

SILENCE_FRAMES = 1 << 16
CURVE_STEP_S = 0.1
LOW_CUT_SLOPE_DB = 12


@dataclass(slots=True, eq=False)
class Meters:
    """What was seen at a strip or bus: reduction and power in every hop, peak of what came out."""

    reduction: list[NDArray[np.float32]] = field(default_factory=list)
    power: list[NDArray[np.float32]] = field(default_factory=list)
    gain: list[NDArray[np.float32]] = field(default_factory=list)
    peak: float = 0.0

    def note(
        self,
        reduction: NDArray[np.float64] | None,
        power: NDArray[np.float64],
        gain: NDArray[np.float64] | float,
    ) -> None:
        """Keep one block's hops: reduction in dB, mean power before it, and the whole gain as a factor."""
        self.reduction.append(
            np.zeros(len(power), np.float32) if reduction is None else reduction.astype(np.float32)
        )
        self.power.append(power.astype(np.float32))
        self.gain.append(np.broadcast_to(np.asarray(gain, dtype=np.float32), (len(power),)))

    def average_reduction_db(self) -> float:
        """Mean reduction where it sounds."""
        if not self.power:
            return 0.0
        return average_reduction_db(np.concatenate(self.reduction), np.concatenate(self.power))

    def max_reduction_db(self) -> float:
        """Largest reduction."""
        return max((float(part.max(initial=0.0)) for part in self.reduction), default=0.0)

    def curve(self, sample_rate: int) -> tuple[float, ...]:
        """Return the mean reduction in every `CURVE_STEP_S`, for plots; empty where there was none."""
        if self.max_reduction_db() < 0.05:
            return ()
        every = np.concatenate(self.reduction)
        step = max(1, round(CURVE_STEP_S * sample_rate / HOP_FRAMES))
        return tuple(
            round(float(value), 2) for value in np.add.reduceat(every, np.arange(0, len(every), step)) / step
        )


@dataclass(slots=True, eq=False)
class Output:
    """A strip's block before the pan: mono or stereo samples, and what left and right take of it."""

    samples: Block
    left: float
    right: float

    def add_to(self, bus: Block) -> None:
        """Add to a stereo bus; what is beyond its end is left out."""
        count = min(bus.shape[1], self.samples.shape[1])
        for side, gain in ((0, self.left), (1, self.right)):
            samples = self.samples[min(side, len(self.samples) - 1), :count]
            if gain:
                bus[side, :count] += samples if gain == 1.0 else samples * np.float32(gain)

    def stereo(self, gain: NDArray[np.float32], frames: int) -> Block:
        """Return both sides at a gain for every frame (or one for all), with silence behind them, `frames` long."""
        out = np.zeros((2, frames), np.float32)
        count = min(frames, self.samples.shape[1])
        for side, level in ((0, self.left), (1, self.right)):
            if level:
                at = gain if level == 1.0 else gain * np.float32(level)
                samples = self.samples[min(side, len(self.samples) - 1), :count]
                np.multiply(samples, at[:count] if len(at) > 1 else at, out=out[side, :count])
        return out

    def middle(self) -> NDArray[np.float32]:
        """Return half the sum of both sides: what a send hears."""
        if len(self.samples) == 1:
            return np.asarray(self.samples[0] * np.float32((self.left + self.right) / 2.0))
        middle: NDArray[np.float32] = self.samples[0] * np.float32(self.left / 2.0)
        middle += self.samples[1] * np.float32(self.right / 2.0)
        return middle


class Line:
    """A strip over its stem. Ask for the blocks of the session one after the other."""

    def __init__(
        self,
        stem: Stem,
        strip: ChannelStrip,
        *,
        mono: bool,
        bus_eq: tuple[EqBand, ...] = (),
        ride_db: NDArray[np.float64] | None = None,
        presence: NDArray[np.float64] | None = None,
    ) -> None:
        """Make a strip ready; `ride_db` and `presence` are per 10 ms of the session."""
        self.stem, self.strip, self.meters = stem, strip, Meters()
        self.rate = stem.source.sample_rate
        dry = strip.bypass
        eq = () if dry else (*strip.eq, *bus_eq)
        low_cut_hz = 0.0 if dry else strip.low_cut_hz
        self._kernel = strip_kernel(
            sections_of(low_cut_hz, eq, self.rate, slope_db=LOW_CUT_SLOPE_DB), self.rate
        )
        self._folds = (
            not mono and stem.source.channels == 2 and strip.width_pct == 0.0 and not strip.flip_right
        )
        self._channels = 1 if mono or self._folds else stem.source.channels
        if strip.flip_right:
            self._channels = 2
        compressor = None if dry else strip.compressor
        self._computer = GainComputer(compressor, HOP_FRAMES / self.rate) if compressor else None
        self._makeup_db = compressor.makeup_db if compressor else 0.0
        self._ride_db = None if dry else ride_db
        self._presence = None if dry or strip.duck is None else presence
        self._edge: float | None = None
        self._frame = 0
        self._blocks = self._timeline()
        gain = float(linear(strip.gain_db)) * (-1.0 if strip.polarity == "inverted" else 1.0)
        self._gain_before = np.float32(gain if self._kernel.cut is None else 1.0)
        if self._kernel.cut is not None and gain != 1.0:
            self._kernel = self._kernel.louder(gain)
        self._filter = BlockFilter(self._kernel, self._channels)
        self._fader = float(linear(strip.fader_db + self._makeup_db))

    @property
    def block_frames(self) -> int:
        """Frames in each block."""
        return self._kernel.block_frames

    def next(self) -> Output | None:
        """Return the next block, or None where nothing sounds in it (or any more)."""
        block = next(self._blocks, None)
        start, self._frame = self._frame, self._frame + self._kernel.block_frames
        if block is None:
            return None
        if self._folds:
            block = block.mean(axis=0, dtype=np.float32, keepdims=True)
        if self._gain_before != 1.0:
            block *= self._gain_before
        sounds = self._filter.feed(block[: self._channels])
        frames = block.shape[1]
        if not sounds:
            hops = -(-frames // HOP_FRAMES)
            self.meters.note(None, np.zeros(hops), self._fader)
            if self._computer is not None:
                self._computer.reduction(np.zeros(hops))
            self._edge = None
            return None
        samples = self._filter.cut()
        dipped: NDArray[np.float64] | None = None
        if self._presence is not None and self.strip.duck is not None:
            dip = dip_at(self._presence, self.strip.duck.depth_db, start, frames, self.rate)
            if float(dip.min(initial=1.0)) < 1.0:
                before = hop_powers(samples)
                band = self._filter.in_band()
                band *= dip - np.float32(1.0)
                samples += band
                dipped = np.sqrt(hop_powers(samples) / np.maximum(before, 1e-20))
        samples *= self._gain(samples, start)
        self._widen(samples)
        if dipped is not None:
            self.meters.gain[-1] = self.meters.gain[-1] * np.minimum(dipped, 1.0).astype(np.float32)
        if self.strip.flip_right:
            np.negative(samples[1], out=samples[1])
        left, right = pan_gains(self.strip.pan, mono=len(samples) == 1)
        self.meters.peak = max(self.meters.peak, float(samples.max()), -float(samples.min()))
        return Output(samples, left, right)

    def _gain(self, samples: Block, start: int) -> NDArray[np.float32] | np.float32:
        """Return the gain of compressor, ride and fader for every frame."""
        power = hop_powers(samples)
        reduction = self._computer.reduction(power) if self._computer is not None else None
        if reduction is None and self._ride_db is None:
            self.meters.note(None, power, self._fader)
            return np.float32(self._fader)
        gain_db = np.zeros(len(power)) if reduction is None else -reduction
        if self._ride_db is not None and len(self._ride_db):
            at = (start + HOP_FRAMES * (np.arange(len(power)) + 1)) * (HOPS_PER_S / self.rate)
            gain_db = gain_db + np.interp(at, np.arange(len(self._ride_db)) + 0.5, self._ride_db)
        gains = self._fader * linear(gain_db)
        self.meters.note(reduction, power, gains)
        before = gains[0] if self._edge is None else self._edge
        self._edge = float(gains[-1])
        return ramp(float(before), gains, samples.shape[1])

    def _widen(self, samples: Block) -> None:
        """Give the side its level, in place: each side keeps a share of its own, and gets the rest of the other."""
        if len(samples) == 1 or self.strip.width_pct == 100.0:
            return
        own = np.float32((1.0 + self.strip.width_pct / 100.0) / 2.0)
        others = np.float32((1.0 - self.strip.width_pct / 100.0) / 2.0)
        left, right = samples
        spilled = left * others
        left *= own
        left += right * others
        right *= own
        right += spilled

    def _timeline(self) -> Iterator[Block]:
        """Yield the stem's blocks on the session's timeline, moved by the strip's delay."""
        channels = self.stem.source.channels
        first = self.stem.start_frame + round(self.strip.delay_ms * self.rate / 1000.0)

        def silence(frames: int) -> Iterator[Block]:
            for at in range(0, frames, SILENCE_FRAMES):
                yield np.zeros((channels, min(SILENCE_FRAMES, frames - at)), np.float32)

        def cut(frames: int) -> Iterator[Block]:
            left = frames
            for block in self.stem.source.blocks():
                yield block[:, min(left, block.shape[1]) :]
                left = max(0, left - block.shape[1])

        every = chain(silence(first), self.stem.source.blocks()) if first >= 0 else cut(-first)
        return even_blocks(every, channels, self._kernel.block_frames)
