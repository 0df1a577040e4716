"""`nrx master`."""

from pathlib import Path
from typing import Any

import click

from bridge.doors.cli.options import number, output_options


@click.command(
    "master",
    epilog="""
\b
Examples:
  nrx master mix.wav
  nrx master mix.wav --preset pop
  nrx master mix.wav --lufs -12 --ceiling -1.5
""",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--preset", metavar="ID", help="streaming (default), pop, hip_hop, rock, electro_house.")
@click.option("--lufs", metavar="LUFS", help="Loudness to reach, instead of the preset's.")
@click.option("--ceiling", metavar="DBTP", help="True-peak ceiling, instead of the preset's.")
@output_options
def command(files: tuple[str, ...], out: Path | None, *, as_json: bool, **options: Any) -> None:
    """Bring mixes to their loudness, at or under the true-peak ceiling.

    Where a mix can't be that loud without harm, the target is lowered and the manifest says why.
    """
    from bridge.doors.cli.runner import run_requests
    from bridge.protocol import parse_request

    requests = [
        parse_request(
            {
                "action": "master",
                "inputs": [{"path": file}],
                "preset": options["preset"],
                "lufs": number("lufs", options["lufs"]),
                "ceiling_dbtp": number("ceiling", options["ceiling"]),
            }
        )
        for file in files
    ]
    run_requests(requests, out, as_json=as_json)
