"""Settles what a dead worker has left: a whole return is kept, anything half-made is taken away.

The staging folder goes first. From then on nothing can be published under that name; whether it was before, the
manifest at the recorded place says: it carries the job's id, and a folder that has one is whole.
"""

import logging
from pathlib import Path

from bridge.jobs.model import Published
from bridge.returns.folder import MANIFEST, published_id, take_away
from engine.errors import NrxError

log = logging.getLogger(__name__)


def settle(job_id: str, staging: Path | None, target: Path | None, *, keep: bool) -> Published | None:
    """Take away what is half-made; return a whole return of this job, or, without `keep`, take it away too."""
    if staging is not None:
        _take(staging)
    if target is None or published_id(target) != job_id:
        return None
    if keep:
        return Published(target, target / MANIFEST)
    _take(target)
    return None


def _take(folder: Path) -> None:
    try:
        take_away(folder)
    except NrxError as error:
        log.error("%s", error.sentence)
