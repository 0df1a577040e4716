"""`nrx generate`."""

from pathlib import Path
from typing import Any

import click

from bridge.doors.cli.generator_options import generator_fields, generator_options
from bridge.doors.cli.music_options import music_fields, music_options
from bridge.doors.cli.options import output_options
from bridge.doors.cli.separator_options import separator_option

KEEP_WARM_S = 3600.0
"""How long models stay loaded between takes; they go with the process anyway."""
CANCELLED = 130
"""Exit status after Ctrl-C, which ends a conversation too."""


@click.command(
    "generate",
    epilog="""
\b
Examples:
  nrx generate "dark techno, 128 bpm" --duration 30
  nrx generate --stem drums --style jazz --bpm 140 --duration 20
  nrx generate --like song.wav -n 3
  nrx generate "sad piano in F# minor" --out ideas --json
  nrx generate "sad piano in F# minor" --out piano.wav
  nrx generate "dark techno" --backend musicgen --guidance 4 --seed 7
  nrx generate --interactive
""",
)
@click.argument("words", required=False)
@click.option("--like", type=click.Path(path_type=Path), metavar="FILE", help="Variations of this song.")
@click.option(
    "-n", "--count", type=click.IntRange(1, 50), default=1, show_default=True, help="How many takes."
)
@click.option("--style", help="A style's id; without one, the nearest to the words or the song.")
@click.option(
    "--stem",
    metavar="TYPE",
    help="Only one part: drums, bass, melody, chords, pad, arp, strings, fx; with a neural model also voice.",
)
@click.option("--duration", metavar="SECONDS", help="Length; 30 s, or the song's, unless set.")
@click.option("-i", "--interactive", is_flag=True, help="Ask for words again and again.")
@generator_options
@separator_option
@music_options
@output_options
def command(words: str | None, like: Path | None, out: Path | None, *, as_json: bool, **options: Any) -> None:
    """Make new music: from words, like a song, or a single stem.

    Without neural models the built-in arranger plays: the style nearest to the words, in their tempo and key. With one,
    it plays sound from the words, or follows the song; its takes are fitted to the bars by the beats that it plays.
    Of several, the best comes first if the model that ranks them is here (`nrx models fetch clap-music`).

    With --out FILE.wav the master is copied there; the return is made as ever.
    """
    fields = {
        "action": "generate",
        "inputs": [{"path": str(like)}] if like is not None else [],
        "prompt": words,
        **music_fields(options),
        **generator_fields(options),
        "separator": options["separator"],
    }
    if not options["interactive"]:
        _play(fields, options["count"], out, as_json=as_json)
        return
    from bridge.doors.cli.conversation import converse

    converse(fields, lambda asked: _play(asked, options["count"], out, as_json=as_json, stay=True))


def _play(fields: dict[str, Any], count: int, out: Path | None, *, as_json: bool, stay: bool = False) -> None:
    """Run as many takes as were asked for, each a return of its own; with `stay` a failure ends nothing."""
    from bridge.doors.cli.runner import run_requests
    from bridge.doors.cli.wav_copy import as_file, copy_master, numbered, refuse_what_is_there
    from bridge.protocol import Manifest, parse_request

    drawn = fields.get("generation", {})
    requests = [
        parse_request(
            {
                **fields,
                "seed": fields.get("seed", 0) + take,
                "generation": {**drawn, "ahead": count - 1 - take, "before": take},
            }
        )
        for take in range(count)
    ]
    file = as_file(out)
    copies = [numbered(file, take + 1, count) for take in range(count)] if file is not None else []
    refuse_what_is_there(copies)

    def finished(number: int, manifest: Manifest) -> None:
        if copies:
            copy_master(manifest, copies[number])

    try:
        run_requests(
            requests,
            None if copies else out,
            as_json=as_json,
            finished=finished,
            keep_warm_s=KEEP_WARM_S,
        )
    except SystemExit as ended:
        if not stay or ended.code == CANCELLED:
            raise
