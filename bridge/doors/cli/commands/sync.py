"""`nrx sync`."""

from pathlib import Path
from typing import Any

import click

from bridge.doors.cli.options import number, output_options


@click.command(
    "sync",
    epilog="""
\b
Examples:
  nrx sync vocal.wav --from 126 --tempo 95
  nrx sync vocal.wav --from 126 --tempo 95 --pitch none
  nrx sync vocal.wav --from 100 --tempo-map project.mid
  nrx sync song.wav --tempo 120
""",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--tempo", metavar="BPM", help="The tempo to fit to.")
@click.option(
    "--tempo-map",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Or the tempo map to fit to: MIDI, or a table of bars (.json, .csv).",
)
@click.option("--from", "own", metavar="BPM", help="The file's own tempo; estimated unless given.")
@click.option(
    "--pitch",
    default="natural",
    show_default=True,
    metavar="none|natural|SEMITONES",
    help="How the pitch moves: not at all, by the small change that sounds natural at the new tempo, or by a number.",
)
@output_options
def command(files: tuple[str, ...], out: Path | None, *, as_json: bool, **options: Any) -> None:
    """Fit a vocal (or any audio) to another tempo, in one pass, with its formants kept.

    A large change of tempo takes the small change of pitch that sounds natural, unless --pitch says otherwise; the
    manifest tells how much.
    """
    from bridge.doors.cli.runner import run_requests
    from bridge.doors.cli.tempo_file import read_tempo_map
    from bridge.protocol import parse_request

    requests = [
        parse_request(
            {
                "action": "sync",
                "inputs": [{"path": file}],
                "tempo": options["tempo"] if options["tempo"] is not None else "project",
                "tempo_map": read_tempo_map(options["tempo_map"]),
                "bpm": number("from", options["own"]),
                "pitch": options["pitch"],
            }
        )
        for file in files
    ]
    run_requests(requests, out, as_json=as_json)
