"""Places in the queue: how many jobs will run before a queued one. Higher priority first, then by turn."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, select

from bridge.jobs.schema import jobs
from bridge.jobs.status import ROW
from bridge.jobs.writer import Batch

_BEFORE = (
    select(func.count())
    .select_from(jobs)
    .where(
        jobs.c.state == "queued",
        (jobs.c.priority > bindparam("priority"))
        | ((jobs.c.priority == bindparam("priority")) & (jobs.c.turn < bindparam("turn"))),
    )
)


def next_turn(connection: Connection) -> int:
    """Return the turn of a job that goes to the end of the queue."""
    return int(connection.execute(select(func.max(jobs.c.turn))).scalar_one() or 0) + 1


def place(connection: Connection, row: ROW) -> int | None:
    """Return how many jobs will run before a queued one."""
    if row.state != "queued":
        return None
    return int(connection.execute(_BEFORE, {"priority": row.priority, "turn": row.turn}).scalar_one())


def place_at_end(batch: Batch, row: ROW) -> int | None:
    """Return the same for a job that has just been added, counting only once for several added together."""
    found = batch.places.get(row.priority)
    if found is None:
        found = place(batch.connection, row) or 0
    batch.places.clear()
    batch.places[row.priority] = found + 1
    return found


def places_of(connection: Connection, queued: Sequence[ROW]) -> dict[str, int]:
    """Return the places of queued jobs: of the first by counting, of those up to the last by their order."""
    if not queued:
        return {}
    order = sorted(queued, key=lambda row: (-row.priority, row.turn))
    first, last = order[0], order[-1]
    priority, turn = jobs.c.priority, jobs.c.turn
    between = (
        select(jobs.c.id)
        .where(
            jobs.c.state == "queued",
            (priority < first.priority) | ((priority == first.priority) & (turn >= first.turn)),
            (priority > last.priority) | ((priority == last.priority) & (turn <= last.turn)),
        )
        .order_by(priority.desc(), turn)
    )
    ids = connection.execute(between).scalars()
    return {job_id: at for at, job_id in enumerate(ids, place(connection, first) or 0)}
