"""The session's model: channel strips, buses, sends, and how much of each stage is applied.

A strip's order is that of the fields: polarity and delay, gain (to the working level), low cut, equaliser,
compressor, riding, ducking, plug-ins, fader, width, pan, sends (after the fader), bus. A bus: equaliser, compressor,
parallel compression, plug-ins, fader; drums, bass, music and vocals run into mix. Levels are in dB, times in
milliseconds (`start_s` in seconds), frequencies in Hz; every number is bounded, so that a slip of the finger is
refused with the range that is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from engine.mixing.roles import ROLES, canonical_role

SESSION_VERSION = 1
BusName = Literal["drums", "bass", "music", "vocals"]
SendName = Literal["room", "plate", "delay"]
Stage = Literal[
    "alignment", "balance", "low_cut", "eq", "dynamics", "riding", "ducking", "panning", "width", "sends", "parallel",
    "bus", "plugins",
]  # fmt: skip
STAGES: dict[str, str] = {
    "alignment": "polarity and delay",
    "balance": "gain and fader (0: every stem at the level at which it came)",
    "low_cut": "low cut",
    "eq": "equalisers of strips and buses",
    "dynamics": "compressors of strips",
    "riding": "riding the voice's level",
    "ducking": "the dip of what covers the voice",
    "panning": "pan",
    "width": "width",
    "sends": "room, plate and delay",
    "parallel": "parallel compression",
    "bus": "compressors of buses",
    "plugins": "plug-ins (over 0: on)",
}
"""Stages that have an amount, with what each is."""

MAX_EQ_DB = 4.0
"""No band of the automatic mix goes further; a person may."""

Db = Annotated[float, Field(ge=-60.0, le=36.0, allow_inf_nan=False)]
Percent = Annotated[float, Field(ge=0.0, le=100.0, allow_inf_nan=False)]
Hertz = Annotated[float, Field(ge=10.0, le=22_000.0, allow_inf_nan=False)]


class Part(BaseModel):
    """A part of the session; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EqBand(Part):
    """One band of an equaliser."""

    kind: Literal["bell", "low_shelf", "high_shelf"] = "bell"
    hz: Hertz
    db: float = Field(ge=-18.0, le=18.0, allow_inf_nan=False)
    q: float = Field(default=0.9, ge=0.2, le=20.0, allow_inf_nan=False)


class Compressor(Part):
    """A compressor: threshold against the mean level over a few milliseconds, after the strip's gain."""

    threshold_db: Db
    ratio: float = Field(ge=1.0, le=20.0, allow_inf_nan=False)
    attack_ms: float = Field(default=10.0, ge=0.1, le=500.0)
    release_ms: float = Field(default=120.0, ge=5.0, le=5000.0)
    knee_db: float = Field(default=6.0, ge=0.0, le=24.0)
    makeup_db: float = Field(default=0.0, ge=-12.0, le=24.0)


class Parallel(Part):
    """Parallel compression: how loud the crushed copy is beside the dry sound, and what crushes it."""

    blend_db: float = Field(default=-10.0, ge=-60.0, le=6.0)
    threshold_db: Db = -36.0
    ratio: float = Field(default=6.0, ge=1.0, le=20.0)
    attack_ms: float = Field(default=2.0, ge=0.1, le=500.0)
    release_ms: float = Field(default=160.0, ge=5.0, le=5000.0)


class Duck(Part):
    """A dip between 300 Hz and 4 kHz while stems of the role `under` sound."""

    under: str = "vocals"
    depth_db: float = Field(ge=0.0, le=12.0)

    @field_validator("under")
    @classmethod
    def _a_role(cls, role: str) -> str:
        return _known_role(role)


class Ride(Part):
    """Riding the level: how far at most the fader is moved either way to keep the loudness even."""

    range_db: float = Field(ge=0.0, le=6.0)


class Plugin(Part):
    """A VST3 or AU plug-in by its file, with parameters by name (as `nrx plugin` or a host shows them)."""

    path: str = Field(min_length=1)
    name: str | None = None
    """Which plug-in, where the file holds several."""
    parameters: dict[str, float | bool | str] = Field(default_factory=dict)
    bypass: bool = False


