"""`nrx serve`."""

import os
from pathlib import Path

import click


@click.command(
    "serve",
    epilog="""
\b
Examples:
  nrx serve
  nrx serve --watch ~/Music/Renders=lofi_chill --watch ~/Music/Stems
  nrx serve --http-port 0 --osc-port 0
""",
)
@click.option(
    "--watch",
    "watched",
    multiple=True,
    metavar="DIR[=STYLE]",
    help="Make a job of every render that appears in this folder, in this style; may be given more than once.",
)
@click.option(
    "--http-port", type=click.IntRange(0, 65535), help="Port of HTTP and the console; 0: a free one."
)
@click.option("--osc-port", type=click.IntRange(0, 65535), help="Port of OSC; 0: a free one.")
@click.option("--lan", is_flag=True, help="Let other machines in, where nrx.toml names another http.host.")
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    help="The folder of all state, in place of NRX_HOME: for those who start it and cannot set a variable.",
)
def command(
    watched: tuple[str, ...], http_port: int | None, osc_port: int | None, home: Path | None, *, lan: bool
) -> None:
    """Run the daemon until Ctrl-C: watched folders, OSC, HTTP and the web console.

    What it accepts it keeps: jobs that wait or run when it ends are taken up at the next start.
    """
    from bridge.config import load_settings
    from bridge.daemon import Daemon
    from bridge.doors.cli.stopping import StopRequest
    from bridge.doors.folder.option import parse_watch

    if home is not None:
        os.environ["NRX_HOME"] = str(home.expanduser().absolute())  # for the workers as well
    settings = load_settings()
    http = settings.http if http_port is None else settings.http.model_copy(update={"port": http_port})
    osc = settings.osc if osc_port is None else settings.osc.model_copy(update={"port": osc_port})
    watches = (*settings.watch, *(parse_watch(text) for text in watched))
    daemon = Daemon(settings.model_copy(update={"http": http, "osc": osc, "watch": watches}), lan=lan)
    with StopRequest() as stop:
        daemon.start()
        try:
            click.echo(f"console   {daemon.link}")
            click.echo(f"OSC       port {daemon.osc_port}")
            for watch in watches:
                click.echo(f"watching  {watch.path}{f' ({watch.style})' if watch.style else ''}")
            click.echo("NRX Bridge runs; Ctrl-C ends it.")
            stop.wait()
            click.echo("Ending; running jobs go back to the queue.")
        finally:
            daemon.stop()
