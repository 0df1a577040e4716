"""`decide`: features and a preset in, a whole session out, and why.

Gain brings every stem to the working level; equaliser and compressor act there, and the fader puts what comes out of
them at its place in the balance. What each does to the loudness is worked out beforehand, from the stem's own spectrum
and levels, so that one rendering is enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from engine.loudness.meter import HOPS_PER_S
from engine.mixing.deciding.balance import MAX_GAIN_DB, NOMINAL_LUFS, WORKING_LUFS
from engine.mixing.deciding.compression import planned
from engine.mixing.deciding.reasons import Reason, Reasons
from engine.mixing.deciding.space import places, sends
from engine.mixing.deciding.tables import DYNAMICS
from engine.mixing.deciding.tone import eq_loudness_lu, low_cut_hz, make_way, tone_bands
from engine.mixing.desk.buses import bus_gain_db
from engine.mixing.desk.dynamics import predicted_reduction
from engine.mixing.desk.riding import ride_curve
from engine.mixing.listening.alignment import Correction
from engine.mixing.listening.features import PLAN_FRAMES, StemFeatures
from engine.mixing.listening.masking import aligned_bands, masking_of
from engine.mixing.presets import MixPreset, Tone
from engine.mixing.roles import ROLES
from engine.mixing.session.applied import fader_at
from engine.mixing.session.strips import (
    BUSES,
    Bus,
    ChannelStrip,
    Compressor,
    Duck,
    MixSession,
    Parallel,
    Ride,
    Send,
    bus_of,
)

BUS_COMPRESSORS: dict[str, tuple[Compressor, float]] = {
    "drums": (Compressor(threshold_db=0.0, ratio=2.0, attack_ms=25.0, release_ms=110.0), 1.3),
    "bass": (Compressor(threshold_db=0.0, ratio=2.0, attack_ms=30.0, release_ms=150.0), 0.7),
    "music": (Compressor(threshold_db=0.0, ratio=1.6, attack_ms=30.0, release_ms=200.0), 0.8),
    "vocals": (Compressor(threshold_db=0.0, ratio=1.8, attack_ms=15.0, release_ms=150.0), 1.0),
    "mix": (Compressor(threshold_db=0.0, ratio=1.5, attack_ms=30.0, release_ms=220.0), 1.0),
}
"""Each bus's compressor but for its threshold, and the mean reduction to aim at."""
DUCKS_FROM_COVERED = 0.04
"""Share of the voice's power that a stem must cover to be ducked."""
DELAY_BEATS = 0.75
CRUSH_UNDER_DB = 16.0
"""How far under the drums' loud level the threshold of their parallel compression lies."""


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """A session, the reasons for it, and the figures that it was made from."""

    session: MixSession
    reasons: tuple[Reason, ...]
    targets_lu: Mapping[str, float]
    covered: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Given:
    """What the person or the caller brings beside the stems."""

    files: Mapping[str, str]
    sample_rate: int
    tempo_bpm: float | None = None
    respect_user_gains: bool = False
    amounts: Mapping[str, float] | None = None
    bypass: tuple[str, ...] = ()

    @property
    def balance(self) -> float:
        """How much of the balance will be applied, 0 to 1."""
        if self.respect_user_gains or "balance" in self.bypass:
            return 0.0
        return (self.amounts or {}).get("balance", 100.0) / 100.0


