"""A file that is written whole or not at all.

It is written under a temporary name in the same folder, synced, and renamed; what is there already is never
replaced.
"""

import errno
import os
import secrets
import sys
from contextlib import suppress
from io import FileIO
from pathlib import Path

from engine.errors import NrxError


def _numbers(*names: str) -> frozenset[int]:
    """Return the error numbers of these names that this system has."""
    return frozenset(getattr(errno, name) for name in names if hasattr(errno, name))


_FULL = _numbers("ENOSPC", "EDQUOT", "EFBIG")
_NO_HARD_LINKS = _numbers("EPERM", "EACCES", "ENOSYS", "EOPNOTSUPP", "ENOTSUP", "EMLINK", "EINVAL", "EXDEV")
LET_GO_EVERY_BYTES = 4 << 20


class NewFile:
    """A new file at `path`, visible there only after `publish`; `discard` leaves nothing behind.

    Args:
        path: where the file shall appear.
        unread: nobody here will read it soon, so the system is told, where it can be, to put it on the disk as it
            comes and to keep no copy in memory: many large files then cost it a tenth of the time.
        synced: whether `publish` waits until the file is on the disk; not where somebody does so later, for a whole
            folder at once.

    Raises:
        NrxError: `output.exists` if there is something at `path`, `output.not_writable` if its folder cannot
            be written.
    """

    def __init__(self, path: Path, *, unread: bool = False, synced: bool = True) -> None:
        self.path = path
        self._unread, self._synced = unread, synced
        self._held_bytes = 0
        self._temporary = path.with_name(f".nrx-{secrets.token_hex(6)}.part")
        if os.path.lexists(path):
            raise self._exists()
        try:
            self._file = FileIO(self._temporary, "x")
        except OSError as error:
            raise self._failed(error) from None

    def write(self, data: bytes | memoryview, position: int | None = None) -> None:
        """Write all of `data` at the end, or at `position` to patch what was written.

        Raises:
            NrxError: `output.disk_full`, also where the system writes less than asked; `output.not_writable`.
        """
        left = memoryview(data).cast("B")
        try:
            if position is not None:
                self._file.seek(position)
            while left:
                written = self._file.write(left)
                if not written:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                left = left[written:]
                self._held_bytes += written
        except OSError as error:
            raise self._failed(error) from None
        if self._unread and self._held_bytes >= LET_GO_EVERY_BYTES:
            self._held_bytes = 0
            _let_go(self._file)

    def publish(self) -> None:
        """Make the file durable, unless somebody else does, and give it its name.

        Raises:
            NrxError: `output.exists` if another writer was first; `output.disk_full` or
                `output.not_writable`.
        """
        try:
            if self._synced:
                os.fsync(self._file.fileno())
            self._file.close()
            self._rename()
            if self._synced:
                _sync_folder(self.path.parent)
        except FileExistsError:
            raise self._exists() from None
        except OSError as error:
            raise self._failed(error) from None

    def discard(self) -> None:
        """Close and remove what was written under the temporary name."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)

    def _rename(self) -> None:
        """Give the final name by a hard link, which fails if it is taken; POSIX rename would replace it."""
        if os.name != "nt":
            try:
                os.link(self._temporary, self.path)
            except OSError as error:
                if error.errno not in _NO_HARD_LINKS:
                    raise
                if os.path.lexists(self.path):
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
            else:
                self._temporary.unlink()
                return
        self._temporary.rename(self.path)

    def _exists(self) -> NrxError:
        return NrxError(
            "output.exists", f'"{self.path}" is already there and is never overwritten; choose another name.'
        )

    def _failed(self, error: OSError) -> NrxError:
        if error.errno in _FULL:
            return NrxError(
                "output.disk_full",
                f'The disk is full: "{self.path}" could not be written; free some space or use another.',
            )
        return NrxError(
            "output.not_writable",
            f'"{self.path}" cannot be written ({error.strerror or error}); choose another folder.',
        )


def _let_go(file: FileIO) -> None:
    """Advise the system to write what it holds of a file, and to drop what is written already."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows cannot open a folder to sync it
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF):  # file systems that know no folder sync
            raise
    finally:
        os.close(handle)
