"""Putting the Lua scripts into Ardour: `scripts/` in its configuration folder, for Ardour 7 and later.

Beside the scripts lies `nrx_bridge.json`, which tells them where NRX_HOME and the interpreter are. Files that are not
NRX Bridge's own are never replaced or removed. Ardour's list of actions is private to it and is not touched: the user
picks the scripts once in the Script Manager.

Folders: `gtk2_ardour` and `libs/ardour/filesystem_paths.cc` of Ardour (XDG on Linux, Library/Preferences on macOS, the
local application data on Windows).
"""

import json
import os
import re
import sys
from pathlib import Path

from bridge.config import Settings
from bridge.install.steps import Step, carried_out
from engine import __version__
from engine.errors import NrxError

NOTE = "nrx_bridge.json"
OWN_FIRST_LINE = "-- Made by ardour_scripts/build.py"
OLDEST = 7
NEXT_STEPS = (
    "In Ardour, once: Edit > Lua Scripts > Script Manager; for each of the three actions choose a free slot, Add/Set,",
    'pick "NRX: …", Add. They are then in the menu Edit > Lua Scripts. Under "Action Hooks" add',
    '"NRX: Import as jobs finish" for returns to come in while you work.',
)


def scripts_folder() -> Path:
    """Return the folder of the scripts: inside the installed package, or the checkout's."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_data" / "ardour_scripts"
    return installed if installed.is_dir() else package.parent / "ardour_scripts"


def config_folders() -> list[Path]:
    """Return the configuration folders of every Ardour from 7 on that this user has started, the newest last."""
    home = Path.home()
    if sys.platform == "darwin":
        parent = home / "Library" / "Preferences"
    elif sys.platform == "win32":
        parent = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        parent = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    found = []
    for folder in parent.glob("[Aa]rdour*"):
        version = re.fullmatch(r"(?i)ardour(\d+)", folder.name)
        if version and int(version[1]) >= OLDEST and folder.is_dir():
            found.append((int(version[1]), folder))
    return [folder for _, folder in sorted(found)]


def install(settings: Settings, folder: Path | None, *, dry_run: bool) -> list[str]:
    """Copy the scripts and the note into each Ardour's `scripts/`, or into that of `folder`; return what to show.

    Raises:
        NrxError: `input.not_found` if there is no Ardour; `output.exists` if a file of that name is not ours;
            `output.not_writable`.
    """
    note = {"home": str(settings.home), "python": sys.executable, "version": __version__}
    wanted = {NOTE: json.dumps(note, indent=1).encode() + b"\n"}
    wanted |= {file.name: file.read_bytes() for file in sorted(scripts_folder().glob("nrx_*.lua"))}
    steps = []
    for scripts in _targets(folder):
        for name, content in wanted.items():
            path = scripts / name
            if path.exists() and not _is_ours(path):
                raise NrxError(
                    "output.exists",
                    f"{path} is not a file of NRX Bridge, and is left alone; rename it, then install again.",
                )
            if not path.is_file() or path.read_bytes() != content:
                steps.append(Step(path, content, "replaced" if path.exists() else "written"))
    lines = carried_out(steps, dry_run)
    return [*(lines or ["Everything is installed and current."]), *([] if dry_run else NEXT_STEPS)]


def remove(_settings: Settings, folder: Path | None, *, dry_run: bool) -> list[str]:
    """Remove the scripts and the note; return what to show.

    Raises:
        NrxError: `input.not_found` if there is no Ardour; `output.not_writable`.
    """
    steps = [
        Step(path, None, "removed")
        for scripts in _targets(folder)
        for path in sorted([*scripts.glob("nrx_*.lua"), *scripts.glob(NOTE)])
        if _is_ours(path)
    ]
    return carried_out(steps, dry_run) or ["There was nothing to remove."]


def _targets(folder: Path | None) -> list[Path]:
    folders = config_folders() if folder is None else [folder]
    if not folders or not all(place.is_dir() for place in folders):
        where = (
            f"There is no folder {folder}"
            if folder
            else "Ardour 7 or later has not been started by this user"
        )
        raise NrxError(
            "input.not_found", f"{where}; start Ardour once, or name its configuration folder with --path."
        )
    return [place if place.name == "scripts" else place / "scripts" for place in folders]


def _is_ours(path: Path) -> bool:
    if path.name == NOTE:
        return True
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.readline().startswith(OWN_FIRST_LINE)
    except OSError:
        return False
