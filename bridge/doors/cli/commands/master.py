"""`nrx master`."""

from pathlib import Path
from typing import Any

import click

from bridge.doors.cli.options import number, output_options
from engine.errors import NrxError


@click.command(
    "master",
    epilog="""
\b
Examples:
  nrx master mix.wav
  nrx master mix.wav --preset pop
  nrx master mix.wav --lufs -12 --ceiling -1.5 --bits 16
  nrx master mix.wav --reference hit.wav --reference other.flac --amount match_width=50
  nrx master one.wav two.wav three.wav --album --preset rock
""",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "--preset",
    metavar="ID",
    help="streaming (default), pop, hip_hop, rock, electro_house, or a style's name.",
)
@click.option("--lufs", metavar="LUFS", help="Loudness to reach, instead of the preset's.")
@click.option("--ceiling", metavar="DBTP", help="True-peak ceiling, -1 at most.  [default: -1]")
@click.option(
    "--reference",
    "references",
    multiple=True,
    metavar="FILE",
    help="A song to sound like: spectrum, width, dynamics and (without --lufs and --preset) loudness. May be "
    "given several times; the mean of all is matched.",
)
@click.option("--width", metavar="PCT", help="Level of the side in percent of the mix's, 140 at most.")
@click.option("--lra-max", metavar="LU", help="Loudness range that is not exceeded.")
@click.option("--plr-min", metavar="LU", help="Peak-to-loudness ratio that is kept.")
@click.option("--bits", type=click.Choice(["16", "24"]), help="Bit depth, dithered.  [default: 24]")
@click.option(
    "--amount",
    "amounts",
    multiple=True,
    metavar="STAGE=PCT",
    help="How much of a stage, 0 to 100: corrective, tone, match_spectrum, match_width, match_dynamics, compression.",
)
@click.option("--album", is_flag=True, help="The files are one album: consistent loudness, relations kept.")
@click.option("--codec-preview", is_flag=True, help="Report what AAC, MP3 and Opus do to the true peak.")
@output_options
def command(files: tuple[str, ...], out: Path | None, *, as_json: bool, **options: Any) -> None:
    """Master mixes: equaliser, matching, compression in bands, image, limiter, dither, and a report.

    The return holds the master, report.json and report.html. Guardrails are checked on the written file; where a mix
    can't be that loud without harm, the target is lowered and the report says why.
    """
    from bridge.doors.cli.runner import run_requests
    from bridge.protocol import parse_request

    asked = {
        "width_pct": number("width", options["width"]),
        "lra_max": number("lra-max", options["lra_max"]),
        "plr_min": number("plr-min", options["plr_min"]),
        "bits": int(options["bits"]) if options["bits"] else None,
        "amounts": _amounts(options["amounts"]),
        "album": options["album"],
        "codec_preview": options["codec_preview"],
    }
    references = [{"path": path, "role": "reference"} for path in options["references"]]
    songs = [[{"path": file} for file in files]] if options["album"] else [[{"path": file}] for file in files]
    requests = [
        parse_request(
            {
                "action": "master",
                "inputs": [*song, *references],
                "preset": options["preset"],
                "lufs": number("lufs", options["lufs"]),
                "ceiling_dbtp": number("ceiling", options["ceiling"]),
                "mastering": asked,
            }
        )
        for song in songs
    ]
    run_requests(requests, out, as_json=as_json)


def _amounts(words: tuple[str, ...]) -> dict[str, Any]:
    """Read "match_width=50" words.

    Raises:
        NrxError: `request.invalid`.
    """
    amounts = {}
    for word in words:
        stage, sign, percent = word.partition("=")
        if not sign:
            raise NrxError("request.invalid", f"--amount {word!r} is no amount; write it as match_width=50.")
        amounts[stage.strip()] = number("amount", percent.strip().removesuffix("%"))
    return amounts
