"""`/api/stream`: music over a WebSocket while it is made.

The client says what it wants in a JSON message `{"type": "start", …}` (the fields of `StreamRequest`); the daemon
answers `accepted`, `started` (with the format of what follows), then binary messages of interleaved samples, and at
last `finished` or `error`. `{"type": "stop"}` ends it. One stream at a time on a connection, and one after the other.

A client that reads slowly is waited for: nothing is made that it has no room for. One that reads nothing for a minute
is let go, and one that goes away ends its stream at once.
"""

import asyncio
import contextlib
import json
import time
from collections import deque
from typing import Any

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from bridge.doors.http.context import InService, Serving
from bridge.doors.http.guard import AUTHORIZED, SUBPROTOCOL
from bridge.doors.http.routes.events import GOING_AWAY, TOO_SLOW, UNAUTHORIZED
from bridge.streams.messages import Chunk, Ended, Failed, FromSession, Started
from bridge.streams.request import SAMPLE_BYTES, StreamRequest, parse_stream
from bridge.streams.streams import Session
from engine.errors import NrxError
from engine.models.own import looks_like_path

router = APIRouter(tags=["streams"])

TOKEN_WITHIN_S = 5.0
STALLED_S = 60.0
MOST_UNHEARD = 16
"""A client that says more than this while nobody listens is let go."""
CLOSING_S = 1.0
TAKES_AT_ONCE_S = 0.5
"""What a player should have before it begins, on a machine that is fast enough."""
Queue = asyncio.Queue[FromSession]


@router.websocket("/api/stream")
async def stream(socket: WebSocket, serving: InService) -> None:
    """Make music and send it while it is made; see the page on streaming for the messages."""
    offered = socket.scope.get("subprotocols", [])
    await socket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
    ears = _Ears(socket)
    try:
        if not socket.scope.get(AUTHORIZED) and not await _token_follows(ears, serving):
            await socket.close(UNAUTHORIZED, "the token is missing or wrong")
            return
        await asyncio.to_thread(serving.context.streams.warm_up)
        await _serve(socket, ears, serving)
    except (WebSocketDisconnect, OSError):
        return
    finally:
        ears.close()


class _Ears:
    """Hears a client while it is sent to: its messages in order, and `gone` once it is.

    Nothing that was said is lost: a message is taken out in the same step in which it is handed on.
    """

    def __init__(self, socket: WebSocket) -> None:
        self.gone = asyncio.Event()
        self._said: deque[dict[str, Any]] = deque()
        self._news = asyncio.Event()
        self._task = asyncio.ensure_future(self._listen(socket))

    async def _listen(self, socket: WebSocket) -> None:
        try:
            while len(self._said) < MOST_UNHEARD:
                self._said.append(_message(await socket.receive_text()))
                self._news.set()
        except (WebSocketDisconnect, OSError, RuntimeError, KeyError):
            pass  # it has left
        self.gone.set()
        self._news.set()

    async def next(self) -> dict[str, Any]:
        """Return the next message.

        Raises:
            WebSocketDisconnect: the client is gone.
        """
        while not self._said:
            await self._more()
        return self._said.popleft()

    async def stop(self) -> None:
        """Return when a stop is said; what else is said waits.

        Raises:
            WebSocketDisconnect: the client is gone.
        """
        while True:
            for message in self._said:
                if message.get("type") == "stop":
                    self._said.remove(message)
                    return
            await self._more()

    async def _more(self) -> None:
        if self.gone.is_set():
            raise WebSocketDisconnect(GOING_AWAY)
        self._news.clear()
        await self._news.wait()

    def close(self) -> None:
        """Stop listening."""
        self._task.cancel()


