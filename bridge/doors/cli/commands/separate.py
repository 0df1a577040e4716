"""`nrx separate`."""

from pathlib import Path
from typing import Any

import click

from bridge.doors.cli.options import output_options
from bridge.doors.cli.separator_options import (
    fine_separator_fields,
    fine_separator_options,
    separator_fields,
    separator_options,
)


@click.command(
    "separate",
    epilog="""
\b
Examples:
  nrx separate song.wav
  nrx separate song.mp3 --two-stems vocals --out stems
  nrx separate song.wav --separator htdemucs_ft --device cuda
""",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "--two-stems", metavar="ROLE", help="Only this stem and the rest: vocals, drums, bass or other."
)
@separator_options
@fine_separator_options
@output_options
def command(
    files: tuple[str, ...], two_stems: str | None, out: Path | None, *, as_json: bool, **options: Any
) -> None:
    """Take songs apart into vocals, drums, bass and other, which sum to the song again.

    Without a neural model this is karaoke-grade: good for remixing, analysing and practising. With one, which
    `nrx models fetch htdemucs` downloads, it is Demucs v4.
    """
    from bridge.doors.cli.runner import run_requests
    from bridge.protocol import parse_request

    requests = [
        parse_request(
            {
                "action": "separate",
                "inputs": [{"path": file}],
                "two_stems": two_stems,
                **separator_fields(options),
                **fine_separator_fields(options),
            }
        )
        for file in files
    ]
    run_requests(requests, out, as_json=as_json)
