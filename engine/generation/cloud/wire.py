"""How a cloud service is asked: with its key, patiently, within a time limit, and cancelled at once.

What a service says of being busy (429, 5xx, a model that is being loaded) is waited for: as long as its `Retry-After`
or `estimated_time` says, else twice as long each time. Work is a coroutine, so that a cancelled job leaves a request at
any moment. The key goes only to the service's own host, and is cut out of whatever a service says.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin, urlsplit

from engine.errors import NrxError
from engine.models.cloud import CloudModel
from engine.models.hub import MOST_REDIRECTS
from engine.progress import Monitor

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
BUSY = (429, 500, 502, 503, 504)
MOST_TRIES = 8
"""In a row, for one request."""
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
CONNECT_S = 20.0
ASKED_EVERY_S = 0.2
MOST_BYTES = 256_000_000
MOST_WORDS_BYTES = 4_000_000
"""Of an answer that is no sound."""
SHOWN_WORDS = 300


def work(model: CloudModel, job: Callable[["Wire"], Awaitable[T]], monitor: Monitor) -> T:
    """Run a job with a service, within the model's patience, and give what it gives.

    Raises:
        NrxError: `cloud.failed` once patience is at its end, and whatever the job raises; `Cancelled`.
    """
    return asyncio.run(_watched(model, job, monitor))


async def _watched(model: CloudModel, job: Callable[["Wire"], Awaitable[T]], monitor: Monitor) -> T:
    async def whole() -> T:
        async with open_wire(model) as wire, asyncio.timeout(model.patience_s):
            return await job(wire)

    task = asyncio.create_task(whole())
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=ASKED_EVERY_S)
            monitor.check()
        return task.result()
    except TimeoutError:
        raise NrxError(
            "cloud.failed",
            f"{model.service.title} has not finished within {model.patience_s:.0f} s; try again later, or raise "
            f"`patience_s` under [cloud].",
        ) from None
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def open_wire(model: CloudModel) -> AsyncIterator["Wire"]:
    """Give a wire to a model's service."""
    import httpx

    timeout = httpx.Timeout(model.patience_s, connect=CONNECT_S)
    headers = {"User-Agent": "nrx-bridge"}
    async with httpx.AsyncClient(timeout=timeout, headers=headers, follow_redirects=False) as client:
        yield Wire(model, client)


