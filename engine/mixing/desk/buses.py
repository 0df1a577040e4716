"""A bus at work: compressor, parallel compression and fader as one gain over time.

Parallel compression adds a crushed copy of the bus to itself. Since copy and dry sound are the same but for gain, their
sum is the dry sound at a gain too: (1 + share * crushed) / (1 + share), with the copy made up to where it would be
12 dB over its threshold. So it raises what lies between hits, and leaves the hits alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.mixing.desk.dynamics import HOP_FRAMES, Curve, GainComputer, hop_powers, linear, ramp
from engine.mixing.desk.line import Meters
from engine.mixing.session.strips import Bus
from engine.mixing.stems import Block

COPY_OVER_DB = 12.0


class BusGain:
    """A bus's gain as a curve over hops of `hop_s` seconds; keeps its state from block to block."""

    def __init__(self, bus: Bus, hop_s: float) -> None:
        self.bus = Bus() if bus.bypass else bus
        self._compressor = GainComputer(self.bus.compressor, hop_s) if self.bus.compressor else None
        self._parallel = GainComputer(self.bus.parallel, hop_s) if self.bus.parallel else None

    @property
    def constant(self) -> bool:
        """Whether the bus has a fader only."""
        return self._compressor is None and self._parallel is None

    def next(self, power: Curve) -> tuple[Curve, Curve]:
        """Return gain (a factor) and the compressor's reduction (dB) for the next hops' mean powers."""
        gains = np.full(len(power), float(linear(self.bus.fader_db)))
        reduction = np.zeros(len(power))
        if self._compressor is not None and self.bus.compressor is not None:
            reduction = self._compressor.reduction(power)
            gains *= linear(self.bus.compressor.makeup_db - reduction)
        if self._parallel is not None and self.bus.parallel is not None:
            share = float(linear(self.bus.parallel.blend_db))
            made_up_db = COPY_OVER_DB * (1.0 - 1.0 / self.bus.parallel.ratio)
            gains *= (1.0 + share * linear(made_up_db - self._parallel.reduction(power))) / (1.0 + share)
        return gains, reduction


def bus_gain_db(bus: Bus, power: Curve, hop_s: float) -> Curve:
    """Return what a bus does to the mean powers of hops, in dB."""
    return np.asarray(20.0 * np.log10(np.maximum(BusGain(bus, hop_s).next(power)[0], 1e-6)))


@dataclass(slots=True, eq=False)
class BusLine:
    """A bus over its stream of blocks."""

    name: str
    bus: Bus
    rate: int
    meters: Meters = field(default_factory=Meters)
    _gain: BusGain = field(init=False)
    _edge: float | None = None

    def __post_init__(self) -> None:
        self._gain = BusGain(self.bus, HOP_FRAMES / self.rate)

    def gain(self, total: Block) -> NDArray[np.float32]:
        """Return the gain of every frame of the bus's sum (2, frames)."""
        power = hop_powers(total)
        gains, reduction = self._gain.next(power)
        self.meters.note(reduction, power, gains)
        if self._gain.constant:
            return np.full(1, gains[0] if len(gains) else 1.0, np.float32)
        before = gains[0] if self._edge is None else self._edge
        self._edge = float(gains[-1])
        return ramp(float(before), gains, total.shape[1])
