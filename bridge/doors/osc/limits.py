"""How many datagrams are read: so many a second from each source, and so many from all strangers together.

A source is an address and port. Those that said hello have their own allowance, so that a flood from others does not
shut them out. Only so many sources are remembered.
"""

from collections import OrderedDict
from dataclasses import dataclass

MOST_SOURCES = 256


@dataclass(frozen=True, slots=True)
class Rate:
    """An allowance: `per_s` on average, `burst` at once."""

    per_s: float
    burst: float


STRANGER, STRANGERS, CLIENT = Rate(100, 200), Rate(500, 1000), Rate(1000, 2000)


class Bucket:
    """A token bucket; times are seconds of a monotonic clock."""

    __slots__ = ("_at", "_left", "rate")

    def __init__(self, rate: Rate, now: float) -> None:
        self.rate = rate
        self._left, self._at = rate.burst, now

    def takes(self, now: float) -> bool:
        """Whether one more may pass."""
        self._left = min(self.rate.burst, self._left + (now - self._at) * self.rate.per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class RateLimits:
    """The buckets of all sources. For one thread."""

    def __init__(self, now: float) -> None:
        self._sources: OrderedDict[tuple[str, int], Bucket] = OrderedDict()
        self._strangers = Bucket(STRANGERS, now)

    def allows(self, source: tuple[str, int], is_client: bool, now: float) -> bool:
        """Whether a datagram from this source is read."""
        rate = CLIENT if is_client else STRANGER
        bucket = self._sources.get(source)
        if bucket is None or bucket.rate is not rate:
            bucket = self._sources[source] = Bucket(rate, now)
            if len(self._sources) > MOST_SOURCES:
                self._sources.popitem(last=False)
        self._sources.move_to_end(source)
        return bucket.takes(now) and (is_client or self._strangers.takes(now))
