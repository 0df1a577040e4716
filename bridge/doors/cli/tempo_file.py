"""A tempo map from a file, as the JSON that a request carries."""

import json
from pathlib import Path
from typing import Any


def read_tempo_map(path: Path | None) -> Any:
    """Return the tempo map in `path` as a JSON value, or None where no file was named.

    A JSON document goes on as it is, so that a bar table and segments that differ are reported with the job.

    Raises:
        NrxError: `input.tempo_map`, `input.not_found`, and the like.
    """
    if path is None:
        return None
    from engine.tempo import load_tempo_map

    tempo_map = load_tempo_map(path)
    if path.suffix.lower() == ".json":
        return json.loads(path.read_text(encoding="utf-8-sig"))
    return tempo_map.to_json()
