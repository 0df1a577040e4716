"""`nrx allow`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bridge.config import Settings


def _watched_now(settings: "Settings") -> list[Path]:
    """Return what a running daemon watches: `nrx serve --watch` is in no settings."""
    from bridge.client import DaemonClient
    from bridge.daemon_file import read_daemon
    from engine.errors import NrxError

    if read_daemon(settings.home) is None:
        return []
    try:
        with DaemonClient(settings) as daemon:
            told = daemon.call("GET", "/v2/system")["folders"]
    except NrxError:
        return []
    return [Path(folder["path"]).resolve() for folder in told]


@click.command(
    "allow",
    epilog="""
\b
Examples:
  nrx allow                       list the folders
  nrx allow ~/Music/Projects
  nrx allow --remove ~/Music/Projects
""",
)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--remove", is_flag=True, help="Take the folder off the list again.")
def command(folder: Path | None, *, remove: bool) -> None:
    """Let requests that come by OSC and HTTP name audio files below FOLDER.

    Watched folders and NRX_HOME are always allowed; the command line and scripts on this machine can read whatever you
    can read. A running daemon hears of a change at once.
    """
    from bridge.config import load_settings
    from bridge.security.roots import Roots, add_root, remove_root
    from engine.errors import NrxError

    settings = load_settings()
    if folder is None:
        if remove:
            raise NrxError("request.invalid", "Name the folder to remove.")
        for root in dict.fromkeys((*Roots(settings).folders(), *_watched_now(settings))):
            click.echo(str(root))
        return
    full = folder.expanduser().absolute()
    if remove:
        remove_root(settings.home, full)
        click.echo(f"OSC and HTTP may no longer name files below {full}.")
        return
    if not full.is_dir():
        raise NrxError("input.not_found", f"There is no folder {full}.")
    add_root(settings.home, full)
    click.echo(f"OSC and HTTP may name files below {full}.")
