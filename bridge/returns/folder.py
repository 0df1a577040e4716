"""The folder of a return: built beside its final place, published whole by one rename, never over anything.

A return is written into a hidden staging folder in the same parent folder (so that the rename stays on one disk). If
anything fails, or the job is cancelled, the staging folder is removed and nothing else has changed.
"""

import errno
import os
import re
import shutil
import unicodedata
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import NrxError

STAGING_PREFIX = ".nrx-staging-"
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


class Staging:
    """A return in the making. Write below `path`, then `publish` it; or `discard` it."""

    def __init__(self, parent: Path) -> None:
        """Make the staging folder below `parent` (made if missing).

        Raises:
            NrxError: `output.not_writable`, `output.disk_full`.
        """
        self.parent = parent
        self.path = parent / f"{STAGING_PREFIX}{uuid.uuid4().hex[:12]}"
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
            try:
                self.path.rename(target)
            except OSError:
                if os.path.lexists(target):
                    return None
                raise
            _sync_folder(self.parent)
        return target

    def discard(self) -> None:
        """Remove everything that was written; a published return is not touched."""
        shutil.rmtree(self.path, ignore_errors=True)


def _sync_folder(folder: Path) -> None:
    """Have the rename survive a power cut, where the platform can be told so."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_file(path: Path, data: bytes) -> None:
    """Write a new file and have it on the disk before returning; refuses to overwrite."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
