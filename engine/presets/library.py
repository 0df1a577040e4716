"""Where styles are found: the built-in folder, and the user's own folders, whose files win.

The id of a style is its file's name without `.yaml`, and must be what the file says.
"""

import time
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from engine.choices import choice_of
from engine.errors import NrxError
from engine.presets.style import Style
from engine.presets.yaml_file import read_preset

SETTLED_NS = 3_000_000_000
"""A folder that changed later than this is listed again: file systems tell changes apart only so finely."""


def presets_folder() -> Path:
    """Return the folder of built-in presets: inside the installed package, or the checkout's beside it."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_data" / "presets"
    return installed if installed.is_dir() else package.parent / "presets"


def list_styles(extra_dirs: Iterable[Path] = ()) -> list[str]:
    """Return the ids of all styles, built-in and in `extra_dirs`, sorted."""
    return sorted(_style_files(extra_dirs))


def load_style(style_id: str, extra_dirs: Iterable[Path] = ()) -> Style:
    """Return the style with that id; a file in `extra_dirs` (last first) wins over a built-in one.

    Raises:
        NrxError: `style.unknown` with near matches, or `preset.invalid` with file, key, value and what is
        allowed.
    """
    files = _style_files(extra_dirs)
    path = files.get(style_id)
    if path is None:
        raise NrxError(
            "style.unknown", f"There is no style {style_id!r}; {choice_of(style_id, sorted(files))}"
        )
    stat = path.stat()
    style = _read(path, stat.st_mtime_ns, stat.st_size)
    if style.id != style_id:
        allowed = f"it should be {style_id!r}, as the file is called"
        raise NrxError("preset.invalid", f"The preset file {path} has 'id' = {style.id!r}; {allowed}.")
    return style


@lru_cache(maxsize=64)
def _read(path: Path, _mtime_ns: int, _size: int) -> Style:
    return read_preset(path, Style)


def _style_files(extra_dirs: Iterable[Path]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for folder in (_built_in_styles(), *extra_dirs):
        try:
            stamp_ns = folder.stat().st_mtime_ns
        except OSError:
            continue
        settled = time.time_ns() - stamp_ns > SETTLED_NS
        files |= _listed(folder, stamp_ns) if settled else _listed.__wrapped__(folder, stamp_ns)
    return files


@lru_cache(maxsize=1)
def _built_in_styles() -> Path:
    return presets_folder() / "styles"


@lru_cache(maxsize=16)
def _listed(folder: Path, _mtime_ns: int) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.y*ml"))}
