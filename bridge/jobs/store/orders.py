"""What people ask of jobs that are there: cancel, retry, delete, move, hold back; and forgetting old events."""

from sqlalchemy import delete, func, insert, select

from bridge.jobs.schema import events, jobs, meta
from bridge.jobs.store.ledger import Ledger
from bridge.jobs.store.places import next_turn
from bridge.jobs.store.rows import known, set_values, wrong_state
from bridge.jobs.writer import Batch
from bridge.protocol import ENDED, JobStatus


class Orders(Ledger):
    """Changes that a person asks for."""

    def cancel(self, job_id: str) -> tuple[JobStatus, str | None]:
        """Cancel a queued job, or mark a running one; return its status and the token of the lease to end.

        Raises:
            NrxError: `job.unknown`, `job.state` if it has ended otherwise.
        """

        def change(batch: Batch) -> tuple[JobStatus, str | None]:
            row = known(batch.connection, job_id)
            if row.state == "queued":
                return self._end(batch, row, "cancelled"), None
            if row.state == "running":
                if not row.cancelling:
                    set_values(batch, row.id, cancelling=True)
                    return self._tell(batch, row.id, "progress"), row.token
                return self._status(batch.connection, row), row.token
            if row.state == "cancelled":
                return self._status(batch.connection, row), None
            raise wrong_state(row, "cancelled")

        return self._writer.write(change)

    def retry(self, job_id: str) -> JobStatus:
        """Queue a failed or cancelled job again, as if new.

        Raises:
            NrxError: `job.unknown`, `job.state`.
        """

        def change(batch: Batch) -> JobStatus:
            row = known(batch.connection, job_id)
            if row.state not in ("failed", "cancelled"):
                raise wrong_state(row, "retried")
            set_values(
                batch,
                row.id,
                state="queued",
                turn=next_turn(batch.connection),
                stage=None,
                fraction=0.0,
                cancelling=False,
                attempt=0,
                crashes=0,
                interruptions=0,
                thrift=0,
                notes="[]",
                error_code=None,
                error_sentence=None,
                started_at=None,
                finished_at=None,
            )
            return self._tell(batch, row.id, "retried")

        return self._writer.write(change)

    def delete(self, job_id: str) -> JobStatus:
        """Forget a job that does not run, with its events; return what it was.

        Raises:
            NrxError: `job.unknown`, `job.state` while it runs.
        """

        def change(batch: Batch) -> JobStatus:
            row = known(batch.connection, job_id)
            if row.state == "running":
                raise wrong_state(row, "deleted; cancel it first")
            batch.connection.execute(delete(events).where(events.c.job_id == row.id))
            status = self._tell(batch, row.id, "deleted")
            batch.places.clear()
            batch.connection.execute(delete(jobs).where(jobs.c.id == row.id))
            return status

        return self._writer.write(change)

    def set_priority(self, job_id: str, priority: int) -> JobStatus:
        """Move a job before those of lower priority. Raises `job.unknown`, `job.state` if it has ended."""

        def change(batch: Batch) -> JobStatus:
            row = known(batch.connection, job_id)
            if row.state in ENDED:
                raise wrong_state(row, "given a priority")
            set_values(batch, row.id, priority=priority)
            return self._tell(batch, row.id, "progress")

        return self._writer.write(change)

    @property
    def paused(self) -> bool:
        """Whether waiting jobs are held back; it outlives the daemon."""
        return self._paused

    def set_paused(self, *, paused: bool) -> None:
        """Hold waiting jobs back, or let them go."""

        def change(batch: Batch) -> None:
            batch.connection.execute(delete(meta).where(meta.c.name == "paused"))
            batch.connection.execute(insert(meta).values(name="paused", value=str(int(paused))))

        self._writer.write(change)
        self._paused = paused

    def prune_events(self, *, keep: int, keep_progress: int) -> int:
        """Forget old events, progress sooner than the rest; return how many went."""

        def change(batch: Batch) -> int:
            newest = batch.connection.execute(select(func.max(events.c.id))).scalar_one() or 0
            gone = batch.connection.execute(
                delete(events).where(
                    (events.c.id <= newest - keep)
                    | ((events.c.type == "progress") & (events.c.id <= newest - keep_progress))
                )
            )
            return int(gone.rowcount)

        return self._writer.write(change, durable=False)
