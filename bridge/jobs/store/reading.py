"""Reading the store: one job, pages of jobs, events, and what is in use."""

import json
import time
from pathlib import Path

from sqlalchemy import func, select

from bridge.jobs.model import Holder, JobPage, Snapshot
from bridge.jobs.schema import events, jobs
from bridge.jobs.status import status_of
from bridge.jobs.store.ledger import Ledger
from bridge.jobs.store.places import places_of
from bridge.jobs.store.rows import known, path_of, request_of, snapshots_of
from bridge.protocol import JobEvent, JobStatus, Request
from engine.errors import NrxError

STATES = ("queued", "running", "succeeded", "failed", "cancelled")
_COUNTS = select(jobs.c.state, func.count()).group_by(jobs.c.state)


class Reading(Ledger):
    """What the store tells."""

    def get(self, job_id: str) -> JobStatus:
        """Return where a job stands.

        Raises:
            NrxError: `job.unknown`.
        """
        with self._engine.connect() as connection:
            return self._status(connection, known(connection, job_id))

    def request_of(self, job_id: str) -> Request:
        """Return what a job was asked; raises `job.unknown`."""
        with self._engine.connect() as connection:
            return request_of(known(connection, job_id))

    def snapshots_of(self, job_id: str) -> tuple[Snapshot, ...]:
        """Return the inputs of a job as they were accepted; raises `job.unknown`."""
        with self._engine.connect() as connection:
            return snapshots_of(known(connection, job_id))

    def page(
        self,
        *,
        state: str | None = None,
        search: str | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> JobPage:
        """Return jobs, newest first.

        Args:
            state: one of `STATES`, or None for all.
            search: words that all must occur in title, style, names of inputs or id.
            limit: at most so many.
            before: the `next` of the page before.

        Raises:
            NrxError: `request.invalid` for a state or a page that there is not.
        """
        wanted = []
        if state is not None:
            if state not in STATES:
                raise NrxError(
                    "request.invalid", f"There is no state {state!r}; the states are: {', '.join(STATES)}."
                )
            wanted.append(jobs.c.state == state)
        words = (search or "").casefold().split()
        wanted.extend(jobs.c.search.contains(word, autoescape=True) for word in words)
        here = list(wanted)
        if before is not None:
            if not (before.isascii() and before.isdigit()):
                raise NrxError("request.invalid", f"There is no page {before!r}; take `next` of a page.")
            here.append(jobs.c.seq < int(before))
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(jobs).where(*here).order_by(jobs.c.seq.desc()).limit(limit + 1)
            ).all()
            counts = dict.fromkeys(STATES, 0)
            for name, count in connection.execute(_COUNTS):
                counts[name] = count
            total = (
                connection.execute(select(func.count()).select_from(jobs).where(*wanted)).scalar_one()
                if search
                else sum(counts.values())
                if state is None
                else counts[state]
            )
            shown = rows[:limit]
            places = places_of(connection, [row for row in shown if row.state == "queued"])
            now = time.time()
            statuses = tuple(
                status_of(row, now, position=places.get(row.id), pace_s_per_s=self._pace(connection, row))
                for row in shown
            )
        return JobPage(statuses, str(shown[-1].seq) if len(rows) > limit else None, total, counts)

    def events_after(self, last_id: int, limit: int) -> tuple[JobEvent, ...]:
        """Return the events after an id, oldest first."""
        with self._engine.connect() as connection:
            found = connection.execute(
                select(events).where(events.c.id > last_id).order_by(events.c.id).limit(limit)
            )
            return tuple(
                JobEvent.model_construct(
                    id=row.id, at=row.at, type=row.type, job=JobStatus.model_validate_json(row.status)
                )
                for row in found
            )

    def last_event_id(self) -> int:
        """Return the id of the newest event; 0 if there is none."""
        with self._engine.connect() as connection:
            return int(connection.execute(select(func.max(events.c.id))).scalar_one() or 0)

    def parents(self) -> set[Path]:
        """Return the folders in which jobs have made their returns, or will."""
        with self._engine.connect() as connection:
            return {Path(parent) for parent in connection.execute(select(jobs.c.parent).distinct()).scalars()}

    def used_snapshots(self, finished_after: float) -> set[str]:
        """Return the names of the snapshots that unfinished jobs need, or jobs finished after a time (Unix s)."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(jobs.c.inputs).where(
                    jobs.c.state.in_(("queued", "running")) | (jobs.c.finished_at > finished_after)
                )
            ).scalars()
            return {Path(item["file"]).name for text in rows for item in json.loads(text)}

    def holders(self) -> list[Holder]:
        """Return who holds the running jobs: at start, those that a daemon before this one left."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(jobs).where(jobs.c.state == "running")).all()
        return [
            Holder(
                job_id=row.id,
                token=row.token,
                worker_pid=row.worker_pid,
                worker_started=row.worker_started,
                staging=path_of(row.staging),
                target=path_of(row.target),
                cancelling=row.cancelling,
            )
            for row in rows
        ]
