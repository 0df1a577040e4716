"""`nrx open`."""

import click


@click.command(
    "open",
    epilog="""
\b
Examples:
  nrx open
  nrx open --print        print the one-time link instead of opening a browser
""",
)
@click.option("--print", "only_print", is_flag=True, help="Print the link; do not open a browser.")
def command(*, only_print: bool) -> None:
    """Open the daemon's web console, signed in by a link that works once."""
    import webbrowser

    from bridge.client import DaemonClient
    from bridge.config import load_settings

    with DaemonClient(load_settings()) as daemon:
        code = daemon.call("POST", "/v2/session/code")["code"]
        link = f"{daemon.url.rstrip('/')}/#code={code}"
    if only_print or not webbrowser.open(link):
        click.echo(link)
    else:
        click.echo("The console is open in your browser.")
