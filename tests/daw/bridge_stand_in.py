"""NRX Bridge as a DAW script sees it: files below an NRX_HOME, and a thread that answers requests as it was told to.

Requests are read by the product's own reader, so that what is refused there is refused here.
"""

import json
import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.config import Settings
from bridge.doors.spool import SpoolRequest, StatusFolder, read_request_file
from bridge.doors.spool.status_file import SpoolStatus
from bridge.protocol import JobError, Manifest, Track
from bridge.styles_file import write_styles
from engine.audio import Audio, write_wav

ROUND_S = 0.02


@dataclass
class StandIn:
    """Takes requests. `ending` is how each job ends: `succeeded`, `failed`, or `open` until it is cancelled."""

    home: Path
    tracks: Sequence[tuple[Track, NDArray[np.float32]]]
    ending: str = "succeeded"
    requests: list[SpoolRequest] = field(default_factory=list)
    audio: list[Path] = field(default_factory=list)
    running: bool = True

    def __post_init__(self) -> None:
        self.settings = Settings(home=self.home)
        self.spool = self.home / "spool"
        self.started = self.home / "started"
        for name in ("new", "cancel", "status"):
            (self.spool / name).mkdir(parents=True)
        write_styles(self.settings)
        self.statuses = StatusFolder(self.spool / "status")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def fall_silent(self) -> None:
        """Have scripts think that NRX Bridge does not run, until `started` is there; requests are still taken."""
        self.running = False
        time.sleep(10 * ROUND_S)
        (self.home / "daemon.json").unlink(missing_ok=True)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(ROUND_S):
            if self.running or self.started.exists():
                draft = self.home / "daemon.draft"
                draft.write_text(json.dumps({"heartbeat": time.time()}), encoding="ascii")
                draft.replace(self.home / "daemon.json")
            for path in (self.spool / "new").glob("*.json"):
                self._take(path)
            for path in (self.spool / "cancel").glob("*.json"):
                told = JobError(code="cancelled", sentence="The job was cancelled.")
                self.statuses.write(SpoolStatus(id=path.stem, state="cancelled", accepted=True, error=told))
                path.unlink()

    def _take(self, path: Path) -> None:
        asked = read_request_file(path, self.settings)
        kept = self.home / f"{path.stem}.wav"
        shutil.copy(asked.request.inputs[0].path, kept)
        self.audio.append(kept)
        self.requests.append(asked)
        path.unlink()
        running = SpoolStatus(
            id=path.stem, state="running", accepted=True, fraction=0.5, message="Mixing: 50%."
        )
        self.statuses.write(running)
        if self.ending == "failed":
            told = JobError(code="input.silent", sentence="The track is silent.")
            self.statuses.write(running.model_copy(update={"state": "failed", "error": told}))
        if self.ending == "succeeded":
            manifest = self._publish(path.stem, asked)
            self.statuses.write(
                running.model_copy(update={"state": "succeeded", "fraction": 1.0, "manifest": str(manifest)})
            )

    def _publish(self, job_id: str, asked: SpoolRequest) -> Path:
        folder = self.home / "returns" / f"ä {job_id}"
        folder.mkdir(parents=True)
        for track, sound in self.tracks:
            audio = Audio(sound, track.sample_rate)
            write_wav(folder / track.file, audio, "FLOAT", time_reference_frames=track.start_frame)
        fields: dict[str, Any] = {"nrx_version": "0", "created_utc": "2026-01-01T00:00:00Z"}
        manifest = Manifest(
            action=asked.request.action,
            id=job_id,
            folder=str(folder),
            request=asked.request.model_dump(mode="json"),
            tracks=tuple(track for track, _ in self.tracks),
            **fields,
        )
        file = folder / "manifest.json"
        file.write_text(manifest.model_dump_json(), encoding="utf-8")
        return file
