"""What a mix says about itself: figures of every strip, checks of the guardrails, reasons and warnings.

Guardrails of a mix: no equaliser band beyond 4 dB, less than 3 dB of average gain reduction on any strip or bus, no
width over 140 %, and a mono correlation of at least 0.1 (EBU R 128's companions leave it to taste; a loudspeaker that
sums to mono does not).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.audio import Audio
from engine.loudness.meter import HOPS_PER_S
from engine.mixing.deciding.reasons import Reason
from engine.mixing.deciding.tone import eq_loudness_lu
from engine.mixing.desk.dynamics import HOP_FRAMES
from engine.mixing.listening.features import StemFeatures
from engine.mixing.rendering import Rendered
from engine.mixing.session.strips import MAX_EQ_DB, ChannelStrip, MixSession
from engine.mixing.strip import pan_gains

SCHEMA = 1
MAX_AVERAGE_REDUCTION_DB = 3.0
MAX_WIDTH_PCT = 140.0
MIN_CORRELATION = 0.1
TINY = 1e-12

Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MixCheck:
    """One guardrail: what was found where it was worst, and the limit."""

    id: str
    what: str
    value: float
    limit: float
    unit: str
    passed: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class StripFigures:
    """One strip in the mix. Loudness in LUFS where it sounds, None for silence; curves have a value every 0.1 s."""

    name: str
    role: str
    bus: str
    came_lufs: float | None
    in_mix_lufs: float | None
    reduction_average_db: float
    reduction_max_db: float
    reduction_curve_db: tuple[float, ...]
    covered_pct: float | None


@dataclass(frozen=True, slots=True)
class MixReport:
    """A mix's report; `plain` is what goes into report.json."""

    session: MixSession
    strips: tuple[StripFigures, ...]
    buses: Mapping[str, tuple[float, float, tuple[float, ...]]]
    checks: tuple[MixCheck, ...]
    reasons: tuple[Reason, ...]
    warnings: tuple[str, ...]
    retries: int = 0
    policy: str = ""
    gain_db: float = 0.0

    def plain(self) -> Plain:
        """Return the report as plain data: strips, buses, guardrails, reasons and warnings in words."""
        return {
            "schema": SCHEMA,
            "preset": self.session.preset,
            "policy": self.policy,
            "retries": self.retries,
            "gain_db": self.gain_db,
            "strips": [_strip_plain(figures, self.session.strip_of(figures.name)) for figures in self.strips],
            "buses": {
                name: {
                    "reduction_average_db": round(average, 2),
                    "reduction_max_db": round(most, 2),
                    "reduction_curve_db": list(curve),
                }
                for name, (average, most, curve) in self.buses.items()
            },
            "guardrails": [{**asdict(item), "value": round(item.value, 3)} for item in self.checks],
            "reasons": [f"{item.track + ': ' if item.track else ''}{item.text}" for item in self.reasons],
            "reasons_by_stage": [asdict(item) for item in self.reasons],
            "warnings": list(self.warnings),
        }


def make_report(
    session: MixSession,
    heard: Mapping[str, StemFeatures],
    rendered: Rendered,
    *,
    reasons: Sequence[Reason] = (),
    covered: Mapping[str, float] | None = None,
    policy: str = "",
    retries: int = 0,
) -> MixReport:
    """Return the report of a rendered session; `session` is as it was applied."""
    strips = tuple(
        _figures(strip, session, heard[strip.name], rendered, (covered or {}).get(strip.name))
        for strip in session.tracks
        if strip.name in rendered.desk.strips
    )
    checks = check_mix(session, rendered)
    warnings = [f"{item.what}: {item.why}" for item in checks if not item.passed]
    warnings += [
        f"{strip.name} is silent, and takes no part."
        for strip in session.tracks
        if strip.name in heard and heard[strip.name].silent
    ]
    return MixReport(
        session=session,
        strips=strips,
        buses={
            name: (
                meters.average_reduction_db(),
                meters.max_reduction_db(),
                meters.curve(session.sample_rate),
            )
            for name, meters in rendered.desk.buses.items()
        },
        checks=checks,
        reasons=tuple(reasons),
        warnings=tuple(warnings),
        retries=retries,
        policy=policy,
        gain_db=rendered.gain_db,
    )


def check_mix(session: MixSession, rendered: Rendered) -> tuple[MixCheck, ...]:
    """Check the guardrails on what was rendered."""
    bands = [(abs(band.db), strip.name) for strip in session.tracks for band in strip.eq]
    bands += [(abs(band.db), name) for name, bus in session.buses.items() for band in bus.eq]
    everything = (*rendered.desk.strips.items(), *rendered.desk.buses.items())
    reductions = [(meters.average_reduction_db(), name) for name, meters in everything]
    widths = [(strip.width_pct, strip.name) for strip in session.tracks]
    return (
        _most("eq", "equaliser bands", bands, MAX_EQ_DB, "dB"),
        _most("reduction", "average gain reduction", reductions, MAX_AVERAGE_REDUCTION_DB, "dB", below=True),
        _most("width", "stereo width", widths, MAX_WIDTH_PCT, "%"),
        _correlation(rendered),
    )


def _correlation(rendered: Rendered) -> MixCheck:
    value = correlation_of(rendered.mix)
    passed = value >= MIN_CORRELATION
    why = "" if passed else f"it is {value:.2f}, and under {MIN_CORRELATION:g} a mono sum loses sound."
    return MixCheck("correlation", "correlation of left and right", value, MIN_CORRELATION, "", passed, why)


