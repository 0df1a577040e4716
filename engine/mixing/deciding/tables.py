"""What each role usually gets: dynamics, tone, place and sends. Presets change the parts that make their style.

Figures are the middle of common practice (Senior, "Mixing Secrets", 2011; Pestana and Reiss, "Intelligent audio
production strategies informed by best practices", AES 53rd conference, 2014), not measurements of ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.mixing.session.strips import SendName


@dataclass(frozen=True, slots=True)
class Dynamics:
    """A role's compressor: ratio, times, and the mean reduction to aim at where the stem's level is uneven."""

    ratio: float
    attack_ms: float
    release_ms: float
    reduction_db: float
    even_lu: float
    """Range of loudness that counts as even: below it the compressor does half as much."""


DYNAMICS: dict[str, Dynamics] = {
    "vocals": Dynamics(3.0, 8.0, 120.0, 2.4, 4.0),
    "backing_vocals": Dynamics(3.5, 6.0, 120.0, 2.2, 4.0),
    "drums": Dynamics(2.0, 25.0, 120.0, 1.4, 3.0),
    "kick": Dynamics(3.0, 20.0, 90.0, 1.6, 2.0),
    "snare": Dynamics(3.0, 12.0, 110.0, 1.8, 2.0),
    "bass": Dynamics(3.5, 25.0, 140.0, 2.3, 3.0),
    "guitar": Dynamics(2.5, 15.0, 150.0, 1.5, 4.0),
    "keys": Dynamics(2.0, 20.0, 180.0, 1.3, 5.0),
    "chords": Dynamics(2.0, 20.0, 180.0, 1.2, 5.0),
    "synth": Dynamics(2.0, 20.0, 180.0, 1.0, 5.0),
    "lead": Dynamics(2.5, 12.0, 150.0, 1.5, 4.0),
    "brass": Dynamics(2.0, 20.0, 200.0, 1.2, 6.0),
}
"""Roles left out (hats, percussion, pads, strings, effects) are not compressed."""

LOW_CUTS_HZ: dict[str, float] = {"kick": 28.0, "bass": 28.0, "drums": 25.0}
"""Low cuts where the console's table of roles has none."""

TILT_DB_PER_OCTAVE: dict[str, tuple[float, float]] = {
    "vocals": (-6.5, -2.0),
    "backing_vocals": (-7.0, -2.0),
    "guitar": (-7.0, -2.0),
    "keys": (-9.0, -3.0),
    "chords": (-8.0, -2.0),
    "synth": (-8.0, -1.0),
    "pad": (-9.0, -2.0),
    "lead": (-7.5, -1.0),
    "strings": (-8.0, -2.0),
    "brass": (-8.0, -2.0),
    "snare": (-4.5, 1.0),
    "hats": (-1.0, 6.0),
}
"""Slope of the power in third octaves from 250 Hz to 8 kHz between which a role sounds like itself."""

MUDDY = (
    "vocals",
    "backing_vocals",
    "guitar",
    "keys",
    "chords",
    "synth",
    "pad",
    "strings",
    "brass",
    "lead",
    "other",
)
"""Roles that gather between 200 and 450 Hz."""

CENTRE = ("vocals", "kick", "snare", "bass", "drums")
"""Roles that stay in the middle: what carries beat, bottom and words."""

PLACES: dict[str, float] = {
    "hats": 0.3,
    "percussion": 0.45,
    "guitar": 0.6,
    "keys": 0.4,
    "chords": 0.35,
    "synth": 0.4,
    "arp": 0.5,
    "lead": 0.15,
    "strings": 0.4,
    "brass": 0.35,
    "backing_vocals": 0.5,
    "pad": 0.3,
    "fx": 0.4,
    "other": 0.3,
}
"""How far from the middle a mono stem of a role is put, 0 to 1."""

WIDTHS_PCT: dict[str, float] = {
    "pad": 125.0,
    "strings": 115.0,
    "synth": 115.0,
    "chords": 110.0,
    "backing_vocals": 120.0,
    "fx": 120.0,
    "bass": 60.0,
    "kick": 50.0,
    "snare": 80.0,
}
"""Width of stereo stems; bottom is narrowed so that it holds in mono."""

SENDS_DB: dict[str, dict[SendName, float]] = {
    "vocals": {"plate": -17.0, "delay": -22.0},
    "backing_vocals": {"plate": -13.0},
    "snare": {"room": -16.0, "plate": -20.0},
    "hats": {"room": -22.0},
    "percussion": {"room": -16.0},
    "drums": {"room": -20.0},
    "guitar": {"room": -18.0},
    "keys": {"room": -18.0, "plate": -22.0},
    "chords": {"plate": -20.0},
    "synth": {"plate": -20.0},
    "arp": {"delay": -16.0, "plate": -20.0},
    "lead": {"plate": -18.0, "delay": -19.0},
    "pad": {"plate": -18.0},
    "strings": {"plate": -14.0},
    "brass": {"plate": -17.0, "room": -18.0},
    "fx": {"plate": -16.0},
}
"""Sends after the fader. Kick and bass stay dry."""
