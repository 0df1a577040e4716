"""A DAW's own project among the files that are typed, with the track that is meant: `--track`."""

from collections.abc import Sequence
from typing import Any

from bridge.doors.cli import live_set, rpp_track


def project_fields(inputs: Sequence[dict[str, Any]], track: str | None) -> dict[str, Any]:
    """Return the fields of a request for a track of a DAW's project; none for other files.

    Raises:
        NrxError: as `live_set.project_fields` and `rpp_track.project_fields`.
    """
    if any(str(item["path"]).lower().endswith(rpp_track.SUFFIX) for item in inputs):
        return rpp_track.project_fields(inputs, track)
    return live_set.project_fields(inputs, track)
