"""`nrx generate --interactive`: words in, music out, again and again, until an empty line.

A line is what to play. A line that starts with a colon changes how: the table below says which there are.
"""

from collections.abc import Callable, Mapping
from typing import Any

import click

from bridge.doors.cli.options import number
from engine.errors import NrxError

SETTINGS: dict[str, tuple[str, str]] = {
    "duration": ("duration_s", "seconds"),
    "bpm": ("bpm", "tempo"),
    "key": ("key", "as F# minor"),
    "style": ("style", "a style's id"),
    "stem": ("stem", "one part alone"),
    "energy": ("energy", "0.5 to 2"),
    "brightness": ("brightness", "0.5 to 2"),
    "seed": ("seed", "a number"),
    "backend": ("generator", "arranger, musicgen, a model"),
}
"""Word after the colon -> field of the request, and what it takes; without a value it is left open again."""
NUMBERS = ("duration_s", "bpm", "energy", "brightness")
END = frozenset({"", ":quit", ":exit", ":q"})
HELP = "\n".join(
    [
        "Say what to play, as: dark techno, 128 bpm",
        "  :again              another take of the last words",
        *(f"  :{word + ' VALUE':<18} {what}" for word, (_, what) in SETTINGS.items()),
        "  :settings           what is set",
        "  an empty line       the end",
    ]
)


def converse(fields: Mapping[str, Any], play: Callable[[dict[str, Any]], None]) -> None:
    """Ask for words and `play` a request's fields for each line; what is wrong with one is said, and asked again."""
    from bridge.doors.cli.app import complain

    now = dict(fields)
    click.echo(HELP)
    while (line := _ask()) not in END:
        try:
            if line.startswith(":"):
                command, _, value = line[1:].partition(" ")
                if command != "again":
                    click.echo(_changed(now, command, value.strip()))
                    continue
                if not now.get("prompt"):
                    raise NrxError("request.invalid", "Nothing has been played yet; say what to play first.")
                now["seed"] = int(now.get("seed") or 0) + 1
            else:
                now["prompt"] = line
            play({name: value for name, value in now.items() if value is not None})
        except NrxError as error:
            complain(error)


def _ask() -> str:
    try:
        return str(click.prompt("♪", default="", show_default=False, prompt_suffix=" ")).strip()
    except click.Abort:  # Ctrl-C or the end of the input, at the prompt
        click.echo()
        return ""


def _changed(now: dict[str, Any], command: str, value: str) -> str:
    """Change a setting, and return what to say of it.

    Raises:
        NrxError: `request.invalid` for a command that there is not.
    """
    if command == "help":
        return HELP
    if command == "settings":
        held = [f"{word} {now[field]}" for word, (field, _) in SETTINGS.items() if now.get(field) is not None]
        return ", ".join(held) or "Nothing is set."
    if command not in SETTINGS:
        raise NrxError("request.invalid", f"There is no :{command}; :help tells what there is.")
    field, _ = SETTINGS[command]
    if not value:
        now.pop(field, None)
        return f"{command} is left open."
    if field == "seed":
        if not value.isdecimal():
            raise NrxError(
                "request.invalid", f"seed {value!r} is refused: it must be a whole number from 0 on."
            )
        now[field] = int(value)
    elif field in NUMBERS:
        parsed = number(command, value)
        if not isinstance(parsed, float):
            raise NrxError("request.invalid", f"{command} {value!r} is refused: it must be a number.")
        now[field] = parsed
    else:
        now[field] = value
    return f"{command} is {value}."
