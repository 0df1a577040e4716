"""A stream worker process: imports everything once, then makes the audio of the sessions that it is given.

One thread does all: it takes words from the daemon, and between two of them does one step for the session whose turn it
is. A session is worked for as long as it has frames left that it may send, so a listener who is slow, or has gone
silent, stops his session and nobody else's. When the daemon is gone, the pipe ends and so does the process.
"""

import gc
import logging
import os
import sys
import time
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from bridge.config import Settings
from bridge.jobs.terminal import ignore_signals
from bridge.memory import bound_arenas, give_back_memory
from bridge.streams.fair import FairShares
from bridge.streams.messages import (
    Chunk,
    Ended,
    Failed,
    FromWorker,
    Grant,
    Open,
    Ready,
    Rehearsed,
    Started,
    Stop,
    ToWorker,
)
from bridge.streams.request import StreamRequest
from bridge.streams.samples import encoded
from engine.errors import NrxError
from engine.streaming.quality import DEFAULT_QUALITY

if TYPE_CHECKING:
    from engine.audio.buffer import Samples

TYPICAL = StreamRequest(prompt="lofi", generator="arranger", seed=1, duration_s=1.0)
"""What is played once, unheard, so that the first listener does not wait for what is made at first use."""
LOOK_AGAIN_S = 5.0
LEAST_LEAD_S = 0.5
"""A listener who has less than this to hear comes before others who have more."""
log = logging.getLogger("nrx.streams")


def main(pipe: Connection, settings: Settings) -> None:
    """Serve the daemon at the other end of `pipe` until it ends."""
    os.environ.setdefault(
        "OMP_NUM_THREADS", "1"
    )  # before numpy: sessions share the processors, not threads of each
    ignore_signals()
    bound_arenas()
    Worker(pipe, settings).serve()


@dataclass(slots=True)
class _Playing:
    """A session in the making."""

    request: StreamRequest
    granted: int
    chunks: "Generator[Samples] | None" = None
    sent: int = 0
    sample_rate: int = 1
    first_sent_at: float = 0.0

    def lead_s(self, now: float) -> float:
        """Return how much more was sent than one has heard who began with the first chunk."""
        return self.sent / self.sample_rate - (now - self.first_sent_at) if self.sent else 0.0


class Worker:
    """The life of a stream worker."""

    def __init__(self, pipe: Connection, settings: Settings) -> None:
        self._pipe, self._settings = pipe, settings
        self._sessions: dict[str, _Playing] = {}
        self._shares = FairShares()
        self._rehearsals: deque[Iterator[None]] = deque()
        self._rehearsed: set[str] = set()

    def serve(self) -> None:
        """Import, say so, and work."""
        from bridge.streams.making import make_stream

        for _ in make_stream(TYPICAL, self._settings)[0]:
            pass
        self._send(Ready())
        self._rehearse(DEFAULT_QUALITY)
        while True:
            self._hear()
            runnable = [name for name, one in self._sessions.items() if one.granted > one.sent]
            now = time.perf_counter()
            pressing = [name for name in runnable if self._sessions[name].lead_s(now) < LEAST_LEAD_S]
            turn = self._shares.next(runnable, pressing)
            if turn is not None:
                began = time.perf_counter()
                self._step(turn, self._sessions[turn])
                self._shares.charge(turn, time.perf_counter() - began)
            elif self._rehearsals:
                self._practise()

    def _hear(self) -> None:
        """Take what the daemon has said; wait for it where there is nothing else to do."""
        try:
            while self._pipe.poll(0 if self._can_work() else LOOK_AGAIN_S):
                self._take(self._pipe.recv())
        except (EOFError, OSError):
            os._exit(0)
        if not self._sessions:
            self._let_models_go()

    def _can_work(self) -> bool:
        return bool(self._rehearsals) or any(one.granted > one.sent for one in self._sessions.values())

    def _take(self, message: ToWorker) -> None:
        match message:
            case Open(session, request, granted):
                self._sessions[session] = _Playing(request, granted)
                self._shares.add(session)
                self._rehearse(request.quality)
            case Grant(session, frames):
                if session in self._sessions:
                    self._sessions[session].granted = frames
            case Stop(session):
                if session in self._sessions:
                    self._end(session, Ended(session, self._sessions[session].sent))

    def _rehearse(self, quality: str) -> None:
        """Prepare for sessions of a quality, once and when there is time."""
        if quality not in self._rehearsed:
            from bridge.streams.warming import beginnings

            self._rehearsed.add(quality)
            self._rehearsals.append(beginnings(self._settings, quality))

    def _practise(self) -> None:
        """Do one step of what is prepared; what cannot be prepared fails where it is asked for."""
        try:
            next(self._rehearsals[0])
            return
        except StopIteration:
            pass
        except Exception:
            log.exception("A style could not be prepared")
        self._rehearsals.popleft()
        if not self._rehearsals:
            gc.collect()
            gc.freeze()  # what is loaded stays; there is no use in looking through it at the end of each session
            self._send(Rehearsed())

    def _step(self, session: str, one: _Playing) -> None:
        """Do one step of a session's work."""
        try:
            if one.chunks is None:
                one.chunks = self._begin(session, one)
                return
            chunk = next(one.chunks, None)
            if chunk is None:
                self._end(session, Ended(session, one.sent))
                return
            frames = chunk.shape[1]
            if frames:
                self._send(Chunk(session, one.sent, frames, encoded(chunk, one.request.format)))
                if not one.sent:
                    one.first_sent_at = time.perf_counter()
                one.sent += frames
        except NrxError as error:
            self._end(session, Failed(session, error))
        except MemoryError:
            self._end(
                session,
                Failed(session, NrxError("job.memory", "There is not enough memory for this stream.")),
            )
        except Exception as error:
            log.exception("A stream failed")
            self._end(
                session,
                Failed(
                    session,
                    NrxError(
                        "internal",
                        f"nrx made an error in a stream ({type(error).__name__}); the daemon's log has the details.",
                    ),
                ),
            )

    def _begin(self, session: str, one: _Playing) -> "Generator[Samples]":
        from bridge.streams.making import make_stream

        stream, why = make_stream(one.request, self._settings)
        one.sample_rate = stream.sample_rate
        self._send(
            Started(
                session,
                stream.sample_rate,
                stream.channels,
                stream.length_frames,
                stream.source,
                why,
                stream.times_real_time,
                stream.warnings,
            )
        )
        return (chunk for chunk in stream)

    def _end(self, session: str, last: Ended | Failed) -> None:
        """Let go of all that a session has made, and say so."""
        over = self._sessions.pop(session)
        if over.chunks is not None:
            over.chunks.close()
            over.chunks = None
        self._shares.remove(session)
        gc.collect()
        give_back_memory()
        self._send(last)

    def _let_models_go(self) -> None:
        if "engine.models.warm" in sys.modules:
            from engine.models.warm import WARM

            WARM.let_go(self._settings.models.keep_warm_s)

    def _send(self, message: FromWorker) -> None:
        try:
            self._pipe.send(message)
        except OSError:
            os._exit(0)
