"""What a daemon does about the one before it: jobs it left running, and what its processes have half-made."""

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

from bridge.config import Settings
from bridge.jobs import processes
from bridge.jobs.settling import settle
from bridge.jobs.store import JobStore
from bridge.returns.folder import left_behind

KEEP_INPUTS_S = 14 * 24 * 3600.0
"""How long the snapshots of a job that has ended are kept, to listen to, and to retry."""
log = logging.getLogger(__name__)


def take_up(store: JobStore) -> None:
    """End the processes that still hold jobs of an earlier daemon; keep whole returns, queue the other jobs again."""
    for holder in store.holders():
        if not processes.kill(holder.worker_pid, holder.worker_started):
            log.error("The worker process %d of an earlier daemon could not be ended", holder.worker_pid)
        published = settle(holder.job_id, holder.staging, holder.target, keep=not holder.cancelling)
        if published is not None:
            store.succeed(holder.token, published)
        else:
            store.interrupt(holder.token, "The daemon ended while the job ran")
        log.info("Took up job %s, which an earlier daemon had left running", holder.job_id)


def sweep_leftovers(settings: Settings, parents: Iterable[Path]) -> None:
    """Remove what dead processes of this machine have half-made in return folders, the cache, and the inputs."""

    def is_alive(pid: int) -> bool:
        return processes.started_at(pid) is not None

    watched = {watch.returns for watch in settings.watch if watch.returns is not None}
    for parent in {settings.returns_folder, *parents, *watched}:
        for folder in left_behind(parent, is_alive):
            log.info("Removing %s, which a process that is gone has left", folder)
            shutil.rmtree(folder, ignore_errors=True)
    for building in settings.cache_folder.glob(".building-*"):
        pid = building.name.removeprefix(".building-").partition("-")[0]
        if pid.isdigit() and not is_alive(int(pid)):
            shutil.rmtree(building, ignore_errors=True)
    for incoming in (settings.home / "inputs").glob(".incoming-*"):
        pid = incoming.name.removeprefix(".incoming-").partition("-")[0]
        if pid.isdigit() and not is_alive(int(pid)):
            incoming.unlink(missing_ok=True)