def decide(
    stems: Sequence[StemFeatures],
    targets_lu: Mapping[str, float],
    preset: MixPreset,
    given: Given,
    corrections: Mapping[str, Correction],
    reasons: Reasons,
) -> Decision:
    """Return the session for stems whose loudness against the lead vocal is to be `targets_lu`."""
    sounding = [stem for stem in stems if not stem.silent]
    eq = {stem.name: tone_bands(stem, preset.tone.get(stem.role, Tone()), 1.0, reasons) for stem in sounding}
    make_way(sounding, eq, reasons)
    where = places(sounding, targets_lu, preset, reasons)
    covered, by_voice = _covering(sounding, targets_lu)
    strips, powers = [], {}
    for stem in stems:
        if stem.silent:
            strips.append(
                ChannelStrip(
                    name=stem.name,
                    file=given.files.get(stem.name, ""),
                    role=stem.role,
                    bus=bus_of(stem.role),
                    mute=True,
                )
            )
            reasons.add("balance", stem.name, "silent, and muted.")
            continue
        cut = low_cut_hz(stem)
        gain_db = round(max(-MAX_GAIN_DB, min(MAX_GAIN_DB, WORKING_LUFS - stem.loudness_lufs)), 1)
        power_db = gain_db + eq_loudness_lu(stem, cut, eq[stem.name], weighted=False)
        at_compressor = stem.hop_powers * 10.0 ** (power_db / 10.0)
        compressor = _compressor(stem, at_compressor, preset, reasons)
        ride = _ride(stem, preset, reasons)
        duck = _duck(stem, by_voice.get(stem.name, 0.0), preset, reasons)
        place = where[stem.name]
        fader_db = (
            NOMINAL_LUFS + targets_lu[stem.name]
            - (stem.loudness_lufs + gain_db + eq_loudness_lu(stem, cut, eq[stem.name]) + place.loudness_lu)
        )  # fmt: skip
        corrected = corrections.get(stem.name, Correction())
        if corrected.text:
            reasons.add("alignment", stem.name, corrected.text)
        strip = ChannelStrip(
            name=stem.name,
            file=given.files.get(stem.name, ""),
            role=stem.role,
            bus=bus_of(stem.role),
            start_s=stem.start_frame / stem.sample_rate,
            polarity="inverted" if corrected.invert else "normal",
            flip_right=place.flip_right,
            delay_ms=round(corrected.delay_ms, 3),
            gain_db=gain_db,
            low_cut_hz=cut,
            eq=tuple(eq[stem.name]),
            compressor=compressor,
            ride=ride,
            duck=duck,
            fader_db=round(max(-60.0, min(36.0, fader_db)), 1),
            width_pct=place.width_pct,
            pan=place.pan,
            sends=sends(stem, preset),
        )
        strips.append(strip)
        powers[stem.name] = _bus_power(stem, strip, at_compressor, given.balance)
    buses, moved = _buses(strips, powers, PLAN_FRAMES / given.sample_rate, preset, reasons)
    strips = [_against(strip, moved.get(strip.name, 0.0)) for strip in strips]
    used = {name for strip in strips for name in strip.sends}
    settings = {
        "room": preset.room,
        "plate": preset.plate,
        "delay": _in_time(preset.delay, given.tempo_bpm, reasons),
    }
    session = MixSession.model_validate(
        {
            "preset": preset.id,
            "sample_rate": given.sample_rate,
            "tempo_bpm": given.tempo_bpm,
            "respect_user_gains": given.respect_user_gains,
            "amounts": dict(given.amounts or {}),
            "bypass": given.bypass,
            "tracks": tuple(strips),
            "buses": buses,
            "sends": {name: send for name, send in settings.items() if name in used},
        }
    )
    return Decision(session, tuple(reasons.items), dict(targets_lu), covered)


