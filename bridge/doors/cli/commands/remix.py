"""`nrx remix`."""

from pathlib import Path
from typing import Any

import click

from bridge.doors.cli.options import output_options
from bridge.doors.cli.remix_options import remix_fields, remix_options


@click.command(
    "remix",
    epilog="""
\b
Examples:
  nrx remix song.wav --style lofi_chill
  nrx remix song.wav --style synthwave --tempo style
  nrx remix song.wav --style rock --tempo 128 --keep vocals,bass
  nrx remix vocals=voice.wav drums=kit.wav bass=bass.wav --style jazz
  nrx remix "My Set.als" --track Drums --style edm
  nrx remix project.RPP --track "Lead vox" --style neo_soul
  nrx remix *.flac --style acoustic --out remixes --json
""",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE|ROLE=FILE…")
@click.option("--style", required=True, help="A style's id; `nrx styles` lists them.")
@remix_options
@output_options
def command(files: tuple[str, ...], out: Path | None, *, as_json: bool, **options: Any) -> None:
    """Remix songs in another style.

    Files without roles are songs of their own. Files with roles (vocals=a.wav drums=b.wav) are one song whose stems are
    already separated. The return is a new folder with tracks, MIDI, mix, master, a picture and a manifest.
    """
    from bridge.doors.cli.inputs import jobs_of
    from bridge.doors.cli.runner import run_requests
    from bridge.protocol import parse_request

    requests = [parse_request(remix_fields(inputs, options)) for inputs in jobs_of(files)]
    run_requests(requests, out, as_json=as_json)
