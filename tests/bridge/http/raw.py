"""HTTP as bytes, for what a proper client would never send."""

import contextlib
import socket


def exchange(port: int, request: bytes, *, timeout_s: float = 30.0) -> tuple[int, bytes]:
    """Send bytes and return the status and everything that was answered (0 where there was no answer)."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(request)
        answered = b""
        with contextlib.suppress(OSError):
            while chunk := connection.recv(65536):
                answered += chunk
    line = answered.split(b"\r\n", 1)[0].split(b" ")
    return (int(line[1]) if len(line) > 1 and line[1].isdigit() else 0), answered


def get(port: int, path: str, *headers: str, method: str = "GET", body: bytes = b"") -> tuple[int, bytes]:
    """Send a request of exactly these header lines."""
    lines = [f"{method} {path} HTTP/1.1", *headers]
    if not any(line.startswith("Upgrade:") for line in headers):
        lines.append("Connection: close")
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return exchange(port, "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
