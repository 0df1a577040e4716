"""What the daemon and a worker process say to each other over their pipe. All of it can be pickled.

Whatever a worker says of a job carries the lease's token. `Ask` waits for the `Answer`; everything else does not.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bridge.jobs.model import Claim
from engine.errors import NrxError

Step = Literal["stage_in", "publish_at"]
Stop = Literal["cancel", "give_back"]


@dataclass(frozen=True, slots=True)
class Run:
    """To a worker: run this job."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class Halt:
    """To a worker: stop this job and leave nothing behind."""

    token: str
    why: Stop


@dataclass(frozen=True, slots=True)
class Answer:
    """To a worker: whether it may take the step that it asked for; or why that could not be recorded."""

    allowed: Literal["yes", "no", "failed"]
    error: NrxError | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """From a worker: everything is imported."""

    started: float


@dataclass(frozen=True, slots=True)
class Beat:
    """From a worker: alive, and so far."""

    token: str
    stage: str | None
    fraction: float


@dataclass(frozen=True, slots=True)
class Ask:
    """From a worker: it wants to make this folder, or to publish at this place."""

    token: str
    step: Step
    path: Path


@dataclass(frozen=True, slots=True)
class Done:
    """From a worker: the return is in its place."""

    token: str
    folder: Path
    manifest: Path


@dataclass(frozen=True, slots=True)
class Failed:
    """From a worker: the job ended with an error, and left nothing behind."""

    token: str
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Starved:
    """From a worker: memory did not suffice. It ends after this, so that its memory is free again."""

    token: str
    how: str


@dataclass(frozen=True, slots=True)
class Halted:
    """From a worker: the job was stopped as asked, and left nothing behind."""

    token: str


FromWorker = Ready | Beat | Ask | Done | Failed | Starved | Halted
ToWorker = Run | Halt | Answer
