"""One watched folder: what in it counts, which style a place in it chooses, and what is our own output.

Sub-folders count, six deep; symbolic links do not. The nearest folder above a file that is named after a style chooses
the style. Never entered: junk, the return folders and NRX_HOME's own, and any folder that holds a return's manifest.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from bridge.config import Settings, WatchSettings
from bridge.doors.folder import names
from bridge.returns.folder import safe_name
from engine.errors import NrxError

DEEPEST = 6
_MANIFEST, _MANIFEST_MARK, _MANIFEST_HEAD = "manifest.json", b'"nrx_version"', 4096
_OWN_IN_HOME = ("cache", "inputs", "jobs", "spool", "styles", "uploads")


def root_of(watch: WatchSettings) -> Path:
    """Return the folder that a watch is on, with links resolved."""
    return Path(os.path.realpath(watch.path.expanduser()))


class WatchedFolder:
    """A watch from the settings, and the rules of its places."""

    def __init__(self, watch: WatchSettings, settings: Settings, other_roots: Iterable[Path] = ()) -> None:
        """Look up the folders; `other_roots` below this one are watched by themselves.

        Raises:
            NrxError: `request.invalid` for a folder inside a return folder: it would take its own output.
        """
        self.settings = watch
        self.root = root_of(watch)
        self.returns = (watch.returns.expanduser() if watch.returns else settings.returns_folder).absolute()
        self._styles_folder = settings.styles_folder
        returns = [
            settings.returns_folder,
            *(each.returns for each in settings.watch if each.returns),
            self.returns,
        ]
        own = [Path(os.path.realpath(folder.expanduser())) for folder in returns]
        self._own = {
            *(folder for folder in own if folder != self.root),
            *(Path(os.path.realpath(settings.home / name)) for name in _OWN_IN_HOME),
        }
        for folder in self._own:
            if self.root.is_relative_to(folder):
                raise NrxError(
                    "request.invalid",
                    f"The watched folder {self.root} lies in {folder}, where NRX Bridge itself writes; watch another.",
                )
        self._not_entered = self._own | {root for root in other_roots if root != self.root}

    @property
    def key(self) -> str:
        """What the ledger knows the watch by."""
        return str(self.root)

    def identity(self) -> tuple[int, int] | None:
        """Return device and inode of the folder, or None while it is not there."""
        try:
            found = self.root.stat()
        except OSError:
            return None
        return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None

    def style_of(self, path: Path) -> str | None:
        """Return the style that a file's place chooses, or the watch's own."""
        from engine.presets import list_styles

        styles = list_styles((self._styles_folder,))
        for folder in path.relative_to(self.root).parents:
            if folder.name and (style := names.style_of_folder(folder.name, styles)) is not None:
                return style
        return self.settings.style

    def error_file(self, path: Path) -> Path:
        """Return where it is written that a file could not be taken: its place in the watch, in one name."""
        label = " - ".join(path.relative_to(self.root).parts)
        return self.returns / f"{safe_name(label, 160)}.error.txt"

    def wants(self, path: Path) -> bool:
        """Whether a path names audio in a place that counts; says nothing of whether it exists."""
        return names.is_audio(path.name) and self.counts(path.parent)

    def counts(self, folder: Path) -> bool:
        """Whether the files of a folder count: the watch's own, or one that is entered."""
        if not folder.is_relative_to(self.root):
            return False
        steps = folder.relative_to(self.root).parts
        places = [self.root.joinpath(*steps[: depth + 1]) for depth in range(len(steps))]
        return len(steps) <= DEEPEST and all(self._enters(place) for place in places)

    def walk(self, start: Path | None = None) -> Iterator[Path]:
        """Yield every audio file in places that count, below `start` or in all of the watch."""
        start = self.root if start is None else start
        if self.counts(start):
            yield from self._walk(start, len(start.relative_to(self.root).parts))

    def _walk(self, folder: Path, depth: int) -> Iterator[Path]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            return
        for entry in entries:
            path = folder / entry.name
            try:
                if entry.is_dir(follow_symlinks=False):
                    if depth < DEEPEST and self._enters(path):
                        yield from self._walk(path, depth + 1)
                elif entry.is_file(follow_symlinks=False) and names.is_audio(entry.name):
                    yield path
            except OSError:
                continue

    def _enters(self, folder: Path) -> bool:
        if names.is_junk_folder(folder.name) or folder in self._not_entered or folder.is_symlink():
            return False
        return not _is_return(folder)


def _is_return(folder: Path) -> bool:
    """Whether a folder is a return that was published there."""
    try:
        with (folder / _MANIFEST).open("rb") as file:
            return _MANIFEST_MARK in file.read(_MANIFEST_HEAD)
    except OSError:
        return False
