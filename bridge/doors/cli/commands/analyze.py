"""`nrx analyze`."""

from pathlib import Path
from typing import Any

import click

from bridge.doors.cli.options import output_options, timeline_options
from bridge.doors.cli.options import tempo_range as parse_range
from bridge.doors.cli.separator_options import separator_fields, separator_options


@click.command(
    "analyze",
    epilog="""
\b
Examples:
  nrx analyze song.wav
  nrx analyze song.wav --tempo-range 140-190 --json
""",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE|ROLE=FILE…")
@timeline_options
@separator_options
@output_options
def command(
    files: tuple[str, ...],
    tempo_map: Path | None,
    out: Path | None,
    *,
    tempo_range: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Tell tempo, beats, key, chords, sections, energy, brightness and melody of songs.

    The return holds a manifest, a picture, and a MIDI file with tempo map, chords and sections as markers.
    """
    from bridge.doors.cli.inputs import jobs_of
    from bridge.doors.cli.runner import run_requests
    from bridge.doors.cli.tempo_file import read_tempo_map
    from bridge.protocol import parse_request

    requests = [
        parse_request(
            {
                "action": "analyze",
                "inputs": inputs,
                "tempo_map": read_tempo_map(tempo_map),
                "tempo_range_bpm": parse_range(tempo_range),
                **separator_fields(options),
            }
        )
        for inputs in jobs_of(files)
    ]
    run_requests(requests, out, as_json=as_json)
