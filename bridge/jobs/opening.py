"""Opens the snapshots of a job as the engine's sources, and keeps their names, which are hashes, out of sentences."""

from collections.abc import Sequence
from pathlib import Path

from bridge.config import Settings
from bridge.jobs.model import Snapshot
from engine.actions.model import SourceFile
from engine.actions.source import open_source
from engine.audio import Limits
from engine.errors import NrxError


def shown_path(snapshot: Snapshot) -> Path:
    """Return the path that people know an input by: as it was given, or its name alone if it came as bytes."""
    if snapshot.given.path == str(snapshot.file.path):
        return Path(snapshot.file.name)
    given = Path(snapshot.given.path).expanduser()
    return Path(snapshot.file.name) if given == snapshot.file.path else given


def open_snapshots(snapshots: Sequence[Snapshot], settings: Settings) -> tuple[SourceFile, ...]:
    """Open snapshots by their headers, and make sure that their bytes are those that were accepted.

    Raises:
        NrxError: any `input.*`.
    """
    limits = Limits(max_bytes=int(settings.input_max_gb * 1e9))
    sources = []
    for item in snapshots:
        source = open_source(item.file.path, limits, item.given.role)
        if source.sha256 != item.file.sha256:
            raise NrxError(
                "input.corrupt",
                f'The copy of "{item.file.name}" that was accepted is damaged on the disk; send the file again.',
            )
        sources.append(SourceFile(source.path, source.info, source.sha256, source.role, shown_path(item)))
    return tuple(sources)


def with_shown_names(error: NrxError, snapshots: Sequence[Snapshot]) -> NrxError:
    """Return an error whose sentence names inputs as people know them."""
    sentence = error.sentence
    for item in snapshots:
        sentence = sentence.replace(str(item.file.path), str(shown_path(item)))
        sentence = sentence.replace(item.file.path.name, item.file.name)
        sentence = sentence.replace(item.file.path.stem, Path(item.file.name).stem)
    return NrxError(error.code, sentence)