def _covering(
    stems: Sequence[StemFeatures], targets_lu: Mapping[str, float]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return how much of each stem is covered in the balance, and how much of the voices each stem covers."""
    if not stems:
        return {}, {}
    gains = [targets_lu[stem.name] - stem.loudness_lufs for stem in stems]
    masking = masking_of(aligned_bands(stems), gains)
    voices = [index for index, stem in enumerate(stems) if stem.role == "vocals"]
    over = {
        stem.name: float(sum(masking.by[voice, column] for voice in voices))
        for column, stem in enumerate(stems)
    }
    return {stem.name: float(share) for stem, share in zip(stems, masking.covered, strict=True)}, over


def _compressor(
    stem: StemFeatures, power: NDArray[np.float64], preset: MixPreset, reasons: Reasons
) -> Compressor | None:
    usual = DYNAMICS.get(stem.role)
    if usual is None or not preset.compression:
        return None
    uneven = min(1.0, max(0.0, stem.range_lu / usual.even_lu - 0.5))
    aim_db = usual.reduction_db * preset.compression * (0.5 + 0.5 * uneven)
    like = Compressor(
        threshold_db=0.0, ratio=usual.ratio, attack_ms=usual.attack_ms, release_ms=usual.release_ms
    )
    made = planned(power, like, aim_db, PLAN_FRAMES / stem.sample_rate)
    if made is not None:
        reasons.add(
            "dynamics",
            stem.name,
            f"{made.ratio:g}:1 from {made.threshold_db:g} dB, {aim_db:.1f} dB on average: "
            f"its loudness ranges over {stem.range_lu:.0f} LU.",
        )
    return made


def _ride(stem: StemFeatures, preset: MixPreset, reasons: Reasons) -> Ride | None:
    if stem.role not in ("vocals", "backing_vocals") or preset.riding_db <= 0.0 or stem.range_lu < 2.0:
        return None
    reasons.add(
        "riding",
        stem.name,
        f"ridden by up to {preset.riding_db:g} dB, so that quiet lines stay above the band.",
    )
    return Ride(range_db=preset.riding_db)


def _duck(stem: StemFeatures, covers: float, preset: MixPreset, reasons: Reasons) -> Duck | None:
    if not ROLES[stem.role].makes_room or covers < DUCKS_FROM_COVERED or preset.ducking_db <= 0.0:
        return None
    depth_db = round(min(1.5, 0.5 + covers * 4.0) * preset.ducking_db, 1)
    reasons.add(
        "ducking",
        stem.name,
        f"dips by up to {depth_db:g} dB between 300 Hz and 4 kHz under the voice, "
        f"of which it covers {100 * covers:.0f} %.",
    )
    return Duck(depth_db=depth_db)


def _bus_power(
    stem: StemFeatures, strip: ChannelStrip, power: NDArray[np.float64], balance: float
) -> NDArray[np.float64]:
    """Return the stem's mean power in every hop as its bus will get it, from the session's start."""
    hop_s = PLAN_FRAMES / stem.sample_rate
    makeup_db = strip.compressor.makeup_db if strip.compressor is not None else 0.0
    gain_db = np.full(len(power), fader_at(strip, makeup_db, balance))
    if strip.compressor is not None:
        gain_db += strip.compressor.makeup_db - predicted_reduction(power, strip.compressor, hop_s)
    if strip.ride is not None and len(stem.hop_energies):
        ride = ride_curve(stem.hop_energies, stem.loudness_lufs, strip.ride.range_db, stem.sample_rate)
        gain_db += np.interp(np.arange(len(power)) * hop_s * HOPS_PER_S, np.arange(len(ride)), ride)
    before = stem.start_frame // PLAN_FRAMES
    return np.concatenate((np.zeros(before), power * 10.0 ** (gain_db / 10.0)))


def _buses(
    strips: Sequence[ChannelStrip],
    powers: Mapping[str, NDArray[np.float64]],
    hop_s: float,
    preset: MixPreset,
    reasons: Reasons,
) -> tuple[dict[str, Bus], dict[str, float]]:
    """Return the buses, and by how many dB their dynamics make each strip louder; `powers` are per `hop_s` seconds."""
    length = max((len(power) for power in powers.values()), default=0)
    whole = np.zeros(length)
    made: dict[str, Bus] = {}
    gain_db: dict[str, NDArray[np.float64]] = {}
    for name in BUSES:
        total = np.zeros(length)
        for strip in strips:
            if strip.bus == name and strip.name in powers:
                total[: len(powers[strip.name])] += powers[strip.name]
        if not total.any():
            continue
        like, aim_db = BUS_COMPRESSORS[name]
        compressor = planned(total, like, aim_db * preset.compression, hop_s)
        parallel = None
        if name == "drums" and preset.drums_parallel_db is not None:
            loud_db = 10.0 * np.log10(np.percentile(total[total > 0.0], 90.0))
            threshold_db = round(max(-60.0, loud_db - CRUSH_UNDER_DB), 1)
            parallel = Parallel(blend_db=preset.drums_parallel_db, threshold_db=threshold_db)
            text = f"a crushed copy of the drums is mixed in at {preset.drums_parallel_db:g} dB: body between the hits."
            reasons.add("parallel", "", text)
        made[name] = Bus(compressor=compressor, parallel=parallel)
        if compressor is not None:
            aim = f"{aim_db * preset.compression:.1f} dB on average"
            reasons.add("bus", "", f"{name}: {compressor.ratio:g}:1, {aim}, to hold its stems together.")
        gain_db[name] = bus_gain_db(made[name], total, hop_s)
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


def _against(strip: ChannelStrip, moved_db: float) -> ChannelStrip:
    """Return the strip with its fader set against what the buses' dynamics do to it."""
    return strip.model_copy(update={"fader_db": round(max(-60.0, min(36.0, strip.fader_db - moved_db)), 1)})


def _in_time(send: Send, tempo_bpm: float | None, reasons: Reasons) -> Send:
    """Set the delay to a dotted eighth of the song's tempo, halved until it is short enough."""
    if tempo_bpm is None or not isfinite(tempo_bpm):
        return send
    delay_ms = DELAY_BEATS * 60_000.0 / tempo_bpm
    while delay_ms > 800.0:
        delay_ms /= 2.0
    reasons.add("sends", "", f"echoes every {delay_ms:.0f} ms: a dotted eighth at {tempo_bpm:.1f} BPM.")
    return send.model_copy(update={"delay_ms": round(delay_ms, 1)})
