"""Snapshots of inputs: `NRX_HOME/inputs/<sha256><ext>`, so that a re-render changes no job that was accepted before.

A file is cloned where the disk can (`reflink`), else copied, and hashed; under another name first, then renamed. A file
that changes meanwhile is taken again, and refused if it does not come to rest. What lies here is never written to
again; `sweep` removes what no job needs and nobody has touched for a day.
"""

import hashlib
import os
import re
import stat
import time
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from bridge.inputs.model import RegisteredInput
from bridge.inputs.reflink import reflink
from bridge.returns.folder import sync_folder, writing_to
from engine.errors import NrxError

INCOMING = ".incoming-"
BLOCK_BYTES = 1 << 20
TRIES = 3
UNTOUCHED_S = 24 * 3600.0
TOUCH_EVERY_S = 3600.0
"""One that is used over and over is marked so only so often."""
_SNAPSHOT = re.compile(r"([0-9a-f]{64})(\.[a-z0-9]{1,8})?")
_EXTENSION = re.compile(r"\.[a-z0-9]{1,8}")


@dataclass(frozen=True, slots=True)
class _Taken:
    """A copy that has not got its name yet."""

    path: Path
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Snapshots:
    """The folder of snapshots."""

    root: Path

    def of(self, path: Path) -> str | None:
        """Return the hash of the snapshot that `path` is, or None if it is another file."""
        match = _SNAPSHOT.fullmatch(path.name)
        if match is None or not (path.parent == self.root or path.parent.resolve() == self.root.resolve()):
            return None
        return match[1]

    def take(self, source: Path, name: str | None = None) -> RegisteredInput:
        """Snapshot a file; one that is a snapshot already is only marked as used.

        Raises:
            NrxError: `input.not_found`, `input.is_folder`, `input.unreadable`; `input.changing` if it is still being
                written; `output.disk_full`, `output.not_writable`.
        """
        shown = name or source.name
        sha256 = self.of(source)
        before = _look(source)
        if sha256 is not None:
            if time.time() - before.st_mtime > TOUCH_EVERY_S:
                os.utime(source)
            return RegisteredInput(sha256, self.root / source.name, shown, before.st_size)
        for _ in range(TRIES):
            taken = self._copy(source, before)
            after = _look(source)
            if taken is not None and _identity(before) == _identity(after):
                return self._keep(taken, shown)
            if taken is not None:
                taken.path.unlink(missing_ok=True)
            before = after
        raise NrxError(
            "input.changing", f'"{source}" is still being written; send it when its render has ended.'
        )

    def receive(self, stream: BinaryIO, name: str, max_bytes: int) -> RegisteredInput:
        """Snapshot what a stream gives.

        Raises:
            NrxError: `input.too_large`; `output.disk_full`, `output.not_writable`.
        """
        incoming = self._incoming()
        try:
            blocks = iter(lambda: stream.read(BLOCK_BYTES), b"")
            with writing_to(self.root):
                taken = _write(incoming, blocks, max_bytes)
            if taken.bytes > max_bytes:
                raise NrxError(
                    "input.too_large",
                    f'"{name}" is larger than the limit of {max_bytes / 1e9:g} GB; cut it into shorter files.',
                )
            return self._keep(taken, name)
        finally:
            incoming.unlink(missing_ok=True)

    def sweep(self, used: Container[str], now: float | None = None) -> int:
        """Remove snapshots that are not `used` (names) and were not touched for a day; return the bytes freed."""
        freed = 0
        if not self.root.is_dir():
            return 0
        for entry in os.scandir(self.root):
            try:
                found = entry.stat()
                if (now or time.time()) - found.st_mtime > UNTOUCHED_S and entry.name not in used:
                    Path(entry).unlink()
                    freed += found.st_size
            except OSError:
                continue  # it has just gone, or is open on Windows: the next sweep sees it
        return freed

    def _copy(self, source: Path, found: os.stat_result) -> _Taken | None:
        """Copy a file under a name for the time being; None if its length is not what was `found`."""
        incoming = self._incoming()
        try:
            with writing_to(self.root):
                if reflink(source, incoming):
                    taken = _hash(incoming)
                else:
                    taken = _write(incoming, _blocks(source), found.st_size)
        except BaseException:
            incoming.unlink(missing_ok=True)
            raise
        if taken.bytes == found.st_size:
            return taken
        incoming.unlink(missing_ok=True)
        return None

    def _incoming(self) -> Path:
        with writing_to(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
        return self.root / f"{INCOMING}{os.getpid()}-{uuid4().hex}"

    def _keep(self, taken: _Taken, name: str) -> RegisteredInput:
        """Give what has come in its name, or mark the equal one that is there as used."""
        extension = Path(name).suffix.lower()
        final = self.root / f"{taken.sha256}{extension if _EXTENSION.fullmatch(extension) else ''}"
        with writing_to(self.root):
            if final.is_file() and final.stat().st_size == taken.bytes:
                os.utime(final)
                taken.path.unlink()
            else:
                os.utime(taken.path)
                taken.path.replace(final)
                sync_folder(self.root)
        return RegisteredInput(taken.sha256, final, name, taken.bytes)


def _look(source: Path) -> os.stat_result:
    """Return what the system says of a file that can be an input."""
    try:
        found = source.stat()
    except OSError as error:
        raise _unreadable(source, error) from error
    if stat.S_ISDIR(found.st_mode):
        raise NrxError("input.is_folder", f'"{source}" is a folder; name an audio file.')
    if not stat.S_ISREG(found.st_mode):
        raise NrxError("input.unreadable", f'"{source}" is a device or a pipe; name an audio file.')
    return found


def _blocks(source: Path) -> Iterator[bytes]:
    """Yield the bytes of a file; errors are the source's, not those of the disk that is written."""
    try:
        with source.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                yield block
    except OSError as error:
        raise _unreadable(source, error) from error


def _write(path: Path, blocks: Iterable[bytes], most_bytes: int) -> _Taken:
    """Write blocks to a new file while hashing them, and have it on the disk; stop soon after `most_bytes`."""
    digest, count = hashlib.sha256(), 0
    with path.open("xb") as file:
        for block in blocks:
            digest.update(block)
            count += len(block)
            if count > most_bytes:
                break
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return _Taken(path, digest.hexdigest(), count)


def _hash(path: Path) -> _Taken:
    """Hash a file that is ours, and have it on the disk."""
    with path.open("rb+") as file:
        digest = hashlib.file_digest(file, "sha256")
        os.fsync(file.fileno())
        return _Taken(path, digest.hexdigest(), file.tell())


def _identity(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_ino, found.st_size, found.st_mtime_ns


def _unreadable(source: Path, error: OSError) -> NrxError:
    if isinstance(error, FileNotFoundError):
        return NrxError("input.not_found", f'There is no file "{source}".')
    return NrxError("input.unreadable", f'"{source}" cannot be read ({error.strerror or error}).')
