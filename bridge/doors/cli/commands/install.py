"""`nrx install`."""

from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bridge.config import Settings

TARGETS = {
    "ableton": "bridge.install.ableton",
    "ardour": "bridge.install.ardour",
    "reaper": "bridge.install.reaper",
}
"""What scripts can be put into -> the module that knows how.

Each module has `install(settings, folder, *, dry_run)` and `remove(settings, folder, *, dry_run)`; both take the folder
of `--path` or None, and return the lines to show.
"""
WITH_OSC = ("reaper",)
"""Those whose `install` also takes `osc`."""


@click.command(
    "install",
    epilog="""
\b
Examples:
  nrx install ableton
  nrx install ardour
  nrx install ardour --dry-run
  nrx install ardour --remove
  nrx install reaper
  nrx install reaper --path /opt/REAPER-portable
  nrx install reaper --osc
""",
)
@click.argument("target", type=click.Choice(sorted(TARGETS)))
@click.option(
    "--path",
    "folder",
    type=click.Path(path_type=Path),
    help="The program's own folder, where it is not found.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done; do nothing.")
@click.option("--remove", is_flag=True, help="Take the scripts out again; other files stay as they are.")
@click.option(
    "--osc", is_flag=True, help="REAPER: add an OSC surface too, so that finished jobs come in by themselves."
)
def command(target: str, folder: Path | None, *, dry_run: bool, remove: bool, osc: bool) -> None:
    """Put the scripts of NRX Bridge into a DAW, or take them out again.

    Only files of NRX Bridge's own are written, replaced or removed.
    """
    from bridge.config import load_settings

    if osc and (remove or target not in WITH_OSC):
        raise click.UsageError(f"--osc goes with installing into: {', '.join(WITH_OSC)}.")
    module = import_module(TARGETS[target])
    settings: Settings = load_settings()
    act = partial(module.install, osc=True) if osc else module.remove if remove else module.install
    for line in act(settings, folder.expanduser().absolute() if folder else None, dry_run=dry_run):
        click.echo(line)
