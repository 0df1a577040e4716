"""The arguments that say what to remix and how: the same for `nrx remix` and `nrx submit`."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from bridge.doors.cli.generator_options import generator_fields, generator_options
from bridge.doors.cli.options import (
    number,
    scale_options,
    seed_option,
    stack,
    tempo_range,
    timeline_options,
    words,
)
from bridge.doors.cli.separator_options import separator_fields, separator_option

F = TypeVar("F", bound=Callable[..., Any])

remix_options = stack(
    scale_options,
    click.option(
        "--tempo",
        default="project",
        show_default=True,
        help="project: the song's own bars · style: the nearest tempo in the style's range · a number in BPM.",
    ),
    timeline_options,
    click.option(
        "--keep",
        default="vocals",
        show_default=True,
        help="Stems of the song to keep in the remix, with commas: vocals, drums, bass, other; or none.",
    ),
    click.option(
        "--track",
        metavar="NAME",
        help="With a Live Set (.als) or a REAPER project (.RPP): the track to remix.",
    ),
    seed_option,
    separator_option,
    click.option("--words", metavar="TEXT", help="Words of your own, for a neural model, beside the style."),
    generator_options,
)


def remix_fields(inputs: Sequence[dict[str, Any]], options: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a remix request for one song; `style` and the options above are in `options`."""
    from bridge.doors.cli.project_file import project_fields
    from bridge.doors.cli.tempo_file import read_tempo_map

    tempo_map = read_tempo_map(options["tempo_map"])
    return {
        "action": "remix",
        "inputs": list(inputs),
        "style": options.get("style"),
        "energy": number("energy", options["energy"]),
        "brightness": number("brightness", options["brightness"]),
        "tempo": options["tempo"],
        "tempo_range_bpm": tempo_range(options["tempo_range"]),
        "keep": words(options["keep"]),
        "seed": options["seed"],
        "prompt": options["words"],
        **generator_fields(options),
        **separator_fields(options),
        **project_fields(inputs, options["track"]),
        **({"tempo_map": tempo_map} if tempo_map is not None else {}),
    }
