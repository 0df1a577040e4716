"""What a style says of each part: who plays (voice), what (patterns by energy), how (feel), its sound.

`play` picks the kind of part. Patterns are given for 4/4, and for other metres where the style wants its own;
the arranger derives the rest. A level without patterns uses those of the level below it, then above it.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from engine.presets.grids import LEVELS, ArpGrid, BassGrid, CompGrid, DrumGrid, Level, metre_cells

Role = Literal["drums", "bass", "chords", "pad", "arp", "lead", "strings", "fx"]
Piece = Literal[
    "kick", "rim", "snare", "clap", "snare_electric", "tom_floor", "hat", "tom_low", "pedal_hat", "tom_mid",
    "open_hat", "tom_high", "crash", "ride", "ride_bell", "tambourine", "splash", "crash_2", "shaker",
    "triangle",
]  # fmt: skip
Tone = Literal[1, 3, 5, 6, 7, 9, 11, 13]
Pitch = Annotated[int, Field(ge=21, le=108)]
Milliseconds = Annotated[float, Field(ge=-60.0, le=60.0)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Effect = dict[str, Any]


class Strict(BaseModel):
    """A mapping in a preset file: unknown keys are errors, values cannot change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _in_order(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError(f"should have its lower bound first, not {value[0]} before {value[1]}")
    return value


def _checked_effects(effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    for effect in effects:
        if not isinstance(effect.get("type"), str):
            raise ValueError("should be a list of mappings that each name their 'type'")
    return effects


class PartBase(Strict):
    """What all kinds of parts have in common."""

    name: str = Field(min_length=1, max_length=40)
    role: Role
    voice: str
    colour: Colour = "#808080"
    level_db: float = Field(default=0.0, ge=-30.0, le=12.0)
    pan: float = Field(default=0.0, ge=-1.0, le=1.0)
    effects: tuple[Effect, ...] = ()
    levels: tuple[Level, ...] = LEVELS
    """In which thirds of the song's energy the part plays."""
    intro: bool = True
    """Whether it plays in a quiet first section."""
    push_ms: tuple[Milliseconds, Milliseconds] = (0.0, 0.0)
    """How late (early if negative) it sits, a range of which each song gets one value."""
    humanise_ms: float = Field(default=0.0, ge=0.0, le=25.0)
    """How far notes scatter, to either side."""
    velocity: int = Field(default=84, ge=1, le=127)
    """Velocity of a plain note at middle energy."""
    velocity_spread: int = Field(default=0, ge=0, le=24)

    _effects = field_validator("effects")(_checked_effects)
    _push = field_validator("push_ms")(_in_order)


def _an_octave(compass: tuple[int, int]) -> tuple[int, int]:
    if compass[1] - compass[0] < 11:
        raise ValueError("should span at least 11 semitones, lowest pitch first")
    return compass


Compass = Annotated[tuple[Pitch, Pitch], AfterValidator(_an_octave)]
"""Lowest and highest MIDI pitch, at least an octave apart."""


class Voicing(Strict):
    """How a chord is laid out: which tones, how many, where, and which of them are played softly.

    `close` within an octave or so, `open` with the second voice from the top dropped an octave, `power` root,
    fifth and octave, `guitar` a fretted shape on six strings. Tones above the triad are played only where the
    key has them.
    """

    kind: Literal["close", "open", "power", "guitar"] = "close"
    tones: tuple[Tone, ...] = (1, 3, 5)
    soft: tuple[Tone, ...] = ()
    compass: Compass
    left_hand: bool = False
    """Whether the root is doubled below the chord."""


BarGroove = dict[Piece, tuple[DrumGrid, ...]]
"""For each piece one or more bars; where there are several, the arranger changes between them."""


def _groove_lengths(grooves: dict[str, dict[Level, BarGroove]]) -> dict[str, dict[Level, BarGroove]]:
    if "4/4" not in grooves:
        raise ValueError("should have grooves for 4/4, from which other metres are derived")
    for metre, levels in grooves.items():
        cells = metre_cells(metre)
        for level, groove in levels.items():
            for piece, bars in groove.items():
                for bar in bars:
                    if len(bar) != cells:
                        raise ValueError(
                            f"should have {cells} cells in {metre} {level} {piece}, not {len(bar)}"
                        )
    return grooves


class Drums(PartBase):
    """Drums and percussion."""

    play: Literal["drums"]
    grooves: dict[str, dict[Level, BarGroove]]
    piece_push_ms: dict[Piece, tuple[Milliseconds, Milliseconds]] = Field(default_factory=dict)
    piece_velocity: dict[Piece, int] = Field(default_factory=dict)
    """Added to the part's velocity for that piece."""
    fills: tuple[dict[Piece, DrumGrid], ...] = ()
    """Each is the end of a bar: 4 to 16 cells, right-aligned, in place of the groove."""
    entry: tuple[Piece, ...] = ()
    """Pieces hit on the first beat of a section that is not quiet."""
    ending: tuple[Piece, ...] = ()
    """Pieces hit on the last downbeat of a song that ends; those of `entry` unless given."""
    roll: Piece | None = None
    """Piece that rolls through builds."""
    comping: Piece | None = None
    """Piece that answers at random in the gaps, as a jazz drummer's left hand does."""
    timpani: bool = False
    """Whether the toms are timpani: each stroke goes to the drum that is in the chord, or to the kick if none is."""

    _lengths = field_validator("grooves")(_groove_lengths)


def _pattern_lengths(
    patterns: dict[str, dict[Level, tuple[str, ...]]],
) -> dict[str, dict[Level, tuple[str, ...]]]:
    if "4/4" not in patterns:
        raise ValueError("should have patterns for 4/4, from which other metres are derived")
    for metre, levels in patterns.items():
        cells = metre_cells(metre)
        for level, bars in levels.items():
            for bar in bars:
                if len(bar) != cells:
                    raise ValueError(f"should have {cells} cells in {metre} {level}, not {len(bar)}: {bar}")
            if not bars:
                raise ValueError(f"should have at least one pattern in {metre} {level}")
        if not levels:
            raise ValueError(f"should have at least one level in {metre}")
    return patterns


class Bass(PartBase):
    """A bass line: from patterns of degrees, or walking."""

    play: Literal["bass"]
    mode: Literal["patterns", "walking"] = "patterns"
    compass: Compass
    patterns: dict[str, dict[Level, tuple[BassGrid, ...]]]
    gate: float = Field(default=0.92, gt=0.05, le=1.0)
    """Share of its length that a note sounds."""

    _lengths = field_validator("patterns")(_pattern_lengths)


class Comp(PartBase):
    """Chords in rhythm: keys, guitars, stabs."""

    play: Literal["comp"]
    voicing: Voicing
    patterns: dict[str, dict[Level, tuple[CompGrid, ...]]]
    roll_ms: tuple[Milliseconds, Milliseconds] = (0.0, 0.0)
    """Time from one note of a chord to the next, from below; strums go both ways."""
    gate: float = Field(default=0.95, gt=0.05, le=1.0)

    _lengths = field_validator("patterns")(_pattern_lengths)
    _roll = field_validator("roll_ms")(_in_order)


class Pad(PartBase):
    """Chords held as long as they last."""

    play: Literal["pad"]
    voicing: Voicing
    tie: bool = False
    """Whether a tone that two chords share sounds on."""


class Arp(PartBase):
    """Broken chords."""

    play: Literal["arp"]
    voicing: Voicing
    patterns: dict[str, dict[Level, tuple[ArpGrid, ...]]]
    gate: float = Field(default=0.8, gt=0.05, le=1.0)
    ring: bool = False
    """Whether strings ring on until the chord changes."""

    _lengths = field_validator("patterns")(_pattern_lengths)


class Lead(PartBase):
    """The song's melody, and answers to it.

    `with_vocals` says what happens where the voice sings: `rest`, `sparse` (long notes only, softly) or
    `double`.
    """

    play: Literal["lead"]
    compass: Compass
    with_vocals: Literal["rest", "sparse", "double"] = "sparse"
    grid_cells: Literal[1, 2, 4] = 1
    """Melody notes are moved to this many sixteenths."""
    shortest_cells: int = Field(default=1, ge=1, le=8)
    octaves: bool = False
    """Whether it is doubled an octave up at high energy."""
    answers: bool = False
    """Whether it plays phrases of its own where neither voice nor melody sounds."""
    melody: bool = True
    """Whether it plays the song's melody at all, or only answers."""
    legato: float = Field(default=0.95, gt=0.1, le=1.1)


class Fx(PartBase):
    """Sounds without pitch: risers into high sections, impacts on them, reverse cymbals, a noise bed."""

    play: Literal["fx"]
    riser_bars: int = Field(default=0, ge=0, le=16)
    impact: bool = False
    reverse: bool = False
    bed: bool = False


StylePart = Annotated[Drums | Bass | Comp | Pad | Arp | Lead | Fx, Field(discriminator="play")]
