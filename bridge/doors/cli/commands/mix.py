"""`nrx mix`."""

from pathlib import Path
from typing import Any

import click

from bridge.doors.cli.options import number, output_options, words
from engine.errors import NrxError


@click.command(
    "mix",
    epilog="""
\b
Examples:
  nrx mix stems/*.wav --preset "Hip-Hop"
  nrx mix vocals=take3.wav drums=loop.wav bass=di.wav --out mixes
  nrx mix stems/*.wav --amount eq=50 --bypass ducking,parallel --respect-user-gains
  nrx mix stems/*.wav --session mix.yaml
""",
)
@click.argument("files", nargs=-1, metavar="FILE|ROLE=FILE…")
@click.option(
    "--preset",
    metavar="ID",
    help="streaming (default), pop, hip_hop, rock, electro_house, or a style: balance and tone, and the master.",
)
@click.option(
    "--session",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Render this mix.yaml as it is. Its files are looked for beside it where none are given.",
)
@click.option(
    "--reference",
    "references",
    multiple=True,
    metavar="FILE",
    help="A song that mix and master are to sound like.",
)
@click.option(
    "--amount",
    "amounts",
    multiple=True,
    metavar="STAGE=PCT",
    help="How much of a stage, 0 to 100: balance, eq, low_cut, dynamics, riding, ducking, panning, width, sends, "
    "parallel, bus, alignment, plugins.",
)
@click.option("--bypass", metavar="STAGES", default="", help="Stages to leave out, as eq,sends.")
@click.option("--respect-user-gains", is_flag=True, help="Keep the levels at which the stems come.")
@click.option(
    "--policy", type=click.Choice(["learned", "rules", "equal"]), help="What balances.  [default: the best]"
)
@click.option("--bpm", metavar="BPM", help="The song's tempo, for echoes in time.")
@click.option("--lufs", metavar="LUFS", help="The master's loudness, instead of the preset's.")
@click.option("--ceiling", metavar="DBTP", help="The master's true-peak ceiling, -1 at most.  [default: -1]")
@click.option("--tracks/--no-tracks", default=True, help="Also return every stem as it stands in the mix.")
@click.option("--master/--no-master", default=True, help="Also master the mix.")
@output_options
def command(files: tuple[str, ...], out: Path | None, *, as_json: bool, **options: Any) -> None:
    """Mix stems, master the mix, and explain both.

    Roles (kick, snare, hats, percussion, bass, lead_vocal, backing_vocal, guitar, keys, synth, pad, strings, brass, fx)
    are guessed from the files' names unless given. The return holds mix, master, tracks, report.html, and mix.yaml:
    every setting as a channel strip, to be changed and rendered again with --session.
    """
    from bridge.doors.cli.inputs import stems_of
    from bridge.doors.cli.runner import run_requests
    from bridge.protocol import parse_request

    session: dict[str, Any] | None = None
    inputs = stems_of(files)
    if options["session"] is not None:
        from engine.mixing.session import read_session

        read = read_session(options["session"])
        session = read.model_dump(mode="json")
        if not inputs:
            folder = options["session"].absolute().parent
            inputs = [{"path": str(folder / strip.file), "role": None} for strip in read.tracks if strip.file]
            absent = [
                Path(str(item["path"])).name for item in inputs if not Path(str(item["path"])).is_file()
            ]
            if absent:
                raise NrxError(
                    "input.not_found",
                    f"{absent[0]} is not beside {options['session'].name}; give the stems too: "
                    f"nrx mix STEMS… --session {options['session'].name}.",
                )
    if not inputs:
        raise NrxError("request.invalid", "Give the stems' files, or a --session with its files beside it.")
    request = parse_request(
        {
            "action": "mix",
            "inputs": [*inputs, *({"path": path, "role": "reference"} for path in options["references"])],
            "preset": options["preset"],
            "bpm": number("bpm", options["bpm"]),
            "lufs": number("lufs", options["lufs"]),
            "ceiling_dbtp": number("ceiling", options["ceiling"]),
            "mixing": {
                "session": session,
                "amounts": _amounts(options["amounts"]),
                "bypass": words(options["bypass"]),
                "respect_user_gains": options["respect_user_gains"],
                "policy": options["policy"],
                "tracks": options["tracks"],
                "master": options["master"],
            },
        }
    )
    run_requests([request], out, as_json=as_json)


def _amounts(given: tuple[str, ...]) -> dict[str, Any]:
    """Read "eq=50" words.

    Raises:
        NrxError: `request.invalid`.
    """
    amounts = {}
    for word in given:
        stage, sign, percent = word.partition("=")
        if not sign:
            raise NrxError("request.invalid", f"--amount {word!r} is no amount; write it as eq=50.")
        amounts[stage.strip()] = number("amount", percent.strip().removesuffix("%"))
    return amounts
