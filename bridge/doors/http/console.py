"""The web console's files: `/` is `bridge/doors/web/index.html`, and `/console/…` what lies below it there."""

import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.doors.http.errors import refusal
from bridge.doors.http.files import TYPES, file_answer
from bridge.library import open_inside
from engine.errors import NrxError

WEB_FOLDER = Path(__file__).resolve().parent.parent / "web"
INDEX = "index.html"
FOLDER = "console"
_PART = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9._@-]*")
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


class Console:
    """The files of the console, looked up afresh at each request."""

    def __init__(self, folder: Path = WEB_FOLDER) -> None:
        self.folder = folder

    def find(self, path: str) -> Path | None:
        """Return the file at a decoded URL path, or None."""
        parts = [INDEX] if path in ("/", f"/{INDEX}") else path.removeprefix("/").split("/")
        if parts != [INDEX] and parts[0] != FOLDER:
            return None
        if not all(_PART.fullmatch(part) for part in parts) or Path(parts[-1]).suffix.lower() not in TYPES:
            return None
        found = self.folder
        for part in parts:
            found = found / part
            if found.is_symlink():
                return None
        return found if found.is_file() else None

    def has(self, path: str) -> bool:
        """Return whether there is such a file."""
        return self.find(path) is not None

    def answer(self, request: Request, path: Path) -> Response:
        """Return a file of the console.

        Raises:
            NrxError: `file.unknown` where it went away meanwhile.
        """
        response = file_answer(request, open_inside(self.folder, path), path.name)
        response.headers["content-security-policy"] = POLICY
        response.headers["cross-origin-opener-policy"] = "same-origin"
        response.headers["cache-control"] = "no-cache"
        if "content-disposition" in response.headers:
            del response.headers["content-disposition"]
        return response


class WithConsole:
    """ASGI middleware that answers for the console's files, and passes on everything else."""

    def __init__(self, app: ASGIApp, console: Console) -> None:
        self.app = app
        self.console = console

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a file, or pass on."""
        found = self.console.find(scope["path"]) if scope.get("method") in ("GET", "HEAD") else None
        if found is None:
            await self.app(scope, receive, send)
            return
        try:
            response = self.console.answer(Request(scope, receive), found)
        except NrxError as error:
            response = refusal(error.code, error.sentence)
        await response(scope, receive, send)
