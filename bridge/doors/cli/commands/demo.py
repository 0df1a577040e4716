"""`nrx demo`."""

from pathlib import Path

import click

from bridge.doors.cli.options import output_options


@click.command("demo")
@click.option("--style", default="lofi_chill", show_default=True, help="The style to remix the song in.")
@output_options
def command(style: str, out: Path | None, *, as_json: bool) -> None:
    """Make a short song, remix it, and show what comes back and where.

    The song is made here, by the built-in instruments: nothing is downloaded, and no file of yours is needed. Nobody
    sings in it, so no voice is kept.
    """
    from bridge.config import load_settings
    from bridge.demo import make_song
    from bridge.doors.cli.runner import run_requests
    from bridge.protocol import parse_request

    song = make_song(load_settings().home / "demo")
    if not as_json:
        click.echo(f"A song to remix: {song}", err=True)
    run_requests(
        [parse_request({"action": "remix", "inputs": [{"path": str(song)}], "style": style, "keep": ()})],
        out,
        as_json=as_json,
    )
