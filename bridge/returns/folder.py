"""The folder of a return: built beside its final place, published whole by one rename, never over anything.

A return is written into a hidden staging folder in the same parent folder (so that the rename stays on one disk). If
anything fails, or the job is cancelled, the staging folder is removed and nothing else has changed.

The rename decides between a worker and whoever takes its job away: `take_away` renames the staging folder too, so that
of the two exactly one succeeds, and a worker that was given up can publish nothing afterwards. A staging folder's name
tells machine and process, so that those of dead processes can be swept, also in a folder that several machines share.
"""

import errno
import hashlib
import json
import os
import platform
import re
import shutil
import unicodedata
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import NrxError

STAGING_PREFIX = ".nrx-staging-"
DOOMED_PREFIX = ".nrx-doomed-"
MANIFEST = "manifest.json"
LONGEST_NAME_BYTES = 180
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def safe_name(name: str, longest_bytes: int = LONGEST_NAME_BYTES) -> str:
    """Return `name` as a file name that every platform takes: same letters, no forbidden characters, not too long."""
    clean = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", name)).strip()
    clean = clean.encode("utf-8", "replace")[:longest_bytes].decode("utf-8", "ignore").rstrip(". ")
    return f"{clean}_" if not clean or _RESERVED.fullmatch(clean) else clean


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Turn what the operating system says while writing below `folder` into the errors that people can act on."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise NrxError(
                "output.disk_full",
                f"The disk that holds {folder} is full; nothing was left half-written. Free some space and try again.",
            ) from error
        raise NrxError(
            "output.not_writable",
            f"The output folder {folder} cannot be written ({error.strerror or error}); choose another with --out.",
        ) from error


def machine_tag() -> str:
    """Return eight letters that stand for this machine."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def staging_path(parent: Path) -> Path:
    """Return a new name for a staging folder of this process."""
    return parent / f"{STAGING_PREFIX}{machine_tag()}-{os.getpid()}-{uuid.uuid4().hex[:12]}"


class Staging:
    """A return in the making. Write below `path`, then `publish` it; or `discard` it."""

    def __init__(self, parent: Path, on_name: Callable[[Path], None] = lambda _path: None) -> None:
        """Make the staging folder below `parent` (made if missing); `on_name` hears of its path before it is there.

        Raises:
            NrxError: `output.not_writable`, `output.disk_full`.
        """
        self.parent = parent
        self.path = staging_path(parent)
        on_name(self.path)
        with writing_to(parent):
            parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir()

    def require_space(self, needed_bytes: int) -> None:
        """Refuse before the work begins if the disk has not room for `needed_bytes`.

        Raises:
            NrxError: `output.disk_full`.
        """
        free = shutil.disk_usage(self.path).free
        if free < needed_bytes:
            raise NrxError(
                "output.disk_full",
                f"The disk that holds {self.parent} has {free / 1e9:.2f} GB free and this return needs about "
                f"{needed_bytes / 1e9:.2f} GB; free some space or choose another folder with --out.",
            )

    def free_name(self, name: str) -> Path:
        """Return the path below the parent that `name` would get now: itself, or with " (2)", " (3)", …."""
        safe, count = safe_name(name), 1
        while True:
            candidate = self.parent / (safe if count == 1 else f"{safe} ({count})")
            if not os.path.lexists(candidate):
                return candidate
            count += 1

    def publish(self, target: Path) -> Path | None:
        """Rename the finished folder to `target`; None if somebody has taken that name meanwhile."""
        with writing_to(self.parent):
            sync_folder(self.path)
            try:
                self.path.rename(target)
            except OSError:
                if os.path.lexists(target):
                    return None
                raise
            sync_folder(self.parent)
        return target

    def sync(self) -> None:
        """Have everything that was written on the disk."""
        with writing_to(self.parent):
            for folder, _, names in os.walk(self.path):
                for name in names:
                    _sync_file(Path(folder, name))
                sync_folder(Path(folder))

    def discard(self) -> None:
        """Remove everything that was written; a published return is not touched."""
        shutil.rmtree(self.path, ignore_errors=True)


def take_away(folder: Path) -> bool:
    """Remove a folder of ours, by a rename first, so that nobody can publish it or see half of it; False if it is gone.

    Raises:
        NrxError: `output.not_writable` where the rename is refused: then the folder stands as it was.
    """
    doomed = folder.with_name(f"{DOOMED_PREFIX}{machine_tag()}-{os.getpid()}-{uuid.uuid4().hex[:12]}")
    try:
        folder.rename(doomed)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise NrxError(
            "output.not_writable",
            f"{folder} cannot be removed ({error.strerror or error}); remove it by hand.",
        ) from error
    shutil.rmtree(doomed, ignore_errors=True)
    return True


def published_id(folder: Path) -> str | None:
    """Return the id of the job whose whole return `folder` is; None if it is none."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        return str(manifest["id"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def left_behind(parent: Path, is_alive: Callable[[int], bool]) -> list[Path]:
    """Return the folders in `parent` that processes of this machine have half-made, or half-removed, and left."""
    pattern = re.compile(
        rf"(?:{re.escape(STAGING_PREFIX)}|{re.escape(DOOMED_PREFIX)}){machine_tag()}-(\d+)-[0-9a-f]{{12}}"
    )
    try:
        entries = list(os.scandir(parent))
    except OSError:
        return []
    found = ((entry, pattern.fullmatch(entry.name)) for entry in entries)
    return [Path(entry.path) for entry, match in found if match and not is_alive(int(match[1]))]


def sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a power cut, where the platform can be told so."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF):  # file systems that know no folder sync
            raise
    finally:
        os.close(descriptor)


def _sync_file(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def write_file(path: Path, data: bytes, *, sync: bool = False) -> None:
    """Write a new file; refuses to overwrite.

    With `sync` it is on the disk before this returns; without, once `Staging.sync` has been called, which waits for
    the disk once and not for every file.
    """
    with path.open("xb") as file:
        file.write(data)
        if sync:
            file.flush()
            os.fsync(file.fileno())
