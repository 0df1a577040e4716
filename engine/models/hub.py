"""The hub's file API, as far as fetching needs it: which files a revision has, and their hashes.

Source: the hub's API documentation (`/api/models/{repo}/revision/{revision}`, `/{repo}/resolve/{commit}/{file}`). A
HEAD of a file answers with `X-Repo-Commit`, `X-Linked-Size` and `X-Linked-Etag`; the ETag is the SHA-256 of a file in
large file storage, and git's blob hash (SHA-1 over a header and the bytes) of any other. Its answer may redirect: to
another path on the hub, which is followed, or to storage elsewhere, which only the GET follows.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

from engine.errors import NrxError
from engine.models.card import ModelCard

if TYPE_CHECKING:
    import httpx

MOST_REDIRECTS = 5
_SHA256, _SHA1 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file to fetch: its name in the model's folder, its address, its bytes, and what its bytes must hash to.

    `etag` is a SHA-256, git's SHA-1 of a blob, or the first digits of a SHA-256 (as Demucs writes them into names).
    `size` None: the server says it with the bytes.
    """

    name: str
    url: str
    size: int | None
    etag: str

    def refusal(self, path: Path) -> str | None:
        """Return what is wrong with the downloaded bytes, or None."""
        size = path.stat().st_size
        if self.size is not None and size != self.size:
            return f"it has {size} bytes instead of {self.size}"
        if not self.etag:
            return "nothing says what its hash should be"
        got = git_blob_hash(path) if _SHA1.fullmatch(self.etag) else _sha256(path)
        return None if got.startswith(self.etag) else f"its hash is {got[:16]}… instead of {self.etag[:16]}…"


@dataclass(frozen=True, slots=True)
class Listing:
    """What is to be fetched of a model, at which commit."""

    commit: str
    files: tuple[RemoteFile, ...]

    @property
    def size_bytes(self) -> int:
        """All bytes together, as far as they are known."""
        return sum(file.size or 0 for file in self.files)


def git_blob_hash(path: Path) -> str:
    """Return the hash that git gives to a file's bytes."""
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    return _digest_of(path, digest.update, digest.hexdigest)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    return _digest_of(path, digest.update, digest.hexdigest)


def _digest_of(path: Path, update: Callable[[bytes], None], result: Callable[[], str]) -> str:
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            update(block)
    return result()


def refuse_unsafe(address: str) -> None:
    """Refuse to fetch over anything but HTTPS, except from this machine.

    Raises:
        NrxError: `request.invalid`.
    """
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return
    raise NrxError(
        "request.invalid", f"{address} is not an https address; models are fetched over https only."
    )


def list_files(client: "httpx.Client", hub: str, card: ModelCard) -> Listing:
    """Ask the hub for the files of a model.

    Raises:
        NrxError: `model.download` with what the hub said, or the pattern that no file matches.
    """
    refuse_unsafe(hub)
    hub = hub.rstrip("/")
    said = _json(client, f"{hub}/api/models/{card.repo}/revision/{quote(card.revision, safe='')}", card)
    commit = str(said.get("sha", ""))
    if not _SHA1.fullmatch(commit):
        raise NrxError(
            "model.download", f"{hub} does not say which commit {card.repo} is at; it is no hub of models."
        )
    names = [str(item.get("rfilename", "")) for item in said.get("siblings", ()) if isinstance(item, dict)]
    wanted = _wanted(card, names)
    return Listing(commit, tuple(_head(client, hub, card, commit, name) for name in wanted))


def _wanted(card: ModelCard, names: list[str]) -> list[str]:
    """Return the names that a card's patterns pick, each once, none outside the model's folder."""
    plain = [
        name for name in names if name and "/" not in name and "\\" not in name and not name.startswith(".")
    ]
    picked: list[str] = []
    for pattern in card.files:
        matching = [name for name in plain if fnmatchcase(name, pattern)]
        if not matching:
            raise NrxError(
                "model.download",
                f"The repository {card.repo} has no file {pattern}, which {card.name} needs.",
            )
        picked += [name for name in matching if name not in picked]
    return picked


def _json(client: "httpx.Client", url: str, card: ModelCard) -> dict[str, Any]:
    response = client.get(url, follow_redirects=True)
    refuse_answer(response.status_code, card, url)
    try:
        said = response.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise NrxError(
            "model.download", f"{url} answers with something else than the list of a model's files."
        )
    return said


def _head(client: "httpx.Client", hub: str, card: ModelCard, commit: str, name: str) -> RemoteFile:
    """Ask for a file's size and hash, following redirects only within the hub."""
    url = f"{hub}/{card.repo}/resolve/{commit}/{quote(name)}"
    asked = url
    for _ in range(MOST_REDIRECTS):
        response = client.head(asked, headers={"Accept-Encoding": "identity"}, follow_redirects=False)
        headers = response.headers
        etag = (headers.get("x-linked-etag") or headers.get("etag") or "").removeprefix("W/").strip('"')
        elsewhere = urljoin(asked, headers.get("location", ""))
        if (
            response.is_redirect
            and not headers.get("x-linked-etag")
            and urlsplit(elsewhere)[:2] == urlsplit(hub)[:2]
        ):
            asked = elsewhere
            continue
        if not response.is_redirect:
            refuse_answer(response.status_code, card, url)
        if headers.get("x-repo-commit", commit) != commit:
            raise NrxError(
                "model.download",
                f"{card.repo} changed while it was being fetched; run the same command again.",
            )
        if not (_SHA256.fullmatch(etag) or _SHA1.fullmatch(etag)):
            raise NrxError(
                "model.download", f"{url} comes without a hash to verify it by; nothing was fetched."
            )
        size = headers.get("x-linked-size") or (
            None if response.is_redirect else headers.get("content-length")
        )
        return RemoteFile(name, url, int(size) if size and size.isdigit() else None, etag)
    raise NrxError("model.download", f"{url} redirects without end.")


def refuse_answer(status: int, card: ModelCard, url: str) -> None:
    """Refuse an answer that is none of the good ones.

    Raises:
        NrxError: `model.download`.
    """
    if status < 400:
        return
    told = {
        401: "it may not be fetched without leave from its owner",
        403: "it may not be fetched without leave from its owner",
        404: "it is not there",
        429: "too many have asked; try again later",
    }.get(status, "try again later")
    raise NrxError("model.download", f"{card.name} could not be fetched: {url} answers {status}; {told}.")
