"""What the daemon and a stream worker say to each other over their pipe. All of it can be pickled."""

from dataclasses import dataclass

from bridge.streams.request import StreamRequest
from engine.errors import NrxError
from engine.streaming.source import Source


@dataclass(frozen=True, slots=True)
class Open:
    """To a worker: make this stream; at first up to `granted` frames."""

    session: str
    request: StreamRequest
    granted: int


@dataclass(frozen=True, slots=True)
class Grant:
    """To a worker: so many frames of the session may have been sent, counted from its start."""

    session: str
    frames: int


@dataclass(frozen=True, slots=True)
class Stop:
    """To a worker: nobody listens any more."""

    session: str


@dataclass(frozen=True, slots=True)
class Ready:
    """From a worker: everything is imported."""


class Rehearsed:
    """From a worker: what sessions of the usual quality share is made."""


@dataclass(frozen=True, slots=True)
class Started:
    """From a worker: what the session's audio will be. `length_frames` None: until it is stopped.

    `times_real_time` is how many seconds of music are made in a second, where it is known and matters.
    """

    session: str
    sample_rate: int
    channels: int
    length_frames: int | None
    source: Source
    why: str
    times_real_time: float | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """From a worker: frames from `first_frame` on, as interleaved samples of the request's format."""

    session: str
    first_frame: int
    frames: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """From a worker: the session has ended by itself or as asked; it takes no memory any more."""

    session: str
    frames: int


@dataclass(frozen=True, slots=True)
class Failed:
    """From a worker (or on behalf of one that is gone): the session has ended with an error."""

    session: str
    error: NrxError


ToWorker = Open | Grant | Stop
FromSession = Started | Chunk | Ended | Failed
FromWorker = Ready | Rehearsed | FromSession
