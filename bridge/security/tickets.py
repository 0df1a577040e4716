"""Tickets: short-lived signed links to one file, for `<audio src>` and downloads, which cannot send a header.

A ticket is `<end>.<signature>`: the Unix second after which it can't be begun, and an HMAC-SHA256 over the path and
that second, under a key that lives as long as the process. It opens one path for reading and nothing else. A player
asks again for other ranges while it plays; so a ticket that was begun in time serves that path on for an hour.
"""

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable

BEGIN_WITHIN_S = 60
GOES_ON_S = 3600
MOST_BEGUN = 4096


class Tickets:
    """Signs and checks tickets. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._begun: dict[str, float] = {}
        self._lock = threading.Lock()

    def sign(self, path: str) -> str:
        """Return a ticket for a path as it stands in a URL (percent-encoded, without query)."""
        end = int(self._clock()) + BEGIN_WITHIN_S
        return f"{end}.{self._signature(path, end)}"

    def admits(self, path: str, ticket: str) -> bool:
        """Return whether `ticket` opens `path` now."""
        end_text, _, signature = ticket.partition(".")
        if not (end_text.isascii() and end_text.isdigit() and len(end_text) <= 12 and signature.isascii()):
            return False
        end = int(end_text)
        if not hmac.compare_digest(signature, self._signature(path, end)):
            return False
        now = self._clock()
        with self._lock:
            if now <= end:
                self._begin(ticket, now)
                return True
            return self._begun.get(ticket, 0.0) > now

    def _begin(self, ticket: str, now: float) -> None:
        self._begun.setdefault(ticket, now + GOES_ON_S)
        while len(self._begun) > MOST_BEGUN:
            del self._begun[next(iter(self._begun))]

    def _signature(self, path: str, end: int) -> str:
        digest = hmac.new(self._key, f"GET\n{path}\n{end}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
