"""What passes between the parts of the queue: a job to accept, a claim on it, and the pages that doors show."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bridge.inputs import RegisteredInput
from bridge.protocol import InputFile, JobStatus, Request


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An input of a job: what was asked for (`given`), and the bytes that were accepted (`file`)."""

    given: InputFile
    file: RegisteredInput


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that has been checked and can be accepted.

    `body` is the hash of what is asked, `fingerprint` that of `body` and the engine's version. `parent` is the folder
    in which the return will be made, `length_s` how much audio there is, for the estimate of the time left.
    """

    id: str
    client_key: str | None
    body: str
    fingerprint: str
    request: Request
    snapshots: tuple[Snapshot, ...]
    parent: Path
    title: str
    door: str
    priority: int
    length_s: float


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer to a request: the job's status, and whether it is new or one that was there already."""

    status: JobStatus
    is_new: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's right to run a job, until the lease lapses. Whatever it writes carries `token`.

    `thrift` is how far memory must be spared (0: not at all).
    """

    job_id: str
    token: str
    attempt: int
    request: Request
    snapshots: tuple[Snapshot, ...]
    parent: Path
    thrift: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a running job, and what it has recorded: its half-made folder, and the place it publishes at."""

    job_id: str
    token: str
    worker_pid: int
    worker_started: float
    staging: Path | None
    target: Path | None
    cancelling: bool


@dataclass(frozen=True, slots=True)
class Published:
    """Where a finished return lies, and what is told of how it was made."""

    folder: Path
    manifest: Path


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of jobs, newest first. `next` is what to pass as `before` for the page after; None on the last.

    `total` counts the jobs that the filters let through, `counts` all jobs by their state.
    """

    jobs: tuple[JobStatus, ...]
    next: str | None
    total: int
    counts: Mapping[str, int]
