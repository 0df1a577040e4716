"""Putting the scripts into REAPER (6 and 7): `Scripts/NRX/` in its resource folder, and its list of actions.

Three things are touched: files of our own below `Scripts/NRX/` (with `nrx_paths.json`, which tells the scripts where
NRX_HOME and the interpreter are); one marked line in `Scripts/__startup.lua`, which registers actions and reopens
unfinished jobs; and lines `SCR 4 0 RS… "NRX: …" "NRX/…"` in `reaper-kb.ini`. REAPER rewrites that file when it ends, so
it is only changed while no REAPER runs; else the line in `__startup.lua` registers the actions at the next start. Ids
come from the names of the actions and are the same everywhere. All other bytes of both files stay as they are.

With `osc` REAPER also gets a control surface (`reaper_osc`), by which NRX Bridge starts “NRX: Import finished NRX jobs”
as soon as a job has ended, and the spool the message for it (`spool/wake/reaper.json`). A toolbar icon is put beside
REAPER's own, for those who want the action on a toolbar.
"""

import hashlib
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from bridge.config import Settings
from bridge.install.line_ends import line_end
from bridge.install.reaper_osc import PORT, wake_message, with_surface, without_surface
from bridge.install.steps import Step, carried_out
from bridge.install.toolbar_icon import ICON, icon_png
from engine import __version__
from engine.errors import NrxError

FOLDER = "NRX"
NOTE = "nrx_paths.json"
MARK = b"-- NRX Bridge"
STARTUP = (
    b'pcall(dofile, reaper.GetResourcePath() .. "/Scripts/NRX/lib/startup.lua") '
    + MARK
    + b": one line, removed by `nrx install reaper --remove`"
)
NEXT_STEPS = (
    "In REAPER: select a track, press ? for the list of actions, type NRX, and run “NRX: Remix selected track”.",
)
WHILE_RUNNING = (
    "REAPER is running, so its list of actions is left alone: it would write over it. Restart REAPER and the actions "
    "are there; or now, in REAPER: Actions > Show action list > New action > Load ReaScript…, and pick the NRX_*.lua "
    "files in Scripts/NRX."
)
WHILE_RUNNING_OSC = (
    "The OSC surface is left out as well: end REAPER and run this again; or add it in REAPER under Preferences > "
    f"Control/OSC/web > Add > OSC, local listen port {PORT}."
)
IMPORT = "NRX: Import finished NRX jobs"
_SCRIPT_LINE = re.compile(rb'SCR\s+\d+\s+\d+\s+(\S+)\s+"[^"\r\n]*"\s+"?([^"\r\n]*)"?')


