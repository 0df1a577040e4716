"""`<name>.error.txt` in the return folder: which file was not taken, why, and what to do. The file itself stays."""

import contextlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from bridge.doors.folder.watched import WatchedFolder
from engine.errors import NrxError

log = logging.getLogger("nrx.folder")


def write_report(folder: WatchedFolder, paths: Sequence[Path], error: NrxError) -> None:
    """Write the report of a file, or of the stems of a song under the first one's name."""
    target = folder.error_file(paths[0])
    lines = [
        f"{paths[0].name}: {error.sentence}",
        "",
        *(f"File: {path}" for path in paths),
        f"Code: {error.code}",
        f"When: {datetime.now(UTC).astimezone().isoformat(sep=' ', timespec='seconds')}",
        "",
        "Nothing was changed or deleted. Save or render the file again, and NRX Bridge takes it by itself.",
        "",
    ]
    partial = target.with_name(f".{uuid4().hex[:12]}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text("\n".join(lines), encoding="utf-8", errors="replace")
        partial.replace(target)
    except OSError as problem:
        log.warning("The report %s cannot be written: %s", target, problem)
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def remove_reports(folder: WatchedFolder, paths: Sequence[Path]) -> None:
    """Remove the reports of files that are in order now."""
    for path in paths:
        with contextlib.suppress(OSError):
            folder.error_file(path).unlink(missing_ok=True)
