"""Master presets: `presets/mastering/<id>.yaml`, and files of the same kind in folders of the user's own."""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.errors import NrxError
from engine.mastering.model import MasterSettings
from engine.presets import presets_folder, read_preset


class MasterPreset(BaseModel):
    """What a master preset file holds: a name and a description for people, and settings."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    name: str = Field(min_length=1, max_length=60)
    description: str = Field(default="", max_length=400)
    lufs: float = Field(ge=-40.0, le=-5.0)
    ceiling_dbtp: float = Field(default=-1.0, ge=-9.0, le=-0.1)
    glue_ratio: float = Field(default=1.0, ge=1.0, le=4.0)
    saturation: float | None = Field(default=None, ge=0.0, le=1.0)
    max_average_reduction_db: float = Field(default=3.0, ge=0.0, le=12.0)
    bits: Literal[16, 24, 32] = 24

    def settings(self) -> MasterSettings:
        """Return the settings for `engine.mastering.master`."""
        return MasterSettings(
            lufs=self.lufs,
            ceiling_dbtp=self.ceiling_dbtp,
            glue_ratio=self.glue_ratio,
            saturation=self.saturation,
            max_average_reduction_db=self.max_average_reduction_db,
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
        near = difflib.get_close_matches(wanted, files, n=3, cutoff=0.4) or sorted(files)
        choices = " or ".join(near)
        raise NrxError("request.invalid", f"There is no master preset {preset_id!r}; choose {choices}.")
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
