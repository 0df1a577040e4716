"""Rendering until the guardrails hold: at most three times, each time with less of what broke one.

Only the automatic mix is changed; a person's session is rendered as it is, and what breaks a guardrail is a warning.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.mixing.desk.line import Meters
from engine.mixing.rendering import Rendered
from engine.mixing.report import MAX_AVERAGE_REDUCTION_DB, MAX_WIDTH_PCT, check_mix
from engine.mixing.session.applied import applied
from engine.mixing.session.strips import MAX_EQ_DB, Bus, ChannelStrip, Compressor, EqBand, MixSession
from engine.progress import SILENT, Monitor

MAX_RETRIES = 3
GENTLER, NARROWER = 0.7, 0.7
Attempt = Callable[[MixSession, Monitor], Rendered]
"""Renders a session."""


def render_guarded(
    session: MixSession, attempt: Attempt, *, may_change: bool = True, monitor: Monitor = SILENT
) -> tuple[MixSession, Rendered, int]:
    """Return the session as it was rendered at last, what came out, and how often it was tried again."""
    retries = 0
    while True:
        rendered = attempt(session, monitor.part(1.0 - 0.5**retries if retries else 0.0, 1.0))
        failed = {item.id for item in check_mix(applied(session), rendered) if not item.passed}
        changed = session
        if may_change and "reduction" in failed:
            changed = _gentler(changed, rendered)
        if may_change and "eq" in failed:
            changed = _flatter(changed)
        if may_change and "width" in failed:
            changed = _within_width(changed)
        if may_change and "correlation" in failed:
            changed = _narrower(changed)
        if changed == session or retries == MAX_RETRIES:
            return session, rendered, retries
        session, retries = changed, retries + 1


def _gentler(session: MixSession, rendered: Rendered) -> MixSession:
    """Lower the ratio of every compressor that takes off too much."""
    strips = {name for name, meters in rendered.desk.strips.items() if _too_much(meters)}
    buses = {name for name, meters in rendered.desk.buses.items() if _too_much(meters)}

    def strip_of(strip: ChannelStrip) -> ChannelStrip:
        if strip.name not in strips or strip.compressor is None:
            return strip
        return strip.model_copy(update={"compressor": _less(strip.compressor)})

    def bus_of(name: str, bus: Bus) -> Bus:
        if name not in buses or bus.compressor is None:
            return bus
        return bus.model_copy(update={"compressor": _less(bus.compressor)})

    return session.model_copy(
        update={
            "tracks": tuple(strip_of(strip) for strip in session.tracks),
            "buses": {name: bus_of(name, bus) for name, bus in session.buses.items()},
        }
    )


def _too_much(meters: Meters) -> bool:
    return meters.average_reduction_db() >= MAX_AVERAGE_REDUCTION_DB


def _less(compressor: Compressor) -> Compressor:
    return compressor.model_copy(
        update={
            "ratio": round(1.0 + (compressor.ratio - 1.0) * GENTLER, 2),
            "makeup_db": round(compressor.makeup_db * GENTLER, 1),
            "threshold_db": min(36.0, compressor.threshold_db + 1.0),
        }
    )


def _flatter(session: MixSession) -> MixSession:
    """Hold every equaliser band within the limit."""

    def held(bands: tuple[EqBand, ...]) -> tuple[EqBand, ...]:
        return tuple(
            band.model_copy(update={"db": min(MAX_EQ_DB, max(-MAX_EQ_DB, band.db))}) for band in bands
        )

    return session.model_copy(
        update={
            "tracks": tuple(strip.model_copy(update={"eq": held(strip.eq)}) for strip in session.tracks),
            "buses": {
                name: bus.model_copy(update={"eq": held(bus.eq)}) for name, bus in session.buses.items()
            },
        }
    )


def _within_width(session: MixSession) -> MixSession:
    """Hold every strip's width within the limit."""
    return session.model_copy(
        update={
            "tracks": tuple(
                strip.model_copy(update={"width_pct": min(MAX_WIDTH_PCT, strip.width_pct)})
                for strip in session.tracks
            )
        }
    )


def _narrower(session: MixSession) -> MixSession:
    """Narrow every stereo strip, and bring sends down, whose returns are as wide as can be."""

    def strip_of(strip: ChannelStrip) -> ChannelStrip:
        sends = {name: max(-60.0, level - 2.0) for name, level in strip.sends.items()}
        return strip.model_copy(update={"width_pct": round(strip.width_pct * NARROWER, 1), "sends": sends})

    return session.model_copy(update={"tracks": tuple(strip_of(strip) for strip in session.tracks)})
