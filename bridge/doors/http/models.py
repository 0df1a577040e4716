"""The bodies of the native routes, as the API's document shows them. Requests are checked in `protocol`."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from bridge.protocol import JobStatus, Request


class Body(BaseModel):
    """A body that refuses unknown fields."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class CodeBody(Body):
    """A one-time code, from the fragment of the link."""

    code: str = Field(min_length=1, max_length=200)


class TokenAnswer(BaseModel):
    """The token that a code was exchanged for."""

    token: str


class LinkAnswer(BaseModel):
    """A new one-time code, and the link with it in its fragment."""

    code: str
    url: str


class UploadAnswer(BaseModel):
    """An upload. `duration_s` is null where the file's header does not say."""

    id: str
    name: str
    bytes: int
    sha256: str
    duration_s: float | None
    sample_rate: int
    channels: int


class InputReference(Body):
    """An input of a job: an upload's id, or the path of a file below a root. Not both."""

    upload: str | None = None
    path: str | None = None
    role: str | None = None
    name: str | None = Field(default=None, min_length=1, max_length=255)


class SubmitBody(Request):
    """A request whose inputs are uploads or paths; with an optional key (same key, same request: same job)."""

    inputs: tuple[InputReference, ...] = ()  # type: ignore[assignment]
    key: str | None = Field(default=None, min_length=1, max_length=200)
    priority: int = Field(default=0, ge=-100, le=100)


class PriorityBody(Body):
    """A job's new priority; higher runs earlier."""

    priority: Annotated[int, Field(ge=-100, le=100)]


class JobPageAnswer(BaseModel):
    """A page of jobs, newest first. `next` is what to pass as `before` for the page after."""

    jobs: tuple[JobStatus, ...]
    next: str | None
    total: int
    counts: dict[str, int]


class QueueAnswer(BaseModel):
    """Whether the queue is paused, and how many jobs are in each state."""

    paused: bool
    counts: dict[str, int]


class ReturnAnswer(BaseModel):
    """A return as the library lists it."""

    job_id: str
    title: str
    action: str
    style: str | None
    folder: str
    created_at: str
    duration_s: float | None
    tracks: int
    loudness_lufs: float | None
    key: str | None
    tempo_bpm: float | None


class ReturnPageAnswer(BaseModel):
    """A page of returns, newest first."""

    returns: tuple[ReturnAnswer, ...]
    next: str | None
    total: int


class PeaksAnswer(BaseModel):
    """Waveforms: for each audio file of a return, the lowest and highest sample of each column."""

    columns: int
    tracks: dict[str, list[list[float]]]


class TicketBody(Body):
    """The path of a file that is to be opened without a header."""

    path: str = Field(min_length=1, max_length=2000)


class TicketAnswer(BaseModel):
    """The path with its ticket; it must be begun within `seconds`."""

    url: str
    seconds: int


class HealthAnswer(BaseModel):
    """That the daemon answers, and which one it is."""

    status: str
    version: str
    protocol: int


class StyleAnswer(BaseModel):
    """A style."""

    id: str
    name: str
    description: str
    tempo_range_bpm: list[float]
    energy: float
    colour: str
    words: tuple[str, ...]
    parts: tuple[str, ...]


class PresetsAnswer(BaseModel):
    """The presets for mixing and mastering."""

    mastering: list[dict[str, Any]]
    mixing: list[dict[str, Any]]
