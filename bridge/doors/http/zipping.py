"""A zip archive made while it is sent: never more than a chunk of it is in memory.

Audio is stored, not deflated: it would hardly get smaller, and storing costs no processor while a job runs.
"""

import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from bridge.doors.http.files import CHUNK_BYTES


class _Sink:
    """What `zipfile` writes to; it can't seek, so sizes go into data descriptors."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._chunks.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: `take` empties the sink."""

    def close(self) -> None:
        """Do nothing: it holds only memory."""

    def take(self) -> bytes:
        data = b"".join(self._chunks)
        self._chunks.clear()
        return data


def zip_chunks(
    folder_name: str, files: Mapping[str, Path], open_file: Callable[[Path], BinaryIO]
) -> Iterator[bytes]:
    """Yield the bytes of a zip archive of `files` (relative name -> path), all below one folder."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, path in files.items():
            with open_file(path) as stream:
                status = path.stat()
                entry = zipfile.ZipInfo(f"{folder_name}/{name}", _zip_time(status.st_mtime))
                entry.external_attr = 0o644 << 16
                entry.file_size = status.st_size
                with archive.open(entry, "w") as into:
                    while chunk := stream.read(CHUNK_BYTES):
                        into.write(chunk)
                        yield sink.take()
            yield sink.take()
    yield sink.take()


def _zip_time(seconds: float) -> tuple[int, int, int, int, int, int]:
    """Return a time as zip archives keep it: from 1980 on, to two seconds."""
    at = time.localtime(seconds)
    return (max(1980, min(at.tm_year, 2107)), at.tm_mon, at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec)
