"""Putting the Max for Live device into Ableton Live's User Library, where Live's browser shows it.

The User Library is where Live's own `Library.cfg` says, else where Live puts it by default. A device of that name that
is not NRX Bridge's is never replaced or removed. Live's versions are read from the names of its preference folders.
"""

import os
import re
import sys
from pathlib import Path
from xml.sax.saxutils import unescape

from bridge.config import Settings
from bridge.install.amxd import DEVICE_NAME, SCRIPT_NAME, unpack
from bridge.returns.folder import writing_to
from engine.errors import NrxError

FILE = f"{DEVICE_NAME}.amxd"
PLACE = Path("Presets", "Audio Effects", "Max Audio Effect")
OWN_FIRST_WORDS = b"/*\n * NRX Bridge for Ableton Live"
SINCE = {11: (11, 3, 25), 12: (12, 0, 5)}
"""From which version on a device can lay clips, by major version."""
LARGEST_CFG_BYTES = 1 << 20
_USER_LIBRARY = re.compile(r"<UserLibrary>(.*?)</UserLibrary>", re.DOTALL)
_PARTS = (re.compile(r'<ProjectPath Value="([^"]*)"'), re.compile(r'<ProjectName Value="([^"]*)"'))
_VERSION = re.compile(r"Live (\d+)\.(\d+)(?:\.(\d+))?")


def device_file() -> Path:
    """Return the built device: inside the installed package, or the checkout's."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_data" / "ableton_m4l" / FILE
    return installed if installed.is_file() else package.parent / "ableton_m4l" / FILE


def preference_folders() -> list[Path]:
    """Return the preference folders of every Live that this user has started, the newest last."""
    home = Path.home()
    if sys.platform == "win32":
        parent = Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming") / "Ableton"
    else:
        parent = home / "Library" / "Preferences" / "Ableton"
    found = [
        (version, folder)
        for folder in parent.glob("Live *")
        if folder.is_dir() and (version := version_of(folder)) is not None
    ]
    return [folder for _, folder in sorted(found)]


def version_of(folder: Path) -> tuple[int, int, int] | None:
    """Return the version in the name of a preference folder."""
    match = _VERSION.fullmatch(folder.name)
    return None if match is None else (int(match[1]), int(match[2]), int(match[3] or 0))


def user_library() -> Path | None:
    """Return the User Library, or None where there is none."""
    for folder in reversed(preference_folders()):
        for file in (folder / "Library.cfg", folder / "Preferences" / "Library.cfg"):
            if file.is_file() and file.stat().st_size < LARGEST_CFG_BYTES:
                named = _named_library(file.read_text(encoding="utf-8", errors="replace"))
                if named is not None and named.is_dir():
                    return named
    usual = Path.home() / ("Documents" if sys.platform == "win32" else "Music") / "Ableton" / "User Library"
    return usual if usual.is_dir() else None


def _named_library(text: str) -> Path | None:
    """Return the folder that a `Library.cfg` names."""
    block = _USER_LIBRARY.search(text)
    found = [part.search(block[1]) for part in _PARTS] if block else []
    names = [unescape(match[1]) for match in found if match is not None]
    return Path(*names) if len(names) == len(_PARTS) else None


def install(_settings: Settings, folder: Path | None, *, dry_run: bool) -> list[str]:
    """Copy the device into the User Library, or into that of `folder`; return what to show.

    Raises:
        NrxError: `input.not_found` if there is no User Library; `output.exists` if a device of that name is not ours;
            `output.not_writable`, `output.disk_full`.
    """
    target = _library(folder) / PLACE / FILE
    content = device_file().read_bytes()
    if target.exists() and not _is_ours(target):
        raise NrxError(
            "output.exists",
            f"{target} is not a device of NRX Bridge, and is left alone; rename it, then install again.",
        )
    lines = []
    if target.is_file() and target.read_bytes() == content:
        lines.append(f"{target} is installed and current.")
    elif dry_run:
        lines.append(f"Would write {target}.")
    else:
        with writing_to(target.parent):
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = target.with_name(f".{FILE}-{os.getpid()}")
            draft.write_bytes(content)
            draft.replace(target)
        lines.append(f"{target} is written.")
    return [*lines, *_about_versions(), *([] if dry_run else [_NEXT])]


_NEXT = (
    f'In Live: open "User Library" in the browser, Presets > Audio Effects > Max Audio Effect, and drag {DEVICE_NAME} '
    "onto an audio track. The daemon must run: nrx serve."
)


def remove(_settings: Settings, folder: Path | None, *, dry_run: bool) -> list[str]:
    """Remove the device; return what to show.

    Raises:
        NrxError: `input.not_found` if there is no User Library; `output.exists` if the device is not ours.
    """
    target = _library(folder) / PLACE / FILE
    if not target.exists():
        return ["Nothing of NRX Bridge is installed there."]
    if not _is_ours(target):
        raise NrxError("output.exists", f"{target} is not a device of NRX Bridge, and is left alone.")
    if dry_run:
        return [f"Would remove {target}."]
    with writing_to(target.parent):
        target.unlink()
    return [f"{target} is removed."]


def _library(folder: Path | None) -> Path:
    if folder is not None:
        if not folder.is_dir():
            raise NrxError("input.not_found", f"There is no folder {folder}.")
        return folder
    found = user_library()
    if found is None:
        raise NrxError(
            "input.not_found",
            "Live's User Library was not found; name its folder with --path (Live shows it under Settings > Library).",
        )
    return found


def _is_ours(path: Path) -> bool:
    try:
        files = unpack(path.read_bytes()).files
    except (OSError, ValueError):
        return False
    return any(file.name == SCRIPT_NAME and file.data.startswith(OWN_FIRST_WORDS) for file in files)


def _about_versions() -> list[str]:
    """Say so where the newest Live on this machine cannot be given clips by a device."""
    versions = [version for folder in preference_folders() if (version := version_of(folder)) is not None]
    if not versions:
        return []
    newest = max(versions)
    oldest = SINCE.get(newest[0], (0, 0, 0) if newest[0] > max(SINCE) else (newest[0] + 1, 0, 0))
    if newest >= oldest:
        return []
    text = ".".join(map(str, newest))
    return [
        f"Live {text} cannot be given clips by a device; update to 11.3.25, 12.0.5 or newer, or drag the stems."
    ]
