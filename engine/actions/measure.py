"""Measure a file: loudness, peaks, range, image and spectrum, as plain data."""

from pathlib import Path
from typing import Any

from engine.audio import read_audio
from engine.loudness.figures import figures
from engine.mastering.describe import describe_figures
from engine.progress import SILENT, Monitor


def measure_file(path: Path, monitor: Monitor = SILENT) -> dict[str, Any]:
    """Return everything that is measured of the file at `path` (see `describe_figures`), and its channels.

    Raises:
        NrxError: any `input.*`.
    """
    audio = read_audio(path, monitor=monitor.part(0.0, 0.3))
    measured = describe_figures(figures(audio, monitor.part(0.3, 1.0)))
    return {"file": str(path), "channels": audio.channels, **measured}
