"""A small hub of models on this machine that speaks the file API of the real one, with faults to order.

It answers `/api/models/{repo}/revision/{revision}`, and HEAD and GET of `/{repo}/resolve/{commit}/{file}`: large files
with a redirect to storage elsewhere (another port of this machine) and an `X-Linked-Etag` that is their SHA-256, small
ones with the ETag that git gives a blob. GET understands `Range`.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

COMMIT = "c0ffee" + "0" * 34


def blob_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@dataclass
class Hub:
    """What the server has, what is to go wrong, and what it was asked."""

    repos: dict[str, dict[str, bytes]]
    large: frozenset[str] = frozenset()
    cut_after: dict[str, list[int]] = field(default_factory=dict)
    """File -> after how many bytes of the body each next answer breaks off."""
    served: dict[str, bytes] = field(default_factory=dict)
    """File -> bytes that are sent instead of those that the hash is of."""
    ranges: bool = True
    statuses: dict[str, list[int]] = field(default_factory=dict)
    slow_block: threading.Event | None = None
    commit: str = COMMIT
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    url: str = ""
    storage: str = ""

    def bodies_of(self, file: str) -> list[str | None]:
        """Return the `Range` of every GET of a file's bytes."""
        return [
            span for method, path, span in self.asked if method == "GET" and path.endswith(f"/bytes/{file}")
        ]


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        return

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        hub, path = self.hub, unquote(self.path.partition("?")[0])
        hub.asked.append((self.command, path, self.headers.get("Range")))
        file = path.rsplit("/", 1)[-1]
        if hub.statuses.get(file):
            return self._say(hub.statuses[file].pop(0), b"", {})
        if path.startswith("/api/models/"):
            return self._list(path)
        if path.startswith("/bytes/"):
            repo = next(name for name, files in hub.repos.items() if file in files)
            return self._bytes(hub.served.get(file, hub.repos[repo][file]), file)
        repo, _, rest = path.strip("/").partition("/resolve/")
        commit, _, file = rest.partition("/")
        content = hub.repos.get(repo, {}).get(file)
        if content is None or commit not in (hub.commit, "main"):
            return self._say(404, b"Entry not found", {})
        common = {"X-Repo-Commit": hub.commit}
        if file in hub.large:
            linked = {
                "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"',
                "X-Linked-Size": str(len(content)),
                "Location": f"{hub.storage}/bytes/{file}",
            }
            return self._say(302, b"", {**common, **linked})
        headers = {**common, "ETag": f'"{blob_hash(content)}"'}
        if not body:
            return self._say(200, content, headers, body=False)
        return self._bytes(hub.served.get(file, content), file, headers)

    def _list(self, path: str) -> None:
        repo, _, _ = path.removeprefix("/api/models/").partition("/revision/")
        files = self.hub.repos.get(repo)
        if files is None:
            return self._say(401, b'{"error": "Repository not found"}', {})
        listed = {"id": repo, "sha": self.hub.commit, "siblings": [{"rfilename": name} for name in files]}
        return self._say(200, json.dumps(listed).encode(), {"Content-Type": "application/json"})

    def _bytes(self, content: bytes, file: str, headers: dict[str, str] | None = None) -> None:
        start = 0
        asked = self.headers.get("Range")
        if asked and self.hub.ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                return self._say(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        for name, value in {**(headers or {}), "Content-Length": str(len(content) - start)}.items():
            self.send_header(name, value)
        self.end_headers()
        rest = content[start:]
        cuts = self.hub.cut_after.get(file)
        if cuts:
            self.wfile.write(rest[: cuts.pop(0)])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
            return None
        if self.hub.slow_block is not None and file in self.hub.large:
            half = len(rest) // 2
            self.wfile.write(rest[:half])
            self.wfile.flush()
            self.hub.slow_block.wait(60)
            rest = rest[half:]
        self.wfile.write(rest)
        return None

    def _say(self, status: int, content: bytes, headers: dict[str, str], *, body: bool = True) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if body and self.command != "HEAD":
            self.wfile.write(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        return  # a client that went away is what some tests are about


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve a hub and its storage, each on a port of its own, while the body runs."""
    servers = [_Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub})) for _ in range(2)]
    hub.url, hub.storage = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    for server in servers:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield hub
    finally:
        if hub.slow_block is not None:
            hub.slow_block.set()
        for server in servers:
            server.shutdown()
            server.server_close()
