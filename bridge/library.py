"""The library: all returns on disk, found by the id of their job, listed newest first, and searched by words.

Returns lie in `NRX_HOME/returns` and in the return folders of watched folders; a job that put its return somewhere else
is found through the job store. A folder with a readable `manifest.json` is a return. Files are served by job and name,
and only names that a walk of the folder finds are taken: no path of a client ever reaches the file system.
"""

import base64
import binascii
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from bridge.config import Settings
from bridge.security.roots import open_regular
from engine.errors import NrxError

MANIFEST = "manifest.json"
LARGEST_MANIFEST_BYTES = 64_000_000
MOST_FILES = 2000


@dataclass(frozen=True, slots=True)
class Return:
    """A return, as the library lists it. Loudness in LUFS; `files` are relative paths with forward slashes."""

    job_id: str
    title: str
    action: str
    style: str | None
    folder: str
    created_at: str
    duration_s: float | None
    tracks: int
    loudness_lufs: float | None
    key: str | None
    tempo_bpm: float | None


@dataclass(frozen=True, slots=True)
class ReturnPage:
    """Some returns, newest first; `next` is what to ask for the following page with, or None."""

    returns: tuple[Return, ...]
    next: str | None
    total: int


@dataclass(frozen=True, slots=True)
class _Entry:
    stamp: tuple[int, int]
    item: Return
    order: tuple[str, str]


FolderOfJob = Callable[[str], str | None]


class Library:
    """Lists and opens returns. Thread-safe."""

    def __init__(self, settings: Settings, folder_of_job: FolderOfJob) -> None:
        """`folder_of_job` returns where the store says that a job's return is, or None; it may raise `job.unknown`."""
        self._parents = tuple(
            dict.fromkeys(
                (
                    settings.returns_folder,
                    *(watch.returns.expanduser() for watch in settings.watch if watch.returns is not None),
                )
            )
        )
        self._folder_of_job = folder_of_job
        self._entries: dict[Path, _Entry] = {}
        self._lock = threading.Lock()

    def page(self, search: str | None = None, limit: int = 50, before: str | None = None) -> ReturnPage:
        """Return a page of the returns that hold every word of `search` in title, style, action, key or date.

        Raises:
            NrxError: `request.invalid` where `before` was never a page's `next`.
        """
        words = (search or "").lower().split()
        found = [entry for entry in self._scan() if all(word in _haystack(entry.item) for word in words)]
        found.sort(key=lambda entry: entry.order, reverse=True)
        start = 0
        if before is not None:
            mark = _unpacked(before)
            start = next((at for at, entry in enumerate(found) if entry.order < mark), len(found))
        page = found[start : start + limit]
        more = start + limit < len(found)
        return ReturnPage(
            tuple(entry.item for entry in page),
            _packed(page[-1].order) if more and page else None,
            len(found),
        )

    def folder(self, job_id: str) -> Path:
        """Return the folder of a job's return.

        Raises:
            NrxError: `return.unknown`.
        """
        named = self._named(job_id)
        if named is not None and (named / MANIFEST).is_file():
            return named
        for entry in self._scan():
            if entry.item.job_id == job_id:
                return Path(entry.item.folder)
        raise NrxError(
            "return.unknown",
            f"There is no return of a job {job_id[:64]!a}; it may not have finished yet.",
        )

    def _named(self, job_id: str) -> Path | None:
        """Return where the store says that a return is; a job that it has forgotten is found on disk."""
        try:
            folder = self._folder_of_job(job_id)
        except NrxError:
            return None
        return None if folder is None else Path(folder)

    def manifest(self, job_id: str) -> dict[str, Any]:
        """Return the manifest of a job's return.

        Raises:
            NrxError: `return.unknown`.
        """
        folder = self.folder(job_id)
        fields = _read(folder / MANIFEST)
        if fields is None:
            raise NrxError("return.unknown", f"The manifest of the return {folder} cannot be read.")
        return fields

    def files(self, job_id: str) -> dict[str, Path]:
        """Return every file of a return by its relative path; links and hidden files are left out.

        Raises:
            NrxError: `return.unknown`.
        """
        folder = self.folder(job_id)
        return dict(sorted(_walk(folder)))

    def open(self, job_id: str, name: str) -> BinaryIO:
        """Open a file of a return by its relative path.

        Raises:
            NrxError: `return.unknown`, `file.unknown`.
        """
        path = self.files(job_id).get(name)
        if path is None:
            raise NrxError("file.unknown", f"The return has no file {name[:200]!a}; see its manifest.")
        return open_inside(self.folder(job_id), path)

    def _scan(self) -> list[_Entry]:
        """Return an entry for every return that lies in the folders, reading only manifests that changed."""
        seen: dict[Path, _Entry] = {}
        for parent in self._parents:
            for folder in _folders(parent):
                file = folder / MANIFEST
                try:
                    status = file.stat()
                except OSError:
                    continue
                stamp = (status.st_mtime_ns, status.st_size)
                known = self._entries.get(folder)
                entry = known if known is not None and known.stamp == stamp else _entry(folder, stamp)
                if entry is not None:
                    seen[folder] = entry
        with self._lock:
            self._entries = seen
        return list(seen.values())


