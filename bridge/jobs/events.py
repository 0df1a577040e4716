"""Hands the store's events to subscribers, in order, on a thread of its own."""

import logging
import queue
import threading
from collections.abc import Callable

from bridge.protocol import JobEvent

Listener = Callable[[JobEvent], None]
log = logging.getLogger(__name__)


class EventHub:
    """Subscribers hear each event once, soon after it was committed. A subscriber that raises is logged and stays."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[list[JobEvent] | None] = queue.SimpleQueue()
        self._listeners: dict[object, Listener] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="nrx-events", daemon=True)
        self._thread.start()

    def publish(self, events: list[JobEvent]) -> None:
        """Take events to be handed on; does not wait."""
        self._events.put(events)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` called with every event from now on; it must not block. Call the result to end that."""
        key = object()
        with self._lock:
            self._listeners[key] = listener

        def unsubscribe() -> None:
            with self._lock:
                self._listeners.pop(key, None)

        return unsubscribe

    def close(self) -> None:
        """Hand on what has come, and stop."""
        self._events.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (batch := self._events.get()) is not None:
            with self._lock:
                listeners = list(self._listeners.values())
            for event in batch:
                for listener in listeners:
                    try:
                        listener(event)
                    except Exception:
                        log.exception("A subscriber of job events failed")