def scripts_folder() -> Path:
    """Return the folder of the scripts: inside the installed package, or the checkout's."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_data" / "reaper_scripts"
    return installed if installed.is_dir() else package.parent / "reaper_scripts"


def resource_folders() -> list[Path]:
    """Return the resource folder of every REAPER that this user has started: the usual, Flatpak's, portable ones."""
    home = Path.home()
    usual: dict[str, list[Path]] = {
        "darwin": [home / "Library" / "Application Support" / "REAPER"],
        "win32": [Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming") / "REAPER"],
    }
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    flatpak = home / ".var" / "app" / "fm.reaper.Reaper" / "config" / "REAPER"
    places = usual.get(sys.platform, [config / "REAPER", flatpak])
    found = [place for place in (*places, *_portable_places(home)) if (place / "reaper.ini").is_file()]
    return list(dict.fromkeys(place.resolve() for place in found))


def _portable_places(home: Path) -> list[Path]:
    """Return where a REAPER may lie that keeps its settings beside its program."""
    parents = {
        "darwin": [Path("/Applications"), home / "Applications"],
        "win32": [
            Path("C:/"),
            *(Path(os.environ[n]) for n in ("ProgramFiles", "USERPROFILE") if n in os.environ),
        ],
    }.get(sys.platform, [home, home / "opt", home / "Applications", Path("/opt")])
    running = [
        place for exe in reapers_running() if exe for place in Path(exe).parents[:4]
    ]  # or beside its .app
    return [
        *running,
        *(place for parent in parents for place in sorted(parent.glob("[Rr][Ee][Aa][Pp][Ee][Rr]*"))),
    ]


def reapers_running() -> list[str]:
    """Return the programs of the REAPERs that run now ("" where the system does not tell)."""
    import psutil

    names = ("reaper", "reaper.exe")
    return [
        process.info["exe"] or ""
        for process in psutil.process_iter(["name", "exe"])
        if (process.info["name"] or "").lower() in names
    ]


def action_id(title: str) -> str:
    """Return the id of an action in `reaper-kb.ini`, the same on every computer."""
    return "RS" + hashlib.sha1(f"NRX Bridge: {title}".encode(), usedforsecurity=False).hexdigest()


def titles() -> dict[str, str]:
    """Return file name -> title of every action: what follows `NRX_` in the name."""
    files = sorted((scripts_folder() / FOLDER).glob("NRX_*.lua"))
    return {file.name: f"NRX: {file.stem.removeprefix('NRX_')}" for file in files}


def install(
    settings: Settings,
    folder: Path | None,
    *,
    dry_run: bool,
    osc: bool = False,
    running: Callable[[], list[str]] = reapers_running,
) -> list[str]:
    """Copy the scripts and register the actions in each REAPER, or in that of `folder`; return what to show.

    `osc` also adds the control surface by which REAPER is woken.

    Raises:
        NrxError: `input.not_found` if there is no REAPER; `output.exists` if `Scripts/NRX` is not ours;
            `output.not_writable`.
    """
    is_running = bool(running())
    steps: list[Step] = []
    for resources in _targets(folder):
        steps += _file_steps(resources / "Scripts" / FOLDER, settings)
        steps += _text_step(resources / "Scripts" / "__startup.lua", with_line)
        icon = resources / "Data" / "toolbar_icons" / ICON
        steps += _needed(icon, icon_png())
        if not is_running:
            steps += _text_step(resources / "reaper-kb.ini", with_actions)
            steps += _text_step(resources / "reaper.ini", with_surface) if osc else []
    if osc:
        steps += _needed(_wake_file(settings), wake_message(action_id(IMPORT)))
    if not dry_run:
        _leave_styles(settings)
    lines = carried_out(steps, dry_run) or ["Everything is installed and current."]
    said = [WHILE_RUNNING, *([WHILE_RUNNING_OSC] if osc else [])] if is_running else []
    return [*lines, *said, *(() if dry_run else NEXT_STEPS)]


def remove(
    settings: Settings,
    folder: Path | None,
    *,
    dry_run: bool,
    running: Callable[[], list[str]] = reapers_running,
) -> list[str]:
    """Remove all that `install` made; return what to show.

    Raises:
        NrxError: `input.not_found` if there is no REAPER; `output.not_writable`.
    """
    is_running = bool(running())
    steps: list[Step] = []
    for resources in _targets(folder):
        own = resources / "Scripts" / FOLDER
        if _is_ours(own):
            names = {*_contents(), *_listed(own), NOTE}
            steps += [Step(own / name, None, "removed") for name in sorted(names) if (own / name).is_file()]
        icon = resources / "Data" / "toolbar_icons" / ICON
        steps += [Step(icon, None, "removed")] if icon.is_file() else []
        steps += _text_step(resources / "Scripts" / "__startup.lua", without_line)
        if not is_running:
            steps += _text_step(resources / "reaper-kb.ini", without_actions)
            steps += _text_step(resources / "reaper.ini", without_surface)
    wake = _wake_file(settings)
    steps += [Step(wake, None, "removed")] if wake.is_file() else []
    lines = carried_out(steps, dry_run)
    if not dry_run:
        for resources in _targets(folder):
            _remove_empty(resources / "Scripts" / FOLDER)
    left = "REAPER is running; end it and run this again to take the actions off its list."
    return [*(lines or ["There was nothing to remove."]), *((left,) if is_running else ())]


def with_line(text: bytes) -> bytes:
    """Return `__startup.lua` with our line, as its last one."""
    kept = without_line(text)
    newline = _line_end(kept)
    if kept and not kept.endswith(b"\n"):
        kept += newline
    return kept + STARTUP + newline


def without_line(text: bytes) -> bytes:
    """Return `__startup.lua` without our line."""
    return b"".join(line for line in text.splitlines(keepends=True) if MARK not in line)


def with_actions(text: bytes) -> bytes:
    """Return `reaper-kb.ini` with our actions; an action that is in it already, under whatever id, stays as it is."""
    known = {path for _, path in _scripts_in(text)}
    newline = _line_end(text)
    added = [
        f'SCR 4 0 {action_id(title)} "{title}" "{FOLDER}/{name}"'.encode() + newline
        for name, title in titles().items()
        if f"{FOLDER}/{name}" not in known
    ]
    gap = newline if added and text and not text.endswith(b"\n") else b""
    return text + gap + b"".join(added)


def without_actions(text: bytes) -> bytes:
    """Return `reaper-kb.ini` without our actions, and without keys that were bound to them."""
    own = {f"{FOLDER}/{name}" for name in titles()}
    ids = {name for name, path in _scripts_in(text) if path in own} | {
        action_id(title) for title in titles().values()
    }

    def is_ours(line: bytes) -> bool:
        words = line.decode("utf-8", "replace").split()
        if words[:1] == ["SCR"]:
            return len(words) > 3 and words[3] in ids
        return words[:1] == ["KEY"] and any(word.removeprefix("_") in ids for word in words)

    return b"".join(line for line in text.splitlines(keepends=True) if not is_ours(line))


def _scripts_in(text: bytes) -> list[tuple[str, str]]:
    """Return (id, path below Scripts with forward slashes) of every script that is registered."""
    return [
        (found[1].decode("utf-8", "replace"), found[2].decode("utf-8", "replace").replace("\\", "/"))
        for found in _SCRIPT_LINE.finditer(text)
    ]


def _line_end(text: bytes) -> bytes:
    return line_end(text, when_empty=os.linesep.encode())


def _targets(folder: Path | None) -> list[Path]:
    folders = resource_folders() if folder is None else [folder]
    if not folders or not all(place.is_dir() for place in folders):
        where = f"There is no folder {folder}" if folder else "REAPER has not been started by this user"
        raise NrxError(
            "input.not_found",
            f"{where}; start REAPER once, or name its resource folder with --path (in REAPER: Options > Show REAPER "
            "resource path).",
        )
    return folders


def _contents() -> dict[str, bytes]:
    """Return relative path -> content of every script."""
    root = scripts_folder() / FOLDER
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in sorted(root.rglob("*.lua"))}


