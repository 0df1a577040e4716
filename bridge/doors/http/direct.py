"""The shortest way to the busiest route: its function is called without the framework's routing and dependencies.

The route stands in its router as every other does, for the API's document and for what other methods are told; here its
function, which takes the request and nothing else, is looked up by method and path.
"""

from collections.abc import Iterable

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.doors.http.errors import refusal
from engine.errors import NrxError


class Direct:
    """ASGI middleware before the app.

    Args:
        app: what is called for all else.
        owner: the app that the routes belong to, which their functions find as `request.app`.
        routes: without parameters in their paths; their functions take the request alone.
    """

    def __init__(self, app: ASGIApp, owner: FastAPI, routes: Iterable[APIRoute]) -> None:
        self.app, self.owner = app, owner
        self.routes = {(method, route.path): route for route in routes for method in route.methods or ()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the route's function, or pass on."""
        route = self.routes.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if route is None:
            await self.app(scope, receive, send)
            return
        scope["app"], scope["route"] = self.owner, route
        try:
            response = await route.endpoint(Request(scope, receive))
        except NrxError as error:
            response = refusal(error.code, error.sentence)
        await response(scope, receive, send)
