"""`nrx models list|fetch|install|verify|path|remove`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.table import Table

    from engine.models import InstalledModel, ModelCard
    from engine.models.interpreter import Interpreter

json_option = click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
WIDE = 120
"""Characters from which on the list of models has room for licences and descriptions."""
names_argument = click.argument("names", nargs=-1, required=True, metavar="MODEL…")


@click.group(
    "models",
    epilog="""
\b
Examples:
  nrx models list
  nrx models fetch htdemucs musicgen-small
  nrx models fetch ~/checkpoints/my_demucs --trust
  nrx models install audiocraft --weights facebook/musicgen-small
  nrx models verify htdemucs
  nrx models remove musicgen-small
""",
)
def command() -> None:
    """List, fetch, install, verify and remove neural models.

    Nothing is downloaded unless you ask for it here. What breaks off is resumed by the same command, and nothing is
    used that was not verified. `[models]` in nrx.toml sets the folder, `offline`, `commercial_only` and more.
    """


@command.command("list", short_help="List the models: size, licence, whether they are here.")
@click.option("--here", is_flag=True, help="Only those that are on this machine.")
@json_option
def list_models(*, here: bool, as_json: bool) -> None:
    """List the models with size, licence and what they need; those on this machine with revision and place."""
    from rich.console import Console

    from bridge.doors.cli.width import output_width

    rows = [row for row in [*_rows(), _row_apart()] if row["installed"] or not here]
    if as_json:
        _print_json(rows)
        return
    if not rows:
        click.echo("There are no models on this machine; `nrx models list` shows what can be fetched.")
        return
    console = Console(highlight=False, width=output_width())
    console.print(models_table(rows, console.width))
    if console.width < WIDE:
        console.print("Licences and what each is: in a wider window, or with --json.", style="dim")


def models_table(rows: list[dict[str, Any]], width: int) -> "Table":
    """Return the rows as a table; names stay whole, since they are to be typed, and texts go where there is no room."""
    from rich.table import Table
    from rich.text import Text

    table = Table(show_edge=False, pad_edge=False)
    table.add_column("model", no_wrap=True)
    for heading in (
        "does",
        "size",
        "memory",
        "sell",
        "here",
        *(("licence", "what it is") if width >= WIDE else ()),
    ):
        table.add_column(heading, justify="right" if heading in ("size", "memory") else "left")
    for row in rows:
        state = row["problem"] or (f"yes, {row['revision'][:10]}" if row["installed"] else "no")
        table.add_row(
            Text(row["name"], style="bold" if row["installed"] else ""),
            row["task"],
            _size(row["size_bytes"]),
            _size(row["needs_bytes"]),
            "yes" if row["commercial"] else "no",
            Text(state, style="red" if row["problem"] else ""),
            *((row["licence"], row["description"]) if width >= WIDE else ()),
        )
    return table


@command.command("fetch", short_help="Download models, or take in your own checkpoint.")
@names_argument
@click.option(
    "--trust", is_flag=True, help="Open your own pickled files, which can run code, to convert them."
)
@click.option("--again", is_flag=True, help="Fetch even what is there and intact.")
@json_option
def fetch_models(names: tuple[str, ...], *, trust: bool, again: bool, as_json: bool) -> None:
    """Download models, or take your own folders and files into the store.

    MODEL is a name from `nrx models list`, its repository on the hub, or the path of your own checkpoint.
    """
    from bridge.backends import store_of
    from bridge.config import load_settings
    from bridge.doors.cli.bytes_bar import BytesBar
    from engine.models.fetch import Fetching, fetch

    store = store_of(load_settings())
    told = []
    for name in names:
        with BytesBar(name, quiet=as_json) as bar:
            how = Fetching(store, trusted=trust, anew=again, on_bytes=bar.tell, on_step=bar.say)
            installed = fetch(name, how)
        told.append(_told(installed.card, installed))
        if not as_json:
            click.echo(f"{installed.name}: in {installed.folder}, revision {installed.revision}.")
            click.echo(
                f"Licence: {installed.card.licence}; commercial use: {_yes(installed.card.commercial)}."
            )
    if as_json:
        _print_json(told)


@command.command("install", short_help="Give audiocraft an interpreter of its own.")
@click.argument("name", metavar="audiocraft", type=click.Choice(["audiocraft"]))
@click.option(
    "--weights", multiple=True, metavar="MODEL", help="Fetch weights too, as facebook/musicgen-small."
)
@click.option(
    "--python",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="The Python that its interpreter is made from; the one that runs nrx unless set.",
)
@click.option("--again", is_flag=True, help="Make it anew though it is there; weights stay.")
@json_option
def install_interpreter(
    name: str, weights: tuple[str, ...], *, python: Path | None, again: bool, as_json: bool
) -> None:
    """Give what does not fit beside our packages an interpreter of its own, in the folder of models.

    audiocraft then plays with `--backend audiocraft`. The versions that it names are tried first; where they do not
    install, it is installed with current ones, and you are told. About 2 to 6 GB are downloaded.
    """
    from bridge.backends import store_of
    from bridge.config import load_settings
    from engine.generation.apart.install import fetch_weights, install
    from engine.models.interpreter import weights_here

    def say(words: str) -> None:
        click.echo(f"{name}: {words}", err=as_json)

    store = store_of(load_settings())
    made = install(store, python=python, anew=again, say=say)
    for repo in weights:
        say(f"downloading {repo} …")
        fetch_weights(store, repo)
    if as_json:
        _print_json({**_told_apart(made), "weights": weights_here(made)})
        return
    versions = ", ".join(f"{what} {version}" for what, version in made.packages.items())
    click.echo(f"{name}: in {made.folder}, installed {made.made} ({versions}).")
    here = weights_here(made)
    click.echo(
        f"Weights: {', '.join(here) if here else 'none yet; --weights facebook/musicgen-small fetches some'}."
    )


@command.command("verify", short_help="Read models again and compare every byte.")
@click.argument("names", nargs=-1, metavar="[MODEL…]")
@json_option
def verify_models(names: tuple[str, ...], *, as_json: bool) -> None:
    """Read every byte of models and compare it with what was verified; all models unless some are named.

    The exit status is 3 if a file has changed.
    """
    from bridge.backends import store_of
    from bridge.config import load_settings
    from bridge.doors.cli.app import complain
    from engine.errors import NrxError

    store = store_of(load_settings())
    status, told = 0, []
    for name in names or [card.name for card, _ in store.installed()]:
        try:
            found = store.verify(name)
        except NrxError as error:
            complain(error)
            status = status or error.exit_status
            told.append({"name": name, "intact": False, "problem": error.sentence})
            continue
        told.append({**_told(found.card, found), "intact": True})
        if not as_json:
            click.echo(f"{found.name}: {len(found.sha256)} files are as they were verified.")
    if as_json:
        _print_json(told)
    elif not told:
        click.echo("There are no models on this machine.")
    if status:
        sys.exit(status)


@command.command("path", short_help="Print the folder of a model.")
@click.argument("name", metavar="MODEL")
def show_path(name: str) -> None:
    """Print the folder of a model; the exit status is 5 if it is not there."""
    from bridge.backends import store_of
    from bridge.config import load_settings
    from engine.errors import NrxError
    from engine.models.interpreter import AUDIOCRAFT, require_interpreter

    store = store_of(load_settings())
    if name == AUDIOCRAFT:
        click.echo(str(store.root / AUDIOCRAFT))
        require_interpreter(store.root)
        return
    place = store.path(name)
    click.echo(str(place))
    if store.find(name) is None:
        raise NrxError(
            "model.missing", f"The model {name} is not on this machine; that is where it would be."
        )


@command.command("remove", short_help="Remove models from the disk.")
@names_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove_models(names: tuple[str, ...], *, yes: bool) -> None:
    """Remove models, and what was half-fetched of them, from the disk; `audiocraft` goes with its weights."""
    from bridge.backends import store_of
    from bridge.config import load_settings
    from engine.models.interpreter import AUDIOCRAFT, remove_interpreter

    store = store_of(load_settings())
    for name in names:
        place = store.root / AUDIOCRAFT if name == AUDIOCRAFT else store.path(name)
        is_here = place.is_dir() if name == AUDIOCRAFT else bool(store.places(name))
        if is_here and not yes and not (sys.stdin.isatty() and click.confirm(f"Remove {name} from {place}?")):
            click.echo(f"{name}: left as it is{'' if sys.stdin.isatty() else '; say --yes to remove it'}.")
            continue
        freed = remove_interpreter(store.root) if name == AUDIOCRAFT else store.remove(name)
        click.echo(f"{name}: {_size(freed)} freed.")


def _rows() -> list[dict[str, Any]]:
    """Return every model of the catalogue, and the user's own, as plain data."""
    from bridge.backends import store_of
    from bridge.config import load_settings
    from engine.errors import NrxError
    from engine.models import CATALOGUE

    store = store_of(load_settings())
    there = {card.name: (card, found) for card, found in store.installed()}
    cards = {**CATALOGUE, **{name: card for name, (card, _) in there.items()}}
    rows = []
    for name, card in cards.items():
        found = there[name][1] if name in there else None
        rows.append(_told(card, None, found.sentence) if isinstance(found, NrxError) else _told(card, found))
    return rows


