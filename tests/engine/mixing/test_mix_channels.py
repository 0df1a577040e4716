"""`mix.json`: what a DAW's own channels need to stand as the stems stand in the mix."""

import json
from math import log10

import numpy as np

from engine.audio import Audio
from engine.mixing.automix import listen_all
from engine.mixing.rendering import render
from engine.mixing.session import (
    Bus,
    ChannelStrip,
    Compressor,
    EqBand,
    MixSession,
    Plugin,
)
from engine.mixing.session.channels import channels_text
from engine.mixing.session.strips import Ride
from engine.mixing.stems import MemoryStem, Stem

RATE = 44_100


def noise(seed: int) -> Audio:
    samples = np.random.default_rng(seed).uniform(-0.2, 0.2, (2, 2 * RATE)).astype(np.float32)
    return Audio(samples, RATE)


def channels(session: MixSession, gain_db: float = 0.0) -> list[dict]:
    text = channels_text(session, gain_db, {strip.name: n for n, strip in enumerate(session.tracks)})
    found = json.loads(text)["channels"]
    assert isinstance(found, list)
    return found


def test_stems_at_their_channels_gains_sum_to_the_mix() -> None:
    strips = (
        ChannelStrip(name="Kick", role="kick", bus="drums", gain_db=3.5, fader_db=-6.2),
        ChannelStrip(name="Bass", role="bass", bus="bass", gain_db=-2.0, fader_db=1.0, polarity="inverted"),
        ChannelStrip(name="Pad", role="pad", gain_db=8.0, fader_db=-9.0, bypass=True),
    )
    session = MixSession(
        sample_rate=RATE, tracks=strips, buses={"drums": Bus(fader_db=2.0), "mix": Bus(fader_db=-1.0)}
    )
    sounds = [noise(seed) for seed in range(3)]
    stems = [Stem(strip.name, MemoryStem(sound)) for strip, sound in zip(strips, sounds, strict=True)]
    rendered = render(session, stems, listen_all(stems))
    total = np.zeros_like(rendered.mix.samples)
    for channel in channels(session, rendered.gain_db):
        sign = -1.0 if channel["inverted"] else 1.0
        total += sounds[channel["input"]].samples * sign * 10 ** (channel["gain_db"] / 20)
    assert 20 * log10(np.abs(total - rendered.mix.samples).max()) < -60


def test_effects_are_named_and_what_a_channel_has_not_is_left_out() -> None:
    strip = ChannelStrip(
        name="Vox",
        role="vocals",
        bus="vocals",
        gain_db=4.0,
        low_cut_hz=90.0,
        eq=(EqBand(hz=300.0, db=-2.0, q=1.2),),
        compressor=Compressor(threshold_db=-20.0, ratio=3.0, makeup_db=2.0),
        ride=Ride(range_db=2.0),
        sends={"plate": -18.0},
        plugins=(Plugin(path="C:\\VST3\\Warm Tube.vst3"), Plugin(path="/x/Off.vst3", bypass=True)),
    )
    [channel] = channels(MixSession(sample_rate=RATE, tracks=(strip,)))
    assert channel["low_cut_hz"] == 90.0
    assert channel["eq"] == [{"kind": "bell", "hz": 300.0, "db": -2.0, "q": 1.2}]
    assert channel["compressor"]["threshold_db"] == -24.0
    assert channel["plugins"] == ["Warm Tube"]
    assert channel["left_out"] == ["riding", "sends"]


def test_a_stage_at_nothing_does_nothing() -> None:
    strip = ChannelStrip(name="Vox", gain_db=4.0, fader_db=-9.0, pan=0.5, low_cut_hz=90.0)
    session = MixSession(
        sample_rate=RATE, tracks=(strip,), bypass=("balance", "panning"), amounts={"low_cut": 0.0}
    )
    [channel] = channels(session)
    assert (channel["gain_db"], channel["pan"], channel["low_cut_hz"]) == (0.0, 0.0, 0.0)
