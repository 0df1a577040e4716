"""JSON answers that need no second look: models are written by pydantic itself, everything else as ASCII JSON."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

JSON = "application/json"


def model_answer(model: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a model as JSON."""
    return Response(model.model_dump_json(), status, headers, JSON)


def answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return plain data as JSON; numbers that JSON has not are refused, so that no client chokes on NaN."""
    return Response(json.dumps(content, allow_nan=False), status, headers, JSON)
