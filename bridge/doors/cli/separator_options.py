"""The arguments that say how a song is separated: which backend, on which device, and how a neural one works."""

from typing import Any

import click

from bridge.doors.cli.options import stack

separator_option = click.option(
    "--separator",
    metavar="NAME",
    help="How songs are taken apart: auto, spectral, htdemucs, htdemucs_ft, …, or the path of your own checkpoint. "
    "[default: auto, or what [models] in nrx.toml says]",
)
device_option = click.option(
    "--device", metavar="DEVICE", help="Where neural models run: auto, cpu, cuda, cuda:1 or mps."
)
separator_options = stack(separator_option, device_option)
fine_separator_options = stack(
    click.option(
        "--shifts",
        type=click.IntRange(0, 20),
        default=1,
        show_default=True,
        help="With a neural model: separate so many times at other offsets, and average.",
    ),
    click.option(
        "--overlap",
        type=click.FloatRange(0, 0.95),
        default=0.25,
        show_default=True,
        help="With a neural model: how far its segments overlap.",
    ),
    click.option(
        "--segment",
        type=click.FloatRange(1, 120),
        metavar="SECONDS",
        help="With a neural model: the length of its segments; shorter ones take less memory.",
    ),
    click.option(
        "--precision",
        type=click.Choice(["float32", "bfloat16", "float16"]),
        default="float32",
        show_default=True,
        help="With a neural model: the lower ones are faster, and stems differ from float32 by about -50 and -60 dB.",
    ),
    click.option(
        "--no-residual",
        is_flag=True,
        help="With a neural model: leave its stems as they are; they then do not sum to the song.",
    ),
)


def separator_fields(options: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a request that `separator_options` stand for."""
    return {"separator": options["separator"], "device": options["device"]}


def fine_separator_fields(options: dict[str, Any]) -> dict[str, Any]:
    """Return the field that `fine_separator_options` stand for."""
    return {
        "separation": {
            "shifts": options["shifts"],
            "overlap": options["overlap"],
            "segment_s": options["segment"],
            "precision": options["precision"],
            "residual": not options["no_residual"],
        }
    }
