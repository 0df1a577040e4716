"""What is asked for: the watch's settings, the place's style, and a sidecar beside the audio, in one `Request`.

A sidecar `song.nrx.json` (or `song.wav.nrx.json`) holds fields of a request except its inputs, as they are in the
protocol: `{"style": "jazz", "energy": 1.2, "tempo_map": {…}}`, and beside them `role` (of a single file that is a stem)
and `priority`. It beats the folder's style, which beats the watch's. Stems of one song share `<song>.nrx.json`.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.config import WatchSettings
from bridge.doors.folder.names import SIDECAR_SUFFIX, stem_name
from bridge.protocol import Request, parse_request
from engine.errors import NrxError

LARGEST_SIDECAR_BYTES = 4 << 20
_OWN_FIELDS = ("role", "priority")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with its priority; `mark` is the hash of the sidecar, "" where there is none."""

    request: Request
    priority: int
    mark: str


def sidecar_of(path: Path) -> Path | None:
    """Return the sidecar of an audio file, its own before its song's."""
    candidates = [path.with_name(path.stem + SIDECAR_SUFFIX), path.with_name(path.name + SIDECAR_SUFFIX)]
    found = next((each for each in candidates if each.is_file()), None)
    if found is None and (stem := stem_name(path.name)) is not None:
        for each in sorted(path.parent.glob(f"*{SIDECAR_SUFFIX}")):
            words = "".join(c if c.isalnum() else " " for c in each.name[: -len(SIDECAR_SUFFIX)]).casefold()
            if " ".join(words.split()) == stem.song:
                return each
    return found


def mark_of(sidecar: Path | None) -> str:
    """Return the hash of a sidecar's bytes, "" where there is none."""
    if sidecar is None:
        return ""
    try:
        with sidecar.open("rb") as file:
            return hashlib.sha256(file.read(LARGEST_SIDECAR_BYTES)).hexdigest()[:16]
    except OSError:
        return ""


def build(paths: Sequence[Path], watch: WatchSettings, style: str | None) -> Asked:
    """Return what is asked for one file, or for the stems of one song.

    Raises:
        NrxError: `request.invalid` for a sidecar that cannot be read, or what `parse_request` says.
    """
    sidecar = sidecar_of(paths[0])
    told = {} if sidecar is None else _read(sidecar)
    role, priority = told.pop("role", None), told.pop("priority", 0)
    if not isinstance(priority, int) or not -100 <= priority <= 100:
        raise NrxError("request.invalid", f"priority {priority!r} is refused: it must be from -100 to 100.")
    fields: dict[str, Any] = {"action": watch.action, **watch.parameters}
    if style is not None:
        fields["style"] = style
    fields |= told
    fields["inputs"] = _inputs(paths, role)
    if fields["action"] == "remix" and not fields.get("style"):
        raise NrxError(
            "request.invalid",
            f'There is no style for "{paths[0].name}"; put it into a folder named after a style (see: nrx styles), or '
            "give the watched folder a style.",
        )
    try:
        request = parse_request(fields)
    except NrxError as error:
        if sidecar is None:
            raise
        raise NrxError(
            error.code, f'The file "{sidecar.name}" beside it is refused: {error.sentence}'
        ) from None
    return Asked(request, priority, mark_of(sidecar))


def _inputs(paths: Sequence[Path], role: Any) -> list[dict[str, Any]]:
    if len(paths) == 1:
        return [{"path": str(paths[0]), "name": paths[0].name, "role": role}]
    inputs = []
    for path in paths:
        stem = stem_name(path.name)
        inputs.append({"path": str(path), "name": path.name, "role": stem.role if stem else "other"})
    first = stem_name(paths[0].name)
    title = (first.title if first else "") or paths[0].parent.name
    inputs[0]["name"] = f"{title}{paths[0].suffix}"  # returns are named after the first input
    return inputs


def _read(sidecar: Path) -> dict[str, Any]:
    try:
        with sidecar.open("rb") as file:
            data = file.read(LARGEST_SIDECAR_BYTES + 1)
        told = json.loads(data.decode("utf-8-sig")) if len(data) <= LARGEST_SIDECAR_BYTES else None
    except (OSError, ValueError, RecursionError) as error:
        raise NrxError(
            "request.invalid", f'The file "{sidecar.name}" beside it is not JSON: {error}.'
        ) from None
    if not isinstance(told, dict) or "inputs" in told:
        raise NrxError(
            "request.invalid",
            f'The file "{sidecar.name}" beside it must hold one JSON object with fields of a request, and no inputs.',
        )
    return told
