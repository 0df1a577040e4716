"""One stem's strip: its gain, filters, dynamics, place and fader, from its features and its target.

What each setting does to the loudness is worked out beforehand, from the stem's own spectrum and levels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.loudness.meter import HOPS_PER_S
from engine.mixing.deciding.balance import MAX_GAIN_DB, NOMINAL_LUFS, WORKING_LUFS
from engine.mixing.deciding.compression import planned
from engine.mixing.deciding.given import Given
from engine.mixing.deciding.reasons import Reasons
from engine.mixing.deciding.space import Place, sends
from engine.mixing.deciding.tables import DYNAMICS
from engine.mixing.deciding.tone import eq_loudness_lu, low_cut_hz
from engine.mixing.desk.dynamics import predicted_reduction
from engine.mixing.desk.riding import ride_curve
from engine.mixing.listening.alignment import Correction
from engine.mixing.listening.features import PLAN_FRAMES, StemFeatures
from engine.mixing.presets import MixPreset
from engine.mixing.roles import ROLES
from engine.mixing.session.applied import fader_at
from engine.mixing.session.strips import ChannelStrip, Compressor, Duck, EqBand, Ride, bus_of

DUCKS_FROM_COVERED = 0.04
"""Share of the voice's power that a stem must cover to be ducked."""


def muted_strip(stem: StemFeatures, given: Given, reasons: Reasons) -> ChannelStrip:
    """Return the strip of a silent stem."""
    reasons.add("balance", stem.name, "silent, and muted.")
    return ChannelStrip(
        name=stem.name,
        file=given.files.get(stem.name, ""),
        role=stem.role,
        bus=bus_of(stem.role),
        mute=True,
    )


def strip_of(
    stem: StemFeatures,
    target_lu: float,
    covers_voice: float,
    eq: Sequence[EqBand],
    place: Place,
    corrected: Correction,
    preset: MixPreset,
    given: Given,
    reasons: Reasons,
) -> tuple[ChannelStrip, NDArray[np.float64]]:
    """Return the strip of a stem, and its mean power in every hop as its bus will get it."""
    cut = low_cut_hz(stem)
    gain_db = round(max(-MAX_GAIN_DB, min(MAX_GAIN_DB, WORKING_LUFS - stem.loudness_lufs)), 1)
    power_db = gain_db + eq_loudness_lu(stem, cut, eq, weighted=False)
    at_compressor = stem.hop_powers * 10.0 ** (power_db / 10.0)
    compressor = _compressor(stem, at_compressor, preset, reasons)
    ride = _ride(stem, preset, reasons)
    duck = _duck(stem, covers_voice, preset, reasons)
    fader_db = (
        NOMINAL_LUFS + target_lu
        - (stem.loudness_lufs + gain_db + eq_loudness_lu(stem, cut, eq) + place.loudness_lu)
    )  # fmt: skip
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
        eq=tuple(eq),
        compressor=compressor,
        ride=ride,
        duck=duck,
        fader_db=round(max(-60.0, min(36.0, fader_db)), 1),
        width_pct=place.width_pct,
        pan=place.pan,
        sends=sends(stem, preset),
    )
    return strip, _bus_power(stem, strip, at_compressor, given.balance)


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
