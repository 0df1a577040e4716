"""From error codes to HTTP: one table of statuses, one shape of body, no exception that reaches a client.

Every refusal is `{"error": {"code": "…", "sentence": "…"}}`. Texts are sent as ASCII JSON, so that whatever a client
sent can be named in a sentence.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.errors import NrxError

log = logging.getLogger("nrx.http")

STATUS: dict[str, int] = {
    "request.malformed": 400,
    "request.unauthorized": 401,
    "request.forbidden": 403,
    "input.unreadable": 403,
    "request.unknown": 404,
    "job.unknown": 404,
    "stream.unknown": 404,
    "upload.unknown": 404,
    "return.unknown": 404,
    "file.unknown": 404,
    "input.not_found": 404,
    "request.method": 405,
    "request.conflict": 409,
    "job.state": 409,
    "output.exists": 409,
    "cancelled": 409,
    "request.too_large": 413,
    "input.too_large": 413,
    "input.too_long": 413,
    "request.media_type": 415,
    "input.not_audio": 415,
    "request.too_many": 429,
    "internal": 500,
    "stream.crashed": 500,
    "backend.missing": 501,
    "model.missing": 501,
    "model.extra_missing": 501,
    "model.damaged": 501,
    "model.offline": 501,
    "model.not_commercial": 403,
    "model.untrusted": 403,
    "model.memory": 503,
    "model.interpreter": 503,
    "model.failed": 500,
    "cloud.not_allowed": 403,
    "cloud.key": 403,
    "cloud.failed": 502,
    "output.not_writable": 503,
    "daemon.absent": 503,
    "job.memory": 503,
    "output.disk_full": 507,
}
"""Whatever is not listed is something wrong with what was sent: 422."""
OTHERWISE = 422

CODE_OF_STATUS = {
    400: "request.malformed",
    401: "request.unauthorized",
    403: "request.forbidden",
    404: "request.unknown",
    405: "request.method",
    413: "request.too_large",
    415: "request.media_type",
    429: "request.too_many",
}
"""For refusals that the framework makes."""

UNEXPECTED = "Something went wrong inside NRX Bridge; the daemon's log tells what, and the daemon goes on."


class ErrorDetail(BaseModel):
    """What was refused: a stable code, and one sentence for the person who must act."""

    code: str
    sentence: str


class ErrorBody(BaseModel):
    """The body of every refusal."""

    error: ErrorDetail


def status_of(code: str) -> int:
    """Return the HTTP status for an error code."""
    return STATUS.get(code, OTHERWISE)


def error_bytes(code: str, sentence: str) -> bytes:
    """Return the body of a refusal."""
    return json.dumps({"error": {"code": code, "sentence": sentence}}).encode("ascii")


def refusal(
    code: str, sentence: str, *, status: int | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the response for a refusal."""
    return Response(
        error_bytes(code, sentence), status or status_of(code), dict(headers or {}), "application/json"
    )


def answers(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route for the API's document: these statuses, and those any route can give."""
    told = {401: "no token, or a wrong one", 403: "not allowed here", 421: "a foreign Host header"}
    return {
        status: {"model": ErrorBody, "description": told.get(status, "refused")}
        for status in (*codes, 400, 401, 403, 404, 405, 413, 415, 421, 422)
    }


def install_error_handlers(app: FastAPI) -> None:
    """Have the app answer every error in the one shape."""
    app.add_exception_handler(NrxError, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unexpected)


def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, NrxError):
        raise error
    if error.code == "internal":
        log.error("an internal error was answered: %s", error.sentence)
    return refusal(error.code, error.sentence)


def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code = CODE_OF_STATUS.get(error.status_code, "request.invalid")
    sentence = {
        404: "There is nothing at this address; see /openapi.json for what there is.",
        405: f"This address does not take {request.method}; see /openapi.json for what it takes.",
    }.get(error.status_code, str(error.detail))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods(request))
    return refusal(code, sentence, status=error.status_code, headers=headers)


def _unexpected(_request: Request, _error: Exception) -> Response:
    """Answer for what nobody expected; `watch` logs it."""
    return refusal("internal", UNEXPECTED)


def _methods(request: Request) -> list[str]:
    """Return the methods that any route takes at the address of a request."""
    found: set[str] = set()
    for route in request.app.state.routes:
        if isinstance(route, Route) and route.path_regex.match(request.scope["path"]):
            found |= route.methods or set()
    return sorted(found)


def _invalid(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return refusal("request.malformed", "The body is not JSON; send a JSON object.")
    place = ".".join(str(step) for step in first["loc"] if step not in ("body", "query", "path", "header"))
    message = str(first["msg"]).replace("Input should be", "must be").removeprefix("Value error, ")
    if first["type"] == "missing":
        sentence = f"{place or 'The body'} is missing; see /openapi.json for what to send."
    else:
        sentence = f"{place or 'The body'} is refused: it {message[:1].lower()}{message[1:]}."
    return refusal("request.invalid", sentence)
