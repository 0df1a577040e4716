"""A style: everything that makes it, as read from `presets/styles/<id>.yaml`."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from engine.presets.grids import metre_cells
from engine.presets.parts import Colour, Effect, Role, Strict, StylePart, _checked_effects, _in_order

Bpm = Annotated[float, Field(ge=20.0, le=400.0)]
SwingPosition = Annotated[float, Field(ge=0.5, le=0.75)]


class Swing(Strict):
    """Where the off-beat note lies inside its pair: 0.5 is straight, 0.667 a triplet.

    `unit` is the note that swings. The position goes from `slowest` to `fastest` across the style's tempo
    range.
    """

    unit: Literal["eighth", "sixteenth"] = "sixteenth"
    slowest: SwingPosition = 0.5
    fastest: SwingPosition = 0.5


class Master(Strict):
    """Loudness of the finished master."""

    lufs: float = Field(ge=-30.0, le=-5.0)
    ceiling_dbtp: float = Field(-1.0, ge=-9.0, le=-0.1)


class SyncRule(Strict):
    """The small pitch change of a voice whose tempo changes much: down with slower, up with faster.

    Nothing within `free_percent`; beyond it `semitones_per_octave` of tempo ratio, at most `max_semitones`.
    """

    free_percent: float = Field(default=10.0, ge=0.0, le=50.0)
    semitones_per_octave: float = Field(default=1.96, ge=0.0, le=12.0)
    max_semitones: float = Field(default=1.0, ge=0.0, le=6.0)


class Form(Strict):
    """What happens between sections."""

    fill_every_bars: int = Field(default=8, ge=2, le=32)
    """Fills come before new sections, and this often inside long ones."""
    build_bars: int = Field(default=0, ge=0, le=16)
    """Bars of build before a section that is louder than the one before; 0 for none."""
    drop_beats: float = Field(default=0.0, ge=0.0, le=8.0)
    """Beats of silence (all but lead and effects) right before such a section."""
    crescendo: float = Field(default=0.0, ge=0.0, le=0.6)
    """How much velocities rise across a section that leads into a louder one."""


class Invention(Strict):
    """What the style plays where there is no song: progressions in degrees of the key ("ii7", "I")."""

    mode: Literal["major", "minor"] = "minor"
    progressions: tuple[tuple[str, ...], ...] = Field(min_length=2)
    """Each is a loop of bars, one chord a bar; the first serves verses, the second choruses."""
    metre: str = "4/4"

    @field_validator("metre")
    @classmethod
    def _a_metre(cls, value: str) -> str:
        metre_cells(value)
        return value


class Style(Strict):
    """A style. Positions in grids are sixteenths; levels are thirds of the song's own energy."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,39}$")
    name: str = Field(min_length=1, max_length=60)
    description: str = Field(min_length=1, max_length=400)
    words: tuple[str, ...] = ()
    """Words by which people ask for the style."""
    tempo_range_bpm: tuple[Bpm, Bpm]
    energy: float = Field(ge=0.0, le=1.0)
    colour: Colour
    prompt: str = Field(min_length=1, max_length=600)
    """For neural generators; {bpm} and {key} are filled in."""
    swing: Swing = Swing()
    form: Form = Form()
    parts: tuple[StylePart, ...] = Field(min_length=1)
    balance_db: dict[Role, float]
    """Loudness of each role against the vocals."""
    ducking_db: float = Field(default=3.0, ge=0.0, le=12.0)
    """How far the parts make room while the voice sings."""
    vocal_effects: tuple[Effect, ...] = ()
    master: Master
    sync: SyncRule = SyncRule()
    invention: Invention

    _order = field_validator("tempo_range_bpm")(_in_order)
    _effects = field_validator("vocal_effects")(_checked_effects)

    @field_validator("prompt")
    @classmethod
    def _can_be_filled(cls, value: str) -> str:
        try:
            value.format(bpm=100, key="C major")
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError("should have no fields but {bpm} and {key}") from error
        return value

    @model_validator(mode="after")
    def _parts_fit(self) -> "Style":
        names = [part.name for part in self.parts]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"should name each part differently, not {', '.join(twice)} twice")
        missing = sorted({part.role for part in self.parts} - set(self.balance_db))
        if missing:
            raise ValueError(
                f"should have 'balance_db' for each role it plays; {', '.join(missing)} is missing"
            )
        return self

    def prompt_for(self, bpm: float, key: str) -> str:
        """Return the text prompt for a neural generator."""
        return self.prompt.format(bpm=round(bpm), key=key)
