"""`nrx embed`."""

from pathlib import Path

import click


@click.command(
    "embed",
    epilog="""
\b
Examples:
  nrx embed song.wav --json > song.json
  nrx embed "dark techno" song.wav other.wav
  nrx embed take*.wav --prompt "sad piano" --like song.wav
""",
)
@click.argument("items", nargs=-1, required=True, metavar="FILE|TEXT…")
@click.option("--prompt", metavar="TEXT", help="Put the files in order of how well they fit these words.")
@click.option(
    "--like", type=click.Path(path_type=Path), metavar="FILE", help="… of how alike they are to this one."
)
@click.option("--json", "as_json", is_flag=True, help="Print the vectors, or the order, as JSON.")
def command(items: tuple[str, ...], prompt: str | None, like: Path | None, *, as_json: bool) -> None:
    """Measure how alike sounds and words are: files that exist are heard, anything else is read as words.

    This needs a model, which `nrx models fetch clap-music` downloads. With --prompt or --like the items are ranked.
    """
    import json

    import numpy as np

    from bridge.config import load_settings
    from bridge.embedding import embed

    asked: list[Path | str] = [Path(item) if _is_file(item) else item for item in items]
    wanted: list[Path | str] = [item for item in (prompt, like) if item is not None]
    made = embed(load_settings(), [*asked, *wanted])
    vectors = np.asarray(made.vectors, np.float32)
    if not wanted:
        if as_json:
            named = [
                {"item": item, "embedding": list(vector), "dimension": made.size, **made.about}
                for item, vector in zip(items, made.vectors, strict=True)
            ]
            click.echo(json.dumps(named, ensure_ascii=False))
            return
        for item in items:
            click.echo(f"{item}: {made.size} numbers by {made.about['model']} (--json prints them)")
        for first in range(len(items)):
            for second in range(first + 1, len(items)):
                alike = float(vectors[first] @ vectors[second])
                click.echo(f"{alike:+.3f}  {items[first]} / {items[second]}")
        return
    from dataclasses import asdict

    from engine.embedding import rank

    rest = vectors[len(items) :]
    order = rank(
        dict(zip(items, vectors, strict=False)),
        prompt=rest[0] if prompt is not None else None,
        like=rest[-1] if like is not None else None,
    )
    if as_json:
        click.echo(json.dumps([asdict(item) for item in order], ensure_ascii=False))
        return
    for ranked in order:
        click.echo(f"{ranked.score:+.3f}  {ranked.name}")


def _is_file(item: str) -> bool:
    """Return whether an argument is a file; words can be too long, or hold what no name may."""
    try:
        return Path(item).expanduser().is_file()
    except (OSError, ValueError):
        return False
