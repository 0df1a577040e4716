"""Plug-ins are rendered before the desk runs: what they make of a strip, or of a bus, takes its place.

A strip with plug-ins is rendered up to its fader; its fader, width, pan and sends still run on the desk. A bus with
plug-ins is rendered as a whole and comes back as one track, while its strips go on feeding their sends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.audio import Audio
from engine.mixing.desk.desk import make_line, run_desk, session_frames
from engine.mixing.listening.features import StemFeatures
from engine.mixing.plugin_host import run_plugins
from engine.mixing.session.strips import BUSES, Bus, ChannelStrip, MixSession
from engine.mixing.stems import MemoryStem, Stem
from engine.progress import SILENT, Monitor

BEFORE_THE_FADER = (
    "polarity",
    "flip_right",
    "delay_ms",
    "gain_db",
    "low_cut_hz",
    "eq",
    "compressor",
    "ride",
    "duck",
    "plugins",
)
"""What of a strip is done when it is frozen."""


@dataclass(frozen=True, slots=True, eq=False)
class Frozen:
    """A session without plug-ins (but the mix's), its stems and features, and the strips that only feed sends."""

    session: MixSession
    stems: tuple[Stem, ...]
    heard: Mapping[str, StemFeatures]
    sends_only: frozenset[str] = frozenset()


def freeze(
    session: MixSession,
    stems: Sequence[Stem],
    heard: Mapping[str, StemFeatures],
    monitor: Monitor = SILENT,
) -> Frozen:
    """Return the session with strips' and buses' plug-ins rendered; one without them comes back as it is.

    Raises:
        NrxError: what `run_plugins` raises.
    """
    frozen = Frozen(session, tuple(stems), dict(heard))
    for strip in session.tracks:
        if _plays(strip.plugins) and not strip.mute and not strip.bypass:
            frozen = _freeze_strip(frozen, strip, monitor)
    for name in BUSES:
        bus = session.bus(name)
        if _plays(bus.plugins) and not bus.bypass:
            frozen = _freeze_bus(frozen, name, bus, monitor)
    return frozen


def _plays(plugins: Sequence[object]) -> bool:
    return any(not getattr(plugin, "bypass", False) for plugin in plugins)


def _freeze_strip(frozen: Frozen, strip: ChannelStrip, monitor: Monitor) -> Frozen:
    stem = next(stem for stem in frozen.stems if stem.name == strip.name)
    neutral = {"fader_db": 0.0, "pan": 0.0, "width_pct": 100.0, "sends": {}}
    alone = frozen.session.model_copy(
        update={
            "tracks": tuple(
                item.model_copy(update=neutral) if item is strip else item for item in frozen.session.tracks
            ),
            "buses": {},
        }
    )
    line = make_line(alone, stem, frozen.stems, frozen.heard)
    frames = session_frames(frozen.stems)
    samples = np.zeros((2, frames), np.float32)
    for start in range(0, frames, line.block_frames):
        monitor.check()
        output = line.next()
        if output is not None:
            output.add_to(samples[:, start : start + line.block_frames])
    audio = run_plugins(
        Audio(samples, stem.source.sample_rate), strip.plugins, f"the track '{strip.name}'", monitor
    )
    defaults = ChannelStrip(name=strip.name)
    done = strip.model_copy(update={name: getattr(defaults, name) for name in BEFORE_THE_FADER})
    return replace(
        frozen,
        session=frozen.session.model_copy(
            update={"tracks": tuple(done if item is strip else item for item in frozen.session.tracks)}
        ),
        stems=tuple(
            replace(item, source=MemoryStem(audio), start_frame=0) if item is stem else item
            for item in frozen.stems
        ),
        heard={**frozen.heard, strip.name: replace(frozen.heard[strip.name], mono=False)},
    )


def _freeze_bus(frozen: Frozen, name: str, bus: Bus, monitor: Monitor) -> Frozen:
    members = [strip for strip in frozen.session.tracks if strip.bus == name and not strip.mute]
    if not members:
        return frozen
    names = {strip.name for strip in members}
    alone = frozen.session.model_copy(
        update={
            "tracks": tuple(
                strip.model_copy(update={"sends": {}, "mute": strip.name not in names})
                for strip in frozen.session.tracks
            ),
            "buses": {name: bus},
        }
    )
    summed = run_desk(
        alone, frozen.stems, frozen.heard, monitor=Monitor(is_cancelled=monitor.is_cancelled)
    ).mix
    audio = run_plugins(summed, bus.plugins, f"the bus '{name}'", monitor)
    track = f"{name} bus"
    like = frozen.heard[members[0].name]
    strip = ChannelStrip.model_validate({"name": track, "bus": name, "role": members[0].role})
    return Frozen(
        frozen.session.model_copy(
            update={"tracks": (*frozen.session.tracks, strip), "buses": {**frozen.session.buses, name: Bus()}}
        ),
        (*frozen.stems, Stem(track, MemoryStem(audio), members[0].role)),
        {**frozen.heard, track: replace(like, name=track, start_frame=0, mono=False)},
        frozen.sends_only | names,
    )
