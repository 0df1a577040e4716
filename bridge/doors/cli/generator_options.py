"""The options that say who plays what is new and how it draws: the same for `nrx generate` and `nrx remix`."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from bridge.doors.cli.options import number, stack
from bridge.doors.cli.separator_options import device_option

F = TypeVar("F", bound=Callable[..., Any])

NUMBERS = ("guidance", "temperature", "top_k", "top_p", "beams", "length_penalty", "tries")

generator_options = stack(
    click.option(
        "--backend",
        "--generator",
        "backend",
        metavar="NAME",
        help="Who plays: auto, arranger, musicgen, a model's name (`nrx models`), a folder of your own, audiocraft, "
        "or in the cloud huggingface or replicate.  [default: auto, which takes a neural model if its weights are "
        "here, and nothing in the cloud]",
    ),
    device_option,
    click.option("--mood", metavar="WORDS", help="A word or two more for a neural model, as dreamy."),
    click.option("--guidance", metavar="N", help="How strongly the words count, 0 to 30.  [default: 3]"),
    click.option(
        "--temperature", metavar="N", help="How daring, 0 (the likeliest each time) to 10.  [default: 1]"
    ),
    click.option(
        "--top-k", metavar="N", help="Draw from the N likeliest codes alone; 0 for all.  [default: 250]"
    ),
    click.option("--top-p", metavar="N", help="Draw from this share of probability, up to 1.  [default: 1]"),
    click.option(
        "--beams", metavar="N", help="Search with N beams instead of drawing, up to 16.  [default: 1]"
    ),
    click.option(
        "--length-penalty", metavar="N", help="With --beams: above 1 favours longer takes.  [default: 1]"
    ),
    click.option("--early-stopping", is_flag=True, help="With --beams: stop at the first that are finished."),
    click.option(
        "--tries", metavar="N", help="Seeds to try until a take fits the timeline, 1 to 10.  [default: 3]"
    ),
)


def generator_fields(options: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that `generator_options` set; what was not given is left to the protocol.

    Whoever asks for a cloud service is told what leaves this machine.
    """
    from engine.models.cloud import is_cloud, leaving

    if options["backend"] is not None and is_cloud(options["backend"]):
        click.echo(leaving(options["backend"]), err=True)
    drawn = {name: number(name, options[name]) for name in NUMBERS if options[name] is not None}
    if options["mood"] is not None:
        drawn["mood"] = options["mood"]
    if options["early_stopping"]:
        drawn["early_stopping"] = True
    fields: dict[str, Any] = {"generator": options["backend"], "device": options["device"]}
    return {**fields, "generation": drawn} if drawn else fields
