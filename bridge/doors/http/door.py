"""The HTTP door's life: bind, serve in a thread of its own, and stop within two seconds."""

import asyncio
import contextlib
import logging
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

from bridge.doors.http.context import HttpContext, Serving
from bridge.doors.http.hub import Hub
from bridge.doors.http.lane import Lane
from bridge.doors.http.metrics import Metrics
from bridge.doors.http.waiters import Waiters
from bridge.protocol import ENDED, JobEvent
from bridge.security.hosts import HostRule, OriginRule, is_loopback
from engine.errors import NrxError

log = logging.getLogger("nrx.http")

STARTING_S = 30.0
STOPPING_S = 2.0
GRACE_S = 1
BACKLOG = 512
LARGEST_MESSAGE_BYTES = 65_536
PONG_WITHIN_S = 60.0
"""A client that plays a stream slowly reads the ping only after the audio that lies before it."""


class HttpDoor:
    """Serves the context at `settings.http.host` and `.port`; `url` says where."""

    def __init__(self, context: HttpContext) -> None:
        self._context = context
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: Any = None
        self._hub: Hub | None = None
        self._ready = threading.Event()
        self.url = ""

    @property
    def port(self) -> int:
        """The port that is listened on; 0 before `start`."""
        return int(self._socket.getsockname()[1]) if self._socket is not None else 0

    def link(self) -> str:
        """Return a link that opens the console: with a new one-time code in its fragment."""
        return f"{self.url}/#code={self._context.codes.new()}"

    def start(self) -> None:
        """Begin to serve; returns when calls are answered.

        Raises:
            NrxError: `daemon.address` where the address may not or can't be listened on.
        """
        if self._thread is not None:
            return
        http = self._context.settings.http
        if not is_loopback(http.host) and not self._context.lan:
            raise NrxError(
                "daemon.address",
                f"host = {http.host!r} would let other machines in; if that is meant, start with: nrx serve --lan",
            )
        self._socket = _bound(http.host, http.port)
        shown = "127.0.0.1" if http.host in ("localhost", "0.0.0.0") else http.host  # noqa: S104 - compared only
        shown = "::1" if shown == "::" else shown
        self.url = f"http://{f'[{shown}]' if ':' in shown else shown}:{self.port}"
        self._context.uploads.sweep()
        self._thread = threading.Thread(target=self._run, name="nrx-http", daemon=True)
        self._thread.start()
        if not self._ready.wait(STARTING_S) or not self._thread.is_alive():
            raise NrxError(
                "daemon.address", f"The HTTP server at {self.url} did not start; see the daemon's log."
            )

    def stop(self) -> None:
        """Let clients go and end the thread."""
        thread, loop = self._thread, self._loop
        if thread is None:
            return
        if loop is not None and thread.is_alive():
            try:
                loop.call_soon_threadsafe(self._end)
            except RuntimeError:
                log.debug("the loop had ended already")
        thread.join(STOPPING_S)
        if self._socket is not None:
            self._socket.close()
        self._thread = self._socket = None

    def _end(self) -> None:
        if self._hub is not None:
            self._hub.stop()
        if self._server is not None:
            self._server.should_exit = True

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(self._serve())
        except Exception:
            log.exception("the HTTP server ended")
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        import uvicorn

        from bridge.doors.http.app import build_app
        from bridge.doors.http.wire import WireProtocol

        self._loop = asyncio.get_running_loop()
        self._hub = Hub(self._context.jobs)
        http = self._context.settings.http
        hosts = HostRule.for_address(http.host)
        origins = OriginRule.for_port(hosts, self.port, http.origins)
        metrics, lane = Metrics(), Lane()
        app = build_app(Serving(self._context, self.url, self._hub, metrics, Waiters(), lane), hosts, origins)
        config = uvicorn.Config(
            app,
            http=WireProtocol,
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            date_header=True,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=GRACE_S,
            ws_max_size=LARGEST_MESSAGE_BYTES,
            ws_per_message_deflate=False,
            ws_ping_timeout=PONG_WITHIN_S,
        )
        self._server = uvicorn.Server(config)
        self._hub.start()
        lane.start()
        uncount = self._context.jobs.subscribe(lambda event: self._count(event, metrics))
        self._loop.call_soon(self._tell_ready)
        try:
            await self._server.serve(sockets=[self._socket] if self._socket is not None else None)
        finally:
            uncount()
            lane.stop()

    def _count(self, event: JobEvent, metrics: Metrics) -> None:
        """Have an ended job counted, off the event thread and off the loop."""
        if event.type in ENDED and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just closed
                self._loop.call_soon_threadsafe(self._loop.run_in_executor, None, metrics.note_end, event.job)

    def _tell_ready(self) -> None:
        """Say that calls are answered, as soon as the server has begun."""
        if self._server.started or self._server.should_exit:
            self._ready.set()
        elif self._loop is not None:
            self._loop.call_later(0.005, self._tell_ready)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes a faster event loop, where there is one (not on Windows); None for Python's own."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens at the address, exclusively.

    Raises:
        NrxError: `daemon.address`.
    """
    try:
        kind, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # With the protocol named, asyncio switches Nagle's algorithm off, which would hold answers back for 40 ms.
        listener = socket.socket(kind, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as error:
        raise NrxError(
            "daemon.address", f"The address {host!r} is none of this machine's ({error})."
        ) from error
    try:
        if sys.platform == "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise NrxError(
            "daemon.address",
            f"Port {port} at {host} cannot be listened on ({error.strerror}); end what uses it, or choose another with "
            "--http-port (0 takes a free one).",
        ) from error
    return listener
