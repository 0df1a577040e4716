"""Who said hello, where answers go, and which jobs each client follows.

A client is known by the address and port that it sends from. One that says hello from another port with the same reply
address is the same one, moved. When there are too many, one that follows no job makes room.
"""

import threading
from dataclasses import dataclass, field

Address = tuple[str, int]

MOST_CLIENTS = 64
MOST_FOLLOWED = 1000


@dataclass
class Client:
    """A client. `wake`: port, address and argument of the message that tells it of an end."""

    name: str
    source: Address
    reply_to: Address
    wake: tuple[int, str, str] | None = None
    follows: set[str] = field(default_factory=set)


class Clients:
    """All clients. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_source: dict[Address, Client] = {}

    def hello(self, name: str, source: Address, reply_to: Address) -> Client | None:
        """Remember a client, or renew it; None if there is no room for another."""
        with self._lock:
            old = self._by_source.get(source) or next(
                (client for client in self._by_source.values() if client.reply_to == reply_to), None
            )
            if old is not None:
                self._by_source.pop(old.source, None)
            elif len(self._by_source) >= MOST_CLIENTS:
                idle = next((client for client in self._by_source.values() if not client.follows), None)
                if idle is None:
                    return None
                del self._by_source[idle.source]
            client = Client(name, source, reply_to)
            if old is not None:
                client.wake, client.follows = old.wake, old.follows
            self._by_source[source] = client
            return client

    def of(self, source: Address) -> Client | None:
        """Return the client that sends from there."""
        return self._by_source.get(source)

    def follow(self, client: Client, job_id: str) -> None:
        """Have a client told of a job."""
        with self._lock:
            if len(client.follows) < MOST_FOLLOWED:
                client.follows.add(job_id)

    def unfollow(self, client: Client, job_id: str) -> None:
        """Have a client told no more of a job."""
        with self._lock:
            client.follows.discard(job_id)

    def followers(self, job_id: str, *, ended: bool = False) -> list[Client]:
        """Return who follows a job; with `ended`, they follow it no longer."""
        with self._lock:
            found = [client for client in self._by_source.values() if job_id in client.follows]
            if ended:
                for client in found:
                    client.follows.discard(job_id)
            return found
