"""The web console: static files that the daemon serves at its loopback address, and nothing that runs on the server.

`index.html` stands at `/`, everything else below `/console/`; the pages speak to the daemon by its HTTP interface alone.
There is no build step and no address but the daemon's own: the policy below lets a browser load nothing else and run no
inline script. MIME types are a table here because the Windows registry may call JavaScript text.
"""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

SITE = Path(__file__).parent / "site"
PREFIX = "console/"
INDEX = "index.html"

TYPES: dict[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

HEADERS: dict[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-cache",
}
"""What every file of the console is sent with."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the console, ready to be sent."""

    body: bytes
    media_type: str


def asset(path: str) -> Asset | None:
    """Return the file for a URL path ("/" is the page itself), or None if the console has no such file.

    Only files with a known type below the site's folder are found; anything with `..`, a backslash, a colon, a hidden
    part or a link that leads out is None.
    """
    relative = path.lstrip("/")
    if relative in ("", INDEX):
        relative = INDEX
    elif relative.startswith(PREFIX):
        relative = relative.removeprefix(PREFIX)
    else:
        return None
    parts = PurePosixPath(relative).parts
    if any(part.startswith(".") or set(part) & set("\\:\0") for part in parts):
        return None
    media_type = TYPES.get(PurePosixPath(relative).suffix)
    file = SITE.joinpath(*parts).resolve()
    if media_type is None or not file.is_relative_to(SITE.resolve()) or not file.is_file():
        return None
    return Asset(file.read_bytes(), media_type)