def _told(card: "ModelCard", found: "InstalledModel | None", problem: str | None = None) -> dict[str, Any]:
    from engine.models import what_is_missing

    return {
        "name": card.name,
        "task": card.task,
        "family": card.family,
        "repo": card.repo,
        "revision": found.revision if found is not None else card.revision,
        "licence": card.licence,
        "commercial": card.commercial,
        "size_bytes": card.size_bytes,
        "needs_bytes": card.needs_bytes,
        "needs": what_is_missing(card.family),
        "description": card.description,
        "installed": found is not None,
        "problem": problem,
        "folder": str(found.folder) if found is not None else None,
        "sha256": dict(found.sha256) if found is not None else {},
    }


def _row_apart() -> dict[str, Any]:
    """Return what runs in an interpreter of its own as a row among the models."""
    from bridge.backends import store_of
    from bridge.config import load_settings
    from engine.models.interpreter import find_interpreter

    found = find_interpreter(store_of(load_settings()).root)
    row = {
        "name": "audiocraft",
        "task": "generate",
        "family": "audiocraft",
        "repo": "",
        "revision": "1.3.0",
        "licence": "MIT; its weights CC BY-NC 4.0",
        "commercial": False,
        "size_bytes": 2_000_000_000,
        "needs_bytes": 3_000_000_000,
        "needs": "`nrx models install audiocraft` gives it an interpreter of its own"
        if found is None
        else None,
        "description": "MusicGen by its makers' own code, in an interpreter of its own",
        "installed": found is not None,
        "problem": None,
        "folder": None,
        "sha256": {},
    }
    return row if found is None else {**row, **_told_apart(found)}


def _told_apart(found: "Interpreter") -> dict[str, Any]:
    return {
        "name": "audiocraft",
        "revision": found.version,
        "folder": str(found.folder),
        "made": found.made,
        "packages": dict(found.packages),
    }


def _print_json(value: Any) -> None:
    import json

    click.echo(json.dumps(value, ensure_ascii=False))


def _size(count: int) -> str:
    from engine.models import size_text

    return size_text(count)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
