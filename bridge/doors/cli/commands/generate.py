"""`nrx generate`."""

from pathlib import Path
from typing import Any

import click

from bridge.doors.cli.options import number, output_options, scale_options, seed_option


@click.command(
    "generate",
    epilog="""
\b
Examples:
  nrx generate "dark techno, 128 bpm" --duration 30
  nrx generate --stem drums --style jazz --bpm 140 --duration 20
  nrx generate --like song.wav -n 3
  nrx generate "sad piano in F# minor" --out ideas --json
""",
)
@click.argument("words", required=False)
@click.option("--like", type=click.Path(path_type=Path), metavar="FILE", help="Variations of this song.")
@click.option(
    "-n", "--count", type=click.IntRange(1, 50), default=1, show_default=True, help="How many takes."
)
@click.option("--style", help="A style's id; without one, the nearest to the words or the song.")
@click.option(
    "--stem", metavar="TYPE", help="Only one part: drums, bass, chords, pad, arp, lead, strings or fx."
)
@click.option("--key", metavar="KEY", help="As C, F# minor, Bb major.")
@click.option("--bpm", metavar="BPM", help="Tempo.")
@click.option("--duration", metavar="SECONDS", help="Length; 30 s, or the song's, unless set.")
@scale_options
@seed_option
@output_options
def command(words: str | None, like: Path | None, out: Path | None, *, as_json: bool, **options: Any) -> None:
    """Make new music: from words, like a song, or a single stem.

    Without neural models the built-in arranger plays: the style nearest to the words, in their tempo and key.
    """
    from bridge.doors.cli.runner import run_requests
    from bridge.protocol import parse_request

    first = {
        "action": "generate",
        "inputs": [{"path": str(like)}] if like is not None else [],
        "prompt": words,
        "style": options["style"],
        "stem": options["stem"],
        "key": options["key"],
        "bpm": number("bpm", options["bpm"]),
        "duration_s": number("duration", options["duration"]),
        "energy": number("energy", options["energy"]),
        "brightness": number("brightness", options["brightness"]),
    }
    requests = [parse_request({**first, "seed": options["seed"] + take}) for take in range(options["count"])]
    run_requests(requests, out, as_json=as_json)
