"""`nrx remix`."""

from pathlib import Path
from typing import Any

import click

from bridge.doors.cli.options import (
    number,
    output_options,
    scale_options,
    seed_option,
    tempo_range,
    timeline_options,
    words,
)


@click.command(
    "remix",
    epilog="""
\b
Examples:
  nrx remix song.wav --style lofi_chill
  nrx remix song.wav --style synthwave --tempo style
  nrx remix song.wav --style rock --tempo 128 --keep vocals,bass
  nrx remix vocals=voice.wav drums=kit.wav bass=bass.wav --style jazz
  nrx remix *.flac --style acoustic --out remixes --json
""",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE|ROLE=FILE…")
@click.option("--style", required=True, help="A style's id; `nrx styles` lists them.")
@scale_options
@click.option(
    "--tempo",
    default="project",
    show_default=True,
    help="project: the song's own bars · style: the nearest tempo in the style's range · a number in BPM.",
)
@timeline_options
@click.option(
    "--keep",
    default="vocals",
    show_default=True,
    help="Stems of the song to keep in the remix, with commas: vocals, drums, bass, other; or none.",
)
@seed_option
@output_options
def command(files: tuple[str, ...], out: Path | None, *, as_json: bool, **options: Any) -> None:
    """Remix songs in another style.

    Files without roles are songs of their own. Files with roles (vocals=a.wav drums=b.wav) are one song whose stems are
    already separated. The return is a new folder with tracks, MIDI, mix, master, a picture and a manifest.
    """
    from bridge.doors.cli.inputs import jobs_of
    from bridge.doors.cli.runner import run_requests
    from bridge.doors.cli.tempo_file import read_tempo_map
    from bridge.protocol import parse_request

    requests = [
        parse_request(
            {
                "action": "remix",
                "inputs": inputs,
                "style": options["style"],
                "energy": number("energy", options["energy"]),
                "brightness": number("brightness", options["brightness"]),
                "tempo": options["tempo"],
                "tempo_map": read_tempo_map(options["tempo_map"]),
                "tempo_range_bpm": tempo_range(options["tempo_range"]),
                "keep": words(options["keep"]),
                "seed": options["seed"],
            }
        )
        for inputs in jobs_of(files)
    ]
    run_requests(requests, out, as_json=as_json)
