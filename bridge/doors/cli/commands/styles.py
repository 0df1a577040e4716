"""`nrx styles`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from engine.presets import Style


@click.command("styles")
@click.argument("style", required=False)
@click.option(
    "--like",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Put the styles in order of how well they suit this song; this needs the model clap-music.",
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(style: str | None, like: Path | None, *, as_json: bool) -> None:
    """List the styles, or show one with its parts.

    Your own styles are YAML files in the folder styles/ below NRX_HOME; copy one of ours to begin with.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from bridge.config import load_settings
    from engine.errors import NrxError
    from engine.presets import list_styles, load_style

    extra = (load_settings().styles_folder,)
    if style is not None:
        chosen = load_style(style, extra_dirs=extra)
        if as_json:
            click.echo(chosen.model_dump_json())
            return
        low, high = chosen.tempo_range_bpm
        click.echo(f"{chosen.name} ({chosen.id}): {chosen.description}")
        click.echo(f"{low:g} to {high:g} BPM, energy {chosen.energy:g}, master {chosen.master.lufs:g} LUFS")
        for part in chosen.parts:
            click.echo(f"  {part.name}: {part.voice}")
        return
    every = []
    for name in list_styles(extra):
        try:
            every.append(load_style(name, extra_dirs=extra))
        except NrxError as error:
            click.echo(f"nrx: {error.sentence} [{error.code}]", err=True)
    if like is not None:
        _suggest(every, like, as_json=as_json)
        return
    if as_json:
        import json

        keys = ("id", "name", "description", "tempo_range_bpm", "energy")
        click.echo(json.dumps([{key: getattr(item, key) for key in keys} for item in every]))
        return
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("style", "BPM", "energy", "what it is"):
        table.add_column(heading)
    for item in every:
        low, high = item.tempo_range_bpm
        table.add_row(
            Text("■ ", style=item.colour) + Text(item.id, style="bold"),
            f"{low:g}-{high:g}",
            f"{item.energy:g}",
            Text(item.description),
        )
    Console(highlight=False).print(table)


def _suggest(styles: "list[Style]", song: Path, *, as_json: bool) -> None:
    """Print styles by how well they suit a song."""
    import json

    import numpy as np

    from bridge.config import load_settings
    from bridge.embedding import embed
    from engine.embedding import suggest_styles
    from engine.embedding.ranking import words_of

    made = embed(load_settings(), [song, *(words_of(item) for item in styles)])
    vectors = np.asarray(made.vectors, np.float32)
    order = suggest_styles(vectors[0], styles, vectors[1:])
    if as_json:
        click.echo(json.dumps([{"id": item.name, "score": round(item.score, 4)} for item in order]))
        return
    for item in order:
        click.echo(f"{item.score:+.3f}  {item.name}")
