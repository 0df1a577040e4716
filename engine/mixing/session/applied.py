"""A session as it is to be applied: every stage at its amount, what is bypassed at rest.

At 0 a stage does nothing; in between equaliser gains, ratios less one, pans, widths and rides are scaled, sends and
parallel blends turned down. The balance at 0 leaves each stem at the level at which it came: gain, and the make-up of
its compressor, still bring it to the compressor's threshold, and the fader takes them back.
"""

from __future__ import annotations

from math import log10

from engine.mixing.session.strips import Bus, ChannelStrip, Compressor, EqBand, MixSession


def applied(session: MixSession) -> MixSession:
    """Return the session with its amounts worked in; its own amounts are all 100 then."""
    return session.model_copy(
        update={
            "tracks": tuple(_strip(session, strip) for strip in session.tracks),
            "buses": {name: _bus(session, bus) for name, bus in session.buses.items()},
            "amounts": {},
            "bypass": (),
            "respect_user_gains": False,
        }
    )


def fader_at(strip: ChannelStrip, makeup_db: float, balance: float) -> float:
    """Return the fader between what keeps the level at which the stem came (`balance` 0) and the strip's own (1)."""
    return balance * strip.fader_db + (1.0 - balance) * (-strip.gain_db - makeup_db)


def _strip(session: MixSession, strip: ChannelStrip) -> ChannelStrip:
    amount = session.amount
    aligned = amount("alignment")
    compressor = None if strip.compressor is None else _compressor(strip.compressor, amount("dynamics"))
    makeup_db = compressor.makeup_db if compressor is not None else 0.0
    balance = amount("balance")
    fader_db = fader_at(strip, makeup_db, balance)
    sends = amount("sends")
    return strip.model_copy(
        update={
            "polarity": strip.polarity if aligned > 0.0 else "normal",
            "flip_right": strip.flip_right and aligned > 0.0,
            "delay_ms": strip.delay_ms * aligned,
            "low_cut_hz": strip.low_cut_hz * amount("low_cut"),
            "eq": _eq(strip.eq, amount("eq")),
            "compressor": compressor,
            "ride": None
            if strip.ride is None or not amount("riding")
            else strip.ride.model_copy(update={"range_db": strip.ride.range_db * amount("riding")}),
            "duck": None
            if strip.duck is None or not amount("ducking")
            else strip.duck.model_copy(update={"depth_db": strip.duck.depth_db * amount("ducking")}),
            "plugins": strip.plugins if amount("plugins") > 0.0 else (),
            "fader_db": max(-60.0, min(36.0, fader_db)),
            "width_pct": 100.0 + (strip.width_pct - 100.0) * amount("width"),
            "pan": strip.pan * amount("panning"),
            "sends": {name: max(-60.0, level + 20.0 * log10(sends)) for name, level in strip.sends.items()}
            if sends > 0.0
            else {},
        }
    )


def _bus(session: MixSession, bus: Bus) -> Bus:
    parallel, share = bus.parallel, session.amount("parallel")
    if parallel is not None:
        blend_db = parallel.blend_db + 20.0 * log10(share) if share > 0.0 else -60.0
        parallel = parallel.model_copy(update={"blend_db": blend_db}) if blend_db > -60.0 else None
    return bus.model_copy(
        update={
            "eq": _eq(bus.eq, session.amount("eq")),
            "compressor": None
            if bus.compressor is None
            else _compressor(bus.compressor, session.amount("bus")),
            "parallel": parallel,
            "plugins": bus.plugins if session.amount("plugins") > 0.0 else (),
        }
    )


def _eq(bands: tuple[EqBand, ...], amount: float) -> tuple[EqBand, ...]:
    return tuple(band.model_copy(update={"db": band.db * amount}) for band in bands if band.db * amount)


def _compressor(compressor: Compressor, amount: float) -> Compressor | None:
    if amount <= 0.0:
        return None
    ratio = 1.0 + (compressor.ratio - 1.0) * amount
    return compressor.model_copy(update={"ratio": ratio, "makeup_db": compressor.makeup_db * amount})
