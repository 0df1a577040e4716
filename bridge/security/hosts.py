"""Which `Host` and `Origin` a request may carry: the guard against DNS rebinding and against other web pages.

A page of another site can have a browser send requests to the loopback address, and can have its own name resolve to
it. The `Host` header then names that site, and `Origin` too; so both are compared with lists, never with each other.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
_HOST = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>\d{1,5}))?")


def is_loopback(host: str) -> bool:
    """Return whether listening on `host` keeps the daemon to this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def split_host(header: str) -> tuple[str, int | None] | None:
    """Return the name and port of a `Host` header in lower case, or None where it is malformed."""
    found = _HOST.fullmatch(header)
    if found is None:
        return None
    port = int(found["port"]) if found["port"] else None
    if port is not None and port > 65535:
        return None
    return (found["six"] or found["name"]).lower(), port


@dataclass(frozen=True, slots=True)
class HostRule:
    """The hosts that requests may name. `any_address` also admits IP literals, which no DNS name can stand behind."""

    names: frozenset[str]
    any_address: bool = False

    @classmethod
    def for_address(cls, host: str) -> "HostRule":
        """Return the rule of a daemon that listens on `host`."""
        if is_loopback(host):
            return cls(LOOPBACK_HOSTS | {host.strip("[]").lower()})
        own = socket.gethostname().lower()
        names = LOOPBACK_HOSTS | {host.strip("[]").lower(), own, f"{own}.local"}
        return cls(names - {"0.0.0.0", "::"}, any_address=host in ("0.0.0.0", "::"))  # noqa: S104 - compared only

    def allows(self, headers: Iterable[bytes]) -> bool:
        """Return whether exactly one `Host` header is there, well-formed and on the list."""
        given = list(headers)
        if len(given) != 1:
            return False
        parts = split_host(given[0].decode("latin-1"))
        if parts is None:
            return False
        name, _port = parts
        return name in self.names or (self.any_address and _is_address(name))


@dataclass(frozen=True, slots=True)
class OriginRule:
    """The origins whose pages may call: the console's own, and those of `http.origins`."""

    own: frozenset[str]
    others: frozenset[str]

    @classmethod
    def for_port(cls, hosts: HostRule, port: int, others: Iterable[str]) -> "OriginRule":
        """Return the rule of a daemon at `port`."""
        own = {f"http://{f'[{name}]' if ':' in name else name}:{port}" for name in hosts.names}
        if port == 80:
            own |= {origin.removesuffix(":80") for origin in own}
        return cls(frozenset(own), frozenset(_origin(other) for other in others) - {""})

    def allows(self, origin: str) -> bool:
        """Return whether a request with this `Origin` may pass; `null` never may."""
        return origin in self.own or origin in self.others


def _origin(text: str) -> str:
    """Return an origin as browsers send it (scheme and host in lower case, no path), or "" for what is none."""
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
