"""Project files beside a return's audio: a table of formats, each made from the return's manifest."""

from collections.abc import Callable
from pathlib import Path

from bridge.protocol import Manifest
from bridge.returns.dawproject import dawproject_bytes
from bridge.returns.folder import safe_name, write_file, writing_to
from bridge.returns.rpp import rpp_text
from bridge.returns.session import Session, session_of

FORMATS: dict[str, tuple[str, Callable[[Session], bytes]]] = {
    "reaper": (".rpp", rpp_text),
    "dawproject": (".dawproject", dawproject_bytes),
}
"""Name in the manifest's `files` -> the file's ending, and what writes it."""


def write_projects(folder: Path, manifest: Manifest, name: str) -> dict[str, str]:
    """Write a project in every format for a return that has tracks; return name -> relative path.

    Raises:
        NrxError: `output.not_writable`, `output.disk_full`.
    """
    if not manifest.tracks:
        return {}
    session = session_of(manifest, name)
    written = {}
    with writing_to(folder):
        for kind, (ending, make) in FORMATS.items():
            written[kind] = f"{safe_name(name)}{ending}"
            write_file(folder / written[kind], make(session))
    return written
