"""A real HTTP door on a real port, and a client that knows the token."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
from http_standin import wav_bytes

from bridge.config import HttpSettings, Settings, StreamsSettings
from bridge.doors.http.context import HttpContext
from bridge.doors.http.door import HttpDoor
from bridge.library import Library
from bridge.security.roots import Roots
from bridge.security.token import Token
from bridge.streams.streams import Streams, no_streams
from bridge.uploads import Uploads
from engine.errors import NrxError

ALLOWED_ORIGIN = "http://localhost:3000"


@dataclass
class Daemon:
    """The parts of a daemon that tests look at, and a client with the token."""

    door: HttpDoor
    context: HttpContext
    jobs: Any
    client: httpx.Client
    home: Path

    @property
    def url(self) -> str:
        return self.door.url

    @property
    def port(self) -> int:
        return self.door.port

    @property
    def token(self) -> str:
        return self.context.token.text

    def stop(self) -> None:
        """Close the client and the door."""
        self.client.close()
        self.door.stop()
        self.context.streams.stop()

    def upload(self, name: str = "song.wav", data: bytes | None = None) -> str:
        """Upload a file and return its id."""
        answer = self.client.post(
            "/v2/uploads",
            params={"name": name},
            content=wav_bytes() if data is None else data,
            headers={"content-type": "application/octet-stream"},
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def submit(self, **fields: Any) -> dict[str, Any]:
        """Submit a remix of a new upload and return the job."""
        body = {"action": "remix", "style": "lofi_chill", "inputs": [{"upload": self.upload()}], **fields}
        answer = self.client.post("/v2/jobs", json=body)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())


def eventually(holds: Callable[[], bool], within_s: float = 10.0) -> bool:
    """Return whether something holds, at the latest after a while; logs are written after answers."""
    until = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def start_daemon(home: Path, jobs: Any, streams: StreamsSettings | None = None, **http: Any) -> Daemon:
    """Start a door on a free port, with streams if they are asked for."""
    settings = Settings(home=home, http=HttpSettings(port=0, origins=(ALLOWED_ORIGIN,), **http))
    if streams is not None:
        settings = settings.model_copy(update={"streams": streams})

    def folder_of(job_id: str) -> str | None:
        try:
            return cast("str | None", jobs.get(job_id).folder)
        except NrxError:
            return None

    context = HttpContext(
        settings=settings,
        jobs=jobs,
        roots=Roots(settings),
        token=Token.load(home),
        uploads=Uploads(settings, jobs.register_input),
        library=Library(settings, folder_of),
        streams=Streams(settings) if streams is not None else no_streams(),
    )
    door = HttpDoor(context)
    door.start()
    client = httpx.Client(
        base_url=door.url,
        headers={"authorization": f"Bearer {context.token.text}"},
        timeout=20,
        trust_env=False,
    )
    return Daemon(door, context, jobs, client, home)
