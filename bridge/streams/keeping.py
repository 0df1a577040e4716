"""A stream kept as a return: a WAV file that grows in the return's folder while it is made, published at its end.

The folder is hidden, as every return's is while it is being made; `on_news` tells where the file is. At the end, or
when the stream is stopped, the file is finished, the manifest written, and the folder renamed into place. What was made
of a stream that broke off is kept too, and its manifest says so.
"""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bridge.config import Settings
from bridge.protocol import BackendInfo, Manifest, Track
from bridge.returns.folder import Staging
from bridge.returns.write import write_manifest
from bridge.streams.growing import GrowingWav
from bridge.streams.messages import Chunk, Ended, Failed, FromSession, Started
from bridge.streams.request import StreamRequest
from bridge.streams.streams import Session, Streams
from engine import __version__
from engine.errors import NrxError

FILE = "master.wav"
SUBTYPES = {"s16": "PCM_16", "f32": "FLOAT"}
PROGRESS_EVERY_S = 0.5
COLOUR = "#7a9e9f"


@dataclass(frozen=True, slots=True)
class Growing:
    """The file is there, and grows."""

    file: Path
    started: Started


@dataclass(frozen=True, slots=True)
class Grown:
    """So much is in the file now."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Kept:
    """The return is in its place."""

    manifest: Path


@dataclass(frozen=True, slots=True)
class Lost:
    """There is no return, and why."""

    error: NrxError


News = Growing | Grown | Kept | Lost


class KeptStream:
    """A stream that is written to a return; it runs on a thread of its own.

    Args:
        streams: Who makes it.
        settings: Where returns go.
        request: What is wanted.
        stream_id: The id of the return.
        on_news: Told how it goes, on that thread; the last is `Kept` or `Lost`.

    Raises:
        NrxError: `request.too_many`.
    """

    def __init__(
        self,
        streams: Streams,
        settings: Settings,
        request: StreamRequest,
        stream_id: str,
        on_news: Callable[[News], None],
    ) -> None:
        self.id, self.request = stream_id, request
        self._settings, self._on_news = settings, on_news
        self._made: queue.SimpleQueue[FromSession] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._staging: Staging | None = None
        self._session: Session = streams.open(request, self._made.put)
        self._thread = threading.Thread(target=self._run, name="nrx-kept-stream", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it; what there is becomes the return."""
        self._stopping.set()
        self._session.stop()

    def wait(self, patience_s: float | None = None) -> None:
        """Wait until the last news were told."""
        self._thread.join(patience_s)

    def _run(self) -> None:
        try:
            last: News = self._keep()
        except NrxError as error:
            last = Lost(error)
        finally:
            if self._staging is not None:
                self._staging.discard()
            self._session.stop()
        self._on_news(last)

    def _keep(self) -> News:
        first = self._made.get()
        if isinstance(first, Failed):
            raise first.error
        if not isinstance(first, Started):
            raise NrxError("cancelled", "The stream was stopped before anything was heard.")
        self._staging = Staging(self._settings.returns_folder)
        began, subtype = time.monotonic(), SUBTYPES[self.request.format]
        with GrowingWav(
            self._staging.path / FILE,
            sample_rate=first.sample_rate,
            channels=first.channels,
            subtype=subtype,
        ) as file:
            self._on_news(Growing(file.path, first))
            broke = self._fill(file, first.sample_rate, began)
        if not file.frames:
            raise broke or NrxError("cancelled", "The stream was stopped before anything was heard.")
        return Kept(self._publish(first, file.frames, time.monotonic() - began, broke))

    def _fill(self, file: GrowingWav, rate: int, began: float) -> NrxError | None:
        """Write what comes, until the end; return what broke it off, if something did."""
        told_at = 0.0
        while True:
            match self._made.get():
                case Chunk(first_frame=first, frames=frames, data=data):
                    if self.request.pace == "live":
                        ahead_s = first / rate - (time.monotonic() - began)
                        self._stopping.wait(max(0.0, ahead_s - self._settings.streams.ahead_s))
                    file.write(data)
                    self._session.consumed(first + frames)
                    if time.monotonic() - told_at >= PROGRESS_EVERY_S:
                        told_at = time.monotonic()
                        self._on_news(Grown(file.frames / rate))
                case Failed(error=error):
                    return error
                case Ended():
                    return None

    def _publish(self, started: Started, frames: int, seconds: float, broke: NrxError | None) -> Path:
        staging, request, source = self._staging, self.request, started.source
        if staging is None:
            raise ValueError("there is nothing to publish")
        track = Track(
            name="Master",
            role="master",
            kind="master",
            file=FILE,
            start_s=0.0,
            start_frame=0,
            frames=frames,
            sample_rate=started.sample_rate,
            channels=started.channels,
            subtype=SUBTYPES[request.format],
            colour=COLOUR,
            gain_db=0.0,
            muted=False,
        )
        asked = request.model_dump(mode="json", exclude={"pace", "format"})
        broken = (f"The stream broke off: {broke.sentence}",) if broke is not None else ()
        manifest = Manifest(
            nrx_version=__version__,
            action="generate",
            id=self.id,
            folder="",
            created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
            request={"action": "generate", "stream": True, **asked},
            style=request.style,
            tracks=(track,),
            backends=(
                BackendInfo(
                    stage="generate",
                    name=source.name,
                    version=source.version,
                    what=source.what,
                    licence=source.licence,
                    commercial_use=source.commercial_use,
                ),
            ),
            seconds=round(seconds, 3),
            times_real_time=round(frames / started.sample_rate / max(seconds, 1e-3), 2),
            licences=(f"{source.name}: {source.licence}",),
            notes=("Streamed: mixed as it was made, without the mastering of a job.", *broken),
        )
        staging.sync()
        published = None
        while published is None:
            target = staging.free_name(f"{request.prompt or request.style or 'music'} - streamed")
            write_manifest(staging.path, manifest.model_copy(update={"folder": str(target)}))
            published = staging.publish(target)
        return published / "manifest.json"