class Send(Part):
    """How the room, the plate or the delay sounds, and how loud it comes back."""

    decay_s: float = Field(default=0.8, ge=0.05, le=8.0)
    pre_delay_ms: float = Field(default=10.0, ge=0.0, le=250.0)
    low_cut_hz: Hertz = 200.0
    high_cut_hz: Hertz = 8000.0
    feedback: float = Field(default=0.3, ge=0.0, le=0.9)
    """Of the delay: what each echo keeps of the one before."""
    delay_ms: float = Field(default=375.0, ge=1.0, le=2000.0)
    """Of the delay: time between echoes."""
    return_db: Db = 0.0


class ChannelStrip(Part):
    """One stem's channel strip."""

    name: str = Field(min_length=1, max_length=255)
    file: str = ""
    role: str = "other"
    bus: BusName = "music"
    start_s: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    mute: bool = False
    bypass: bool = False
    """Nothing but fader, pan and sends."""
    polarity: Literal["normal", "inverted"] = "normal"
    flip_right: bool = False
    """Invert the right side only: for stems whose sides cancel in mono."""
    delay_ms: float = Field(default=0.0, ge=-500.0, le=500.0)
    gain_db: Db = 0.0
    low_cut_hz: float = Field(default=0.0, ge=0.0, le=2000.0)
    eq: tuple[EqBand, ...] = ()
    compressor: Compressor | None = None
    ride: Ride | None = None
    duck: Duck | None = None
    plugins: tuple[Plugin, ...] = ()
    fader_db: Db = 0.0
    width_pct: float = Field(default=100.0, ge=0.0, le=200.0)
    pan: float = Field(default=0.0, ge=-1.0, le=1.0, allow_inf_nan=False)
    sends: dict[SendName, Db] = Field(default_factory=dict)

    @field_validator("role")
    @classmethod
    def _a_role(cls, role: str) -> str:
        return _known_role(role)


class Bus(Part):
    """A bus, or the mix itself."""

    bypass: bool = False
    eq: tuple[EqBand, ...] = ()
    compressor: Compressor | None = None
    parallel: Parallel | None = None
    plugins: tuple[Plugin, ...] = ()
    fader_db: Db = 0.0


class MixSession(Part):
    """A whole mix. `amounts` says how much of each stage is applied; stages left out are applied in full."""

    nrx_mix: Literal[1] = 1
    preset: str = "streaming"
    sample_rate: int = Field(ge=4000, le=384_000)
    tempo_bpm: float | None = Field(default=None, ge=20.0, le=400.0)
    respect_user_gains: bool = False
    """Keep the levels at which the stems came: balance is then left alone."""
    amounts: dict[Stage, Percent] = Field(default_factory=dict)
    bypass: tuple[Stage, ...] = ()
    tracks: tuple[ChannelStrip, ...] = Field(min_length=1)
    buses: dict[Literal["drums", "bass", "music", "vocals", "mix"], Bus] = Field(default_factory=dict)
    sends: dict[SendName, Send] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_differ(self) -> MixSession:
        names = [strip.name for strip in self.tracks]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"should name each track differently, not {', '.join(twice)} twice")
        return self

    def amount(self, stage: Stage) -> float:
        """Return how much of a stage is applied, 0 to 1."""
        if stage in self.bypass or (stage == "balance" and self.respect_user_gains):
            return 0.0
        return self.amounts.get(stage, 100.0) / 100.0

    def strip_of(self, name: str) -> ChannelStrip:
        """Return the strip of that name; KeyError where there is none."""
        for strip in self.tracks:
            if strip.name == name:
                return strip
        raise KeyError(name)

    def bus(self, name: str) -> Bus:
        """Return a bus; one that the session does not mention changes nothing."""
        return {str(key): bus for key, bus in self.buses.items()}.get(name, Bus())


BUSES: tuple[BusName, ...] = ("drums", "bass", "music", "vocals")
BUS_OF_FAMILY: Mapping[str, BusName] = {"drums": "drums", "bass": "bass", "vocals": "vocals"}


def bus_of(role: str) -> BusName:
    """Return the bus that a role runs into."""
    return BUS_OF_FAMILY.get(ROLES[role].family, "music")


def _known_role(role: str) -> str:
    known = canonical_role(role)
    if known is None:
        raise ValueError(f"should be a role: {', '.join(ROLES)}")
    return known