def open_inside(folder: Path, path: Path) -> BinaryIO:
    """Open a file that a walk of `folder` found, and check that what was opened still lies inside.

    Raises:
        NrxError: `file.unknown` where it went away or was swapped.
    """
    try:
        stream = open_regular(path)
    except NrxError:
        raise NrxError("file.unknown", f"The file {path.name} went away; list the return again.") from None
    try:
        real = path.resolve(strict=True)
        inside = real.is_relative_to(folder.resolve(strict=True))
        if inside and os.path.samestat(os.fstat(stream.fileno()), real.stat()):
            return stream
    except (OSError, RuntimeError):
        pass
    stream.close()
    raise NrxError("file.unknown", f"The file {path.name} is not part of the return.")


def _folders(parent: Path) -> Iterator[Path]:
    try:
        with os.scandir(parent) as found:
            for item in found:
                if not item.name.startswith(".") and item.is_dir(follow_symlinks=False):
                    yield Path(item.path)
    except OSError:
        return


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    count = 0
    for where, folders, names in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(where) / name
            if name.startswith(".") or path.is_symlink() or not path.is_file():
                continue
            count += 1
            if count > MOST_FILES:
                return
            yield path.relative_to(folder).as_posix(), path


def _read(file: Path) -> dict[str, Any] | None:
    try:
        if file.stat().st_size > LARGEST_MANIFEST_BYTES:
            return None
        fields = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def _entry(folder: Path, stamp: tuple[int, int]) -> _Entry | None:
    fields = _read(folder / MANIFEST)
    if fields is None or not isinstance(fields.get("id"), str):
        return None
    timeline, tracks = fields.get("timeline") or {}, fields.get("tracks") or []
    analysis, loudness = fields.get("analysis") or {}, fields.get("loudness") or {}
    level = loudness.get("master") or loudness.get("mix") or {}
    created = str(fields.get("created_utc") or "")
    item = Return(
        job_id=fields["id"],
        title=folder.name,
        action=str(fields.get("action") or ""),
        style=fields.get("style"),
        folder=str(folder),
        created_at=created,
        duration_s=timeline.get("duration_s") or analysis.get("duration_s"),
        tracks=len(tracks),
        loudness_lufs=level.get("integrated_lufs"),
        key=analysis.get("key"),
        tempo_bpm=timeline.get("tempo_bpm"),
    )
    return _Entry(stamp, item, (created, item.job_id))


def _haystack(item: Return) -> str:
    return " ".join(
        str(part) for part in (item.title, item.action, item.style, item.key, item.created_at, item.job_id)
    ).lower()


def _packed(order: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(order).encode()).decode()


def _unpacked(mark: str) -> tuple[str, str]:
    try:
        created, job_id = json.loads(base64.urlsafe_b64decode(mark.encode("ascii")))
        return str(created), str(job_id)
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise NrxError(
            "request.invalid",
            f"before={mark[:80]!a} is no page mark; use the next of a page, or leave it out.",
        ) from None
