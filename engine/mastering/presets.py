"""Master presets: `presets/mastering/<id>.yaml`, and files of the same kind in folders of the user's own."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.choices import choice_of
from engine.errors import NrxError
from engine.mastering.wishes import MAX_WIDTH_PCT, MasterWishes
from engine.presets import presets_folder, read_preset

Tone = Annotated[float, Field(ge=-4.0, le=4.0)]
Ratio = Annotated[float, Field(ge=1.0, le=2.5)]


class MasterPreset(BaseModel):
    """What a master preset file holds: a name and a description for people, and settings."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    name: str = Field(min_length=1, max_length=60)
    description: str = Field(default="", max_length=400)
    lufs: float = Field(ge=-40.0, le=-5.0)
    ceiling_dbtp: float = Field(default=-1.0, ge=-9.0, le=-1.0)
    glue_ratio: float = Field(default=1.0, ge=1.0, le=4.0)
    saturation: float | None = Field(default=None, ge=0.0, le=1.0)
    width_pct: float = Field(default=100.0, ge=0.0, le=MAX_WIDTH_PCT)
    lra_max: float | None = Field(default=None, ge=1.0, le=30.0)
    plr_min: float | None = Field(default=None, ge=3.0, le=30.0)
    tone_db: tuple[Tone, Tone, Tone, Tone, Tone] = (0.0, 0.0, 0.0, 0.0, 0.0)
    """Gains at 50 Hz, 200 Hz, 1 kHz, 4 kHz and 12 kHz."""
    ratios: tuple[Ratio, Ratio, Ratio, Ratio] = (1.0, 1.0, 1.0, 1.0)
    """Of the compression below 120 Hz, up to 1 kHz, up to 6 kHz, and above."""
    bits: Literal[16, 24] = 24

    def wishes(self) -> MasterWishes:
        """Return what `engine.mastering.make_master` is asked for."""
        return MasterWishes(
            lufs=self.lufs,
            ceiling_dbtp=self.ceiling_dbtp,
            width_pct=self.width_pct,
            lra_max=self.lra_max,
            plr_min=self.plr_min,
            glue_ratio=self.glue_ratio,
            saturation=self.saturation,
            tone_db=self.tone_db,
            ratios=self.ratios,
            bits=self.bits,
        )


def list_master_presets(extra_dirs: Iterable[Path] = ()) -> list[str]:
    """Return the ids of all master presets, built-in and in `extra_dirs`, sorted."""
    return sorted(_files(extra_dirs))


def load_master_preset(preset_id: str, extra_dirs: Iterable[Path] = ()) -> MasterPreset:
    """Return the master preset with that id; a file in `extra_dirs` (last first) wins over a built-in one.

    The id is the file's name without `.yaml`; "Hip-Hop" finds hip_hop.

    Raises:
        NrxError: `request.invalid` with the ids there are, or `preset.invalid` with file, key, value and what
        is
            allowed.
    """
    files = _files(extra_dirs)
    wanted = preset_id.strip().lower().replace("-", "_").replace(" ", "_")
    path = files.get(wanted)
    if path is None:
        raise NrxError(
            "request.invalid", f"There is no master preset {preset_id!r}; {choice_of(wanted, sorted(files))}"
        )
    preset = read_preset(path, MasterPreset)
    if preset.id != path.stem:
        wanted = f"it should be {path.stem!r}, as the file is called"
        raise NrxError("preset.invalid", f"The preset file {path} has 'id' = {preset.id!r}; {wanted}.")
    return preset


def _files(extra_dirs: Iterable[Path]) -> dict[str, Path]:
    folders = [presets_folder() / "mastering", *extra_dirs]
    return {
        path.stem: path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*.y*ml"))
    }
