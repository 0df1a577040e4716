"""`OscClient`: a small client for tests, measurements and scripts in Python.

with OscClient(39100) as client:
    client.hello("me", "1.0")
    client.send("submit_audio", "take-1", "/music/fishin.ogg", "lofi_chill")
    print(client.wait_for("done", "error"))
"""

import socket
import time
from types import TracebackType
from typing import Self

from bridge.doors.osc.addresses import BY_NAME, TO_CLIENT, Value, fit, match
from bridge.doors.osc.packet import LARGEST_IN_BYTES, build, decode

HOST = "127.0.0.1"


class OscClient:
    """Sends to a daemon's OSC port and hears its answers, on one socket."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self._to = (HOST, port)

    @property
    def port(self) -> int:
        """The port that answers come to."""
        return int(self._socket.getsockname()[1])

    def send(self, name: str, *values: Value) -> None:
        """Send the message of that name in the table of addresses.

        Raises:
            KeyError: if there is none.
            NrxError: `request.invalid` if the values do not fit it.
        """
        message = BY_NAME[name]
        fitted = fit(message, values)
        self._socket.sendto(
            build(message.address, fitted, "".join(argument.kind for argument in message.arguments)), self._to
        )

    def send_raw(self, datagram: bytes) -> None:
        """Send any bytes."""
        self._socket.sendto(datagram, self._to)

    def receive(self, timeout_s: float = 5.0) -> tuple[str, tuple[Value, ...]]:
        """Return the name and values of the next message.

        Raises:
            TimeoutError: if none comes.
        """
        self._socket.settimeout(max(0.001, timeout_s))
        ((address, values),) = decode(self._socket.recv(LARGEST_IN_BYTES))
        message, fitted = match(TO_CLIENT, address, values)
        return message.name, fitted

    def wait_for(self, *names: str, timeout_s: float = 10.0) -> tuple[str, tuple[Value, ...]]:
        """Return the next message of one of these names; others are passed over.

        Raises:
            TimeoutError: if none comes.
        """
        end = time.monotonic() + timeout_s
        while True:
            name, values = self.receive(end - time.monotonic())
            if name in names:
                return name, values
            if time.monotonic() > end:
                raise TimeoutError(f"no {' or '.join(names)} came")

    def hello(self, client: str, version: str, instance: str = "") -> tuple[Value, ...]:
        """Say hello and return what the welcome says.

        Raises:
            TimeoutError: if there is no answer.
        """
        self.send("hello", client, version, 0, instance)
        return self.wait_for("welcome", timeout_s=2.0)[1]

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
