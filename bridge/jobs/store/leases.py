"""A worker's words, each under the token of its lease, and what is said of a worker that fell silent."""

import json
import secrets
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bridge.jobs.model import Claim, Published
from bridge.jobs.schema import jobs
from bridge.jobs.store.ledger import Ledger
from bridge.jobs.store.places import next_turn
from bridge.jobs.store.rows import held, request_of, set_values, snapshots_of
from bridge.jobs.writer import Batch
from bridge.protocol import JobStatus
from engine.errors import Cancelled, NrxError
from engine.thrift import STEPS as THRIFT_STEPS

CRASHES = 2
"""A job that has ended its process this often is not tried again."""
PATIENT_INTERRUPTIONS = 3
MOST_INTERRUPTIONS = 100
"""A job that was interrupted: from the first on it waits behind the others, from the second on it fails."""
TRIED_AGAIN = frozenset({"internal"})
"""Codes that may be chance; every other refusal is the same the next time."""
_FIRST = select(jobs).where(jobs.c.state == "queued").order_by(jobs.c.priority.desc(), jobs.c.turn).limit(1)


class Leases(Ledger):
    """Claiming jobs, working under a lease, and how a lease ends."""

    def claim(self, worker_pid: int, worker_started: float) -> Claim | None:
        """Give the next job to a worker process; None if none waits or the queue is paused."""
        if self._paused:
            return None

        def change(batch: Batch) -> Claim | None:
            row = batch.connection.execute(_FIRST).one_or_none()
            if row is None:
                return None
            token, now = secrets.token_hex(16), time.time()
            set_values(
                batch,
                row.id,
                state="running",
                attempt=row.attempt + 1,
                token=token,
                lease_until=now + self._settings.lease_s,
                worker_pid=worker_pid,
                worker_started=worker_started,
                started_at=now,
                stage=None,
                fraction=0.0,
                cancelling=False,
            )
            self._tell(batch, row.id, "running")
            return Claim(
                job_id=row.id,
                token=token,
                attempt=row.attempt + 1,
                request=request_of(row),
                snapshots=snapshots_of(row),
                parent=Path(row.parent),
                thrift=row.thrift,
                notes=tuple(json.loads(row.notes)),
            )

        return self._writer.write(change)

    def beat(self, token: str, stage: str | None, fraction: float) -> "Future[None]":
        """Renew the lease and say how far the job is; progress never goes back. The future raises `LeaseLost`."""

        def change(batch: Batch) -> None:
            row = held(batch.connection, token)
            set_values(
                batch,
                row.id,
                lease_until=time.time() + self._settings.lease_s,
                stage=stage or row.stage,
                fraction=max(row.fraction, min(1.0, fraction)),
            )
            if stage is not None and (stage != row.stage or fraction > row.fraction):
                self._tell(batch, row.id, "progress")

        return self._writer.begin(change, durable=False)

    def renew(self, token: str) -> "Future[None]":
        """Renew the lease without news, for a worker that is seen to work; the future raises `LeaseLost`."""

        def change(batch: Batch) -> None:
            row = held(batch.connection, token)
            set_values(batch, row.id, lease_until=time.time() + self._settings.lease_s)

        return self._writer.begin(change, durable=False)

    def stage_in(self, token: str, staging: Path) -> None:
        """Record the folder in which the return will be built, before it is made.

        Raises:
            LeaseLost: the job is another's.
            Cancelled: it is to be cancelled.
        """
        self._record(token, staging=str(staging), target=None)

    def publish_at(self, token: str, target: Path) -> None:
        """Record the place that the return is about to be renamed to; raises as `stage_in`."""
        self._record(token, target=str(target))

    def _record(self, token: str, **values: Any) -> None:
        def change(batch: Batch) -> None:
            row = held(batch.connection, token)
            if row.cancelling:
                raise Cancelled
            set_values(batch, row.id, lease_until=time.time() + self._settings.lease_s, **values)

        self._writer.write(change)

    def succeed(self, token: str, published: Published) -> None:
        """End a job whose return is in its place; raises as `stage_in`: then the return must go."""

        def change(batch: Batch) -> None:
            row = held(batch.connection, token)
            if row.cancelling:
                raise Cancelled
            self._end(
                batch,
                row,
                "succeeded",
                fraction=1.0,
                folder=str(published.folder),
                manifest=str(published.manifest),
            )
            self._paces.pop(row.action, None)

        self._writer.write(change)

    def fail(self, token: str, error: NrxError) -> JobStatus:
        """End a job with an error, or queue it again where the error may be chance; raises `LeaseLost`."""

        def change(batch: Batch) -> JobStatus:
            row = held(batch.connection, token)
            if error.code in TRIED_AGAIN and row.attempt < self._settings.attempts:
                return self._again(batch, row, f"Attempt {row.attempt} failed: {error.sentence}")
            return self._fail(batch, row, error)

        return self._writer.write(change)

    def crashed(self, token: str, how: str) -> JobStatus:
        """Say that the worker process ended by itself; `how` as "was ended by signal 9". Raises `LeaseLost`."""

        def change(batch: Batch) -> JobStatus:
            row = held(batch.connection, token)
            where = f"at the stage {row.stage}" if row.stage else "before its first stage"
            said = f"The worker process {how} {where}"
            set_values(batch, row.id, crashes=row.crashes + 1)
            if row.crashes + 1 >= CRASHES:
                return self._fail(
                    batch,
                    row,
                    NrxError(
                        "job.crashed",
                        f"{said}, as one did before with this job; it is not tried again. "
                        "Try another file or setting, and please report it with the daemon's log.",
                    ),
                )
            return self._again_or_fail(batch, row, said)

        return self._writer.write(change)

    def starved(self, token: str, how: str) -> JobStatus:
        """Say that memory did not suffice: the next attempt spares it. Raises `LeaseLost`."""

        def change(batch: Batch) -> JobStatus:
            row = held(batch.connection, token)
            if row.thrift >= THRIFT_STEPS or row.attempt >= max(self._settings.attempts, THRIFT_STEPS + 1):
                return self._fail(
                    batch,
                    row,
                    NrxError(
                        "job.memory",
                        f"The job needs more memory than this machine has, also with small blocks ({how}); "
                        "cut the audio into shorter files, or end other programs and retry.",
                    ),
                )
            set_values(batch, row.id, thrift=row.thrift + 1)
            return self._again(
                batch,
                row,
                f"Attempt {row.attempt} ran out of memory ({how}); "
                f"tried again with less (step {row.thrift + 1} of {THRIFT_STEPS}).",
            )

        return self._writer.write(change)

    def lapsed(self, token: str) -> JobStatus:
        """Take the job from a worker that gave no sign of life for the length of the lease. Raises `LeaseLost`."""

        def change(batch: Batch) -> JobStatus:
            row = held(batch.connection, token)
            said = (
                f"The worker gave no sign of life for {self._settings.lease_s:g} s at the stage {row.stage}"
            )
            return self._again_or_fail(batch, row, said)

        return self._writer.write(change)

    def give_back(self, token: str) -> JobStatus:
        """Queue a job again that was stopped because the daemon ends; nothing is counted. Raises `LeaseLost`."""

        def change(batch: Batch) -> JobStatus:
            row = held(batch.connection, token)
            set_values(batch, row.id, attempt=row.attempt - 1)
            return self._again(batch, row, None)

        return self._writer.write(change)

    def cancelled(self, token: str) -> JobStatus:
        """End a job that was cancelled and has left nothing behind. Raises `LeaseLost`."""

        def change(batch: Batch) -> JobStatus:
            return self._end(batch, held(batch.connection, token), "cancelled")

        return self._writer.write(change)

    def interrupt(self, token: str, why: str) -> JobStatus:
        """Queue a job again that was interrupted through no fault of its own. Raises `LeaseLost`."""

        def change(batch: Batch) -> JobStatus:
            row = held(batch.connection, token)
            if row.cancelling:
                return self._end(batch, row, "cancelled")
            times = row.interruptions + 1
            if times >= MOST_INTERRUPTIONS:
                return self._fail(
                    batch,
                    row,
                    NrxError("job.attempts", f"{why}; that was the {times}th interruption of this job."),
                )
            values: dict[str, Any] = {"attempt": row.attempt - 1, "interruptions": times}
            if times >= PATIENT_INTERRUPTIONS:
                values["turn"] = next_turn(batch.connection)
            set_values(batch, row.id, **values)
            return self._again(batch, row, f"{why}; it was taken up again.")

        return self._writer.write(change)