def _message(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {"type": "unreadable"}
    return found if isinstance(found, dict) else {"type": "unreadable"}


async def _token_follows(ears: _Ears, serving: Serving) -> bool:
    try:
        token = (await asyncio.wait_for(ears.next(), TOKEN_WITHIN_S)).get("token")
    except TimeoutError:
        return False
    return isinstance(token, str) and serving.context.token.matches(token)


async def _serve(socket: WebSocket, ears: _Ears, serving: Serving) -> None:
    """Serve one stream after the other."""
    while True:
        said = await ears.next()
        kind = said.pop("type", "start")
        try:
            if kind == "stop":
                continue  # it has ended already
            if kind != "start":
                raise NrxError(
                    "request.malformed",
                    'Send {"type": "start", "prompt": "…"} to begin, {"type": "stop"} to end.',
                )
            request = parse_stream(said)
            if looks_like_path(request.generator):
                await asyncio.to_thread(serving.context.roots.allows, request.generator)
            await _play(socket, ears, serving, request)
        except NrxError as error:
            await _tell(socket, {"type": "error", "code": error.code, "sentence": error.sentence})


async def _play(socket: WebSocket, ears: _Ears, serving: Serving, request: StreamRequest) -> None:
    loop, made = asyncio.get_running_loop(), Queue()

    def sink(message: FromSession) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has just closed
            loop.call_soon_threadsafe(made.put_nowait, message)

    session = await asyncio.to_thread(serving.context.streams.open, request, sink)
    try:
        await _tell(socket, {"type": "accepted", "session_id": session.id, "seed": request.seed})
        sends = asyncio.ensure_future(
            _send_all(socket, session, made, serving.context.settings.streams.ahead_s)
        )
        ends = [
            asyncio.ensure_future(part)
            for part in (ears.gone.wait(), serving.hub.closing.wait(), ears.stop())
        ]
        try:
            await asyncio.wait([sends, *ends], return_when=asyncio.FIRST_COMPLETED)
            if sends.done():
                sends.result()
                return
            sends.cancel()
            await asyncio.gather(sends, return_exceptions=True)
        finally:
            for task in (sends, *ends):
                task.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
        if ears.gone.is_set():
            raise WebSocketDisconnect(GOING_AWAY)
        if serving.hub.closing.is_set():
            with contextlib.suppress(TimeoutError, RuntimeError):
                await asyncio.wait_for(socket.close(GOING_AWAY), CLOSING_S)
            raise WebSocketDisconnect(GOING_AWAY)
        await _tell(socket, {"type": "finished", "session_id": session.id, "why": "stopped"})
    finally:
        session.stop()


async def _send_all(socket: WebSocket, session: Session, made: Queue, ahead_s: float) -> None:
    """Send what is made, no faster than the client takes it and, live, not far ahead of what is heard."""
    rate, began, sent = 1, 0.0, 0
    while True:
        match await made.get():
            case Started() as started:
                rate = started.sample_rate
                await _tell(socket, _said_at_start(started, session.request))
            case Chunk(first_frame=first, frames=frames, data=data):
                began = began or time.monotonic()
                if session.request.pace == "live":
                    await asyncio.sleep(max(0.0, first / rate - ahead_s - (time.monotonic() - began)))
                await _sent(socket, data)
                sent = first + frames
                session.consumed(sent)
            case Ended():
                told = {"frames": sent, "seconds": round(sent / rate, 3)}
                await _tell(socket, {"type": "finished", "session_id": session.id, "why": "ended", **told})
                return
            case Failed(error=error):
                raise error


async def _sent(socket: WebSocket, data: bytes) -> None:
    """Send samples; waits until there is room for them.

    Raises:
        WebSocketDisconnect: the client has read nothing for a minute.
    """
    try:
        await asyncio.wait_for(socket.send_bytes(data), STALLED_S)
    except TimeoutError:
        with contextlib.suppress(TimeoutError, RuntimeError):
            await asyncio.wait_for(socket.close(TOO_SLOW), CLOSING_S)
        raise WebSocketDisconnect(TOO_SLOW) from None
    except RuntimeError:  # closed meanwhile
        raise WebSocketDisconnect(GOING_AWAY) from None


async def _tell(socket: WebSocket, message: dict[str, Any]) -> None:
    try:
        await socket.send_text(json.dumps(message))
    except RuntimeError:
        raise WebSocketDisconnect(GOING_AWAY) from None


def _said_at_start(started: Started, request: StreamRequest) -> dict[str, Any]:
    speed, length = started.times_real_time, started.length_frames
    wait_s = TAKES_AT_ONCE_S
    if speed is not None and speed < 1.0 and length is not None:
        wait_s += length / started.sample_rate * (1.0 / speed - 1.0)
    return {
        "type": "started",
        "session_id": started.session,
        "sample_rate": started.sample_rate,
        "channels": started.channels,
        "format": request.format,
        "bytes_per_frame": SAMPLE_BYTES[request.format] * started.channels,
        "length_frames": length,
        "quality": request.quality,
        "backend": {
            "name": started.source.name,
            "what": started.source.what,
            "licence": started.source.licence,
            "commercial_use": started.source.commercial_use,
            "why": started.why,
        },
        "times_real_time": None if speed is None else round(speed, 3),
        "buffer_s": round(wait_s, 1),
        "warnings": list(started.warnings),
    }
