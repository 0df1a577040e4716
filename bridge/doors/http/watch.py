"""The outermost layer: times every request, writes the access log, and turns what nobody expected into one answer.

The log has method, path and status, never a query (tickets stand there), a header or a body. Who only asks and is
answered is logged at DEBUG: clients poll, and that would fill the log.
"""

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.doors.http.asgi import refuse
from bridge.doors.http.errors import UNEXPECTED
from bridge.doors.http.metrics import Metrics

log = logging.getLogger("nrx.http")
LONGEST_LOGGED_PATH = 200
FIRST_REFUSAL = 400


class Watch:
    """ASGI middleware around everything else."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Time, log, and answer for exceptions."""
        if scope["type"] != "http":
            await self._socket(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception:
            log.exception("%s %s failed", scope["method"], shown_path(scope))
            if status == 0:
                await refuse(scope, receive, noted, "internal", UNEXPECTED)
        finally:
            took = time.perf_counter() - began
            self.metrics.http.observe(
                took,
                method=scope["method"] if status != 405 else "other",
                route=_route(scope),
                status=str(status),
            )
            level = logging.DEBUG if scope["method"] == "GET" and 0 < status < FIRST_REFUSAL else logging.INFO
            log.log(level, "%s %s %d %.1f ms", scope["method"], shown_path(scope), status, took * 1000)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception:
            log.exception("the WebSocket %s failed", shown_path(scope))


def shown_path(scope: Scope) -> str:
    """Return the path for a log: printable ASCII, not too long, without the query."""
    return ascii(scope.get("path", ""))[1 : LONGEST_LOGGED_PATH + 1].rstrip("'")


def _route(scope: Scope) -> str:
    """Return the route's template, so that ids make no new series."""
    route = scope.get("route")
    return str(getattr(route, "path", "other"))
