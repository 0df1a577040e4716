"""The job store: what is accepted stays, and only the holder of a job's lease can say anything of it.

Each method is one transaction. A claim gives a worker a lease with a fencing token; every later word of that worker
carries the token, and is refused with `LeaseLost` once the job has been given to another. Accepting, claiming,
publishing and all ends are on the disk before the method returns; progress may be lost in a power cut.

What happens to a job whose worker did not finish it:

| what happened | counted as | then |
| --- | --- | --- |
| the process ended by itself | attempt, crash | again; after two crashes `job.crashed` |
| not enough memory | attempt | again with less memory; after the last step `job.memory` |
| no sign of life, lease lapsed | attempt | again; after the last attempt `job.attempts` |
| an error of our own | attempt | again; after the last attempt the error |
| bad input, full disk, missing backend | attempt | failed with that error |
| the daemon ended, or the process before it began | interruption | again; from the third on behind the others |
"""

from bridge.jobs.store.accepting import Accepting, conflict
from bridge.jobs.store.leases import Leases
from bridge.jobs.store.orders import Orders
from bridge.jobs.store.reading import STATES, Reading
from bridge.jobs.store.rows import LeaseLost

__all__ = ["STATES", "JobStore", "LeaseLost", "conflict"]


class JobStore(Accepting, Reading, Leases, Orders):
    """Jobs and their events in one SQLite file. Thread-safe; `close` it at the end.

    Args:
        file: the store's file, made if missing.
        settings: attempts and how long a lease lasts.
        on_events: called with the events of each transaction, in order, on the store's thread; must not block.

    Raises:
        NrxError: `store.network`, `output.not_writable`, `internal`.
    """
