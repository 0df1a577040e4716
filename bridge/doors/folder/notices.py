"""The system's own notices of changed files (inotify, FSEvents, ReadDirectoryChangesW), through watchdog.

Opening and reading say nothing about a render, and are not passed on; closing, or another owner or time, is, but is no
change of content by itself.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver, ObservedWatch

Kind = Literal["written", "closed", "folder"]
Tell = Callable[[Kind, Path], None]

log = logging.getLogger("nrx.folder")
_KINDS: dict[str, Kind] = {
    "created": "written",
    "modified": "written",
    "moved": "written",
    "deleted": "closed",
    "closed": "closed",
    "attrib": "closed",
}


class Notices:
    """Tells of changes below folders, on a thread of watchdog's."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._observer: BaseObserver | None = None
        self._watches: dict[Path, ObservedWatch] = {}

    def watch(self, root: Path) -> bool:
        """Begin to tell of a folder; False if the system refuses (too many watches, a share without notices)."""
        from watchdog.events import FileSystemEvent, FileSystemEventHandler
        from watchdog.observers import Observer

        tell = self._tell

        class Handler(FileSystemEventHandler):
            def dispatch(self, event: FileSystemEvent) -> None:
                kind = _KINDS.get(event.event_type)
                if kind is None:
                    return
                for named in (event.src_path, event.dest_path):
                    if named:
                        path = Path(str(named))
                        if not event.is_directory:
                            tell(kind, path)
                        elif event.event_type in ("created", "moved"):
                            tell("folder", path)

        try:
            if self._observer is None:
                self._observer = Observer()
                self._observer.start()
            self._watches[root] = self._observer.schedule(Handler(), str(root), recursive=True)
        except OSError as error:
            log.warning(
                "The system gives no notice of changes in %s (%s); it is looked at often", root, error
            )
            return False
        return True

    def forget(self, root: Path) -> None:
        """Stop to tell of a folder; one that has vanished may be forgotten too."""
        watch = self._watches.pop(root, None)
        if watch is None or self._observer is None:
            return
        try:
            self._observer.unschedule(watch)
        except (KeyError, OSError) as error:
            log.debug("Forgetting %s: %s", root, error)

    def stop(self) -> None:
        """Stop to tell of anything."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(0.5)
            self._observer = None
        self._watches.clear()
