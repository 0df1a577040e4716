"""Files as answers: ranges (RFC 9110 section 14), validators, and reading off the event loop.

The file is given open, so that what was checked is what is sent.
"""

import hashlib
import os
import re
from collections.abc import AsyncIterator
from email.utils import formatdate
from pathlib import PurePosixPath
from typing import BinaryIO
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

CHUNK_BYTES = 256 * 1024
TYPES = {
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".oga": "audio/ogg",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".mp4": "audio/mp4",
    ".aif": "audio/aiff",
    ".aiff": "audio/aiff",
    ".mid": "audio/midi",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".map": "application/json",
    ".woff2": "font/woff2",
    ".ico": "image/x-icon",
    ".webmanifest": "application/manifest+json",
    ".zip": "application/zip",
}
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def type_of(name: str) -> str:
    """Return the media type of a file by its suffix; what is not in the table is bytes."""
    return TYPES.get(PurePosixPath(name).suffix.lower(), "application/octet-stream")


def disposition(name: str, *, attach: bool) -> str:
    """Return a `Content-Disposition` that gives any Unicode name (RFC 6266, RFC 8187)."""
    plain = re.sub(r"[^A-Za-z0-9 ._()+-]", "_", name)
    kind = "attachment" if attach else "inline"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


class FileAnswer(StreamingResponse):
    """A stream that closes its file however the answer ends."""

    def __init__(
        self, stream: BinaryIO, start: int, length: int, status: int, headers: dict[str, str]
    ) -> None:
        super().__init__(_chunks(stream, start, length), status, headers)
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send, and close the file."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._stream.close()


def file_answer(
    request: Request, stream: BinaryIO, name: str, *, attach: bool = False, media_type: str | None = None
) -> Response:
    """Return an open file as an answer; the answer closes it."""
    status = os.fstat(stream.fileno())
    size = status.st_size
    stamp = f"{status.st_ino}-{status.st_mtime_ns}-{size}".encode()
    etag = f'"{hashlib.sha256(stamp).hexdigest()[:32]}"'
    headers = {
        "content-type": media_type or type_of(name),
        "content-disposition": disposition(name, attach=attach),
        "accept-ranges": "bytes",
        "etag": etag,
        "last-modified": formatdate(status.st_mtime, usegmt=True),
        "cache-control": "private, no-cache",
        "content-length": str(size),
    }
    if etag in request.headers.get("if-none-match", ""):
        stream.close()
        return Response(None, 304, {"etag": etag, "cache-control": headers["cache-control"]})
    start, length, code = 0, size, 200
    asked = request.headers.get("range")
    valid = request.headers.get("if-range") in (None, etag, headers["last-modified"])
    if asked is not None and valid and request.method == "GET":
        found = wanted_range(asked, size)
        if found == (0, 0):
            stream.close()
            return Response(None, 416, {"content-range": f"bytes */{size}", "accept-ranges": "bytes"})
        if found is not None:
            start, length, code = found[0], found[1] - found[0], 206
            headers["content-range"] = f"bytes {start}-{found[1] - 1}/{size}"
            headers["content-length"] = str(length)
    if request.method == "HEAD":
        stream.close()
        return Response(None, code, headers)
    return FileAnswer(stream, start, length, code, headers)


def wanted_range(asked: str, size: int) -> tuple[int, int] | None:
    """Return the first byte and the one after the last that a `Range` header asks for.

    None where the header is to be ignored (another unit, several ranges, nonsense), and (0, 0) where nothing of the
    file lies in the range.
    """
    found = _RANGE.fullmatch(asked.strip().replace(" ", ""))
    if found is None or len(asked) > 64:
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        length = min(int(last), size)
        return (size - length, size) if length else (0, 0)
    start = int(first)
    end = min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return None
    return (start, end) if start < size else (0, 0)


async def _chunks(stream: BinaryIO, start: int, length: int) -> AsyncIterator[bytes]:
    await run_in_threadpool(stream.seek, start)
    while length > 0:
        chunk = await run_in_threadpool(stream.read, min(CHUNK_BYTES, length))
        if not chunk:
            return
        length -= len(chunk)
        yield chunk
