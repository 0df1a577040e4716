"""`--watch DIR[=STYLE]`: a watched folder in one argument."""

from pathlib import Path

from bridge.config import WatchSettings
from engine.errors import NrxError


def parse_watch(text: str) -> WatchSettings:
    """Return the watch that an argument asks for.

    A folder whose own name holds an equals sign is taken as it is, if it exists.

    Raises:
        NrxError: `request.invalid` if there is no folder in it.
    """
    folder, equals, style = text.rpartition("=")
    if not equals or Path(text).expanduser().is_dir():
        folder, style = text, ""
    if not folder.strip():
        raise NrxError(
            "request.invalid", f"--watch {text!r} names no folder; write --watch DIR or --watch DIR=STYLE."
        )
    return WatchSettings(path=Path(folder).expanduser().absolute(), style=style.strip() or None)
