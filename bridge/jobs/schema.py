"""The tables of the job store: `jobs`, their `events`, and `meta` for what is true of the store as a whole.

One row of `jobs` holds all of a job: what was asked, where it stands, who holds its lease, and where its return is
being published. Times are Unix seconds. `turn` orders the queue within a priority; `seq` orders jobs by age for
paging. An event is written in the transaction that changes its job, and holds the status as it was then.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA_VERSION = 1

metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("client_key", Text),
    Column("body", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    # what was asked
    Column("action", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("style", Text),
    Column("door", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("inputs", Text, nullable=False),
    Column("parent", Text, nullable=False),
    Column("search", Text, nullable=False),
    Column("length_s", Float, nullable=False),
    # where it stands
    Column("state", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("stage", Text),
    Column("fraction", Float, nullable=False),
    Column("cancelling", Boolean, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("crashes", Integer, nullable=False),
    Column("interruptions", Integer, nullable=False),
    Column("thrift", Integer, nullable=False),
    Column("notes", Text, nullable=False),
    # who holds it
    Column("token", Text),
    Column("lease_until", Float),
    Column("worker_pid", Integer),
    Column("worker_started", Float),
    # where the return is being published, and how it ended
    Column("staging", Text),
    Column("target", Text),
    Column("folder", Text),
    Column("manifest", Text),
    Column("error_code", Text),
    Column("error_sentence", Text),
    Column("created_at", Float, nullable=False),
    Column("started_at", Float),
    Column("finished_at", Float),
    UniqueConstraint("client_key"),
    sqlite_autoincrement=True,
)
Index("jobs_queue", jobs.c.state, jobs.c.priority.desc(), jobs.c.turn)
Index("jobs_by_state", jobs.c.state, jobs.c.seq)
Index("jobs_turn", jobs.c.turn)
Index("jobs_parent", jobs.c.parent)
Index("jobs_fingerprint", jobs.c.fingerprint)
Index("jobs_finished", jobs.c.action, jobs.c.state, jobs.c.finished_at)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("type", Text, nullable=False),
    Column("job_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("events_by_type", events.c.type, events.c.id)

meta = Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))
