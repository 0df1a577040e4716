"""Options that several commands share, so that each is spelled and explained once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from engine.errors import NrxError

F = TypeVar("F", bound=Callable[..., Any])


def stack(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Return one decorator that applies all of these, the first outermost."""

    def apply(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


def _without_dots(_context: click.Context, _parameter: click.Parameter, out: Path | None) -> Path | None:
    """Return a folder whose name has no "..": it stands in manifests and is shown."""
    return out.expanduser().resolve() if out is not None and ".." in out.parts else out


output_options = stack(
    click.option(
        "--out",
        type=click.Path(path_type=Path),
        callback=_without_dots,
        metavar="DIR",
        help="Folder in which the return's own folder is made.  [default: NRX_HOME/returns]",
    ),
    click.option(
        "--json", "as_json", is_flag=True, help="Print the manifest, and nothing else, to standard output."
    ),
)

timeline_options = stack(
    click.option(
        "--tempo-map",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The project's tempo map: a MIDI file, or a table of bars (.json, .csv with the columns bar, start_s, "
        "numerator, denominator, bpm). It wins over what is heard.",
    ),
    click.option(
        "--tempo-range",
        metavar="LOW-HIGH",
        help="Range in BPM in which the song is felt, as 70-140: settles half or double tempo.",
    ),
)

seed_option = click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=0,
    show_default=True,
    help="Another seed, another take.",
)

scale_options = stack(
    click.option("--energy", default="1", show_default=True, help="0.5 (calm) to 2 (intense)."),
    click.option("--brightness", default="1", show_default=True, help="0.5 (dark) to 2 (bright)."),
)


def number(name: str, text: str | None) -> Any:
    """Return a number option as a float, or as it was typed: the protocol says what is wrong with it."""
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        return text


def tempo_range(text: str | None) -> tuple[float, float] | None:
    """Read "70-140".

    Raises:
        NrxError: `request.invalid`.
    """
    if text is None:
        return None
    low, _, high = text.partition("-")
    try:
        bounds = (float(low), float(high))
    except ValueError:
        bounds = (0.0, 0.0)
    if not 20 <= bounds[0] < bounds[1] <= 400:
        raise NrxError(
            "request.invalid",
            f"--tempo-range {text!r} is not a range of tempi; write it as 70-140, between 20 and 400 BPM.",
        )
    return bounds


def words(text: str) -> list[str]:
    """Split a comma-separated list; "none" is the empty one.

    Raises:
        NrxError: `request.invalid` where "none" stands beside something.
    """
    parts = [part for each in text.split(",") if (part := each.strip())]
    if "none" in parts and len(set(parts)) > 1:
        others = ",".join(part for part in parts if part != "none")
        raise NrxError(
            "request.invalid",
            f"{text!r} says both none and something; write none, or {others}, but not both.",
        )
    return [part for part in parts if part != "none"]
