"""When two requests are the same: by the bytes of their inputs and what is asked, not by how it was written.

`body` leaves out where the bytes lay and what the file was called; a `fingerprint` adds the engine's version, since
another version may make other music of the same request.
"""

from collections.abc import Sequence
from pathlib import Path

from bridge.jobs.model import Snapshot
from bridge.protocol import Request
from engine import __version__
from engine.stages import content_key


def body_of(request: Request, snapshots: Sequence[Snapshot], parent: Path) -> str:
    """Return the hash of what is asked: action, parameters, the bytes and roles of the inputs, and where to."""
    return content_key(
        {
            "asked": request.model_dump(mode="json", exclude={"inputs"}),
            "inputs": [[item.file.sha256, item.given.role] for item in snapshots],
            "parent": str(parent),
        }
    )


def fingerprint_of(body: str) -> str:
    """Return the hash of a request's body and the engine's version."""
    return content_key({"body": body, "engine": __version__})