class Wire:
    """Requests to one service."""

    def __init__(self, model: CloudModel, client: "httpx.AsyncClient") -> None:
        """Take the model that is asked for, and what sends."""
        self._model, self._client = model, client
        self._home = _origin(model.url)

    async def said(self, method: str, url: str, *, repeatable: bool = True, **content: Any) -> dict[str, Any]:
        """Return the JSON object that a request is answered with.

        Args:
            method: as GET.
            url: an address at the service.
            repeatable: sending it again does no harm where it is not known whether it was heard.
            content: as httpx takes it.

        Raises:
            NrxError: `cloud.key`, `cloud.failed`.
        """
        answer = await self.answer(method, url, most=MOST_WORDS_BYTES, repeatable=repeatable, **content)
        try:
            said = _json(answer[1])
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise self.failed("answers with something else than was documented")
        return said

    async def answer(
        self, method: str, url: str, *, most: int = MOST_BYTES, repeatable: bool = True, **content: Any
    ) -> tuple[str, bytes]:
        """Return (type of content, bytes) of a good answer, at most `most` bytes; wait where the service is busy.

        Raises:
            NrxError: `cloud.key`, `cloud.failed`.
        """
        import httpx

        told, wait_s = "", FIRST_WAIT_S
        for _ in range(MOST_TRIES):
            asked_s = wait_s
            try:
                status, headers, body = await self._once(method, url, most, content)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                told = f"cannot be reached ({error or type(error).__name__})"
            except httpx.HTTPError as error:
                told = f"broke off ({error or type(error).__name__})"
                if not repeatable:
                    raise self.failed(told) from error
            else:
                if status < 300:
                    return headers.get("content-type", ""), body
                self._refuse(status, body)
                told = f"answers {status}{_words(body)}"
                asked_s = _wanted_wait_s(headers, body) or wait_s
            await asyncio.sleep(min(asked_s, LONGEST_WAIT_S))
            wait_s *= 2
        raise self.failed(f"{told}, {MOST_TRIES} times in a row")

    async def _once(
        self, method: str, url: str, most: int, content: dict[str, Any]
    ) -> tuple[int, "httpx.Headers", bytes]:
        """Send a request once, follow where it is sent on to, and return (status, headers, body)."""
        given = dict(content.get("headers", {}))
        for _ in range(MOST_REDIRECTS):
            if not self._is_safe(url):
                raise self.failed("names an address that is not https")
            headers = dict(given)
            if _origin(url) == self._home:
                headers["Authorization"] = f"Bearer {self._model.key}"
            async with self._client.stream(method, url, **{**content, "headers": headers}) as response:
                if response.is_redirect and method == "GET":
                    url = urljoin(url, response.headers.get("location", ""))
                    continue
                limit = most if response.status_code < 300 else MOST_WORDS_BYTES
                parts, size = [], 0
                async for part in response.aiter_bytes():
                    size += len(part)
                    if size > limit:
                        raise self.failed(f"sends more than {limit} bytes, which no take has")
                    parts.append(part)
                return response.status_code, response.headers, b"".join(parts)
        raise self.failed("redirects without end")

    def _is_safe(self, url: str) -> bool:
        """Return whether an address may be asked: over https, or the service's own, which the settings name."""
        return urlsplit(url).scheme == "https" or _origin(url) == self._home

    def _refuse(self, status: int, body: bytes) -> None:
        """Raise what a status that is not worth waiting for means."""
        title = self._model.service.title
        if status in (401, 403):
            raise NrxError(
                "cloud.key",
                self._clean(
                    f"{title} refuses the key ({status}{_words(body)}); check {self._model.service.variable}."
                ),
            )
        if status not in BUSY:
            raise self.failed(f"refuses the request ({status}{_words(body)})")

    def failed(self, what: str) -> NrxError:
        """Return the error that says what a service did."""
        model = self._model
        return NrxError(
            "cloud.failed",
            self._clean(f"{model.service.title} ({model.host}) {what}; {model.model} was asked for."),
        )

    def _clean(self, text: str) -> str:
        return text.replace(self._model.key, "…")


async def asleep_until(done: Callable[[], Awaitable[T | None]], progress: Callable[[float], None]) -> T:
    """Ask `done` again and again until it gives something; `progress` is told how long it has been, in seconds."""
    began, wait_s = time.monotonic(), 0.25
    while True:
        found = await done()
        if found is not None:
            return found
        progress(time.monotonic() - began)
        await asyncio.sleep(wait_s)
        wait_s = min(2.0, wait_s * 1.5)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _json(body: bytes) -> Any:
    import json

    return json.loads(body)


def _words(body: bytes) -> str:
    """Return what an error's body says, shortly, to be put after its status."""
    try:
        said = _json(body)
    except ValueError:
        return ""
    if not isinstance(said, dict):
        return ""
    found = next((said[name] for name in ("detail", "error", "message", "title") if said.get(name)), "")
    text = " ".join(str(found).split())[:SHOWN_WORDS].rstrip(".")
    return f": {text}" if text else ""


def _wanted_wait_s(headers: "httpx.Headers", body: bytes) -> float | None:
    """Return how long a busy service says it will be; None if it does not."""
    named = headers.get("retry-after", "")
    if named.isdigit():
        return float(named)
    try:
        said = _json(body)
    except ValueError:
        return None
    estimate = said.get("estimated_time") if isinstance(said, dict) else None
    return max(0.0, float(estimate)) if isinstance(estimate, int | float) else None
