"""`nrx mix`."""

from pathlib import Path

import click

from bridge.doors.cli.options import output_options


@click.command(
    "mix",
    epilog="""
\b
Examples:
  nrx mix stems/*.wav
  nrx mix vocals=take3.wav drums=loop.wav bass=di.wav --out mixes
""",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE|ROLE=FILE…")
@output_options
def command(files: tuple[str, ...], out: Path | None, *, as_json: bool) -> None:
    """Balance stems into one mix; roles are guessed from the files' names unless given."""
    from bridge.doors.cli.inputs import stems_of
    from bridge.doors.cli.runner import run_requests
    from bridge.protocol import parse_request

    run_requests([parse_request({"action": "mix", "inputs": stems_of(files)})], out, as_json=as_json)
