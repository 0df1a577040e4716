"""Roots: the folders below which requests over HTTP and OSC may name files.

Roots are NRX_HOME, the watched folders, `roots` in `nrx.toml`, and `NRX_HOME/roots.json` (which `nrx allow DIR` and
`nrx install` write; it is read again when it changes). A path is taken whole and absolute, resolved through all links,
and must lie below a resolved root; after opening, the open file is compared with what the path then stands for, so that
nothing can be swapped in between. What no honest client sends is refused before the file system is asked: `..`, NUL,
network shares, streams (`song.wav:other`) and device names.
"""

import json
import os
import re
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from bridge.config import Settings
from engine.errors import NrxError

ROOTS_FILE = "roots.json"
PRIVATE_NAMES = frozenset({"token", "daemon.json", "nrx.toml", ROOTS_FILE})
"""Files of NRX_HOME itself that no request may name; the job store's are known by their endings."""
_PRIVATE = re.compile(r".*\.(db|sqlite3?)(-\w+)?|.*\.(lock|log|pid)")
LONGEST_PATH = 4096
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:[ .].*)?", re.IGNORECASE
)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


class Roots:
    """Says which paths may be named, and opens them."""

    def __init__(self, settings: Settings) -> None:
        self._home = settings.home
        self._fixed = (
            settings.home,
            *settings.roots,
            *(watch.path for watch in settings.watch),
            *(watch.returns for watch in settings.watch if watch.returns is not None),
        )
        self._read_at: tuple[int, int] | None = None
        self._added: tuple[Path, ...] = ()

    def folders(self) -> tuple[Path, ...]:
        """The roots as they are now, resolved."""
        unique = dict.fromkeys(_resolved(folder) for folder in (*self._fixed, *self._listed()))
        return tuple(folder for folder in unique if folder != Path(folder.anchor))

    def allows(self, path: Path | str) -> Path:
        """Return the path, resolved, if it may be named; the file need not exist.

        Raises:
            NrxError: `request.forbidden` for anything outside the roots, and for what is no honest path.
        """
        text = str(path)
        reason = _suspicious(text)
        if reason is not None:
            raise NrxError("request.forbidden", f"The path {_shown(text)} is refused: {reason}.")
        resolved = _resolved(Path(text).expanduser())
        if not any(resolved.is_relative_to(root) for root in self.folders()) or self._is_private(resolved):
            raise NrxError(
                "request.forbidden",
                f"The path {_shown(text)} is not below a folder that requests may name; "
                "add its folder with: nrx allow FOLDER",
            )
        return resolved

    def open(self, path: Path | str) -> BinaryIO:
        """Open a file that may be named, for reading.

        Raises:
            NrxError: `request.forbidden`; `input.not_found`, `input.is_folder`, `input.unreadable`.
        """
        resolved = self.allows(path)
        stream = open_regular(resolved)
        try:
            if _resolved(resolved) != resolved or not os.path.samestat(
                os.fstat(stream.fileno()), resolved.stat()
            ):
                raise NrxError(
                    "request.forbidden",
                    f"The path {_shown(str(path))} changed while it was opened; send it again.",
                )
        except OSError as error:
            stream.close()
            raise NrxError("input.unreadable", f"The file {resolved} went away while it was read.") from error
        except NrxError:
            stream.close()
            raise
        return stream

    def _is_private(self, resolved: Path) -> bool:
        if resolved.parent != _resolved(self._home):
            return False
        name = resolved.name.lower()
        return name in PRIVATE_NAMES or _PRIVATE.fullmatch(name) is not None

    def _listed(self) -> tuple[Path, ...]:
        """Return the folders of `roots.json`; a file that can't be read adds none."""
        file = self._home / ROOTS_FILE
        try:
            status = file.stat()
            if (status.st_mtime_ns, status.st_size) != self._read_at:
                self._added = tuple(read_roots_file(file))
                self._read_at = (status.st_mtime_ns, status.st_size)
        except (OSError, ValueError):
            self._added, self._read_at = (), None
        return self._added


