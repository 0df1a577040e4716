"""Bodies: JSON only where JSON is meant, of bounded size and depth, and strict; files only where files are meant.

A form or plain text can be sent by any web page without asking; JSON can't. So every address takes JSON or nothing,
but those in `FILES`, which stream to disk under limits of their own. What is not JSON in the strict sense (NaN, lone
surrogates, nesting without end, bytes that are not UTF-8) is refused here, once for all routes.
"""

import json
from typing import Any, NoReturn

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.doors.http.asgi import header, header_values, refuse
from engine.errors import NrxError

FILES = frozenset({"/v2/uploads", "/api/upload", "/v1/jobs"})
JSON_BODY = "nrx.json"
"""Where the scope holds what the JSON body said, for routes that need it no other way."""
MOST_JSON_BYTES = 4_000_000
DEEPEST = 64


class Bodies:
    """ASGI middleware that reads and checks JSON bodies before the app is called."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with the body read."""
        if scope["type"] != "http" or scope["path"] in FILES or scope["method"] in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        try:
            body = await _read(scope, receive)
            if body:
                scope[JSON_BODY] = _checked(scope, body)
        except NrxError as error:
            await refuse(scope, receive, send, error.code, error.sentence)
            return
        except ConnectionError:
            return
        await self.app(scope, _replay(body, receive), send)


async def _read(scope: Scope, receive: Receive) -> bytes:
    length = header(scope, b"content-length")
    if length.isdigit() and (len(length) > 12 or int(length) > MOST_JSON_BYTES):
        raise _too_large()
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the client went away")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MOST_JSON_BYTES:
            raise _too_large()
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _checked(scope: Scope, body: bytes) -> Any:
    types = header_values(scope, b"content-type")
    kind = types[0].decode("latin-1").partition(";")[0].strip().lower() if len(types) == 1 else ""
    if kind != "application/json":
        raise NrxError(
            "request.media_type",
            "This address takes JSON; send it with the header Content-Type: application/json.",
        )
    return strict_json(body)


def strict_json(body: bytes | str, called: str = "The body") -> Any:
    """Return what a JSON text holds; `called` is what the sentence calls it.

    Raises:
        NrxError: `request.malformed` for what is not JSON, numbers that are not finite, text that is not Unicode, and
            nesting deeper than `DEEPEST`.
    """
    try:
        text = body if isinstance(body, str) else body.decode("utf-8")
        found = json.loads(text, parse_constant=_not_a_number, parse_float=_finite)
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode("utf-8")
        _measure_depth(text, found)
    except (ValueError, RecursionError):
        raise NrxError(
            "request.malformed",
            f"{called} is not JSON (UTF-8, finite numbers, not nested too deep); correct it.",
        ) from None
    return found


def _measure_depth(text: str, found: Any) -> None:
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    level, depth = [found], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise ValueError("too deep")
        level = [
            inner
            for item in level
            for inner in (item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())
            if isinstance(inner, dict | list)
        ]


def _not_a_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("too large a number")
    return number


def _too_large() -> NrxError:
    return NrxError(
        "request.too_large",
        f"The body is larger than {MOST_JSON_BYTES / 1e6:g} MB; send audio to /v2/uploads and name it by its id.",
    )


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body that was read, and then what comes."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
