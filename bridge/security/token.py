"""The installation's token: 256 random bits in `NRX_HOME/token`, readable by its owner only.

Whoever holds the token may do everything that the daemon can do; it is compared in constant time and never logged.
"""

import os
import secrets
from pathlib import Path

from engine.errors import NrxError

TOKEN_FILE = "token"  # noqa: S105 - a file's name
TOKEN_BYTES = 32
_LONGEST_FILE_BYTES = 1024


class Token:
    """The token and where it is kept. Its text shows up in no `repr`."""

    def __init__(self, text: str, file: Path) -> None:
        self._secret = text.encode()
        self.text = text
        self.file = file

    @classmethod
    def load(cls, home: Path) -> "Token":
        """Return the token of this NRX_HOME, made on the first call.

        A file that others may read is given mode 0600 again; an empty one is an error and is not replaced silently.

        Raises:
            NrxError: `request.forbidden` where the file cannot be read, made or is no token.
        """
        file = home / TOKEN_FILE
        try:
            home.mkdir(parents=True, exist_ok=True)
            _create(file)
            if os.name == "posix" and file.stat().st_mode & 0o077:
                file.chmod(0o600)
            with file.open(encoding="ascii") as stream:
                text = stream.read(_LONGEST_FILE_BYTES).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise NrxError(
                "request.forbidden",
                f"The token file {file} cannot be read or made ({error}); delete it or set its owner right, "
                "and start again.",
            ) from error
        if len(text) < TOKEN_BYTES:
            raise NrxError(
                "request.forbidden",
                f"The token file {file} holds no token; delete it, and a new one is made at the next start.",
            )
        return cls(text, file)

    def matches(self, given: str | bytes) -> bool:
        """Return whether `given` is the token, in time that does not depend on where they differ."""
        offered = given if isinstance(given, bytes) else given.encode("utf-8", "surrogatepass")
        return secrets.compare_digest(offered, self._secret)

    def __repr__(self) -> str:
        return f"Token(file={str(self.file)!r})"


def _create(file: Path) -> None:
    """Make the file whole under another name and link it into place, so that two starts agree on one token."""
    if file.exists():
        return
    draft = file.with_name(f".{file.name}-{secrets.token_hex(6)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secrets.token_urlsafe(TOKEN_BYTES) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        _place_if_absent(draft, file)
    finally:
        draft.unlink(missing_ok=True)


def _place_if_absent(draft: Path, file: Path) -> None:
    try:
        os.link(draft, file)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not file.exists():
            draft.replace(file)
