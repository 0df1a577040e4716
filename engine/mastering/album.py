"""An album: songs that follow each other at consistent loudness, with what was quieter staying somewhat quieter.

The loudest song gets the target. Of what another is quieter by, half is kept, and 3 LU at most: a ballad stays softer
than the single without being lost. Where a song can't reach its place within the guardrails, the whole album comes
down by what it misses (3 LU at most), so that relations stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

KEPT_SHARE, MOST_KEPT_LU = 0.5, 3.0
MOST_LOWERED_LU = 3.0
WORTH_LOWERING_LU = 0.3


def album_targets(loudness_lufs: Sequence[float], target_lufs: float) -> list[float]:
    """Return each song's target in LUFS from the songs' own loudness."""
    loudest = max((value for value in loudness_lufs if isfinite(value)), default=target_lufs)
    return [
        target_lufs - min(MOST_KEPT_LU, KEPT_SHARE * (loudest - value)) if isfinite(value) else target_lufs
        for value in loudness_lufs
    ]


def album_lowered_by(targets_lufs: Sequence[float], reached_lufs: Sequence[float]) -> float:
    """Return by how many LU the album has to come down for the songs to keep their relations; 0 for none."""
    missed = max(
        (
            target - reached
            for target, reached in zip(targets_lufs, reached_lufs, strict=True)
            if isfinite(reached)
        ),
        default=0.0,
    )
    return min(MOST_LOWERED_LU, missed) if missed > WORTH_LOWERING_LU else 0.0
