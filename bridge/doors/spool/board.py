"""Keeps status files current from a thread of its own: events come fast and must not wait for a disk.

Only the newest status of a job is written; a job that reports ten times a second costs one write a round.
"""

import threading

from bridge.doors.spool.status_file import StatusFolder
from bridge.protocol import JobStatus

ROUND_S = 0.05


class StatusBoard:
    """Writes what it is shown: one file a job, the latest state wins."""

    def __init__(self, statuses: StatusFolder) -> None:
        self._statuses = statuses
        self._pending: dict[str, JobStatus | None] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to write."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="nrx-spool-status", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is left and end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(1.0)
            self._thread = None

    def show(self, job: JobStatus) -> None:
        """Have a job's status written soon; returns at once."""
        self._put(job.id, job)

    def remove(self, job_id: str) -> None:
        """Have a job's file removed soon."""
        self._put(job_id, None)

    def _put(self, job_id: str, job: JobStatus | None) -> None:
        with self._changed:
            self._pending[job_id] = job
            self._changed.notify()

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            with self._changed:
                while not self._pending and not self._stopping:
                    self._changed.wait()
                batch, self._pending = self._pending, {}
                stopping = self._stopping
            for job_id, job in batch.items():
                if job is None:
                    self._statuses.remove(job_id)
                else:
                    self._statuses.show(job)
            if stopping:
                return
            pause.wait(ROUND_S)
