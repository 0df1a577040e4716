"""`ProjectTrack`: a track as a project describes it, part of a request. The engine's own words for its audio follow.

Conventions: positions in a project are beats (quarter notes). A clip's place inside its file is in beats of its warp
markers where it is warped, else in seconds, as Live has it. Files are named by their index among the request's inputs,
so that every door checks them as it checks all inputs.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

LAST_BEAT = 1_576_800.0
"""Live's own end of time."""
Beat = Annotated[float, Field(ge=-LAST_BEAT, le=LAST_BEAT, allow_inf_nan=False)]
Place = Annotated[float, Field(ge=-1e7, le=1e7, allow_inf_nan=False)]
Index = Annotated[int, Field(ge=0, le=10_000)]
REPITCH = 3
"""The warp mode in which tempo moves pitch, as a tape does."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProjectClip(_Strict):
    """A clip: `start_beat` to `end_beat` of the project play the file from `offset` on.

    `markers` are (seconds in the file, beats) of a warped clip; `loop` is (start, end) in the same beats. `mode` is
    Live's warp mode (0 Beats, 1 Tones, 2 Texture, 3 Re-Pitch, 4 Complex, 5 REX, 6 Complex Pro).
    """

    input: Index
    name: str = Field(default="", max_length=1000)
    start_beat: Beat
    end_beat: Beat
    warped: bool = False
    offset: Place = 0.0
    loop: tuple[Place, Place] | None = None
    markers: tuple[tuple[Place, Place], ...] = Field(default=(), max_length=20_000)
    mode: Annotated[int, Field(ge=0, le=6)] = 0
    gain_db: Annotated[float, Field(ge=-144, le=36, allow_inf_nan=False)] = 0.0
    semitones: Annotated[float, Field(ge=-60, le=60, allow_inf_nan=False)] = 0.0
    fade_in_beats: Annotated[float, Field(ge=0, le=LAST_BEAT, allow_inf_nan=False)] = 0.0
    fade_out_beats: Annotated[float, Field(ge=0, le=LAST_BEAT, allow_inf_nan=False)] = 0.0

    @model_validator(mode="after")
    def _makes_sense(self) -> "ProjectClip":
        if self.end_beat < self.start_beat:
            raise ValueError(f"a clip ends at beat {self.end_beat:g}, before its start {self.start_beat:g}")
        if self.loop is not None and self.loop[1] - self.loop[0] < 1e-3:
            raise ValueError(f"a clip's loop from {self.loop[0]:g} to {self.loop[1]:g} has no length")
        if self.warped and len(self.markers) < 2:
            raise ValueError("a warped clip needs at least two warp markers")
        return self


class ProjectTrack(_Strict):
    """A track of clips, from `start_beat` to `end_beat`, at `bpm` unless the saved Set says more.

    `live_set` is the input that is the saved Set; its tempo map counts then, if what it holds is what the DAW shows:
    `bpm` and `signature` at `at_beat` (the playhead), and with `whole` all clips of the track of that `name`. Reading
    the Set once (`bridge.projects.settle`) puts its map into `tempo_map` (JSON of `engine.tempo`, beat 0 at 0 s), and
    takes the Set out of the inputs. `notes` are told in the manifest.
    """

    name: str = Field(min_length=1, max_length=255)
    start_beat: Beat
    end_beat: Beat
    bpm: Annotated[float, Field(ge=1, le=999, allow_inf_nan=False)]
    at_beat: Beat = 0.0
    signature: tuple[Annotated[int, Field(ge=1, le=99)], Literal[1, 2, 4, 8, 16]] = (4, 4)
    live_set: Index | None = None
    whole: bool = False
    tempo_map: dict[str, Any] | None = None
    notes: tuple[Annotated[str, Field(max_length=500)], ...] = Field(default=(), max_length=50)
    clips: tuple[ProjectClip, ...] = Field(min_length=1, max_length=10_000)

    def refuse_unknown_inputs(self, count: int) -> None:
        """Refuse indices beyond the inputs.

        Raises:
            ValueError: naming the index.
        """
        named = [clip.input for clip in self.clips] + ([self.live_set] if self.live_set is not None else [])
        for index in named:
            if index >= count:
                raise ValueError(f"project names input {index}, and there are {count} (counted from 0)")
        if self.live_set in {clip.input for clip in self.clips}:
            raise ValueError(f"project names input {self.live_set} as its Set and as a clip's file")
