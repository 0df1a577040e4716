"""Small tools for code that speaks ASGI itself: headers, and refusals before the app is reached."""

from collections.abc import Iterable

from starlette.types import Receive, Scope, Send

from bridge.doors.http.errors import error_bytes, status_of


def header_values(scope: Scope, name: bytes) -> list[bytes]:
    """Return all values of a header, as they were sent."""
    return [value for key, value in scope["headers"] if key == name]


def header(scope: Scope, name: bytes) -> str:
    """Return the one value of a header, or "" where it is missing or doubled."""
    values = header_values(scope, name)
    return values[0].decode("latin-1") if len(values) == 1 else ""


async def refuse(
    scope: Scope,
    receive: Receive,
    send: Send,
    code: str,
    sentence: str,
    *,
    status: int | None = None,
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> None:
    """Answer a request, or the upgrade to a WebSocket, with a refusal."""
    kind = "http.response"
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008})
            return
        kind = "websocket.http.response"
    body = error_bytes(code, sentence)
    described = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    ]
    await send(
        {"type": f"{kind}.start", "status": status or status_of(code), "headers": [*described, *headers]}
    )
    await send({"type": f"{kind}.body", "body": body})
