"""Where models are kept, and the only way to their files: nothing that was not verified is ever handed out.

Layout of the store's folder:

    htdemucs/              a model: its files and `nrx-model.json`, put there by one rename
    .fetching-htdemucs/    what has been downloaded so far, to be resumed
    .own/                  records of users' own folders, which stay where they are

Finding a model never touches the network; `offline` keeps fetching from doing so too.
"""

import hashlib
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.choices import choice_of
from engine.errors import NrxError
from engine.hashing import file_hash
from engine.models.card import InstalledModel, ModelCard
from engine.models.catalogue import CATALOGUE, card_of
from engine.models.own import looks_like_path, own_card, pickled_weights, weights_of
from engine.models.record import (
    RECORD,
    FileRecord,
    Record,
    changed_file,
    measure,
    read_record,
    write_record,
)
from engine.models.requirements import require_packages
from engine.progress import SILENT, Monitor

HUB = "https://huggingface.co"
OWN = "own"
"""The revision of a user's own files."""


@dataclass(frozen=True, slots=True)
class ModelStore:
    """The models of one machine, in the folder `root`.

    Args:
        root: the folder; it need not exist.
        offline: never touch the network.
        commercial_only: refuse models whose licence does not clearly allow commercial use.
        trust_pickle: open a user's own pickled files, which can run code.
        hub: where models are fetched from.
        cleared: names of models that the user knows to be free for commercial use.
    """

    root: Path
    offline: bool = False
    commercial_only: bool = False
    trust_pickle: bool = False
    hub: str = HUB
    cleared: frozenset[str] = field(default_factory=frozenset)

    def card(self, name: str) -> ModelCard:
        """Return the card of a model by its name, its repository, or the path of a user's own.

        Raises:
            NrxError: `model.unknown` with the names that there are; `model.missing` for a path with nothing there.
        """
        if looks_like_path(name):
            return own_card(Path(name).expanduser().absolute())
        known = card_of(name)
        if known is not None:
            return known
        folder = self._folder(name)
        if folder is not None and (record := read_record(folder)) is not None:
            return replace(own_card(folder), name=name, licence=record.licence)
        raise NrxError(
            "model.unknown",
            f"There is no model {name!r}, and a path of your own it is not either; {choice_of(name, CATALOGUE)}",
        )

    def find(self, name: str) -> InstalledModel | None:
        """Return a model that is on the machine and intact; None if it is not. No network is touched.

        Raises:
            NrxError: `model.unknown`, `model.damaged`, `model.untrusted`.
        """
        card = self.card(name)
        if looks_like_path(name):
            return self._own(card, Path(name).expanduser().absolute())
        folder = self.root / card.name
        if not folder.is_dir():
            return None
        record = read_record(folder)
        if record is None or (changed_file(folder, record) is not None and not self._mended(folder, record)):
            said = (
                "its record is missing" if record is None else f"{changed_file(folder, record)} has changed"
            )
            raise NrxError(
                "model.damaged",
                f"The model {card.name} in {folder} is not as it was verified ({said}); "
                f"`nrx models fetch {card.name}` fetches it anew.",
            )
        return InstalledModel(card, folder, record.revision, record.sha256)

    def require(self, name: str) -> InstalledModel:
        """Return a model that can be used now.

        Raises:
            NrxError: `model.unknown`, `model.not_commercial`, `model.extra_missing`, `model.missing`, `model.damaged`,
                `model.untrusted`: with what to do.
        """
        card = self.card(name)
        refusal = self.licence_refusal(card)
        if refusal is not None:
            raise NrxError("model.not_commercial", refusal)
        require_packages(card.family, card.name)
        found = self.find(name)
        if found is None:
            raise NrxError(
                "model.missing",
                f"The weights of {card.name} are not on this machine; `nrx models fetch {card.name}` downloads them "
                f"(about {size_text(card.size_bytes)}, licence: {card.licence}).",
            )
        return found

    def licence_refusal(self, card: ModelCard) -> str | None:
        """Return the sentence that refuses a model for its licence, or None."""
        if not self.commercial_only or card.commercial or card.name in self.cleared:
            return None
        return (
            f"The model {card.name} is refused, since `commercial_only` is set and its licence does not clearly allow "
            f"commercial use ({card.licence}); if you have such a right, name it in `cleared` under [models]."
        )

    def path(self, name: str) -> Path:
        """Return where a model's files are, or would be."""
        if looks_like_path(name):
            return Path(name).expanduser().absolute()
        return self.root / self.card(name).name

    def installed(self) -> Iterator[tuple[ModelCard, InstalledModel | NrxError]]:
        """Yield every model in the store: intact, or the error that says what is the matter with it."""
        if not self.root.is_dir():
            return
        for folder in sorted(self.root.iterdir()):
            if not folder.is_dir() or folder.name.startswith("."):
                continue
            try:
                card = self.card(folder.name)
            except NrxError:
                continue  # no folder of ours
            try:
                found: InstalledModel | NrxError | None = self.find(folder.name)
            except NrxError as error:
                found = error
            if found is not None:
                yield card, found

    def verify(self, name: str, monitor: Monitor = SILENT) -> InstalledModel:
        """Read every byte of a model and compare it with what was recorded.

        Raises:
            NrxError: `model.damaged` with the file; `model.missing`.
        """
        found = self.find(name)
        if found is None:
            raise NrxError(
                "model.missing", f"The model {name} is not on this machine; there is nothing to verify."
            )
        now = {file: record.sha256 for file, record in self._measured(found, monitor).items()}
        for file, sha256 in found.sha256.items():
            if now.get(file) != sha256:
                raise NrxError(
                    "model.damaged",
                    f"{found.folder / file} is not what was verified when it was fetched; "
                    f"`nrx models fetch {found.name}` fetches it anew.",
                )
        return found

    def places(self, name: str) -> list[Path]:
        """Return the folders that hold something of a model of the catalogue: the whole one, the half-fetched one.

        A path has none: what is a user's own is not the store's.
        """
        if looks_like_path(name):
            return []
        card_name = self.card(name).name
        folders = [self.root / card_name, self.root / f".fetching-{card_name}"]
        return [folder for folder in folders if folder.is_dir()]

    def remove(self, name: str) -> int:
        """Remove a model, and what is half-fetched of it; return the bytes that were freed.

        Raises:
            NrxError: `model.missing` if there is nothing of it; `request.invalid` for a user's own folder.
        """
        if looks_like_path(name):
            raise NrxError(
                "request.invalid", f"{name} is your own; nrx removes only what lies in {self.root}."
            )
        there = self.places(name)
        if not there:
            raise NrxError("model.missing", f"The model {name} is not on this machine; nothing was removed.")
        freed = 0
        for folder in there:
            freed += sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            gone = self.root / f".gone-{uuid.uuid4().hex}"
            folder.rename(gone)  # one rename takes it away whole
            shutil.rmtree(gone, ignore_errors=True)
        return freed

    def publish(
        self, card: ModelCard, revision: str, built: Path, monitor: Monitor = SILENT
    ) -> InstalledModel:
        """Record the files in `built`, which were verified, and put them into place by one rename."""
        record = Record(card.name, card.repo, revision, card.licence, measure(built, monitor))
        write_record(built, record)
        final = self.root / card.name
        old = self.root / f".gone-{uuid.uuid4().hex}"
        if final.exists():
            final.rename(old)
        built.rename(final)
        shutil.rmtree(old, ignore_errors=True)
        return InstalledModel(card, final, revision, record.sha256)

    def _folder(self, name: str) -> Path | None:
        """Return the folder of a model of the user's own in the store; None if the name can't be one."""
        if not name or name.startswith(".") or "/" in name or "\\" in name:
            return None
        folder = self.root / name
        return folder if folder.is_dir() else None

    def _mended(self, folder: Path, record: Record) -> bool:
        """Return whether the bytes are as recorded though times differ (a restored backup); note the new times then."""
        renewed: dict[str, FileRecord] = {}
        for name, file in record.files.items():
            path = folder / name
            try:
                said = path.stat()
            except OSError:
                return False
            if said.st_size != file.size or (
                said.st_mtime_ns != file.mtime_ns and file_hash(path) != file.sha256
            ):
                return False
            renewed[name] = FileRecord(said.st_size, said.st_mtime_ns, file.sha256)
        write_record(folder, replace(record, files=renewed))
        return True

    def _own(self, card: ModelCard, path: Path) -> InstalledModel:
        """Return a user's own folder or file as it is; its hashes are kept as long as the files stay as they are."""
        pickled = pickled_weights(path)
        if pickled:
            raise NrxError(
                "model.untrusted",
                f"{pickled[0]} is a pickle, which can run code when it is opened; if you trust where it comes from, "
                f"`nrx models fetch {path} --trust` converts it once.",
            )
        base = path if path.is_dir() else path.parent
        kept = self.root / ".own" / hashlib.sha256(str(path).encode()).hexdigest()[:16]
        record = read_record(kept)
        names = {file.name for file in weights_of(path)}
        if record is None or set(record.files) != names or changed_file(base, record) is not None:
            files = {}
            for file in weights_of(path):
                said = file.stat()
                files[file.name] = FileRecord(said.st_size, said.st_mtime_ns, file_hash(file))
            record = Record(card.name, "", OWN, card.licence, files)
            kept.mkdir(parents=True, exist_ok=True)
            write_record(kept, record)
        return InstalledModel(card, base, OWN, record.sha256)

    def _measured(self, found: InstalledModel, monitor: Monitor) -> dict[str, FileRecord]:
        if (found.folder / RECORD).is_file():
            return measure(found.folder, monitor)
        return {name: FileRecord(0, 0, file_hash(found.folder / name, monitor)) for name in found.sha256}


def size_text(count: int) -> str:
    """Return bytes for people: "2.36 GB", "84 MB"."""
    if count >= 1e9:
        return f"{count / 1e9:.2f} GB"
    return f"{count / 1e6:.0f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
