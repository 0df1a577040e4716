"""`nrx clean`."""

import sys

import click


@click.command(
    "clean",
    epilog="""
\b
Examples:
  nrx clean                 what takes disk
  nrx clean cache logs      free these
  nrx clean returns --yes   without asking
""",
)
@click.argument("parts", nargs=-1, metavar="[PART…]")
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(parts: tuple[str, ...], *, yes: bool) -> None:
    """Show what of NRX_HOME takes disk; free the parts that are named. Settings, styles and jobs' records stay."""
    from bridge.config import load_settings
    from bridge.daemon_file import read_daemon
    from bridge.install.disk import PARTS, empty, size_bytes
    from engine.errors import NrxError

    settings = load_settings()
    known = {part.name: part for part in PARTS}
    unknown = [name for name in parts if name not in known]
    if unknown:
        raise NrxError(
            "request.invalid", f"There is no part {unknown[0]!r}; the parts are: {', '.join(known)}."
        )
    if not parts:
        for part in PARTS:
            click.echo(f"{part.name:<8} {_size(size_bytes(part.folder(settings))):>9}  {part.what}")
        click.echo(f"In {settings.home}. `nrx clean PART` frees one.")
        return
    if "inputs" in parts and read_daemon(settings.home) is not None:
        raise NrxError(
            "daemon.running", "The daemon's jobs need their inputs; end `nrx serve` before freeing them."
        )
    for name in parts:
        part = known[name]
        folder = part.folder(settings)
        question = f"Free {_size(size_bytes(folder))} of {name} ({part.loses})?"
        if not yes and not (sys.stdin.isatty() and click.confirm(question)):
            click.echo(f"{name}: left as it is{'' if sys.stdin.isatty() else '; say --yes to free it'}.")
            continue
        click.echo(f"{name}: {_size(empty(folder))} freed.")


def _size(count: int) -> str:
    """Return bytes for people: "3.60 GB", "5.6 MB"."""
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
