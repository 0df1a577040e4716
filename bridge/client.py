"""A client of the daemon that runs on this machine, for the command line: finds it, and speaks its HTTP interface.

The daemon is found by `daemon.json` in NRX_HOME; the token is read from the file that it names. Errors come back as the
`NrxError` that the daemon raised, with the same code and sentence.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from bridge.config import Settings
from bridge.daemon_file import read_daemon
from bridge.protocol import JobEvent, JobStatus
from engine.errors import CODES, NrxError

TIMEOUT_S = 30.0


class DaemonClient:
    """Speaks to the running daemon. Use it as a context manager."""

    def __init__(self, settings: Settings) -> None:
        """Find the daemon.

        Raises:
            NrxError: `daemon.absent`.
        """
        self.home = settings.home
        self.url, self._http = self._connect()

    def _connect(self) -> tuple[str, httpx.Client]:
        found = read_daemon(self.home)
        if found is None or found.http is None:
            raise _absent(self.home)
        try:
            token = Path(found.token_file).read_text(encoding="ascii").strip()
        except OSError as error:
            raise NrxError(
                "daemon.absent",
                f"The daemon's token {found.token_file} cannot be read ({error.strerror}); is it another user's?",
            ) from error
        return found.http, httpx.Client(
            base_url=found.http,
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_S,
            trust_env=False,
        )

    def reconnect(self) -> None:
        """Find the daemon again, after it was started anew (perhaps on another port).

        Raises:
            NrxError: `daemon.absent`.
        """
        url, http = self._connect()
        self._http.close()
        self.url, self._http = url, http

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Make one call and return its JSON body (None where there is none).

        Raises:
            NrxError: what the daemon refused with; `daemon.absent` if it does not answer.
        """
        try:
            answer = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise _absent(self.home) from error
        if answer.is_error:
            raise _refused(answer)
        return answer.json() if answer.content else None

    def job(self, job_id: str) -> JobStatus:
        """Return where a job stands."""
        return JobStatus.model_validate(self.call("GET", f"/v2/jobs/{job_id}"))

    def jobs(self, **filters: Any) -> dict[str, Any]:
        """Return a page of jobs as it was sent; filters are `state`, `search`, `limit` and `before`."""
        page = self.call("GET", "/v2/jobs", params={key: value for key, value in filters.items() if value})
        return {**page, "jobs": [JobStatus.model_validate(job) for job in page["jobs"]]}

    def events(self, after: int | None = None) -> Iterator[JobEvent]:
        """Yield events as they happen (those after the id `after` first), until the daemon ends the stream."""
        params = {} if after is None else {"after": after}
        try:
            with self._http.stream("GET", "/v2/events", params=params, timeout=None) as stream:
                if stream.is_error:
                    stream.read()
                    raise _refused(stream)
                for line in stream.iter_lines():
                    if line.startswith("data:"):
                        yield JobEvent.model_validate_json(line[len("data:") :])
        except httpx.TransportError as error:
            raise _absent(self.home) from error


def _absent(home: Path) -> NrxError:
    return NrxError(
        "daemon.absent", f"No daemon runs for {home}; start it with `nrx serve` (or `nrx service install`)."
    )


def _refused(answer: httpx.Response) -> NrxError:
    try:
        error = answer.json()["error"]
        code, sentence = str(error["code"]), str(error["sentence"])
    except (json.JSONDecodeError, KeyError, TypeError):
        code, sentence = "internal", f"The daemon answered {answer.status_code} to {answer.request.url.path}."
    return NrxError(code if code in CODES else "internal", sentence)