def read_roots_file(file: Path) -> Iterable[Path]:
    """Return the folders that a `roots.json` lists: a JSON list of absolute paths.

    Raises:
        OSError, ValueError: where there is no such list.
    """
    listed = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(listed, list):
        raise ValueError(f"{file} holds no list")
    return [Path(item) for item in listed if isinstance(item, str) and Path(item).is_absolute()]


def add_root(home: Path, folder: Path) -> None:
    """Add a folder to `roots.json`; nothing happens if it is there.

    Raises:
        NrxError: `request.invalid` for a relative path or a whole disk.
    """
    resolved = _resolved(folder)
    if not folder.is_absolute() or resolved == Path(resolved.anchor):
        raise NrxError(
            "request.invalid",
            f"The folder {folder} cannot be allowed; name one folder, and not a whole disk.",
        )
    listed = _listed_in(home)
    if resolved not in listed:
        _write_roots(home, [*listed, resolved])


def remove_root(home: Path, folder: Path) -> None:
    """Take a folder off `roots.json`.

    Raises:
        NrxError: `request.invalid` where it is not listed there.
    """
    listed = _listed_in(home)
    left = [item for item in listed if item not in (folder, _resolved(folder))]
    if len(left) == len(listed):
        raise NrxError(
            "request.invalid",
            f"The folder {folder} is not on the list of {home / ROOTS_FILE}; watched folders are allowed anyway.",
        )
    _write_roots(home, left)


def _listed_in(home: Path) -> list[Path]:
    try:
        return list(read_roots_file(home / ROOTS_FILE))
    except (OSError, ValueError):
        return []


def _write_roots(home: Path, folders: list[Path]) -> None:
    """Write the list under another name and rename it into place."""
    home.mkdir(parents=True, exist_ok=True)
    draft = home / f".{ROOTS_FILE}-{secrets.token_hex(6)}"
    draft.write_text(json.dumps([str(folder) for folder in folders], indent=1), encoding="utf-8")
    draft.replace(home / ROOTS_FILE)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading; never waits on a pipe or device, never follows a link in the last step.

    Raises:
        NrxError: `input.not_found`, `input.is_folder`, `input.unreadable`.
    """
    flags = os.O_RDONLY
    for name in ("O_BINARY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"):
        flags |= getattr(os, name, 0)
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise NrxError("input.not_found", f"There is no file {path}; check its name.") from None
    except IsADirectoryError:
        raise NrxError("input.is_folder", f"{path} is a folder; name a file.") from None
    except OSError as error:
        if path.is_dir():  # as Windows says it
            raise NrxError("input.is_folder", f"{path} is a folder; name a file.") from None
        raise NrxError("input.unreadable", f"The file {path} cannot be read ({error.strerror}).") from error
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise NrxError("input.is_folder", f"{path} is a folder; name a file.")
    raise NrxError("input.unreadable", f"{path} is no regular file.")


def _suspicious(text: str) -> str | None:
    """Return why no honest client would send this path, or None."""
    if not text or len(text) > LONGEST_PATH:
        return f"a path has 1 to {LONGEST_PATH} characters"
    if any(ord(letter) < 32 for letter in text):
        return "it holds control characters"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "it is not Unicode text"
    parts = re.split(r"[\\/]", text)
    if ".." in parts:
        return 'it holds ".."'
    if text.startswith(("\\\\", "//", "\\/", "/\\")):
        return "network shares and device paths may not be named"
    if not Path(text).expanduser().is_absolute():
        return "it is not absolute"
    # What follows means something else on Windows; elsewhere a file may really be called so.
    if os.name == "nt" or not os.path.lexists(text):
        if ":" in (text[2:] if _DRIVE.match(text) else text):
            return "streams of a file may not be named"
        if any(_DEVICE.fullmatch(part) for part in parts):
            return "device names may not be named"
    return None


def _resolved(path: Path) -> Path:
    """Return the path with all links resolved; one that can't be (a loop of links) stays below no root.

    Raises:
        NrxError: `request.forbidden`.
    """
    try:
        return path.expanduser().resolve()
    except (OSError, RuntimeError) as error:
        raise NrxError(
            "request.forbidden", f"The path {_shown(str(path))} cannot be resolved; name the file itself."
        ) from error


def _shown(text: str) -> str:
    return ascii(text) if len(text) <= 200 else f"{text[:200]!a}…"
