"""What the routes work with: one object that the daemon fills and every route gets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends
from starlette.requests import HTTPConnection

from bridge.config import Settings
from bridge.library import Library
from bridge.security.codes import OneTimeCodes
from bridge.security.roots import Roots
from bridge.security.tickets import Tickets
from bridge.security.token import Token
from bridge.streams.streams import Streams, no_streams
from bridge.uploads import Uploads

if TYPE_CHECKING:
    from bridge.doors.http.hub import Hub
    from bridge.doors.http.lane import Lane
    from bridge.doors.http.metrics import Metrics
    from bridge.doors.http.waiters import Waiters
    from bridge.jobs import Jobs


@dataclass(frozen=True, slots=True)
class HttpContext:
    """The parts that the HTTP door serves.

    `waiting` lists files that watched folders still wait for, `info` what only the daemon knows (device, doors).

    `lan` says that another address than loopback was asked for explicitly.
    """

    settings: Settings
    jobs: "Jobs"
    roots: Roots
    token: Token
    uploads: Uploads
    library: Library
    waiting: Callable[[], Sequence[Any]] = tuple
    info: Callable[[], Mapping[str, Any]] = dict
    codes: OneTimeCodes = field(default_factory=OneTimeCodes)
    tickets: Tickets = field(default_factory=Tickets)
    lan: bool = False
    streams: Streams = field(default_factory=no_streams)


@dataclass(frozen=True, slots=True)
class Serving:
    """A context in service: with the address, the hub of events, the counters, who waits, and the way to the queue."""

    context: HttpContext
    url: str
    hub: "Hub"
    metrics: "Metrics"
    waiters: "Waiters"
    lane: "Lane"


async def _serving(connection: HTTPConnection) -> Serving:  # async: no hop into a thread
    serving: Serving = connection.app.state.serving
    return serving


async def _context(connection: HTTPConnection) -> HttpContext:
    return (await _serving(connection)).context


InService = Annotated[Serving, Depends(_serving)]
Context = Annotated[HttpContext, Depends(_context)]
