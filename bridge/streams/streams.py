"""`Streams`: opens sessions, and keeps the worker processes that make them.

Workers are started by the first session and stay warm for `streams.warm_s` after the last. A session goes to the worker
with the fewest, and to one that is ready before one that still imports. What a worker says of a session is handed to
its `sink` on a thread of the worker's, in order; the sink must not block. A sink that is slow holds nobody up: a worker
makes at most `WINDOW_S` more than was `consumed`.
"""

import contextlib
import logging
import multiprocessing
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from uuid import uuid4

from bridge.config import Settings
from bridge.jobs.terminal import signals_held_back
from bridge.streams import worker
from bridge.streams.messages import (
    Ended,
    Failed,
    FromSession,
    FromWorker,
    Grant,
    Open,
    Ready,
    Rehearsed,
    Stop,
    ToWorker,
)
from bridge.streams.request import StreamRequest
from engine.errors import NrxError
from engine.streaming.quality import quality_of

WINDOW_S = 4.0
"""How much more is made than was taken."""
GRANT_SHARE = 4
LEAVING_S = 1.0
MOST_HOSTS = 2
"""A session is given to so many workers, one after the other, if they end before anything is heard of it."""
Sink = Callable[[FromSession], None]
Entry = Callable[[Connection, Settings], None]
log = logging.getLogger("nrx.streams")


class Session:
    """One stream. `consumed` what was taken of it, and `stop` it when nobody listens any more."""

    def __init__(self, session_id: str, request: StreamRequest, sink: Sink) -> None:
        self.id, self.request = session_id, request
        self._sink = sink
        self._host: _Host | None = None
        self._is_heard, self._is_stopped, self._hosts = False, False, 0
        self._window = self.granted = round(WINDOW_S * quality_of(request.quality).sample_rate)

    def consumed(self, frames: int) -> None:
        """Say that `frames` frames, counted from the start, have been taken; more will be made."""
        granted = frames + self._window
        if granted - self.granted >= self._window // GRANT_SHARE:
            self.granted = granted
            self._say(Grant(self.id, granted))

    def stop(self) -> None:
        """End it; its worker lets go of all that it holds. Nothing more is heard of it, but `Ended`."""
        self._is_stopped = True
        self._say(Stop(self.id))

    def begin(self, host: "_Host") -> None:
        """Have a worker make it, from its start."""
        self._host = host
        self._hosts += 1
        self._say(Open(self.id, self.request, self.granted))
        if self._is_stopped:  # while it had no worker, or one that was gone
            self._say(Stop(self.id))

    def can_begin_again(self) -> bool:
        """Return whether another worker may make it, unnoticed: nothing was heard of it, and this is its first end."""
        return not self._is_heard and not self._is_stopped and self._hosts < MOST_HOSTS

    def _say(self, message: ToWorker) -> None:
        if self._host is not None:
            self._host.say(message)

    def hear(self, message: FromSession) -> None:
        """Hand on what the worker says."""
        self._is_heard = True
        try:
            self._sink(message)
        except Exception:  # a door's mistake must not end the thread of a worker
            log.exception("A stream's listener made an error")


