"""A WAV file that can be read while it grows: whoever opens it finds a whole file of what there is so far.

Samples are appended first and the header's sizes patched after them, so that the sizes never tell of samples that are
not there yet. A file that outgrows 4 GB becomes RF64 as it grows. A player that has the file open goes on past the end
that it first saw if it looks at the header again; one that reads like a pipe just reads on.
"""

import os
import time
from pathlib import Path
from types import TracebackType

from bridge.returns.folder import writing_to
from engine.audio.wav_writer import growing_header, size_patches
from engine.errors import NrxError

PATCH_EVERY_S = 0.25


class GrowingWav:
    """Writes 16-bit or float samples; use it as a context manager.

    Args:
        path: Where the file is; it must not be there yet.
        sample_rate: Hz.
        channels: 1 or 2.
        subtype: "PCM_16" or "FLOAT".

    Raises:
        NrxError: `output.exists`, `output.not_writable`, `output.disk_full`.
    """

    def __init__(self, path: Path, *, sample_rate: int, channels: int, subtype: str) -> None:
        self.path, self.frames = path, 0
        self._frame_bytes = channels * (2 if subtype == "PCM_16" else 4)
        header, self._fact_at = growing_header(sample_rate, channels, subtype)
        self._data_start, self._patched_at = len(header), 0.0
        with writing_to(path.parent):
            try:
                self._file = path.open("xb")
            except FileExistsError:
                raise NrxError(
                    "output.exists",
                    f'"{path}" is already there and is never overwritten; choose another name.',
                ) from None
            self._file.write(header)
            self._file.flush()

    def __enter__(self) -> "GrowingWav":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, data: bytes) -> None:
        """Append interleaved samples.

        Raises:
            NrxError: `output.disk_full`, `output.not_writable`.
        """
        with writing_to(self.path.parent):
            self._file.write(data)
            self.frames += len(data) // self._frame_bytes
            if time.monotonic() - self._patched_at >= PATCH_EVERY_S:
                self._patch()

    def close(self) -> None:
        """Have all of it on the disk."""
        if self._file.closed:
            return
        with writing_to(self.path.parent):
            if self.frames * self._frame_bytes % 2:
                self._file.write(b"\0")
            self._patch()
            os.fsync(self._file.fileno())
            self._file.close()

    def _patch(self) -> None:
        self._file.flush()
        for position, patch in size_patches(
            self.frames * self._frame_bytes, self.frames, self._data_start, self._fact_at
        ):
            self._file.seek(position)
            self._file.write(patch)
        self._file.flush()
        self._file.seek(0, os.SEEK_END)
        self._patched_at = time.monotonic()