def correlation_of(audio: Audio) -> float:
    """Return the correlation of left and right, 1 for silence."""
    left, right = audio.samples[0], audio.samples[-1]
    both = float(np.vdot(left, left)) * float(np.vdot(right, right))
    return float(np.vdot(left, right)) / both**0.5 if both > 0.0 else 1.0


def track_lufs(strip: ChannelStrip, session: MixSession, stem: StemFeatures, rendered: Rendered) -> float:
    """Return a track's loudness in the mix: the stem's own, through equaliser, gain over time, bus and mix.

    The gain over time is weighted with the strip's power from hop to hop, and with the stem's K-weighted energy every
    10 ms.
    """
    if stem.silent:
        return -float("inf")
    gain = _gain_per_10ms(strip, rendered)
    before = round(stem.start_frame * HOPS_PER_S / stem.sample_rate)
    at = np.minimum(np.arange(len(stem.hop_energies)) + before, len(gain) - 1)
    gain = gain[at]
    energy = stem.hop_energies
    moved = 10.0 * log10(max(1e-12, float((energy * gain).sum() / max(1e-20, float(energy.sum())))))
    bands = () if strip.bypass else (*strip.eq, *session.bus(strip.bus).eq, *session.bus("mix").eq)
    toned = eq_loudness_lu(stem, 0.0 if strip.bypass else strip.low_cut_hz, bands)
    return stem.loudness_lufs + strip.gain_db + moved + toned + _space_lu(strip, stem) + rendered.gain_db


def _gain_per_10ms(strip: ChannelStrip, rendered: Rendered) -> NDArray[np.float64]:
    """Return the gain of strip, bus and mix as a factor of power, every 10 ms of the session."""
    desk = rendered.desk
    power = np.concatenate([*desk.strips[strip.name].power, np.zeros(1, np.float32)]).astype(np.float64)
    gain = np.ones(len(power))
    for meters in (desk.strips[strip.name], desk.buses[strip.bus], desk.buses["mix"]):
        curve = np.concatenate([*meters.gain, np.ones(1, np.float32)])
        count = min(len(gain), len(curve))
        gain[:count] *= np.square(curve[:count])
    power += TINY
    hop = ((np.arange(len(power)) + 0.5) * (HOP_FRAMES * HOPS_PER_S / rendered.mix.sample_rate)).astype(
        np.int64
    )
    loud: NDArray[np.float64] = np.bincount(hop, weights=power * gain) / np.maximum(
        np.bincount(hop, weights=power), TINY
    )
    return loud


def _space_lu(strip: ChannelStrip, stem: StemFeatures) -> float:
    """Return what width and pan do to a stem's loudness."""
    if stem.mono:
        return 0.0
    wide = strip.width_pct / 100.0
    ratio = 1.0 / max(stem.width, 1e-6) if strip.flip_right else stem.width
    changed = 10.0 * log10((1.0 + (wide * ratio) ** 2) / (1.0 + ratio**2))
    if wide == 0.0:
        return changed
    left, right = pan_gains(strip.pan, mono=False)
    power = 10.0 ** (stem.lean_db / 10.0)
    return changed + 10.0 * log10(max(1e-6, (power * left**2 + right**2) / (power + 1.0)))


def _figures(
    strip: ChannelStrip, session: MixSession, stem: StemFeatures, rendered: Rendered, covered: float | None
) -> StripFigures:
    meters = rendered.desk.strips[strip.name]
    level = track_lufs(strip, session, stem, rendered)
    return StripFigures(
        name=strip.name,
        role=strip.role,
        bus=strip.bus,
        came_lufs=round(stem.loudness_lufs, 2) if isfinite(stem.loudness_lufs) else None,
        in_mix_lufs=round(level, 2) if isfinite(level) else None,
        reduction_average_db=round(meters.average_reduction_db(), 2),
        reduction_max_db=round(meters.max_reduction_db(), 2),
        reduction_curve_db=meters.curve(session.sample_rate),
        covered_pct=None if covered is None else round(100.0 * covered, 1),
    )


def _strip_plain(figures: StripFigures, strip: ChannelStrip) -> Plain:
    return {
        "name": figures.name,
        "role": figures.role,
        "bus": figures.bus,
        "came_lufs": figures.came_lufs,
        "in_mix_lufs": figures.in_mix_lufs,
        "gain_db": round(strip.gain_db, 2),
        "fader_db": round(strip.fader_db, 2),
        "pan": round(strip.pan, 2),
        "width_pct": round(strip.width_pct, 1),
        "low_cut_hz": round(strip.low_cut_hz, 1),
        "inverted": strip.polarity == "inverted",
        "delay_ms": round(strip.delay_ms, 3),
        "eq": [f"{band.db:+.1f} dB at {band.hz:g} Hz" for band in strip.eq],
        "reduction_average_db": figures.reduction_average_db,
        "reduction_max_db": figures.reduction_max_db,
        "covered_pct": figures.covered_pct,
        "sends_db": {str(name): round(level, 1) for name, level in strip.sends.items()},
        "reduction_curve_db": list(figures.reduction_curve_db),
    }


def _most(
    check_id: str,
    what: str,
    found: Sequence[tuple[float, str]],
    limit: float,
    unit: str,
    *,
    below: bool = False,
) -> MixCheck:
    """Check the largest value against its limit: at most, or `below` it."""
    value, where = max(found, default=(0.0, ""))
    passed = value < limit if below else value <= limit + 1e-9
    why = "" if passed else f"{where} has {value:.1f} {unit}, and the limit is {limit:g} {unit}."
    return MixCheck(check_id, what, value, limit, unit, passed, why)
