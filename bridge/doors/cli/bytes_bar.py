"""A progress bar of bytes on standard error, for downloads: how much of how much, how fast, how long it will take."""

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


class BytesBar:
    """Shows `title` with a bar while it is open; nothing with `quiet`, and a line a step where nobody watches."""

    def __init__(self, title: str, *, quiet: bool = False) -> None:
        console = Console(file=sys.stderr, highlight=False)
        self._watched = console.is_terminal and not quiet
        self._quiet = quiet
        self._title = title
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not self._watched,
        )
        self._task = self._progress.add_task(title, total=None)

    def __enter__(self) -> "BytesBar":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def tell(self, here: int, whole: int) -> None:
        """Show how many bytes are here."""
        self._progress.update(self._task, completed=here, total=whole or None)

    def say(self, step: str) -> None:
        """Show what is being done."""
        self._progress.update(self._task, description=f"{self._title}: {step}")
        if not self._watched and not self._quiet:
            sys.stderr.write(f"{self._title}: {step}\n")
