"""The buses: compressors that hold their stems together, and what these do to each strip's loudness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor

import numpy as np
from numpy.typing import NDArray

from engine.mixing.deciding.compression import planned
from engine.mixing.deciding.reasons import Reasons
from engine.mixing.desk.buses import bus_gain_db
from engine.mixing.presets import MixPreset
from engine.mixing.session.strips import BUSES, Bus, ChannelStrip, Compressor, Parallel

Curve = NDArray[np.float64]

BUS_COMPRESSORS: dict[str, tuple[Compressor, float]] = {
    "drums": (Compressor(threshold_db=0.0, ratio=2.0, attack_ms=25.0, release_ms=110.0), 1.3),
    "bass": (Compressor(threshold_db=0.0, ratio=2.0, attack_ms=30.0, release_ms=150.0), 0.7),
    "music": (Compressor(threshold_db=0.0, ratio=1.6, attack_ms=30.0, release_ms=200.0), 0.8),
    "vocals": (Compressor(threshold_db=0.0, ratio=1.8, attack_ms=15.0, release_ms=150.0), 1.0),
    "mix": (Compressor(threshold_db=0.0, ratio=1.5, attack_ms=30.0, release_ms=220.0), 1.0),
}
"""Each bus's compressor but for its threshold, and the mean reduction to aim at."""
CRUSH_UNDER_DB = 16.0
"""How far under the drums' loud level the threshold of their parallel compression lies."""


def decide_buses(
    strips: Sequence[ChannelStrip],
    powers: Mapping[str, Curve],
    hop_s: float,
    preset: MixPreset,
    reasons: Reasons,
    pool: Executor,
) -> tuple[dict[str, Bus], dict[str, float]]:
    """Return the buses, and by how many dB their dynamics make each strip louder; `powers` are per `hop_s` seconds."""
    length = max((len(power) for power in powers.values()), default=0)

    def bus_of(name: str) -> tuple[Bus, Curve, Curve, Reasons] | None:
        total = np.zeros(length)
        for strip in strips:
            if strip.bus == name and strip.name in powers:
                total[: len(powers[strip.name])] += powers[strip.name]
        if not total.any():
            return None
        own = Reasons()
        bus = _bus(name, total, hop_s, preset, own)
        return bus, total, bus_gain_db(bus, total, hop_s), own

    whole = np.zeros(length)
    made: dict[str, Bus] = {}
    gain_db: dict[str, Curve] = {}
    for name, found in zip(BUSES, pool.map(bus_of, BUSES), strict=True):
        if found is not None:
            made[name], total, gain_db[name], own = found
            reasons.items += own.items
            whole += total * 10.0 ** (gain_db[name] / 10.0)
    like, _ = BUS_COMPRESSORS["mix"]
    glue = planned(whole, like, preset.glue_db, hop_s) if whole.any() else None
    made["mix"] = Bus(compressor=glue)
    if glue is not None:
        reasons.add("bus", "", f"mix: {glue.ratio:g}:1, {preset.glue_db:.1f} dB on average, as glue.")
    glued = bus_gain_db(made["mix"], whole, hop_s)
    moved = {}
    for strip in strips:
        if strip.name in powers:
            power = powers[strip.name]
            gain = (gain_db[strip.bus] + glued)[: len(power)]
            moved[strip.name] = float(10.0 * np.log10((power * 10.0 ** (gain / 10.0)).sum() / power.sum()))
    return made, moved


def _bus(name: str, power: Curve, hop_s: float, preset: MixPreset, reasons: Reasons) -> Bus:
    """Return a bus whose strips add up to this power."""
    like, aim_db = BUS_COMPRESSORS[name]
    compressor = planned(power, like, aim_db * preset.compression, hop_s)
    parallel = None
    if name == "drums" and preset.drums_parallel_db is not None:
        loud_db = 10.0 * np.log10(np.percentile(power[power > 0.0], 90.0))
        threshold_db = round(max(-60.0, loud_db - CRUSH_UNDER_DB), 1)
        parallel = Parallel(blend_db=preset.drums_parallel_db, threshold_db=threshold_db)
        text = f"a crushed copy of the drums is mixed in at {preset.drums_parallel_db:g} dB: body between the hits."
        reasons.add("parallel", "", text)
    if compressor is not None:
        aim = f"{aim_db * preset.compression:.1f} dB on average"
        reasons.add("bus", "", f"{name}: {compressor.ratio:g}:1, {aim}, to hold its stems together.")
    return Bus(compressor=compressor, parallel=parallel)
