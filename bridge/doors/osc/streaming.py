"""Streams over OSC: each is written to a file that grows, and its client is told how far it is."""

import threading
import time
from collections.abc import Callable

from bridge.config import Settings
from bridge.doors.osc.addresses import Value
from bridge.doors.spool.request_file import ID
from bridge.streams.keeping import Growing, Grown, Kept, KeptStream, Lost, News
from bridge.streams.request import parse_stream
from bridge.streams.streams import Streams
from engine.errors import NrxError

Tell = Callable[..., None]
"""Sends a message, by its name in the table, with its values."""
ENDING_S = 1.0


class OscStreams:
    """The streams that OSC clients have asked for. Thread-safe."""

    def __init__(self, settings: Settings, streams: Streams | None) -> None:
        self._settings, self._streams = settings, streams
        self._open: dict[str, KeptStream] = {}
        self._lock = threading.Lock()

    def start(self, values: tuple[Value, ...], tell: Tell) -> None:
        """Begin a stream; `tell` hears of it until its end.

        Raises:
            NrxError: `request.invalid`, `request.conflict`, `request.too_many`.
        """
        stream_id, words, duration_s, style, quality = values
        name = str(stream_id)
        if self._streams is None:
            raise NrxError("backend.missing", "This door makes no streams.")
        if not ID.fullmatch(name):
            raise NrxError(
                "request.invalid", f"The id {name[:80]!r} is refused: it must be 1 to 64 of A-Z a-z 0-9 _ -."
            )
        length_s = round(float(duration_s), 6)
        request = parse_stream(
            {
                "prompt": words,
                "duration_s": length_s or None,
                "style": style or None,
                "quality": quality,
                "pace": "full" if length_s else "live",
            }
        )
        with self._lock:
            if name in self._open:
                raise NrxError(
                    "request.conflict", f"The stream {name} plays already; stop it first, or take another id."
                )
            self._open[name] = KeptStream(
                self._streams, self._settings, request, name, lambda news: self._hear(name, news, tell)
            )

    def stop(self, stream_id: str) -> None:
        """End a stream.

        Raises:
            NrxError: `stream.unknown`.
        """
        with self._lock:
            found = self._open.get(stream_id)
        if found is None:
            raise NrxError("stream.unknown", f"There is no stream {stream_id[:64]!r} that plays.")
        found.stop()

    def stop_all(self) -> None:
        """End all, and wait until what there is of them is kept."""
        with self._lock:
            every = list(self._open.values())
        for one in every:
            one.stop()
        until = time.monotonic() + ENDING_S
        for one in every:
            one.wait(max(0.0, until - time.monotonic()))

    def _hear(self, name: str, news: News, tell: Tell) -> None:
        if isinstance(news, Kept | Lost):
            with self._lock:
                self._open.pop(name, None)
        match news:
            case Growing(file, started):
                warning = " ".join(started.warnings)
                tell("stream_started", name, str(file), started.sample_rate, started.channels, warning)
            case Grown(seconds):
                tell("stream_progress", name, seconds)
            case Kept(manifest):
                tell("done", name, str(manifest))
            case Lost(error):
                tell("error", name, error.code, error.sentence)