class _Host:
    """A worker process, and the thread that hears it."""

    def __init__(
        self,
        settings: Settings,
        entry: Entry,
        on_end: Callable[[], None],
        on_orphan: Callable[[Session], bool],
    ) -> None:
        self.sessions: dict[str, Session] = {}
        self.is_ready, self.is_rehearsed = False, False
        self._is_gone = False
        self._on_end, self._on_orphan, self._lock = on_end, on_orphan, threading.Lock()
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe(duplex=True)
        self.process: BaseProcess = context.Process(
            target=entry, args=(theirs, settings), name="nrx-stream-worker", daemon=True
        )
        with signals_held_back():
            self.process.start()
        theirs.close()
        self._thread = threading.Thread(target=self._listen, name="nrx-stream-listen", daemon=True)
        self._thread.start()

    def say(self, message: ToWorker) -> None:
        """Tell the worker; one that is gone has said so already."""
        with self._lock, contextlib.suppress(OSError):
            self._pipe.send(message)

    def is_alive(self) -> bool:
        """Return whether it can make streams."""
        return not self._is_gone and self.process.is_alive()

    def take_in(self, session: Session) -> bool:
        """Make a session's stream; False if the process has ended, which then hears nothing of it."""
        with self._lock:
            if not self.is_alive():
                return False
            self.sessions[session.id] = session
        session.begin(self)
        return True

    def load(self) -> int:
        """Return how busy it is; a model that was asked for weighs more, since it is loaded in one step."""
        return sum(4 if session.request.may_be_neural else 1 for session in list(self.sessions.values()))

    def close(self) -> None:
        """End the process: it leaves by itself when its pipe closes."""
        self._is_gone = True
        if not self.is_ready:
            self.process.terminate()
        with self._lock, contextlib.suppress(OSError):
            self._pipe.close()
        self.process.join(LEAVING_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join(LEAVING_S)

    def _listen(self) -> None:
        try:
            while True:
                self._take(self._pipe.recv())
        except (EOFError, OSError, TypeError):  # TypeError: closed while it was waited for
            pass
        with self._lock:
            was_told, self._is_gone = self._is_gone, True
            left = list(self.sessions.values())
            self.sessions.clear()
        if not was_told:
            log.warning("A stream worker ended by itself")
        error = NrxError(
            "stream.crashed", "The process that made the stream has ended; start the stream again."
        )
        for session in left:
            if was_told or not session.can_begin_again() or not self._on_orphan(session):
                self._forget(session, Failed(session.id, error))

    def _take(self, message: FromWorker) -> None:
        if isinstance(message, Ready):
            self.is_ready = True
            return
        if isinstance(message, Rehearsed):
            self.is_rehearsed = True
            return
        session = self.sessions.get(message.session)
        if session is None:
            return
        if isinstance(message, Ended | Failed):
            self._forget(session, message)
        else:
            session.hear(message)

    def _forget(self, session: Session, last: Ended | Failed) -> None:
        self.sessions.pop(session.id, None)
        self._on_end()
        session.hear(last)


class Streams:
    """The streams of a daemon. Thread-safe.

    Args:
        settings: how many processes and sessions, and how long processes stay warm.
        entry: what a worker process runs; tests give others.
    """

    def __init__(self, settings: Settings, entry: Entry = worker.main) -> None:
        self._settings, self._entry = settings, entry
        self._hosts: list[_Host] = []
        self._lock = threading.RLock()
        self._cooling: threading.Timer | None = None
        self._is_closed = False

    def warm_up(self) -> None:
        """Start the workers that are not there: somebody is about to ask for a stream."""
        with self._lock:
            if self._is_closed:
                return
            self._keep_warm()
            while len(self._living()) < self._settings.streams.workers:
                self._hosts.append(_Host(self._settings, self._entry, self._ended, self._place))

    def is_warm(self) -> bool:
        """Return whether all workers are there, and have made what sessions share."""
        with self._lock:
            living = self._living()
            return len(living) == self._settings.streams.workers and all(host.is_rehearsed for host in living)

    def open(self, request: StreamRequest, sink: Sink) -> Session:
        """Begin a stream.

        Raises:
            NrxError: `request.too_many`; `daemon.absent`; `stream.crashed` if workers end as soon as they are started.
        """
        with self._lock:
            if self._is_closed:
                raise NrxError("daemon.absent", "The daemon stops; start the stream again when it runs.")
            most = self._settings.streams.sessions
            if self.count() >= most:
                raise NrxError(
                    "request.too_many",
                    f"{most} streams are open already; end one, or raise sessions in [streams] of nrx.toml.",
                )
            session = Session(uuid4().hex[:12], request, sink)
            if not self._place(session):
                raise NrxError(
                    "stream.crashed",
                    "The processes that make streams end at once; the daemon's log tells more.",
                )
            return session

    def _place(self, session: Session) -> bool:
        """Give a session to a worker; False if none can be had."""
        with self._lock:
            for _ in range(MOST_HOSTS):
                if self._is_closed:
                    return False
                self.warm_up()
                host = min(self._hosts, key=lambda one: (not one.is_ready, one.load()))
                if host.take_in(session):
                    return True
            return False

    def count(self) -> int:
        """Return how many sessions are open."""
        with self._lock:
            return sum(len(host.sessions) for host in self._living())

    def pids(self) -> list[int]:
        """Return the ids of the worker processes."""
        with self._lock:
            return [host.process.pid or 0 for host in self._living()]

    def stop(self) -> None:
        """End all sessions and workers."""
        with self._lock:
            self._is_closed = True
            if self._cooling is not None:
                self._cooling.cancel()
            hosts, self._hosts = self._hosts, []
        for host in hosts:
            host.close()

    def _living(self) -> list[_Host]:
        self._hosts = [host for host in self._hosts if host.is_alive()]
        return self._hosts

    def _keep_warm(self) -> None:
        """Let workers go `warm_s` after the last use."""
        if self._cooling is not None:
            self._cooling.cancel()
        self._cooling = threading.Timer(self._settings.streams.warm_s, self._cool_down)
        self._cooling.daemon = True
        self._cooling.start()

    def _cool_down(self) -> None:
        with self._lock:
            if self._is_closed:
                return
            idle = [host for host in self._hosts if not host.sessions]
            self._hosts = [host for host in self._hosts if host.sessions]
            if self._hosts:
                self._keep_warm()
        for host in idle:
            host.close()

    def _ended(self) -> None:
        with self._lock:
            if not self._is_closed:
                self._keep_warm()


def no_streams() -> Streams:
    """Return streams that are closed, for doors that are given none."""
    closed = Streams(Settings(home=Path()))
    closed.stop()
    return closed
