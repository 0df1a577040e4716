"""Receiving files: a raw body or a multipart form, straight to disk, within limits, off the event loop.

The form is parsed as it comes (python-multipart); fields are kept in memory up to a bound, files go to the uploads'
folder. Nothing is kept that is not registered afterwards.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from bridge.uploads import Uploads
from engine.errors import NrxError

MOST_FIELD_BYTES = 1_000_000
MOST_PARTS = 100
MOST_HEADER_BYTES = 8192
SLACK_BYTES = 2_000_000
"""What a form may be larger than its files are allowed to be."""


@dataclass(slots=True)
class ReceivedFile:
    """A file of a form: the field's name, the file's name as the client gave it, and where its bytes are."""

    field: str
    name: str
    path: Path


@dataclass(slots=True)
class Form:
    """The fields and files of a form."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[ReceivedFile] = field(default_factory=list)


def is_form(request: Request) -> bool:
    """Return whether the body is a multipart form."""
    return _kind(request) == "multipart/form-data"


@asynccontextmanager
async def received_body(request: Request, uploads: Uploads) -> AsyncIterator[Path]:
    """Write a raw body to disk and give the file.

    Raises:
        NrxError: `request.too_large`, `output.disk_full`, `request.media_type` for JSON and web forms.
    """
    if _kind(request) in ("application/json", "application/x-www-form-urlencoded"):
        raise NrxError(
            "request.media_type",
            "This address takes the bytes of an audio file; send it with the header Content-Type: "
            "application/octet-stream, or as multipart/form-data (curl -F file=@song.wav).",
        )
    _check_length(request, uploads, uploads.max_bytes)
    with uploads.receiving() as path:
        with await run_in_threadpool(path.open, "xb") as stream:
            size = 0
            async for chunk in _body(request):
                size += len(chunk)
                if size > uploads.max_bytes:
                    raise _too_large(uploads.max_bytes)
                await run_in_threadpool(stream.write, chunk)
        yield path


@asynccontextmanager
async def received_form(request: Request, uploads: Uploads, most_files: int = 1) -> AsyncIterator[Form]:
    """Write the files of a form to disk and give the form.

    Raises:
        NrxError: `request.media_type`, `request.malformed`, `request.too_large`, `output.disk_full`.
    """
    if not is_form(request):
        raise NrxError(
            "request.media_type",
            "This address takes a form; send it as multipart/form-data (curl -F file=@song.wav).",
        )
    most_bytes = uploads.max_bytes * most_files
    _check_length(request, uploads, most_bytes + SLACK_BYTES)
    async with AsyncExitStack() as closing:
        reader = _FormReader(uploads, most_files, closing)
        parser = reader.parser(request)
        size = 0
        try:
            async for chunk in _body(request):
                size += len(chunk)
                if size > most_bytes + SLACK_BYTES:
                    raise _too_large(most_bytes)
                await run_in_threadpool(parser.write, chunk)
            parser.finalize()
        except FormParserError:
            raise _malformed() from None
        if not reader.ended:
            raise _malformed()
        reader.close()
        yield reader.form


class _FormReader:
    """Takes what the parser calls, in order: part begins, headers, data, part ends."""

    def __init__(self, uploads: Uploads, most_files: int, closing: AsyncExitStack) -> None:
        self.form = Form()
        self.ended = False
        self._uploads = uploads
        self._most_files = most_files
        self._closing = closing
        self._parts = 0
        self._name = b""
        self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._header_bytes = 0
        self._stream: BinaryIO | None = None
        self._field: str | None = None
        self._data = bytearray()
        self._file_bytes = 0

    def parser(self, request: Request) -> MultipartParser:
        """Return a parser that calls this reader."""
        _, parameters = parse_options_header(request.headers.get("content-type", ""))
        boundary = parameters.get(b"boundary")
        if not boundary or len(boundary) > 200:
            raise _malformed()
        callbacks: dict[str, Callable[..., Any]] = {
            "on_part_begin": self._part_begins,
            "on_part_data": self._part_data,
            "on_part_end": self._part_ends,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_ends,
            "on_headers_finished": self._headers_end,
            "on_end": self._all_ends,
        }
        try:
            return MultipartParser(boundary, callbacks)  # type: ignore[arg-type]
        except FormParserError:
            raise _malformed() from None

    def close(self) -> None:
        """Close a file that is still open."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _part_begins(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise NrxError("request.too_large", f"The form has more than {MOST_PARTS} parts; send fewer.")
        self._headers, self._header_bytes = {}, 0
        self._field, self._data, self._file_bytes = None, bytearray(), 0

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += self._bounded(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += self._bounded(data[start:end])

    def _bounded(self, piece: bytes) -> bytes:
        self._header_bytes += len(piece)
        if self._header_bytes > MOST_HEADER_BYTES:
            raise _malformed()
        return piece

    def _header_ends(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _headers_end(self) -> None:
        _, parameters = parse_options_header(self._headers.get(b"content-disposition", b""))
        if b"name" not in parameters:
            raise _malformed()
        name = parameters[b"name"].decode("utf-8", "replace")
        if b"filename" not in parameters:
            self._field = name
            return
        if len(self.form.files) >= self._most_files:
            raise NrxError(
                "request.too_large",
                f"The form has more than {self._most_files} files; send at most that many.",
            )
        path = self._closing.enter_context(self._uploads.receiving())
        self._stream = path.open("xb")
        self._closing.callback(self._stream.close)
        filename = parameters[b"filename"].decode("utf-8", "replace")
        self.form.files.append(ReceivedFile(name, filename, path))

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        piece = data[start:end]
        if self._stream is not None:
            self._file_bytes += len(piece)
            if self._file_bytes > self._uploads.max_bytes:
                raise _too_large(self._uploads.max_bytes)
            self._stream.write(piece)
            return
        self._data += piece
        if len(self._data) > MOST_FIELD_BYTES:
            raise NrxError(
                "request.too_large", f"A field of the form is larger than {MOST_FIELD_BYTES / 1e6:g} MB."
            )

    def _part_ends(self) -> None:
        self.close()
        if self._field is not None:
            self.form.fields[self._field] = self._data.decode("utf-8", "replace")

    def _all_ends(self) -> None:
        self.ended = True


async def _body(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            if chunk:
                yield chunk
    except ClientDisconnect:
        raise NrxError("request.malformed", "The upload broke off; send it again.") from None


def _check_length(request: Request, uploads: Uploads, most_bytes: int) -> None:
    length = request.headers.get("content-length", "")
    if not length.isdigit():
        uploads.require_space(0)
        return
    if len(length) > 15 or int(length) > most_bytes:
        raise _too_large(most_bytes)
    uploads.require_space(int(length))


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _too_large(most_bytes: int) -> NrxError:
    return NrxError(
        "request.too_large",
        f"The upload is larger than the limit of {most_bytes / 1e9:g} GB; raise upload_max_gb in [http] of nrx.toml, "
        "or send a shorter file.",
    )


def _malformed() -> NrxError:
    return NrxError("request.malformed", "The form cannot be parsed; send it as curl -F does.")
