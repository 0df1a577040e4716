"""Durable jobs: accepted, queued, run by worker processes, published once. Doors use `Jobs` and its model."""

from bridge.inputs import RegisteredInput
from bridge.jobs.jobs import Jobs
from bridge.jobs.model import Accepted, JobPage, Snapshot
from bridge.jobs.pool import WorkerInfo

__all__ = ["Accepted", "JobPage", "Jobs", "RegisteredInput", "Snapshot", "WorkerInfo"]
