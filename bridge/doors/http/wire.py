"""HTTP/1.1 on the wire: uvicorn's protocol (h11, which bounds headers), with malformed upgrades refused by us.

The WebSocket library answers 500 to a `Sec-WebSocket-Key` that is not ASCII (websockets 17), and takes upgrades that
carry a body; both are 400 here (RFC 6455 section 4.2.1: a base64 text of 16 bytes).
"""

import re

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_KEY = re.compile(rb"[A-Za-z0-9+/]{22}==")
_FRAMED = frozenset({b"content-length", b"transfer-encoding"})


class WireProtocol(H11Protocol):
    """One connection."""

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand a well-formed upgrade to the WebSocket protocol, and refuse any other."""
        keys = [value for name, value in self.headers if name == b"sec-websocket-key"]
        has_body = any(name in _FRAMED and value != b"0" for name, value in self.headers)
        if len(keys) != 1 or not _KEY.fullmatch(keys[0]) or has_body:
            self.send_400_response("This is no WebSocket upgrade.")
            return
        super().handle_websocket_upgrade(event)
