"""`/v2/events`: what happens to jobs, as server-sent events and over a WebSocket; each message is a `JobEvent`.

A client that comes back names the last id it saw and misses none. One that does not read is disconnected.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, WebSocket
from pydantic import ValidationError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from bridge.doors.http.context import InService, Serving
from bridge.doors.http.errors import answers
from bridge.doors.http.guard import AUTHORIZED, SUBPROTOCOL
from bridge.doors.http.hub import Hub, Subscriber
from bridge.doors.http.models import Body as StrictBody
from engine.errors import NrxError

router = APIRouter(tags=["events"])

KEEP_ALIVE_S = 15.0
TOKEN_WITHIN_S = 5.0
CLOSING_S = 1.0
UNAUTHORIZED, TOO_SLOW, TOO_MANY, GOING_AWAY = 4401, 1013, 4429, 1001
LARGEST_ID = 2**63 - 1
After = Annotated[int | None, Query(ge=0, le=LARGEST_ID)]


class TokenMessage(StrictBody):
    """The first message of a WebSocket that brought no token in its subprotocols."""

    token: str


@router.get(
    "/v2/events",
    response_class=Response,
    responses={
        200: {"description": "events, each with its id and a JobEvent", "content": {"text/event-stream": {}}},
        **answers(429),
    },
)
async def stream(
    serving: InService,
    after: After = None,
    last_event_id: Annotated[str, Header(max_length=100)] = "",
) -> Response:
    """Stream events (SSE), from the one after `Last-Event-ID` or `after`; without either, from now on."""
    seen = _id(last_event_id)
    return EventStream(serving.hub, seen if seen is not None else after)


@router.websocket("/v2/events")
async def socket(socket: WebSocket, serving: InService) -> None:
    """Send events over a WebSocket: subprotocols `nrx` and `nrx.token.<token>`, or the token as the first message."""
    offered = socket.scope.get("subprotocols", [])
    await socket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
    try:
        if not socket.scope.get(AUTHORIZED) and not await _token_follows(socket, serving):
            await socket.close(UNAUTHORIZED, "the token is missing or wrong")
            return
        with serving.hub.listening() as subscriber:
            await _send_to(socket, serving.hub, subscriber, _id(socket.query_params.get("after", "")))
    except NrxError as error:
        await socket.close(TOO_MANY, error.sentence[:120])
    except WebSocketDisconnect:
        return


async def _token_follows(socket: WebSocket, serving: Serving) -> bool:
    try:
        text = await asyncio.wait_for(socket.receive_text(), TOKEN_WITHIN_S)
        return serving.context.token.matches(TokenMessage.model_validate_json(text).token)
    except (TimeoutError, ValidationError, KeyError):
        return False


async def _send_to(socket: WebSocket, hub: Hub, subscriber: Subscriber, after: int | None) -> None:
    async def pump() -> None:
        async for _event_id, text in hub.events(subscriber, after):
            await socket.send_text(text)

    async def until_gone() -> None:
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass

    await _first_of(pump(), until_gone(), subscriber.lost.wait())
    if subscriber.lost.is_set():
        code = GOING_AWAY if hub.closing.is_set() else TOO_SLOW
        with contextlib.suppress(TimeoutError, RuntimeError):
            await asyncio.wait_for(socket.close(code), CLOSING_S)


def _id(text: str) -> int | None:
    """Return an event's id; what is no id counts as none."""
    return min(int(text), LARGEST_ID) if text.isascii() and text.isdigit() and len(text) < 20 else None


class EventStream(Response):
    """Server-sent events, until the client goes, is too slow, or the door closes."""

    def __init__(self, hub: Hub, after: int | None) -> None:
        self.hub = hub
        self.after = after
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events."""
        with self.hub.listening() as subscriber:
            await send(
                {
                    "type": "http.response.start",
                    "status": 200,
                    "headers": [
                        (b"content-type", b"text/event-stream; charset=utf-8"),
                        (b"x-accel-buffering", b"no"),
                    ],
                }
            )
            await _first_of(self._pump(subscriber, send), _until_gone(receive), subscriber.lost.wait())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(send({"type": "http.response.body", "body": b""}), CLOSING_S)

    async def _pump(self, subscriber: Subscriber, send: Send) -> None:
        async for text in _with_keep_alive(self.hub.events(subscriber, self.after)):
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _with_keep_alive(events: AsyncIterator[tuple[int, str]]) -> AsyncIterator[str]:
    """Yield events as SSE, and a comment where nothing happens for a while."""
    yield ": listening\n\n"
    coming: asyncio.Future[tuple[int, str]] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(_next(events))
            done, _ = await asyncio.wait({coming}, timeout=KEEP_ALIVE_S)
            if not done:
                yield ": still here\n\n"
                continue
            event_id, text = coming.result()
            coming = None
            yield f"id: {event_id}\ndata: {text}\n\n"
    finally:
        if coming is not None:
            coming.cancel()


async def _next(events: AsyncIterator[tuple[int, str]]) -> tuple[int, str]:
    return await anext(events)


async def _until_gone(receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _first_of(*parts: Coroutine[Any, Any, Any]) -> None:
    """Run parts together until one ends; end the others. A client that goes while it is sent to is no error."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for result in ended:
        if isinstance(result, Exception) and not isinstance(
            result, OSError | RuntimeError | WebSocketDisconnect
        ):
            raise result
