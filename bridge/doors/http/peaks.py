"""Waveforms for the console: the lowest and highest sample in each column, read block by block, remembered."""

import threading
from functools import lru_cache, reduce
from pathlib import Path

from engine.errors import NrxError

BLOCK_FRAMES = 1 << 18
Peaks = list[tuple[float, float]]
_one_at_a_time = threading.Lock()


def peaks_of(path: Path, columns: int) -> Peaks:
    """Return (lowest, highest) of each of `columns` columns over all channels, to four decimals.

    Raises:
        NrxError: `file.unknown` where the file went away or is no audio.
    """
    try:
        stamp = path.stat()
        with _one_at_a_time:
            return _measured(path, columns, stamp.st_mtime_ns, stamp.st_size)
    except (OSError, RuntimeError):
        raise NrxError("file.unknown", f"The file {path.name} cannot be read as audio.") from None


@lru_cache(maxsize=128)
def _measured(path: Path, columns: int, _mtime_ns: int, _size: int) -> Peaks:
    import numpy as np
    import soundfile

    with soundfile.SoundFile(path) as file:
        frames = file.frames
        edges = (np.arange(columns + 1) * frames) // columns
        lowest, highest = np.zeros(columns, np.float32), np.zeros(columns, np.float32)
        at = 0
        while at < frames:
            block = file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)
            if not len(block):
                break
            first = int(np.searchsorted(edges, at, side="right")) - 1
            last = int(np.searchsorted(edges, at + len(block), side="left"))
            starts = np.maximum(edges[first:last] - at, 0)
            kept = np.flatnonzero(np.diff(np.append(starts, len(block))) > 0)
            chosen = first + kept
            low, high = reduce(np.minimum, block.T), reduce(np.maximum, block.T)  # 8 times min(axis=1)
            lowest[chosen] = np.minimum(lowest[chosen], np.minimum.reduceat(low, starts[kept]))
            highest[chosen] = np.maximum(highest[chosen], np.maximum.reduceat(high, starts[kept]))
            at += len(block)
    low_high = np.round(np.nan_to_num(np.stack([lowest, highest], axis=1)), 4)
    return [(float(low), float(high)) for low, high in low_high.astype(np.float64).round(4)]
