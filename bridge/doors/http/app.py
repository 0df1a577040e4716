"""The app: routes of all resources behind the guard, and the console's files."""

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response
from starlette.types import ASGIApp

from bridge.doors.http.bodies import Bodies
from bridge.doors.http.console import Console, WithConsole
from bridge.doors.http.context import Serving
from bridge.doors.http.direct import Direct
from bridge.doors.http.errors import install_error_handlers
from bridge.doors.http.guard import Guard
from bridge.doors.http.legacy import mixmaster, musicgen, remix, variations
from bridge.doors.http.routes import (
    events,
    jobs,
    queue,
    returns,
    session,
    streams,
    styles,
    system,
    uploads,
)
from bridge.doors.http.watch import Watch
from bridge.security.hosts import HostRule, OriginRule
from engine import __version__

ROUTERS = (
    session,
    uploads,
    jobs,
    queue,
    events,
    streams,
    returns,
    styles,
    system,
    remix,
    variations,
    mixmaster,
    musicgen,
)
OPEN_OPERATIONS = (("/health", "get"), ("/v2/session", "post"))


def build_app(
    serving: Serving, hosts: HostRule, origins: OriginRule, console: Console | None = None
) -> ASGIApp:
    """Return the whole of the HTTP door as an ASGI app."""
    console = console or Console()
    app = FastAPI(
        title="NRX Bridge",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.serving = serving
    app.state.routes = [route for module in ROUTERS for route in module.router.routes]
    install_error_handlers(app)
    for module in ROUTERS:
        app.include_router(module.router)

    @app.get("/openapi.json", include_in_schema=False)
    def document() -> Response:
        """Return the API's document."""
        from bridge.doors.http.answers import answer

        return answer(openapi_of(app))

    served = WithConsole(Bodies(Direct(app, app, jobs.DIRECT)), console)
    guarded = Guard(served, hosts, origins, serving.context.token, serving.context.tickets, console.has)
    return Watch(guarded, serving.metrics)


def openapi_of(app: FastAPI) -> dict[str, object]:
    """Return the OpenAPI document, with the token as its security scheme and the models that no signature names."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        routes=app.routes,
        description="The local daemon's API. Send the token as Authorization: Bearer with every call but /health.",
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for model in jobs.DOCUMENTED:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    for path, method in OPEN_OPERATIONS:
        document["paths"][path][method]["security"] = []
    return document
