"""The guard before all routes: Host, Origin, token. Nothing behind it is reached by a request that it refuses.

Order: the Host header (one, on the list), the Origin (absent, own, or allowed by `http.origins`) and `Sec-Fetch-Site`,
preflights, then the token. Open without one are `GET /health`, the console's files, and `POST /v2/session`, which
takes a one-time code. A ticket in the query opens one path for reading. WebSockets may bring the token as a subprotocol
`nrx.token.<token>`, or in their first message (which the route then asks for).
"""

from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.doors.http.asgi import header, header_values, refuse
from bridge.security.hosts import HostRule, OriginRule
from bridge.security.tickets import Tickets
from bridge.security.token import Token

OPEN = frozenset({("GET", "/health"), ("HEAD", "/health"), ("POST", "/v2/session")})
SUBPROTOCOL, TOKEN_PROTOCOL = "nrx", "nrx.token."
AUTHORIZED = "nrx.authorized"
TICKET = "ticket"
PREFLIGHT_S = 600
ALLOWED_METHODS = "GET, HEAD, POST, PATCH, DELETE"
ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Range, If-Range"
EXPOSED_HEADERS = "Content-Range, Accept-Ranges, Content-Disposition, Content-Length, ETag, Location"
SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Guard:
    """ASGI middleware that refuses what may not call."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: HostRule,
        origins: OriginRule,
        token: Token,
        tickets: Tickets,
        is_static: Callable[[str], bool],
    ) -> None:
        self.app = app
        self.hosts = hosts
        self.origins = origins
        self.token = token
        self.tickets = tickets
        self.is_static = is_static

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if not self.hosts.allows(header_values(scope, b"host")):
            await refuse(
                scope,
                receive,
                send,
                "request.forbidden",
                "The Host header must be 127.0.0.1 or localhost; call the daemon by the address in daemon.json.",
                status=421,
            )
            return
        origins = [value.decode("latin-1") for value in header_values(scope, b"origin")]
        if len(origins) > 1 or (origins and not self.origins.allows(origins[0])):
            await refuse(
                scope,
                receive,
                send,
                "request.forbidden",
                'Pages of this origin may not call; add it to origins in [http] of nrx.toml, as "http://localhost:3000".',
            )
            return
        allowed = self._cors(origins[0]) if origins else []
        if scope["type"] == "http" and scope["method"] == "OPTIONS" and origins:
            await _preflight(scope, send, allowed)
            return
        ticketed = self._has_ticket(scope)
        fetched_from = header(scope, b"sec-fetch-site")
        if not origins and not ticketed and fetched_from in ("cross-site", "same-site"):
            await refuse(
                scope, receive, send, "request.forbidden", "Pages of other sites may not call this daemon."
            )
            return
        if not (ticketed or self._may_pass(scope)):
            await refuse(
                scope,
                receive,
                send,
                "request.unauthorized",
                "This needs the token: send Authorization: Bearer with the text of the file that token_file in "
                "daemon.json names.",
                headers=[(b"www-authenticate", b'Bearer realm="nrx"'), *allowed],
            )
            return
        await self.app(scope, receive, send if scope["type"] == "websocket" else _marked(send, allowed))

    def _may_pass(self, scope: Scope) -> bool:
        scheme, _, given = header(scope, b"authorization").partition(" ")
        if scheme.lower() == "bearer":
            known = self.token.matches(given.strip().encode("latin-1"))
            scope[AUTHORIZED] = known
            return known
        if scope["type"] == "websocket":
            protocols = [name for name in scope.get("subprotocols", []) if name.startswith(TOKEN_PROTOCOL)]
            scope[AUTHORIZED] = any(self.token.matches(name[len(TOKEN_PROTOCOL) :]) for name in protocols)
            return scope[AUTHORIZED] or not protocols
        method, path = scope["method"], scope["path"]
        return (method, path) in OPEN or (method in ("GET", "HEAD") and self.is_static(path))

    def _has_ticket(self, scope: Scope) -> bool:
        query = scope.get("query_string", b"")
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or b"ticket=" not in query:
            return False
        given = (
            parse_qs(query.decode("latin-1"), max_num_fields=20).get(TICKET, [])
            if query.count(b"&") < 20
            else []
        )
        path = scope.get("raw_path", b"").partition(b"?")[0].decode("latin-1")
        return len(given) == 1 and self.tickets.admits(path, given[0])

    def _cors(self, origin: str) -> list[tuple[bytes, bytes]]:
        """Return the headers that let a page of an allowed origin read the answer."""
        if origin not in self.origins.others:
            return [(b"vary", b"Origin")]
        return [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", EXPOSED_HEADERS.encode()),
            (b"vary", b"Origin"),
        ]


async def _preflight(scope: Scope, send: Send, allowed: list[tuple[bytes, bytes]]) -> None:
    headers = [
        *allowed,
        (b"access-control-allow-methods", ALLOWED_METHODS.encode()),
        (b"access-control-allow-headers", ALLOWED_HEADERS.encode()),
        (b"access-control-max-age", str(PREFLIGHT_S).encode()),
    ]
    if header(scope, b"access-control-request-private-network") == "true":
        headers.append((b"access-control-allow-private-network", b"true"))
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _marked(send: Send, allowed: list[tuple[bytes, bytes]]) -> Send:
    """Return `send` that adds the headers every answer carries."""

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            there = list(message.get("headers", []))
            names = {name for name, _ in there}
            safe = [item for item in SAFE_HEADERS if item[0] not in names]
            if b"cache-control" not in names:
                safe.append((b"cache-control", b"no-store"))
            message = {**message, "headers": [*there, *safe, *allowed]}
        await send(message)

    return marked
