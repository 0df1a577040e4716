"""Fetching one file over HTTP: resumed where it broke off, verified before it gets its name.

Bytes go to `<name>.part`. A download that breaks off is taken up with a `Range` from the bytes that are there, in this
process or in a later one. Only a file whose size and hash are right is renamed to `<name>`; one whose hash is wrong is
thrown away and fetched once more from the start.
"""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import NrxError
from engine.models.card import ModelCard
from engine.models.hub import RemoteFile, refuse_answer, refuse_unsafe

if TYPE_CHECKING:
    import httpx

ATTEMPTS = 5
"""Tries in a row that bring no new byte."""
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")

Told = Callable[[int], None]
"""Is told how many bytes of the file are here; may raise to stop."""


def fetch_file(client: "httpx.Client", file: RemoteFile, card: ModelCard, folder: Path, told: Told) -> Path:
    """Bring `file` into `folder` and return its path; whatever is there of it already is not fetched again.

    Raises:
        NrxError: `model.download` if the server can't be reached or refuses, `model.damaged` if its bytes are wrong,
            `output.disk_full`.
    """
    final, part = folder / file.name, folder / f"{file.name}.part"
    if final.is_file() and file.refusal(final) is None:
        told(final.stat().st_size)
        return final
    for last in (False, True):
        _complete(client, file, card, part, told)
        wrong = file.refusal(part)
        if wrong is None:
            part.replace(final)
            return final
        part.unlink()
        if last:
            raise NrxError(
                "model.damaged",
                f"{file.url} is not what it should be: {wrong}; nothing of it was kept. Try again later.",
            )
    raise AssertionError("unreachable")


def _complete(client: "httpx.Client", file: RemoteFile, card: ModelCard, part: Path, told: Told) -> None:
    """Append to `part` until it has all bytes."""
    import httpx

    barren = 0
    while True:
        before = part.stat().st_size if part.is_file() else 0
        if file.size is not None and before >= file.size:
            return  # a part that is too long is found out by its size
        try:
            if _receive(client, file, card, part, before, told):
                return
            said = "the connection ended early"
        except httpx.TransportError as error:
            said = str(error) or type(error).__name__
        except OSError as error:
            raise _not_written(part, error) from error
        grown = part.is_file() and part.stat().st_size > before
        barren = 0 if grown else barren + 1
        if barren >= ATTEMPTS:
            raise NrxError(
                "model.download",
                f"{card.name} could not be fetched from {file.url} ({said}); what is there is kept, and the same "
                f"command goes on from it.",
            )
        time.sleep(min(0.2 * 2**barren, 5.0) if barren else 0.0)


def _receive(
    client: "httpx.Client", file: RemoteFile, card: ModelCard, part: Path, start: int, told: Told
) -> bool:
    """Receive from byte `start` on; return whether the server said that this was all."""
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with client.stream("GET", file.url, headers=headers, follow_redirects=True) as response:
        refuse_unsafe(str(response.url))
        if response.status_code == 416:  # there is nothing from there on: what we have is too long, or all
            return True
        if response.status_code in (500, 502, 503, 504):
            return False
        refuse_answer(response.status_code, card, file.url)
        given = _RANGE.match(response.headers.get("content-range", ""))
        goes_on = response.status_code == 206 and given is not None and int(given[1]) == start
        at = start if goes_on else 0
        length = response.headers.get("content-length", "")
        whole = at + int(length) if length.isdigit() else None
        with part.open("ab" if goes_on else "wb") as out:
            for block in response.iter_raw():
                out.write(block)
                at += len(block)
                told(at)
                if file.size is not None and at > file.size:
                    return True
    return at == file.size if file.size is not None else whole is None or at == whole


def _not_written(part: Path, error: OSError) -> NrxError:
    import errno

    if error.errno == errno.ENOSPC:
        return NrxError(
            "output.disk_full", f"The disk is full: {part} could not be written; free some space."
        )
    return NrxError("output.not_writable", f"{part} cannot be written ({error.strerror}).")
