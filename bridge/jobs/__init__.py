"""Durable jobs: accepted, queued, run by worker processes, published once. Doors use `Jobs` and its model."""

from bridge.jobs.jobs import Jobs
from bridge.jobs.model import Accepted, JobPage, RegisteredInput, Snapshot
from bridge.jobs.pool import WorkerInfo

__all__ = ["Accepted", "JobPage", "Jobs", "RegisteredInput", "Snapshot", "WorkerInfo"]
