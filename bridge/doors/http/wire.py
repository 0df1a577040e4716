"""HTTP/1.1 on the wire: uvicorn's protocol on llhttp, with heads of bounded size, and malformed upgrades refused by us.

llhttp sets no bound of its own: what it gathers without having told (a header, a line of a chunk) and the headers and
trailers of one message are bounded here, and so is the address. The WebSocket library answers 500 to a
`Sec-WebSocket-Key` that is not ASCII (websockets 17), and takes upgrades that carry a body; both are 400 here (RFC 6455
section 4.2.1: a base64 text of 16 bytes).
"""

import re
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 65_536
_KEY = re.compile(rb"[A-Za-z0-9+/]{22}==")
_FRAMED = frozenset({b"content-length", b"transfer-encoding"})


class WireProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._untold_bytes = 0
        """Received since the parser last told of anything but the address."""
        self._head_bytes = 0
        """Of the headers and trailers of this message."""

    def data_received(self, data: bytes) -> None:
        """Parse what came, and refuse what never comes to an end."""
        self._untold_bytes += len(data)
        super().data_received(data)
        if self._untold_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """Begin a message."""
        self._head_bytes = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header or a trailer."""
        self._untold_bytes = 0
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > MOST_HEAD_BYTES:
            raise ValueError("the headers are too large")  # the parser ends, and the answer is 400
        super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._untold_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a message."""
        self._untold_bytes = 0
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand a well-formed upgrade to the WebSocket protocol, and refuse any other."""
        keys = [value for name, value in self.headers if name == b"sec-websocket-key"]
        has_body = any(name in _FRAMED and value != b"0" for name, value in self.headers)
        if len(keys) != 1 or not _KEY.fullmatch(keys[0]) or has_body:
            self.send_400_response("This is no WebSocket upgrade.")
            return
        super().handle_websocket_upgrade()
