"""From a row of the store to the `JobStatus` that doors show, and the estimate of the time left.

The estimate joins what the run has shown so far (elapsed time over the fraction done) with what past jobs of the action
took for each second of audio: at the start the past counts, later the run itself.
"""

import json
from typing import Any

from bridge.protocol import JobError, JobInput, JobStatus

ROW = Any
"""A row of the table `jobs`."""

SHORTEST_S = 1.0
"""Audio shorter than this is taken for as long, where times are compared by length: a job has costs of its own."""
TRUSTED_FRACTION = 0.4
"""From this fraction on, the run's own pace is all that counts."""


def time_left_s(
    elapsed_s: float, fraction: float, length_s: float, pace_s_per_s: float | None
) -> float | None:
    """Estimate how long a running job still takes, in seconds; None while nothing is known.

    Args:
        elapsed_s: since the run began.
        fraction: done, 0 to 1.
        length_s: of the audio.
        pace_s_per_s: seconds of work for a second of audio, from past jobs.
    """
    own = elapsed_s / fraction if fraction >= 0.02 else None
    past = pace_s_per_s * max(length_s, SHORTEST_S) if pace_s_per_s is not None else None
    if own is None and past is None:
        return None
    weight = min(1.0, fraction / TRUSTED_FRACTION) if past is not None else 1.0
    whole = (own or past or 0.0) * weight + (past or 0.0) * (1.0 - weight)
    return round(max(0.0, whole * (1.0 - fraction)), 1)


def status_of(
    row: ROW, now: float, *, position: int | None = None, pace_s_per_s: float | None = None
) -> JobStatus:
    """Return the status that a row holds, as of `now` (Unix seconds)."""
    running = row.state == "running"
    return JobStatus(
        protocol=1,
        id=row.id,
        action=row.action,
        title=row.title,
        style=row.style,
        door=row.door,
        state=row.state,
        stage=row.stage if running else None,
        fraction=row.fraction,
        left_s=time_left_s(now - row.started_at, row.fraction, row.length_s, pace_s_per_s)
        if running
        else None,
        cancelling=row.cancelling and running,
        attempt=row.attempt,
        priority=row.priority,
        position=position if row.state == "queued" else None,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        inputs=tuple(
            JobInput(
                name=item["name"], role=item["given"]["role"], sha256=item["sha256"], bytes=item["bytes"]
            )
            for item in json.loads(row.inputs)
        ),
        folder=row.folder,
        manifest=row.manifest,
        error=JobError(code=row.error_code, sentence=row.error_sentence)
        if row.error_code is not None
        else None,
        notes=tuple(json.loads(row.notes)),
    )
