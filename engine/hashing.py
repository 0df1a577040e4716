"""The hash of a file's bytes: what stages and models are told apart by."""

import hashlib
from pathlib import Path

from engine.progress import Monitor


def file_hash(path: Path, monitor: Monitor | None = None) -> str:
    """Return the SHA-256 of a file's bytes as hex; `monitor` is asked about cancelling."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            digest.update(block)
            if monitor is not None:
                monitor.check()
    return digest.hexdigest()
