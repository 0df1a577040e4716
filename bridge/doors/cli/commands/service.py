"""`nrx service`."""

import sys

import click


@click.command(
    "service",
    epilog="""
\b
Examples:
  nrx service install
  nrx service install --dry-run
  nrx service remove
""",
)
@click.argument("what", type=click.Choice(["install", "remove"]))
@click.option("--dry-run", is_flag=True, help="Show what would be written and run; do nothing.")
def command(what: str, *, dry_run: bool) -> None:
    """Start the daemon whenever you log in, or stop doing so.

    A systemd user unit on Linux, a launchd agent on macOS, a scheduled task on Windows; no administrator is needed.
    """
    import subprocess

    from bridge.config import load_settings
    from bridge.install.service import install, kind_here, remove

    settings = load_settings()
    kind = kind_here()
    file = kind.file(settings)
    if dry_run:
        if what == "install":
            click.echo(f"Would write {file}:\n\n{kind.text(settings)}")
        else:
            click.echo(f"Would remove {file}.")
        for words in kind.switch_on(file) if what == "install" else kind.switch_off(file):
            click.echo(f"Would run: {subprocess.list2cmdline(words)}")
        return
    trouble = install(settings, kind) if what == "install" else remove(settings, kind)
    if trouble:
        click.echo(f"{file} is {'written' if what == 'install' else 'removed'}, but {trouble[0]}", err=True)
        sys.exit(5)
    if what == "install":
        click.echo(f"The daemon runs now and starts whenever you log in ({kind.what}, {file}).")
    else:
        click.echo(f"The daemon no longer starts by itself ({file} is gone).")
