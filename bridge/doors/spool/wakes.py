"""`spool/wake/<client>.json`: the OSC message that is sent when a client's job ends, for scripts that cannot listen.

    {"port": 39190, "address": "/action/_RS0123…"}

`<client>` is what the ids of the client's jobs begin with, up to the first `-`. The message goes to this machine only,
without an argument; a file that is not like that is passed over. The same as `/nrx/wake` over OSC, and it outlives the
daemon.
"""

import json
import logging
import re
import socket
from pathlib import Path

_ADDRESS = re.compile(r"/[A-Za-z0-9_/-]{1,119}")
LARGEST_BYTES = 4096
log = logging.getLogger("nrx.spool")


def wake(folder: Path, job_id: str) -> None:
    """Send the message of the job's client, if it has named one in `folder`."""
    found = _message(folder / f"{job_id.split('-')[0]}.json")
    if found is None:
        return
    port, address = found
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(_packet(address), ("127.0.0.1", port))
    except OSError as error:
        log.info("The wake message of %s cannot be sent: %s", job_id, error)


def _message(path: Path) -> tuple[int, str] | None:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            return None
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict):
        return None
    port, address = found.get("port"), found.get("address")
    if (
        isinstance(port, int)
        and 1024 <= port <= 65535
        and isinstance(address, str)
        and _ADDRESS.fullmatch(address)
    ):
        return port, address
    log.warning("%s is passed over: it needs a port from 1024 to 65535 and an OSC address.", path)
    return None


def _packet(address: str) -> bytes:
    """Return an OSC 1.0 message without arguments: two strings, each ended and padded to four bytes."""
    return b"".join(text + b"\0" * (4 - len(text) % 4) for text in (address.encode("ascii"), b","))
