"""A track of a Live Set as it is typed: `nrx remix set.als --track "Drums"`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.errors import NrxError

SUFFIX = ".als"


def project_fields(inputs: Sequence[dict[str, Any]], track: str | None) -> dict[str, Any]:
    """Return the `inputs` and the `project` of a request for a track of a Live Set; nothing for other files.

    Raises:
        NrxError: `request.invalid` for a track that there is not, or a track without a Set; what reading
            the Set raises.
    """
    sets = [str(item["path"]) for item in inputs if str(item["path"]).lower().endswith(SUFFIX)]
    if not sets:
        if track is not None:
            raise NrxError(
                "request.invalid",
                "--track names a track of a Live Set or a REAPER project; give a file .als or .RPP with it.",
            )
        return {}
    if len(inputs) > 1:
        raise NrxError("request.invalid", f'"{sets[0]}" is a Live Set, and makes a job of its own.')
    from bridge.projects.als import read_live_set

    path = Path(sets[0]).expanduser()
    live_set = read_live_set(path)
    if track is None:
        names = ", ".join(f'"{one.name}"' for one in live_set.tracks) or "none"
        raise NrxError(
            "request.invalid",
            f'Say which track of "{path.name}" with --track; its audio tracks are: {names}.',
        )
    chosen = live_set.track(track)
    files = [*chosen.files, path]
    project = live_set.project(chosen, live_set=len(chosen.files))
    return {
        "inputs": [{"path": str(file.absolute())} for file in files],
        "project": project.model_dump(mode="json"),
    }
