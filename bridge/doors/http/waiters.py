"""How many callers may wait for a result at once: each holds a connection for as long as a job takes."""

import contextlib
from collections.abc import Iterator

from engine.errors import NrxError

MOST_WAITERS = 16


class Waiters:
    """Counts those who wait. Used on the loop only."""

    def __init__(self) -> None:
        self._count = 0

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Keep a place.

        Raises:
            NrxError: `request.too_many`.
        """
        if self._count >= MOST_WAITERS:
            raise NrxError(
                "request.too_many",
                f"{MOST_WAITERS} calls wait for their results already; try again later, or submit to /v2/jobs.",
            )
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1
