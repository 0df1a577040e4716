"""`nrx submit`."""

from pathlib import Path
from typing import Any, get_args

import click

from bridge.doors.cli.options import output_options
from bridge.doors.cli.remix_options import remix_fields, remix_options
from bridge.protocol import Action


@click.command(
    "submit",
    epilog="""
\b
Examples:
  nrx submit song.wav --style lofi_chill
  nrx submit song.wav --style rock --detach
  nrx submit song.wav --action separate
  nrx submit vocals=voice.wav drums=kit.wav --style jazz --out ~/remixes
""",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE|ROLE=FILE…")
@click.option("--style", help="A style's id; `nrx styles` lists them. A remix needs one.")
@click.option(
    "--action",
    type=click.Choice([name for name in get_args(Action) if name != "generate"]),
    default="remix",
    show_default=True,
    help="What to do with the files.",
)
@remix_options
@output_options
@click.option(
    "--priority", type=click.IntRange(-100, 100), default=0, show_default=True, help="Higher goes first."
)
@click.option("--detach", is_flag=True, help="Print the jobs' ids once they are accepted, and do not wait.")
def command(
    files: tuple[str, ...],
    action: str,
    out: Path | None,
    priority: int,
    *,
    as_json: bool,
    detach: bool,
    **options: Any,
) -> None:
    """Hand songs to the daemon, which remixes them in the background; shows their progress.

    The same arguments as `nrx remix`. Once a job is accepted it survives whatever happens to this window: Ctrl-C asks
    whether to cancel it or to leave it running.
    """
    from bridge.doors.cli.inputs import jobs_of, stems_of
    from bridge.doors.cli.submitting import submit_requests
    from bridge.protocol import parse_request

    groups = [stems_of(files)] if action == "mix" else jobs_of(files)
    requests = []
    for inputs in groups:
        fields = remix_fields(inputs, options)
        requests.append(parse_request({**fields, "action": action}))
    submit_requests(requests, out, priority=priority, as_json=as_json, detach=detach)
