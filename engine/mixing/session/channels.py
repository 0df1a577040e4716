"""`mix.json`: a mix as settings for the channels of a DAW, in place of its sound: faders, pans and effects.

Beside `mix.yaml`, which is for people and holds the whole session, this is for scripts: one entry for each stem, with
what any DAW's channel has. Stages are at their amounts, and what is bypassed is left out. `gain_db` is what the stem,
as it came, needs on its fader to stand in the mix as it does, but for what its compressor takes and gives
(`compressor` says how, `makeup_db` on top); a bus's fader and the mix's own are counted in. Frequencies are in Hz,
times in milliseconds, pan from -1 (left) to 1 (right). What a plain channel has not (width, riding, ducking, sends, the
processing of buses) is named in `left_out`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from engine.mixing.session.applied import applied
from engine.mixing.session.strips import ChannelStrip, MixSession

CHANNELS_VERSION = 1
SAME = 1e-3


def channels_text(session: MixSession, gain_db: float, inputs: Mapping[str, int]) -> str:
    """Return the file's text.

    `gain_db` is what the mix was turned up by as a whole, `inputs` the place of each strip's file, by the strip's name,
    among the stems that were given.
    """
    whole = applied(session)
    channels = [_channel(whole, strip, gain_db, inputs[strip.name]) for strip in whole.tracks]
    return (
        json.dumps({"version": CHANNELS_VERSION, "channels": channels}, ensure_ascii=False, indent=1) + "\n"
    )


def _channel(session: MixSession, strip: ChannelStrip, gain_db: float, number: int) -> dict[str, Any]:
    buses_db = session.bus(strip.bus).fader_db + session.bus("mix").fader_db
    processed = not strip.bypass
    return {
        "input": number,
        "name": strip.name,
        "gain_db": round(strip.gain_db + strip.fader_db + buses_db + gain_db, 2),
        "pan": round(strip.pan, 3),
        "mute": strip.mute,
        "inverted": strip.polarity == "inverted",
        "low_cut_hz": round(strip.low_cut_hz, 1) if processed else 0.0,
        "eq": [band.model_dump(mode="json") for band in strip.eq] if processed else [],
        "compressor": _compressor(strip) if processed else None,
        "plugins": [
            _name(plugin.path, plugin.name) for plugin in strip.plugins if processed and not plugin.bypass
        ],
        "left_out": list(_left_out(session, strip)),
    }


def _compressor(strip: ChannelStrip) -> dict[str, float] | None:
    """Return the compressor, its threshold against the stem as it came."""
    found = strip.compressor
    if found is None or found.ratio <= 1.0:
        return None
    fields: dict[str, float] = found.model_dump(mode="json")
    return {**fields, "threshold_db": round(found.threshold_db - strip.gain_db, 2)}


def _name(path: str, name: str | None) -> str:
    return name or PurePath(path.replace("\\", "/")).stem


def _left_out(session: MixSession, strip: ChannelStrip) -> Iterator[str]:
    bus, mix = session.bus(strip.bus), session.bus("mix")
    there = {
        "delay": abs(strip.delay_ms) > SAME or strip.flip_right,
        "riding": strip.ride is not None,
        "ducking": strip.duck is not None,
        "width": abs(strip.width_pct - 100.0) > SAME,
        "sends": bool(strip.sends),
        "bus": any(part.eq or part.compressor or part.parallel or part.plugins for part in (bus, mix)),
    }
    yield from (name for name, is_there in there.items() if is_there)
