"""`/v2/session`: a browser's way to the token, by a one-time code; `/v2/tickets`: links that need no header."""

import re

from fastapi import APIRouter
from starlette.responses import Response

from bridge.doors.http.answers import answer
from bridge.doors.http.context import Context, InService
from bridge.doors.http.errors import answers
from bridge.doors.http.models import CodeBody, LinkAnswer, TicketAnswer, TicketBody, TokenAnswer
from bridge.security.tickets import BEGIN_WITHIN_S
from engine.errors import NrxError

router = APIRouter(tags=["session"])

TICKETED = re.compile(
    r"/v2/returns/[A-Za-z0-9_-]{1,64}/(?:files/[^?#]{1,1500}|zip|source)"
    r"|/api/download/[A-Za-z0-9_-]{1,64}"
    r"|/v1/jobs/[A-Za-z0-9_-]{1,64}/download/(?:mix|master|report)"
)
"""Paths that a ticket may open: files, and nothing that changes or lists anything."""


@router.post("/v2/session", response_model=TokenAnswer, responses=answers())
def exchange(body: CodeBody, context: Context) -> Response:
    """Exchange a one-time code for the token. This needs no token; a code works once, for ten minutes."""
    if not context.codes.redeem(body.code):
        raise NrxError(
            "request.unauthorized", "This code is used up or too old; get a new link with: nrx open"
        )
    return answer({"token": context.token.text})


@router.post("/v2/session/code", response_model=LinkAnswer, responses=answers())
def new_code(serving: InService) -> Response:
    """Make a one-time code, and the link that opens the console with it."""
    code = serving.context.codes.new()
    return answer({"code": code, "url": f"{serving.url}/#code={code}"})


@router.post("/v2/tickets", response_model=TicketAnswer, responses=answers())
def new_ticket(body: TicketBody, context: Context) -> Response:
    """Sign a link to one file, so that a player or a download needs no header."""
    if not body.path.isascii() or not body.path.isprintable() or not TICKETED.fullmatch(body.path):
        raise NrxError(
            "request.invalid",
            f"path {body.path[:200]!a} is refused: it must be the percent-encoded path of a return's file, zip or "
            "source.",
        )
    ticket = context.tickets.sign(body.path)
    return answer({"url": f"{body.path}?ticket={ticket}", "seconds": BEGIN_WITHIN_S})
