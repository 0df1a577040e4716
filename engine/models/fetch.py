"""Bringing a model into the store: from the hub, from other programs' caches, or from a user's own folder.

Whatever the way, files are gathered in `.fetching-<name>/`, verified, converted if they are pickled, recorded, and put
into place by one rename. What breaks off is resumed by the next call. Tried in this order:

1. the hub's cache on this machine, whose files are named by their hash, and PyTorch's, whose names hold its start;
2. the hub;
3. for Demucs, the files that it was first published with, if the hub has not got the model or does not answer.

With `offline` only the first is tried.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from engine.errors import NrxError
from engine.hashing import file_hash
from engine.models.card import InstalledModel, ModelCard
from engine.models.download import fetch_file
from engine.models.hub import Listing, RemoteFile, list_files
from engine.models.lock import only_one
from engine.models.own import PICKLED, looks_like_path, own_card, pickled_weights, weights_of
from engine.models.pickled import convert_all, hash_in_name
from engine.models.requirements import require_packages
from engine.models.store import OWN, ModelStore, size_text
from engine.progress import Monitor

if TYPE_CHECKING:
    import httpx

SPARE_BYTES = 200_000_000
CONNECT_S, SILENCE_S = 20.0, 60.0
FETCHED_SHARE = 0.85
"""Of the whole, for progress; the rest is converting and recording."""

OnBytes = Callable[[int, int], None]
"""Is told (bytes that are here, bytes in all)."""


OnStep = Callable[[str], None]
"""Is told what is being done: "downloading", "converting", …."""


def _silent(_step: str) -> None:
    return None


def _quiet(_here: int, _all: int) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Fetching:
    """How a model is fetched.

    Args:
        store: where it goes.
        trusted: a user's own pickled files may be opened in full.
        anew: fetch it even if it is there and intact.
        monitor: told of progress; a cancel leaves what is there to be resumed.
        on_bytes: told of bytes.
        on_step: told what is being done.
    """

    store: ModelStore
    trusted: bool = False
    anew: bool = False
    monitor: Monitor = field(default_factory=Monitor)
    on_bytes: OnBytes = _quiet
    on_step: OnStep = _silent


def fetch(name: str, how: Fetching) -> InstalledModel:
    """Bring a model into the store; one that is there already is returned as it is.

    Args:
        name: a name of the catalogue, a repository, or the path of a user's own folder or file.
        how: the store, and what is allowed.

    Raises:
        NrxError: `model.unknown`, `model.not_commercial`, `model.offline`, `model.download`, `model.damaged`,
            `model.untrusted`, `model.extra_missing`, `output.disk_full`, `output.not_writable`, `request.conflict`.
    """
    store = how.store
    if looks_like_path(name):
        return _take_own(Path(name).expanduser().absolute(), how)
    card = store.card(name)
    refusal = store.licence_refusal(card)
    if refusal is not None:
        raise NrxError("model.not_commercial", refusal)
    there = _intact(store, card.name)
    if there is not None and (not how.anew or not card.repo):
        return there
    if not card.repo:
        raise NrxError("model.damaged", f"{card.name} was your own; fetch it from its folder again.")
    if any(pattern.endswith(PICKLED) for pattern in card.files):
        require_packages(card.family, card.name)
    work = _work_folder(store, card)
    with _alone(work, card):
        for source in (_from_caches, *(() if store.offline else (_from_network,))):
            found = source(card, work, how)
            if found is not None:
                commit, folder = found
                return _finish(card, commit, folder, work, how)
    raise NrxError(
        "model.offline",
        f"{card.name} is not on this machine, and nrx is set to stay offline; set `offline = false` under [models], or "
        f"bring its files over from another machine and run `nrx models fetch FOLDER`.",
    )


def _alone(work: Path, card: ModelCard) -> AbstractContextManager[None]:
    return only_one(work / ".lock", f"{card.name} is being fetched by another nrx; wait for it to end.")


def _intact(store: ModelStore, name: str) -> InstalledModel | None:
    try:
        return store.find(name)
    except NrxError:
        return None


def _work_folder(store: ModelStore, card: ModelCard) -> Path:
    work = store.root / f".fetching-{card.name}"
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NrxError(
            "output.not_writable", f"The folder for models {store.root} cannot be written ({error.strerror})."
        ) from error
    return work


def _finish(card: ModelCard, revision: str, folder: Path, work: Path, how: Fetching) -> InstalledModel:
    """Convert what is pickled, record, publish, and clear away."""
    if any(file.suffix in PICKLED for file in folder.iterdir()):
        how.on_step("converting")
        convert_all(folder, how.monitor)
    how.on_step("verifying")
    installed = how.store.publish(card, revision, folder, how.monitor.part(FETCHED_SHARE, 1.0))
    shutil.rmtree(work, ignore_errors=True)
    return installed


def _room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE_BYTES:
        raise NrxError(
            "output.disk_full",
            f"{size_text(needed)} are still to be fetched and {folder} has {size_text(free)} free; free some space, or "
            f"set another `folder` under [models].",
        )


def _from_network(card: ModelCard, work: Path, how: Fetching) -> tuple[str, Path]:
    import httpx

    how.on_step("downloading")
    timeout = httpx.Timeout(SILENCE_S, connect=CONNECT_S)
    with httpx.Client(timeout=timeout, headers={"User-Agent": "nrx-bridge"}, max_redirects=5) as client:
        try:
            listing = list_files(client, how.store.hub, card)
            return listing.commit, _receive(client, card, listing, work, how)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            problem = NrxError(
                "model.download",
                f"{card.name} could not be fetched: {how.store.hub} does not answer ({error or type(error).__name__}); "
                f"check the network, or fetch it on another machine and give its folder to `nrx models fetch` here.",
            )
        except NrxError as error:
            if error.code != "model.download" or not card.mirrors:
                raise
            problem = error
        if not card.mirrors:
            raise problem
        try:
            return _from_mirrors(client, card, work, how)
        except (httpx.TransportError, NrxError) as error:
            raise problem from error


def _receive(client: "httpx.Client", card: ModelCard, listing: Listing, work: Path, how: Fetching) -> Path:
    """Fetch all files of a listing into a folder of the commit's name."""
    folder = work / listing.commit
    for old in work.iterdir():
        if old.is_dir() and old != folder:
            shutil.rmtree(old, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    total = listing.size_bytes
    _room(folder, max(0, total - sum(file.stat().st_size for file in folder.iterdir())))
    done = 0
    for file in listing.files:
        base = done

        def told(here: int, base: int = base) -> None:
            how.on_bytes(base + here, total)
            how.monitor.report(FETCHED_SHARE * min(1.0, (base + here) / max(1, total)))

        done += fetch_file(client, file, card, folder, told).stat().st_size
    return folder


def _from_mirrors(client: "httpx.Client", card: ModelCard, work: Path, how: Fetching) -> tuple[str, Path]:
    """Fetch the files that Demucs was first published with; their names hold the start of their hash."""
    require_packages(card.family, card.name)
    files = tuple(_mirrored(url) for url in card.mirrors)
    listing = Listing(f"first-published-{card.name}", files)
    folder = _receive(client, card, listing, work, how)
    _write_bag(card, folder)
    return str(urlsplit(card.mirrors[0]).hostname), folder


def _mirrored(url: str) -> RemoteFile:
    name = PurePosixPath(urlsplit(url).path).name
    return RemoteFile(name, url, None, hash_in_name(Path(name)) or "")


def _write_bag(card: ModelCard, folder: Path) -> None:
    """Write the list of a model's parts as Demucs' package has it."""
    spec = find_spec("demucs")
    places: Sequence[str] = (spec.submodule_search_locations or ()) if spec is not None else ()
    for place in places:
        bag = Path(place) / "remote" / f"{card.name}.yaml"
        if bag.is_file():
            shutil.copyfile(bag, folder / bag.name)
            return
    raise NrxError("model.extra_missing", f"The package demucs does not know {card.name}; install it anew.")


def _from_caches(card: ModelCard, work: Path, how: Fetching) -> tuple[str, Path] | None:
    """Copy a model from the caches of other programs, if all of it is there and its hashes are right."""
    folder = work / "from-cache"
    for commit, files in _cached(card):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        _room(folder, sum(path.stat().st_size for _, path in files))
        for file, path in files:
            how.monitor.check()
            shutil.copyfile(path, folder / file.name)
        if all(file.refusal(folder / file.name) is None for file, _ in files):
            if card.family == "demucs" and not (folder / f"{card.name}.yaml").is_file():
                _write_bag(card, folder)
            return commit, folder
    shutil.rmtree(folder, ignore_errors=True)
    return None


def _cached(card: ModelCard) -> Iterator[tuple[str, list[tuple[RemoteFile, Path]]]]:
    """Yield (commit, files with what they must hash to) for every complete copy in the caches."""
    repo = hub_cache() / f"models--{card.repo.replace('/', '--')}"
    snapshots = sorted((repo / "snapshots").glob("*")) if (repo / "snapshots").is_dir() else []
    wanted = _commit_of(repo, card.revision)
    for snapshot in sorted(snapshots, key=lambda path: path.name != wanted):
        picked = {path for pattern in card.files for path in snapshot.glob(pattern) if path.is_file()}
        if all(any(path.match(pattern) for path in picked) for pattern in card.files):
            # A snapshot's files are links to blobs that are named by their hash; a copy without links can't be checked.
            blobs = [(path.name, path.resolve()) for path in sorted(picked)]
            if all(blob.parent.name == "blobs" for _, blob in blobs):
                yield snapshot.name, [(RemoteFile(name, "", None, blob.name), blob) for name, blob in blobs]
    if card.mirrors and find_spec("demucs") is not None:
        files = [_mirrored(url) for url in card.mirrors]
        paths = [torch_cache() / file.name for file in files]
        if all(path.is_file() for path in paths):
            yield str(urlsplit(card.mirrors[0]).hostname), list(zip(files, paths, strict=True))


def _commit_of(repo: Path, revision: str) -> str:
    try:
        return (repo / "refs" / revision).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return revision


def hub_cache() -> Path:
    """Return the folder in which the hub's own library keeps what it has downloaded."""
    if named := os.environ.get("HF_HUB_CACHE"):
        return Path(named).expanduser()
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return Path(home).expanduser() / "hub"


def torch_cache() -> Path:
    """Return the folder in which PyTorch keeps downloaded checkpoints."""
    home = os.environ.get("TORCH_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "torch"
    return Path(home).expanduser() / "hub" / "checkpoints"


COMPANIONS = (".json", ".txt", ".model", ".yaml")


def _parts(folder: Path) -> Iterator[Path]:
    """Yield the files of a user's folder that belong to the model."""
    yield from weights_of(folder)
    yield from (file for file in sorted(folder.iterdir()) if file.suffix in COMPANIONS and file.is_file())


def _take_own(path: Path, how: Fetching) -> InstalledModel:
    """Copy a user's own model into the store; pickled files are converted if they are trusted."""
    card = own_card(path)
    pickled = pickled_weights(path)
    if pickled and not (how.trusted or how.store.trust_pickle):
        raise NrxError(
            "model.untrusted",
            f"{pickled[0]} is a pickle, which can run code when it is opened; if you trust where it comes from, say so "
            f"with --trust.",
        )
    if pickled:
        require_packages(card.family, card.name)
    there = _intact(how.store, card.name)
    if there is not None and there.revision != OWN and not how.anew:
        raise NrxError(
            "request.conflict",
            f"There is a model called {card.name} from {there.card.repo or 'elsewhere'} already; rename {path}, or "
            f"replace it with --again.",
        )
    work = _work_folder(how.store, card)
    with _alone(work, card):
        folder = work / "own"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        _room(folder, card.size_bytes)
        for file in (path,) if path.is_file() else _parts(path):
            how.monitor.check()
            start = hash_in_name(file)
            if start is not None and not file_hash(file, how.monitor).startswith(start):
                raise NrxError(
                    "model.damaged", f"{file} is damaged: its hash is not the one in its name, {start}."
                )
            shutil.copyfile(file, folder / file.name)
        convert_all(folder, how.monitor, trusted=True)
        installed = how.store.publish(card, OWN, folder, how.monitor.part(FETCHED_SHARE, 1.0))
        shutil.rmtree(work, ignore_errors=True)
        return installed
