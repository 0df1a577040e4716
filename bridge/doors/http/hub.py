"""Events to many clients: each has a short queue of its own, and one that does not keep up is let go.

The job store's events come on a thread; they are put into JSON there, once for all clients, and handed to the loop. A
client begins after the id it names: what the store has since then is read in pages, then what came meanwhile, each id
once. A client whose queue is full is disconnected, and takes up again with the last id that it saw.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING

from bridge.protocol import JobEvent
from engine.errors import NrxError

if TYPE_CHECKING:
    from bridge.jobs import Jobs

QUEUE_EVENTS = 1000
PAGE_EVENTS = 500
MOST_CLIENTS = 256


class Subscriber:
    """One client's queue of (id, JSON)."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[tuple[int, str]] = asyncio.Queue(QUEUE_EVENTS)
        self.lost = asyncio.Event()
        """Set when the client was too slow, or the door closes."""

    def put(self, event_id: int, text: str) -> None:
        """Add an event, or give the client up."""
        try:
            self.queue.put_nowait((event_id, text))
        except asyncio.QueueFull:
            self.lost.set()


class Hub:
    """Hands events to subscribers. All but `_on_event` runs on the loop."""

    def __init__(self, jobs: "Jobs") -> None:
        self._jobs = jobs
        self._subscribers: set[Subscriber] = set()
        self._coming: deque[tuple[int, str]] = deque()
        self._is_told = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self.closing = asyncio.Event()

    @property
    def clients(self) -> int:
        """How many clients listen."""
        return len(self._subscribers)

    def start(self) -> None:
        """Begin to listen to the store; call on the loop."""
        self._loop = asyncio.get_running_loop()
        self._unsubscribe = self._jobs.subscribe(self._on_event)

    def stop(self) -> None:
        """Let every client go; call on the loop."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        self.closing.set()
        for subscriber in self._subscribers:
            subscriber.lost.set()

    @contextlib.contextmanager
    def listening(self) -> Iterator[Subscriber]:
        """Keep a place for a client.

        Raises:
            NrxError: `request.too_many`.
        """
        if len(self._subscribers) >= MOST_CLIENTS or self.closing.is_set():
            raise NrxError(
                "request.too_many",
                f"{MOST_CLIENTS} clients listen to events already; close some and try again.",
            )
        subscriber = Subscriber()
        self._subscribers.add(subscriber)
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)

    async def events(self, subscriber: Subscriber, after: int | None) -> AsyncIterator[tuple[int, str]]:
        """Yield events as (id, JSON) from the one after `after` (None: since it subscribed), each once, in order."""
        last = 0 if after is None else await asyncio.to_thread(self._jobs.last_event_id)
        seen = min(after or 0, last)
        while seen < last:
            page = await asyncio.to_thread(self._jobs.events_after, seen, PAGE_EVENTS)
            if not page:
                break
            for event in page:
                seen = event.id
                yield event.id, event.model_dump_json()
            last = max(last, seen)
        while True:
            event_id, text = await subscriber.queue.get()
            if event_id > seen:
                seen = event_id
                yield event_id, text

    def _on_event(self, event: JobEvent) -> None:
        """Put an event into JSON, once for all, and have the loop look, once for all that come until it does."""
        if not self._subscribers or self._loop is None:
            return  # who comes later begins with what the store has
        self._coming.append((event.id, event.model_dump_json()))
        if not self._is_told:
            self._is_told = True
            with contextlib.suppress(RuntimeError):  # the loop has just closed
                self._loop.call_soon_threadsafe(self._publish_all)

    def _publish_all(self) -> None:
        self._is_told = False
        while self._coming:
            event_id, text = self._coming.popleft()
            for subscriber in self._subscribers:
                subscriber.put(event_id, text)
