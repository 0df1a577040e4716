"""Mix presets: `presets/mixing/<id>.yaml`, and files of the same kind in folders of the user's own.

A preset holds what makes a style beside the roles' common treatment: the balance between roles, tone, width, sends,
dynamics. It pairs with the master preset of the same id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from engine.choices import choice_of
from engine.errors import NrxError
from engine.mixing.roles import ROLES
from engine.mixing.session.strips import Send, SendName
from engine.presets import presets_folder, read_preset

Level = Annotated[float, Field(ge=-40.0, le=12.0, allow_inf_nan=False)]
ToneDb = Annotated[float, Field(ge=-4.0, le=4.0, allow_inf_nan=False)]


class Tone(BaseModel):
    """A role's colour in dB: a shelf under 110 Hz, a bell at 350 Hz, one at 3 kHz, a shelf over 9 kHz."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: ToneDb = 0.0
    mud: ToneDb = 0.0
    presence: ToneDb = 0.0
    air: ToneDb = 0.0


class MixPreset(BaseModel):
    """What a mix preset file holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    name: str = Field(min_length=1, max_length=60)
    description: str = Field(default="", max_length=400)
    balance_db: dict[str, Level] = Field(default_factory=dict)
    """Loudness of roles against the lead vocal, in LU; roles left out take the table's."""
    tone: dict[str, Tone] = Field(default_factory=dict)
    compression: float = Field(default=1.0, ge=0.0, le=1.2)
    """How much of the roles' usual compression."""
    spread: float = Field(default=1.0, ge=0.0, le=1.5)
    """How far from the middle mono stems are put, and how wide stereo ones are, against the table."""
    wetness_db: float = Field(default=0.0, ge=-24.0, le=9.0)
    """How much louder or quieter than usual all sends are."""
    sends_db: dict[str, dict[SendName, Level]] = Field(default_factory=dict)
    room: Send = Send(decay_s=0.5, pre_delay_ms=2.0, low_cut_hz=180.0, high_cut_hz=7000.0)
    plate: Send = Send(decay_s=1.6, pre_delay_ms=22.0, low_cut_hz=260.0, high_cut_hz=9000.0)
    delay: Send = Send(feedback=0.32, low_cut_hz=350.0, high_cut_hz=4500.0)
    ducking_db: float = Field(default=2.0, ge=0.0, le=6.0)
    riding_db: float = Field(default=2.5, ge=0.0, le=6.0)
    keep_feel: bool = False
    """Leave drums that are steadily late or early where they are."""
    drums_parallel_db: float | None = Field(default=-12.0, ge=-30.0, le=0.0)
    glue_db: float = Field(default=1.0, ge=0.0, le=2.0)
    """Mean reduction that the mix's compressor aims at."""

    @field_validator("balance_db", "tone", "sends_db")
    @classmethod
    def _roles_exist(cls, value: Mapping[str, object]) -> Mapping[str, object]:
        unknown = sorted(set(value) - set(ROLES))
        if unknown:
            raise ValueError(f"should name roles ({', '.join(ROLES)}), and {unknown[0]!r} is none")
        return value


def list_mix_presets(extra_dirs: Iterable[Path] = ()) -> list[str]:
    """Return the ids of all mix presets, built-in and in `extra_dirs`, sorted."""
    return sorted(_files(extra_dirs))


def load_mix_preset(preset_id: str, extra_dirs: Iterable[Path] = ()) -> MixPreset:
    """Return the mix preset with that id or name ("Hip-Hop" finds hip_hop); the user's own win.

    Raises:
        NrxError: `request.invalid` with the nearest or all there are, or `preset.invalid` with file, key, value and
            what is allowed.
    """
    files = _files(extra_dirs)
    wanted = preset_id.strip().lower().replace("-", "_").replace(" ", "_")
    path = files.get(wanted)
    if path is None:
        raise NrxError(
            "request.invalid", f"There is no mix preset {preset_id!r}; {choice_of(wanted, sorted(files))}"
        )
    preset = read_preset(path, MixPreset)
    if preset.id != path.stem:
        raise NrxError(
            "preset.invalid",
            f"The preset file {path} has 'id' = {preset.id!r}; it should be {path.stem!r}, as the file is called.",
        )
    return preset


def _files(extra_dirs: Iterable[Path]) -> dict[str, Path]:
    folders = [presets_folder() / "mixing", *extra_dirs]
    return {
        path.stem: path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*.y*ml"))
    }
