"""A server on this machine that speaks what Hugging Face and Replicate document, and fails as it is told to."""

import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import soundfile as sf

KEY = "r8_a-very-secret-key-0123456789"


def wav(seconds: float, rate: int = 32000) -> bytes:
    """Return a WAV file with a tone of so many seconds."""
    file = io.BytesIO()
    tone = 0.2 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
    sf.write(file, tone, rate, format="WAV")
    return file.getvalue()


@dataclass
class Asked:
    """A request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        """Its JSON."""
        said: dict[str, Any] = json.loads(self.body)
        return said


@dataclass
class Service:
    """What is answered. `failures` go out first: (status, headers, body); None breaks the connection off."""

    sound: bytes = b""
    failures: list[tuple[int, dict[str, str], bytes] | None] = field(default_factory=list)
    polls: int = 2
    ending: dict[str, Any] = field(default_factory=dict)
    content_type: str = "audio/flac"
    hangs_s: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    _left: int = 0

    def paths(self) -> list[str]:
        """Return what was asked, in order."""
        return [f"{item.method} {item.path}" for item in self.asked]

    def answer(self, asked: Asked) -> tuple[int, dict[str, str], bytes] | None:
        """Return (status, headers, body)."""
        self.asked.append(asked)
        if self.failures and not asked.path.endswith("/cancel"):
            return self.failures.pop(0)
        if asked.headers.get("authorization") != f"Bearer {KEY}" and not asked.path.startswith("/elsewhere"):
            return _json(401, {"title": "Unauthenticated", "detail": "You did not pass a valid token"})
        what = f"{asked.method} {asked.path}"
        if what.startswith("POST /models/"):
            time.sleep(self.hangs_s)
            return 200, {"Content-Type": self.content_type}, self.sound
        if what == "POST /v1/predictions":
            self._left = self.polls
            return _json(201, self._prediction("starting"))
        if what == "GET /v1/predictions/p1":
            self._left -= 1
            return _json(200, self._prediction("processing" if self._left > 0 else "succeeded"))
        if what == "POST /v1/files":
            return _json(201, {"id": "f1", "urls": {"get": f"{self.url}/v1/files/f1"}})
        if what == "DELETE /v1/files/f1":
            return 204, {}, b""
        if what == "POST /v1/predictions/p1/cancel":
            return _json(200, self._prediction("canceled"))
        if what in ("GET /out.wav", "GET /elsewhere.wav"):
            return 200, {"Content-Type": "audio/wav"}, self.sound
        return _json(404, {"detail": "The requested resource could not be found."})

    def _prediction(self, status: str) -> dict[str, Any]:
        done = status == "succeeded"
        said = {
            "id": "p1",
            "status": status,
            "error": None,
            "output": f"{self.url}/out.wav" if done else None,
        }
        return {**said, **(self.ending if done else {})}


def _json(status: int, said: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(said).encode()


@contextmanager
def serving(service: Service) -> Iterator[Service]:
    """Serve while the body runs; the service knows its address."""

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = service.answer(Asked(self.command, self.path, headers, body))
            if answer is None:
                self.close_connection = True
                return
            status, given, content = answer
            try:
                self.send_response(status)
                for name, value in {**given, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                self.close_connection = True  # whoever asked has gone

        do_GET = do_POST = do_DELETE = _handle  # noqa: N815 - the names that the server looks for

        def log_message(self, *_arguments: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