def _file_steps(own: Path, settings: Settings) -> list[Step]:
    contents = _contents()
    if any((own / name).exists() for name in contents) and not _is_ours(own):
        raise NrxError(
            "output.exists",
            f"{own} holds scripts that NRX Bridge did not put there; rename the folder, then install again.",
        )
    note = {
        "home": str(settings.home),
        "python": sys.executable,
        "version": __version__,
        "files": sorted(contents),
        "actions": {name: action_id(title) for name, title in titles().items()},
    }
    steps = [
        Step(own / name, None, "removed")
        for name in sorted(_listed(own))
        if name not in contents and (own / name).is_file()
    ]
    for name, content in contents.items():
        steps += _needed(own / name, content)
    return steps + _needed(own / NOTE, json.dumps(note, indent=1).encode() + b"\n")


def _needed(path: Path, content: bytes) -> list[Step]:
    if path.is_file() and path.read_bytes() == content:
        return []
    return [Step(path, content, "replaced" if path.exists() else "written")]


def _text_step(path: Path, change: Callable[[bytes], bytes]) -> list[Step]:
    before = path.read_bytes() if path.is_file() else b""
    after = change(before)
    if after == before:
        return []
    if not after and path.name.startswith("__"):
        return [Step(path, None, "removed")]
    return [Step(path, after, "changed" if before else "written")]


def _is_ours(own: Path) -> bool:
    return (own / NOTE).is_file()


def _listed(own: Path) -> set[str]:
    """Return the files that an earlier version has put there; none that leave the folder."""
    try:
        names = json.loads((own / NOTE).read_bytes())["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {
        name
        for name in names
        if isinstance(name, str)
        and name.endswith(".lua")
        and ".." not in name
        and not Path(name).is_absolute()
    }


def _remove_empty(folder: Path) -> None:
    for place in (folder / "lib" / "shared", folder / "lib", folder):
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()


def _wake_file(settings: Settings) -> Path:
    return settings.home / "spool" / "wake" / "reaper.json"


def _leave_styles(settings: Settings) -> None:
    """Leave the lists of styles and models, so that the options window has them before the daemon has ever run."""
    from bridge.models_file import write_models
    from bridge.styles_file import write_styles

    (settings.home / "spool").mkdir(mode=0o700, parents=True, exist_ok=True)
    write_styles(settings)
    write_models(settings)
