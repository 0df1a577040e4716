"""Progress with stage and time left, on standard error."""

import sys
import time
from collections.abc import Callable

import click


class ProgressBar:
    """A progress bar on a terminal; on anything else one line a stage, or nothing when `quiet`."""

    def __init__(self, title: str, *, quiet: bool) -> None:
        self.title = title
        self.terminal = sys.stderr.isatty()
        self.quiet = quiet and not self.terminal
        self.stage = ""
        self.started = time.monotonic()

    def __enter__(self) -> Callable[[str, float], None]:
        if not self.terminal:
            return self._line
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.text import Text

        self.progress = Progress(
            TextColumn("{task.fields[title]}"),
            TextColumn("[cyan]{task.description:<9}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self.task = self.progress.add_task("", total=1.0, title=Text(self.title, overflow="ellipsis"))
        self.progress.start()
        return self._draw

    def _draw(self, stage: str, fraction: float) -> None:
        self.progress.update(self.task, completed=fraction, description=stage)

    def _line(self, stage: str, fraction: float) -> None:
        if stage != self.stage and not self.quiet:
            self.stage = stage
            click.echo(
                f"{self.title}: {stage} ({fraction:.0%}, {time.monotonic() - self.started:.1f} s)", err=True
            )

    def __exit__(self, *_: object) -> None:
        if self.terminal:
            self.progress.stop()
