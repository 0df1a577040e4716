"""One-time codes: how a browser gets the token without a person copying it.

The code stands in the fragment of a link (`http://127.0.0.1:39180/#code=…`), which browsers never send to a server and
which reaches no log; the console posts it once to `/v2/session` and gets the token.
"""

import secrets
import threading
import time
from collections.abc import Callable

LIFE_S = 600.0
MOST_CODES = 64


class OneTimeCodes:
    """Codes that work once, for ten minutes. Thread-safe; the oldest is forgotten when there are too many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def new(self) -> str:
        """Return a new code."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._forget_old()
            while len(self._ends_at) >= MOST_CODES:
                del self._ends_at[next(iter(self._ends_at))]
            self._ends_at[code] = self._clock() + LIFE_S
        return code

    def redeem(self, given: str) -> bool:
        """Return whether `given` is a living code; it is none from then on."""
        offered = given.encode("utf-8", "surrogatepass")
        with self._lock:
            self._forget_old()
            found = [code for code in self._ends_at if secrets.compare_digest(code.encode(), offered)]
            for code in found:
                del self._ends_at[code]
        return bool(found)

    def _forget_old(self) -> None:
        now = self._clock()
        self._ends_at = {code: end for code, end in self._ends_at.items() if end > now}
