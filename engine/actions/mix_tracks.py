"""Tracks of a mix on their way to the disk, block by block: a WAV and a waveform each, never a whole song in memory."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from engine.audio import Envelope, WavWriter

COLUMNS = 1600
"""Of the waveforms that pictures are drawn from."""


class EnvelopeBuilder:
    """A waveform's lowest, highest and RMS value in even columns, from blocks (2, frames) that come in order."""

    def __init__(self, frames: int, sample_rate: int, columns: int = COLUMNS) -> None:
        self._edges = (np.arange(columns + 1) * frames) // columns
        self._lowest, self._highest, self._power = (np.zeros(columns, np.float32) for _ in range(3))
        self._at, self._duration_s = 0, frames / sample_rate

    def add(self, block: NDArray[np.float32]) -> None:
        """Take the next block."""
        start, end = self._at, self._at + block.shape[1]
        self._at = end
        first = int(np.searchsorted(self._edges, start, "right")) - 1
        last = int(np.searchsorted(self._edges, end, "left"))
        columns = np.arange(first, min(last, len(self._lowest)))
        starts = np.maximum(self._edges[columns], start) - start
        kept = np.append(starts[1:] > starts[:-1], True)
        columns, starts = columns[kept], starts[kept]
        if not len(columns):
            return
        for samples in block:
            np.minimum.at(self._lowest, columns, np.minimum.reduceat(samples, starts))
            np.maximum.at(self._highest, columns, np.maximum.reduceat(samples, starts))
            np.add.at(self._power, columns, np.add.reduceat(np.square(samples), starts))

    def finish(self) -> Envelope:
        """Return the waveform."""
        sizes = np.maximum(np.diff(self._edges), 1)
        return Envelope(self._lowest, self._highest, np.sqrt(self._power / (2.0 * sizes)), self._duration_s)


class TrackFiles:
    """Writes tracks, turned down by `pad_db`, into a folder: one WAV a name.

    Use it in a `with` statement; `take` is the desk's keeper.
    """

    def __init__(
        self, folder: Path, sample_rate: int, frames: int, subtype: str, start_frame: int, pad_db: float
    ) -> None:
        self._folder, self._rate, self._frames = folder, sample_rate, frames
        self._subtype, self._start_frame = subtype, start_frame
        self._gain = np.float32(10.0 ** (-pad_db / 20.0))
        self._writers: dict[str, WavWriter] = {}
        self._shapes: dict[str, EnvelopeBuilder] = {}
        self._lock = Lock()

    def __enter__(self) -> TrackFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.discard() if kind is not None else writer.close()

    def take(self, name: str, block: NDArray[np.float32]) -> None:
        """Write a track's next block."""
        with self._lock:
            if name not in self._writers:
                number = len(self._writers)
                self._writers[name] = WavWriter(
                    self._folder / f"{number:03d}.wav",
                    sample_rate=self._rate,
                    channels=2,
                    subtype=self._subtype,
                    time_reference_frames=self._start_frame,
                    unread=True,
                    synced=False,  # whoever publishes the return syncs all of it
                )
                self._shapes[name] = EnvelopeBuilder(self._frames, self._rate)
        if self._gain != 1.0:
            block *= self._gain
        self._writers[name].write(block)
        self._shapes[name].add(block)

    def made(self) -> dict[str, tuple[Path, Envelope]]:
        """Return path and waveform of every track; after the `with` statement."""
        return {
            name: (writer.close().path, self._shapes[name].finish()) for name, writer in self._writers.items()
        }
