"""Errors of our own: the details go into a file, and the person gets a sentence that names it."""

import os
import time
import traceback
from pathlib import Path

from engine.errors import NrxError


def unexpected(error: BaseException, home: Path) -> NrxError:
    """Keep the details of an error of ours in a file, and return the sentence that names it."""
    details = "".join(traceback.format_exception(error))
    file = home / "logs" / f"error-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(details, encoding="utf-8")
    except OSError:
        return NrxError("internal", f"nrx made an error: {error!r}. Please report it.")
    return NrxError(
        "internal", f"nrx made an error, and wrote the details to {file}: please report it with that file."
    )
