"""Uploads: files that a client has sent and names by id from then on.

The bytes lie once, by content, where jobs keep their inputs; `NRX_HOME/uploads/<id>.json` says what an id stands for.
An upload is received into a file beside it, checked by its header alone, and only then registered.
"""

import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Protocol

from bridge.config import Settings
from engine.errors import NrxError

PARTIAL_SUFFIX = ".part"
LONGEST_NAME = 200
SPARE_BYTES = 200_000_000
_ID = re.compile(r"[a-f0-9]{32}")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that a client has sent. `duration_s` is None where the header does not say."""

    id: str
    name: str
    bytes: int
    sha256: str
    duration_s: float | None
    sample_rate: int
    channels: int
    path: str
    created_at: float


class Registered(Protocol):
    """What registering gives back: where the bytes lie now, and their hash."""

    @property
    def sha256(self) -> str:
        """Hash of the bytes."""

    @property
    def path(self) -> Path:
        """Where they lie."""


Register = Callable[[Path | BinaryIO, str], Registered]


class Uploads:
    """Receives, remembers and forgets uploads."""

    def __init__(self, settings: Settings, register: Register) -> None:
        """`register` copies a file, by content, to where jobs keep their inputs."""
        self._settings = settings
        self._register = register
        self.folder = settings.home / "uploads"

    @property
    def max_bytes(self) -> int:
        """The largest upload that is taken."""
        return int(min(self._settings.http.upload_max_gb, self._settings.input_max_gb) * 1e9)

    @contextmanager
    def receiving(self) -> Iterator[Path]:
        """Give a place to write an upload to; whatever is left there is removed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f"{secrets.token_hex(16)}{PARTIAL_SUFFIX}"
        try:
            yield partial
        finally:
            partial.unlink(missing_ok=True)

    def require_space(self, more_bytes: int) -> None:
        """Refuse an upload that would fill the disk.

        Raises:
            NrxError: `output.disk_full`.
        """
        import shutil

        self.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free
        if free < more_bytes + SPARE_BYTES:
            raise NrxError(
                "output.disk_full",
                f"The disk of {self._settings.home} has {free / 1e9:.2f} GB free, too little for this upload; "
                "free some space (nrx clean) and send it again.",
            )

    def add(self, received: Path, name: str) -> Upload:
        """Check a received file by its header, register it, and return the upload. Nothing is decoded.

        Raises:
            NrxError: any `input.*`.
        """
        from engine.audio import Limits, probe

        shown = clean_name(name)
        limits = Limits(max_bytes=self.max_bytes)
        try:
            info = probe(received)
            limits.check(info)
        except NrxError as error:
            raise NrxError(error.code, error.sentence.replace(received.name, shown)) from None
        registered = self._register(received, shown)
        upload = Upload(
            id=secrets.token_hex(16),
            name=shown,
            bytes=info.file_bytes,
            sha256=registered.sha256,
            duration_s=None if info.duration_s is None else round(info.duration_s, 6),
            sample_rate=info.sample_rate,
            channels=info.channels,
            path=str(registered.path),
            created_at=time.time(),
        )
        self._remember(upload)
        return upload

    def get(self, upload_id: str) -> Upload:
        """Return the upload with that id.

        Raises:
            NrxError: `upload.unknown`.
        """
        try:
            record = self._record(upload_id)
            upload = _read(record, record.stat().st_mtime_ns)
        except (OSError, ValueError, TypeError):
            raise _unknown(upload_id) from None
        if not Path(upload.path).is_file():
            raise _unknown(upload_id)
        return upload

    def delete(self, upload_id: str) -> None:
        """Forget an upload; its bytes go when no job needs them any more.

        Raises:
            NrxError: `upload.unknown`.
        """
        try:
            self._record(upload_id).unlink()
        except OSError:
            raise _unknown(upload_id) from None

    def sweep(self) -> None:
        """Remove what a daemon that was killed had half received, and uploads whose bytes are gone."""
        for partial in self.folder.glob(f"*{PARTIAL_SUFFIX}"):
            partial.unlink(missing_ok=True)
        for record in self.folder.glob("*.json"):
            try:
                self.get(record.stem)
            except NrxError:
                record.unlink(missing_ok=True)

    def _record(self, upload_id: str) -> Path:
        if not _ID.fullmatch(upload_id):
            raise _unknown(upload_id)
        return self.folder / f"{upload_id}.json"

    def _remember(self, upload: Upload) -> None:
        record = self._record(upload.id)
        draft = record.with_suffix(PARTIAL_SUFFIX)
        with draft.open("x", encoding="utf-8") as stream:
            json.dump(asdict(upload), stream)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(record)


@lru_cache(maxsize=1024)
def _read(record: Path, _mtime_ns: int) -> Upload:
    """Read what was remembered of an upload; it is written once."""
    return Upload(**json.loads(record.read_text(encoding="utf-8")))


def clean_name(name: str) -> str:
    """Return the last part of a file name that a client gave, as every platform takes it."""
    from bridge.returns.folder import safe_name

    last = re.split(r"[\\/]", name)[-1] or "audio"
    return safe_name(last.encode("utf-8", "replace").decode("utf-8"), LONGEST_NAME)


def _unknown(upload_id: str) -> NrxError:
    return NrxError(
        "upload.unknown",
        f"There is no upload {upload_id[:64]!a}; send the file again and use its new id.",
    )
