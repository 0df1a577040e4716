"""What new music shall be like, as options of commands that make it: style, stem, key, tempo, energy, seed."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from bridge.doors.cli.options import number, scale_options, seed_option

Command = TypeVar("Command", bound=Callable[..., Any])

OPTIONS = (
    click.option("--key", metavar="KEY", help="As C, F# minor, Bb major."),
    click.option("--bpm", metavar="BPM", help="Tempo."),
    scale_options,
    seed_option,
)
"""Those that mean the same in each command; style, stem and duration have help of their own there."""


def music_options(command: Command) -> Command:
    """Give a command the options that mean the same wherever music is made."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def music_fields(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a request that the options say.

    Raises:
        NrxError: `request.invalid` for what is no number.
    """
    return {
        "style": options["style"],
        "stem": options["stem"],
        "key": options["key"],
        "bpm": number("bpm", options["bpm"]),
        "duration_s": number("duration", options["duration"]),
        "energy": number("energy", options["energy"]),
        "brightness": number("brightness", options["brightness"]),
        "seed": options["seed"],
    }
